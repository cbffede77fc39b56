"""Our command line against our agent, and Consul's command line against our agent."""

import json
import os
import tempfile

from harness import agent, check, eventually, program, register, run, test


def commands(cli, one):
    """Runs `cli` with the arguments against the agent; returns (code, output)."""
    environment = {"CONSUL_HTTP_ADDR": "127.0.0.1:%d" % one.ports["http"]}
    return lambda *arguments: run([cli, *arguments], environment)


def story(cli, muster):
    """What both command lines must be able to do with an agent."""
    with agent(muster) as one, tempfile.TemporaryDirectory() as directory:
        call = commands(cli, one)
        code, output = call("members")
        check(code == 0 and "golden-node" in output and "alive" in output, output)
        check(output.startswith("Node "), output)
        code, output = call("info")
        check(code == 0 and "agent:" in output and "check_ttls = " in output, output)
        path = os.path.join(directory, "web.json")
        with open(path, "w") as file:
            json.dump({"service": {"name": "web", "port": 80, "tags": ["v1"]}}, file)
        code, output = call("services", "register", path)
        check(code == 0 and "Registered service: web" in output, output)
        eventually(lambda: "web" in call("catalog", "services")[1], "web in the catalog")
        code, output = call("catalog", "services", "-tags")
        check(code == 0 and "v1" in output, output)
        code, output = call("catalog", "nodes")
        check(code == 0 and "golden-node" in output and "127.0.0.1" in output, output)
        code, output = call("catalog", "nodes", "-service=web")
        check(code == 0 and "golden-node" in output, output)
        code, output = call("catalog", "datacenters")
        check(code == 0 and output == "dc1\n", output)
        code, output = call("services", "deregister", "-id=web")
        check(code == 0, output)
        keys(call)
        code, output = call("members", "-http-addr=127.0.0.1:1")
        check(code == 1 and "Error retrieving members" in output, code, output)


def keys(call):
    """The kv commands."""
    code, output = call("kv", "put", "config/a", "one")
    check(code == 0 and output == "Success! Data written to: config/a\n", output)
    code, output = call("kv", "get", "config/a")
    check(code == 0 and output == "one\n", output)
    code, output = call("kv", "get", "-detailed", "config/a")
    check(code == 0 and "ModifyIndex" in output and "Value            one" in output, output)
    call("kv", "put", "-flags=42", "config/b", "two")
    code, output = call("kv", "get", "-recurse", "config/")
    check(code == 0 and output == "config/a:one\nconfig/b:two\n", output)
    code, output = call("kv", "get", "-keys", "config/")
    check(code == 0 and output == "config/a\nconfig/b\n", output)
    code, output = call("kv", "put", "-cas", "-modify-index=1", "config/a", "x")
    check(code == 1 and "CAS failed" in output, code, output)
    code, output = call("kv", "get", "none")
    check(code == 1 and "No key exists at: none" in output, code, output)
    code, output = call("kv", "delete", "-recurse", "config/")
    check(code == 0 and "Deleted keys with prefix: config/" in output, output)


@test("our command line: members, info, services, catalog, kv")
def our_command_line(muster):
    story(muster, muster)


@test("Consul's command line works against our agent: members, info, services, catalog, kv")
def their_command_line(muster):
    story(program("consul"), muster)


@test("our watch command prints the state and ends with its signal")
def watch(muster):
    with agent(muster) as one:
        register(one, "web", 80)
        call = commands(muster, one)
        code, output = call("watch", "-type=service", "-service=web")
        check(code == 0 and '"web"' in output, code, output)
        one.ask("PUT", "/v1/kv/a", "x")
        code, output = call("watch", "-type=key", "-key=a")
        check(code == 0 and '"a"' in output, code, output)
        code, output = call("watch", "-type=nonsense")
        check(code == 1, code, output)


@test("version is printed, and unknown commands are refused")
def version(muster):
    code, output = run([muster, "version"])
    check(code == 0 and output.strip(), output)
    code, output = run([muster, "no-such-command"])
    check(code != 0 and output.strip(), code, output)
