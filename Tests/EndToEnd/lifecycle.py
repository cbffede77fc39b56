"""Start, signals, reload, leaving, and what is kept over a restart."""

import json
import os
import signal
import tempfile
import time

from agent import NODE_NAME, Agent
from harness import agent, check, eventually, register, run, test


def ended(process, seconds=15):
    """Waits for the end of a process and returns its exit code."""
    return process.wait(timeout=seconds)


@test("an agent registers itself, its node and its health")
def registers_itself(muster):
    with agent(muster) as one:
        nodes = json.loads(one.get("/v1/catalog/nodes")[1])
        check([node["Node"] for node in nodes] == [NODE_NAME], nodes)
        checks = json.loads(one.get(f"/v1/health/node/{NODE_NAME}")[1])
        check([c["CheckID"] for c in checks] == ["serfHealth"], checks)
        check('"consul"' in one.get("/v1/catalog/services")[1], "no service consul")
        members = json.loads(one.get("/v1/agent/members")[1])
        check(members[0]["Name"] == NODE_NAME and members[0]["Status"] == 1, members)


@test("SIGTERM ends the agent, its port is free again, its exit code is Consul's")
def sigterm(muster):
    with agent(muster) as one:
        one.process.send_signal(signal.SIGTERM)
        check(ended(one.process) == 1, "exit code", one.process.returncode)
        with Agent([muster], {"ports": one.ports}):
            pass


@test("SIGINT ends the agent, with Consul's exit code")
def sigint(muster):
    with agent(muster) as one:
        one.process.send_signal(signal.SIGINT)
        check(ended(one.process) == 1, "exit code", one.process.returncode)


@test("PUT agent/leave ends the agent with exit code 0")
def leave(muster):
    with agent(muster) as one:
        status, _ = one.ask("PUT", "/v1/agent/leave", timeout=30)
        check(status == 200, status)
        check(ended(one.process, 30) == 0, "exit code", one.process.returncode)


@test("leave_on_terminate makes SIGTERM a graceful leave with exit code 0")
def leave_on_terminate(muster):
    with agent(muster, {"leave_on_terminate": True}) as one:
        one.process.send_signal(signal.SIGTERM)
        check(ended(one.process, 30) == 0, "exit code", one.process.returncode)


@test("a wrong option or a missing file ends the agent at once with exit code 1")
def wrong_options(muster):
    for arguments in (["-no-such-option"], ["-config-file", "/nonexistent.json"]):
        code, output = run([muster, "agent", "-dev", *arguments])
        check(code == 1, arguments, code, output)
        check(output.strip(), "no message for", arguments)


@test("a configuration file that is not JSON, or names an unknown option, is refused")
def wrong_configuration(muster):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "bad.json")
        for text, said in (('{"ports": ', "bad.json"), ('{"no_such_option": 1}', "no_such_option")):
            with open(path, "w") as file:
                file.write(text)
            code, output = run([muster, "agent", "-dev", "-config-file", path])
            check(code == 1 and said in output, text, code, output)


def write_services(one, services):
    """Adds services to the configuration file of an agent."""
    path = one.config_path
    with open(path) as file:
        config = json.load(file)
    config["services"] = services
    with open(path, "w") as file:
        json.dump(config, file)


def names(one):
    """The ids of the agent's services."""
    return sorted(json.loads(one.get("/v1/agent/services")[1]))


@test("services and checks come from the configuration file; SIGHUP reads it again")
def reload_by_signal(muster):
    config = {
        "services": [{"name": "one", "port": 1, "check": {"ttl": "1h", "status": "passing"}}],
        "check": {"id": "loose", "name": "Loose", "ttl": "1h"},
    }
    # Only what is kept in a data directory outlives a reload, as in Consul.
    with tempfile.TemporaryDirectory() as data, agent(muster, {**config, "data_dir": data}) as one:
        eventually(lambda: names(one) == ["one"], "the service of the file")
        checks = json.loads(one.get("/v1/agent/checks")[1])
        check(set(checks) == {"service:one", "loose"}, sorted(checks))
        register(one, "by-api", 9)
        write_services(one, [{"name": "two", "port": 2}])
        one.process.send_signal(signal.SIGHUP)
        eventually(lambda: names(one) == ["by-api", "two"], "the services of the new file")
        eventually(lambda: json.loads(one.get("/v1/catalog/service/one")[1]) == [], "one is gone")
        check(one.process.poll() is None, "the agent ended")


@test("PUT agent/reload reads the configuration file again; a broken file changes nothing")
def reload_by_request(muster):
    with agent(muster) as one:
        write_services(one, [{"name": "late", "port": 2}])
        check(one.ask("PUT", "/v1/agent/reload")[0] == 200, "reload")
        eventually(lambda: names(one) == ["late"], "the service of the new file")
        with open(one.config_path, "w") as file:
            file.write("{ broken")
        check(one.ask("PUT", "/v1/agent/reload")[0] == 500, "a broken file was accepted")
        check(names(one) == ["late"], names(one))


@test("registered services and checks outlive kill -9 in the data directory")
def persistence(muster):
    with tempfile.TemporaryDirectory() as directory:
        config = {"data_dir": directory}
        with agent(muster, config) as one:
            register(one, "kept", 80, Tags=["a"], Meta={"k": "v"}, Check={"TTL": "1h"})
            register(one, "dropped", 81)
            one.ask("PUT", "/v1/agent/check/register", {"Name": "loose", "TTL": "1h"})
            one.ask("PUT", "/v1/agent/check/pass/service:kept?note=well")
            one.ask("PUT", "/v1/agent/check/pass/loose")
            one.ask("PUT", "/v1/agent/service/deregister/dropped")
            before = one.get("/v1/agent/service/kept")[1]
            one.process.kill()
            one.process.wait()
        with agent(muster, config) as one:
            eventually(lambda: names(one) == ["kept"], "the kept service")
            check(one.get("/v1/agent/service/kept")[1] == before, "changed by the restart")
            checks = json.loads(one.get("/v1/agent/checks")[1])
            check(set(checks) == {"service:kept", "loose"}, sorted(checks))
            check(checks["service:kept"]["Status"] == "passing", checks)
            eventually(lambda: "service:kept" in one.get("/v1/health/service/kept?passing")[1],
                       "kept is passing in the catalog")


@test("a damaged file in the data directory does not stop the start")
def damaged_file(muster):
    with tempfile.TemporaryDirectory() as directory:
        config = {"data_dir": directory}
        with agent(muster, config) as one:
            register(one, "good", 80)
            register(one, "bad", 81)
        files = os.path.join(directory, "services")
        for name in os.listdir(files):
            path = os.path.join(files, name)
            with open(path, "rb") as file:
                content = file.read()
            if b'"bad"' in content:
                with open(path, "wb") as file:
                    file.write(content[:len(content) // 2])
        with agent(muster, config) as one:
            eventually(lambda: "good" in names(one), "the good service")
            check("bad" not in names(one), names(one))


@test("the node id is made once and kept in the data directory")
def node_id(muster):
    with tempfile.TemporaryDirectory() as directory:
        seen = set()
        for _ in range(2):
            with Agent([muster], {"data_dir": directory, "node_id": ""}) as one:
                seen.add(json.loads(one.get("/v1/agent/self")[1])["Config"]["NodeID"])
        check(len(seen) == 1 and len(next(iter(seen))) == 36, seen)


@test("a TTL check that nobody renews becomes critical, in the agent and in the catalog")
def ttl_expires(muster):
    with agent(muster) as one:
        register(one, "web", 80, Check={"TTL": "400ms", "Status": "passing"})
        eventually(lambda: "TTL expired" in one.get("/v1/health/checks/web")[1], "expiry")
        check(one.ask("PUT", "/v1/agent/check/pass/service:web")[0] == 200, "pass")
        eventually(lambda: '"ttl"' in one.get("/v1/health/service/web?passing")[1].replace(" ", ""),
                   "passing again")


@test("a session with a TTL ends when nobody renews it, and its lock with it")
def session_expires(muster):
    config = {"session_ttl_min": "1s"}
    with agent(muster, config) as one:
        body = {"TTL": "1s", "LockDelay": "0s", "Behavior": "delete"}
        session = json.loads(one.ask("PUT", "/v1/session/create", body)[1])["ID"]
        one.ask("PUT", f"/v1/kv/lock?acquire={session}", "held")
        check(one.get("/v1/kv/lock?raw") == (200, "held"), "not held")
        started = time.monotonic()
        eventually(lambda: one.get("/v1/kv/lock")[0] == 404, "the lock is gone", seconds=10)
        check(time.monotonic() - started > 0.7, "too early")
