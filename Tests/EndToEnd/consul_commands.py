"""The rest of Consul's command line against our agent: what works, and what says it does not."""

import json
import os
import tempfile

from harness import agent, check, eventually, program, register, run, test


def caller(muster, one):
    """Runs one of the commands of Consul's command line against the agent."""
    path = program("consul")
    address = "127.0.0.1:%d" % one.ports["http"]
    return lambda *words: run([path, *words], {"CONSUL_HTTP_ADDR": address})


@test("Consul's command line exports keys, deletes them and imports them again")
def export_and_import(muster):
    with agent(muster) as one, tempfile.TemporaryDirectory() as directory:
        call = caller(muster, one)
        call("kv", "put", "-flags=42", "config/a", "one")
        call("kv", "put", "config/b", "two")
        code, exported = call("kv", "export", "config/")
        check(code == 0 and len(json.loads(exported)) == 2, exported)
        path = os.path.join(directory, "keys.json")
        with open(path, "w") as file:
            file.write(exported)
        call("kv", "delete", "-recurse", "config/")
        code, output = call("kv", "import", "@" + path)
        check(code == 0 and "Imported: config/a" in output, output)
        check(call("kv", "export", "config/") == (0, exported), "not what was exported")


@test("Consul's command line locks, fires events, toggles maintenance and watches")
def lock_event_maintenance_watch(muster):
    with agent(muster) as one:
        register(one, "web", 80)
        call = caller(muster, one)
        check(call("lock", "held", "echo inside") == (0, "inside\n"), "lock")
        check(call("lock", "-n=2", "shared", "echo inside") == (0, "inside\n"), "semaphore")
        code, output = call("event", "-name=deploy", "-service=web", "now")
        check(code == 0 and "Event ID: " in output, output)
        code, output = call("watch", "-type=event", "-name=deploy")
        check(code == 0 and '"deploy"' in output, output)
        code, output = call("maint", "-enable", "-service=web", "-reason=why")
        check(code == 0 and "Service maintenance is now enabled" in output, output)
        code, output = call("maint")
        check(code == 0 and "ID:     web" in output and "Reason: why" in output, output)
        code, output = call("watch", "-type=checks", "-state=critical")
        check(code == 0 and "_service_maintenance:web" in output, output)
        check(call("maint", "-disable", "-service=web")[0] == 0, "maint -disable")
        code, output = call("watch", "-type=service", "-service=web", "-passingonly=true")
        check(code == 0 and '"web"' in output, output)
        code, output = call("operator", "autopilot", "set-config", "-cleanup-dead-servers=false")
        check(code == 0 and output == "Configuration updated!\n", output)
        code, output = call("operator", "autopilot", "get-config")
        check(code == 0 and "CleanupDeadServers = false" in output, output)
        code, output = call("operator", "raft", "list-peers")
        check(code == 0 and "leader" in output, output)


@test("Consul's command line estimates the round trip of an agent to itself")
def round_trip(muster):
    with agent(muster) as one:
        call = caller(muster, one)
        eventually(lambda: '"Vec"' in one.get("/v1/coordinate/nodes")[1], "a coordinate",
                   seconds=45)
        code, output = call("rtt", "golden-node")
        check(code == 0 and "rtt: 0.020 ms" in output, output)


@test("Consul's command line saves, inspects and restores the registry")
def snapshots(muster):
    with agent(muster) as one, tempfile.TemporaryDirectory() as directory:
        call = caller(muster, one)
        path = os.path.join(directory, "state.snap")
        check(call("kv", "put", "kept", "1")[0] == 0, "put")
        code, output = call("snapshot", "save", path)
        check(code == 0 and "Saved and verified snapshot to index" in output, output)
        code, output = call("snapshot", "inspect", path)
        check(code == 0 and "Version" in output, output)
        check(call("kv", "delete", "kept")[0] == 0, "delete")
        code, output = call("snapshot", "restore", path)
        check(code == 0 and "Restored snapshot" in output, output)
        check(call("kv", "get", "kept") == (0, "1\n"), call("kv", "get", "kept"))
        with open(path, "r+b") as archive:
            archive.truncate(100)
        code, output = call("snapshot", "restore", path)
        check(code != 0 and "failed to read snapshot file: " in output, output)
        check("take another copy" in output, output)


@test("Consul's command line is told clearly what this version does not serve")
def unserved(muster):
    with agent(muster) as one:
        call = caller(muster, one)
        for words in (
            ("connect", "ca", "get-config"), ("intention", "create", "a", "b"),
            ("intention", "check", "a", "b"), ("config", "list", "-kind=service-defaults"),
            ("keyring", "-list"), ("monitor",),
        ):
            code, output = call(*words)
            check(code != 0 and "not served by this version" in output, words, code, output)
        for words in (("acl", "policy", "list"), ("acl", "bootstrap")):
            code, output = call(*words)
            check(code != 0 and "ACL support disabled" in output, words, code, output)
