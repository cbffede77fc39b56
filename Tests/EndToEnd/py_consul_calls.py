"""Calls what py-consul offers, as an application would; started by strangers.py with the port."""

import sys
import time

import consul

client = consul.Consul(host="127.0.0.1", port=int(sys.argv[1]))
CALLS = 0


def same(value, wanted, what):
    """Counts one call and fails with what it gave instead."""
    global CALLS
    CALLS += 1
    if value != wanted:
        sys.exit(f"{what}: wanted {wanted!r}, got {value!r}")


def wait_for(probe, what):
    """Waits until anti-entropy has carried a change over."""
    for _ in range(200):
        if probe():
            return
        time.sleep(0.05)
    sys.exit(f"never came true: {what}")


def agent():
    service = client.agent.service
    same(service.register(
        "web", service_id="web-1", address="10.1.1.1", port=80, tags=["v1"], meta={"k": "v"},
        weights={"Passing": 3, "Warning": 1}, check=consul.Check.ttl("1h"),
        tagged_addresses={"lan": {"address": "10.1.1.1", "port": 80}}), True, "service.register")
    same(service.register("plain", replace_existing_checks=True), True, "service.register plain")
    same(service.register("tcp", port=1, check=consul.Check.tcp("127.0.0.1", 1, "1h")), True, "tcp")
    same(service.register("http", check=consul.Check.http(
        "http://127.0.0.1:1", "1h", timeout="1s", deregister="1h", header={"a": ["b"]})), True,
        "http check")
    same(sorted(client.agent.services()), ["http", "plain", "tcp", "web-1"], "services")
    same(sorted(client.agent.services(filter_expr="Service == web")), ["web-1"], "filtered")
    same(client.agent.service_definition("web-1")["Service"], "web", "service_definition")
    same(sorted(client.agent.checks(filter_expr="ServiceName == web")), ["service:web-1"], "checks")
    same(client.agent.self()["Config"]["Datacenter"], "dc1", "self")
    same(len(client.agent.members()), 1, "members")
    same(len(client.agent.members(wan=True)), 1, "members wan")
    check = client.agent.check
    same(check.register("loose", check=consul.Check.ttl("1h"), notes="n"), True, "check.register")
    same(check.register("tied", check=consul.Check.ttl("1h"), service_id="web-1", check_id="tied"),
         True, "check.register for a service")
    for call in (check.ttl_pass, check.ttl_warn, check.ttl_fail):
        same(call("loose", notes="why"), True, call.__name__)
    same(client.agent.checks()["loose"]["Status"], "critical", "status")
    same(check.ttl_pass("service:web-1"), True, "pass")
    same(check.ttl_pass("tied"), True, "pass tied")
    same(check.deregister("loose"), True, "check.deregister")
    same(service.maintenance("web-1", True, reason="r"), True, "service.maintenance")
    same(service.maintenance("web-1", False), True, "service.maintenance off")
    same(client.agent.maintenance(True, reason="r"), True, "maintenance")
    same(client.agent.maintenance(False), True, "maintenance off")
    same(client.agent.reload() in (True, None), True, "reload")
    same(service.deregister("plain"), True, "service.deregister")


def catalog():
    catalog = client.catalog
    same(catalog.register("n1", "10.0.0.1", service={"service": "db", "port": 5432, "tags": ["p"]},
                          tagged_addresses={"lan": "10.0.0.1"}), True, "catalog.register")
    same(catalog.register("n1", "10.0.0.1", check={
        "name": "c", "status": "passing", "ServiceID": "db"}),
        True, "register a check")
    same(catalog.datacenters(), ["dc1"], "datacenters")
    index, nodes = catalog.nodes(node_meta={"rack": "r"})
    same(nodes, [], "nodes with a meta value")
    same(int(index) > 0, True, "an index")
    same(catalog.services()[1]["db"], ["p"], "services")
    same(catalog.service("db", tag="p")[1][0]["ServicePort"], 5432, "service")
    same(catalog.service("db", near="n1")[1][0]["Node"], "n1", "service")
    same(sorted(catalog.node("n1")[1]["Services"]), ["db"], "node")
    same(catalog.node("none")[1], None, "no node")
    same(catalog.connect("db")[1], [], "connect")
    same(catalog.gateway_services("none")[1] if isinstance(
        catalog.gateway_services("none"), tuple) else [], [], "gateway_services")
    for level in ("default", "consistent", "stale"):
        same(len(catalog.nodes(consistency=level, filter_expr="Node == n1")[1]), 1, level)
    index = catalog.services()[0]
    started = time.monotonic()
    same(int(catalog.services(index=index, wait="200ms")[0]) >= int(index), True, "blocking")
    same(time.monotonic() - started > 0.15, True, "it waited")


def health():
    wait_for(lambda: client.health.service("web", passing=True)[1], "web is passing")
    nodes = client.health.service("web", passing=True, tag="v1")[1]
    same(nodes[0]["Service"]["Weights"]["Passing"], 3, "health.service")
    same(client.health.service("db", filter_expr="Node.Node == n1")[1][0]["Node"]["Node"], "n1",
         "health.service filter")
    same([c["CheckID"] for c in client.health.node("n1")[1]], ["c"], "health.node")
    same([c["CheckID"] for c in client.health.checks("db")[1]], ["c"], "health.checks")
    same(len(client.health.state("passing")[1]) >= 3, True, "health.state")
    same(len(client.health.state("any", filter_expr="Node == n1")[1]), 1, "health.state any")
    same(client.health.connect("web")[1], [], "health.connect")
    same(client.health.ingress("web")[1], [], "health.ingress")


def keys():
    kv = client.kv
    same(kv.get("none")[1], None, "kv.get none")
    same(kv.put("a/b", "text", flags=7), True, "kv.put")
    same(kv.put("a/bytes", b"\x00\xff"), True, "kv.put bytes")
    entry = kv.get("a/b")[1]
    same((entry["Value"], entry["Flags"]), (b"text", 7), "kv.get")
    same(kv.get("a/bytes")[1]["Value"], b"\x00\xff", "kv.get bytes")
    same(kv.get("a/", keys=True)[1], ["a/b", "a/bytes"], "kv keys")
    same(kv.get("a", keys=True, separator="/")[1], ["a/"], "kv separator")
    same(len(kv.get("a/", recurse=True)[1]), 2, "kv recurse")
    same(kv.put("a/b", "x", cas=0), False, "kv cas")
    same(kv.put("a/b", "x", cas=entry["ModifyIndex"]), True, "kv cas with the index")
    same(kv.delete("a/b", cas=1), False, "kv delete cas")
    same(kv.delete("a/", recurse=True), True, "kv delete")
    same(kv.get("a/", recurse=True)[1], None, "kv is empty")
    result = client.txn.put([{"KV": {"Verb": "set", "Key": "t", "Value": "dA=="}},
                             {"KV": {"Verb": "get", "Key": "t"}}])
    same(result["Errors"], None, "txn")


def sessions():
    session = client.session
    first = session.create(name="s", lock_delay=0, ttl=60, behavior="delete")
    second = session.create(lock_delay=0)
    same(client.kv.put("lock", "1", acquire=first), True, "acquire")
    same(client.kv.put("lock", "2", acquire=second), False, "held")
    same(client.kv.get("lock")[1]["Session"], first, "holder")
    same(session.info(first)[1]["Name"], "s", "session.info")
    same(len(session.list()[1]), 2, "session.list")
    same(len(session.node("golden-node")[1]), 2, "session.node")
    same(session.renew(first)["ID"], first, "session.renew")
    same(client.kv.put("lock", "1", release=first), True, "release")
    same(session.destroy(first), True, "session.destroy")
    same(session.destroy(second), True, "session.destroy")


def rest():
    same(":" in client.status.leader(), True, "status.leader")
    same(len(client.status.peers()), 1, "status.peers")
    same(client.coordinate.datacenters()[0]["Datacenter"], "dc1", "coordinate.datacenters")
    same(isinstance(client.coordinate.nodes()[1], list), True, "coordinate.nodes")
    same(client.coordinate.update("n1", {"Vec": [0.0] * 8, "Error": 1.5, "Adjustment": 0.0,
                                         "Height": 0.001}), True, "coordinate.update")
    wait_for(lambda: client.coordinate.node("n1")[1], "a coordinate")
    event = client.event.fire("deploy", "payload")
    same(event["Name"], "deploy", "event.fire")
    wait_for(lambda: client.event.list("deploy")[1], "an event")
    same(len(client.operator.raft_config()["Servers"]), 1, "operator.raft_config")
    same("CleanupDeadServers" in client.operator.autopilot_configuration(), True, "autopilot")
    same("Servers" in client.operator.autopilot_health(), True, "autopilot_health")
    same(client.catalog.deregister("n1", check_id="c"), True, "catalog.deregister check")
    same(client.catalog.deregister("n1", service_id="db"), True, "catalog.deregister service")
    same(client.catalog.deregister("n1"), True, "catalog.deregister node")
    same(client.agent.leave(), True, "agent.leave")


def operators():
    """What newer versions of py-consul added; older ones lack some of it."""
    operator = client.operator
    if hasattr(operator, "update_autopilot_configuration"):
        same(operator.update_autopilot_configuration(cleanup_dead_servers=True), True, "autopilot")
        same(operator.autopilot_configuration()["CleanupDeadServers"], True, "what was written")
    if hasattr(client.agent, "metrics"):
        same("Gauges" in client.agent.metrics(), True, "agent.metrics")
    same(client.coordinate.node("none")[1], None, "no coordinate")


def unserved():
    """Features that the agent does not have are errors, never "no such record"."""
    calls = {
        "query.list": lambda: client.query.list(),
        "query.create": lambda: client.query.create("db", name="q"),
        "query.execute": lambda: client.query.execute("q"),
        "query.delete": lambda: client.query.delete("q"),
    }
    if hasattr(client, "config"):
        calls["config.get"] = lambda: client.config.get("service-defaults", "web")
    if hasattr(client, "discovery_chain"):
        calls["discovery_chain.get"] = lambda: client.discovery_chain.get("web")
    for name, call in calls.items():
        try:
            value = call()
        except consul.ConsulException as error:
            same("not served by this version" in str(error), True, f"{name}: {error}")
        else:
            sys.exit(f"{name}: wanted an error, got {value!r}")
    try:
        client.acl.token.list() if hasattr(client.acl, "token") else client.acl.tokens.list()
    except consul.ACLDisabled:
        pass


for part in (agent, catalog, health, keys, sessions, operators, unserved, rest):
    part()
print(f"{CALLS} calls agree")
