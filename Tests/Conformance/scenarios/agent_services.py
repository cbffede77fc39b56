"""Services of the local agent: register, read, maintenance, health, deregister."""

from . import Scenario

REGISTER = "/v1/agent/service/register"


def synced(text):
    """A pattern that an answer matches once anti-entropy has carried `text` to the catalog."""
    return text


s = Scenario("agent-services", "Registration forms, listing, sync to the catalog, removal.")
s.get("/v1/agent/services")
s.put(REGISTER, {"Name": "plain"})
s.get("/v1/agent/services")
s.get("/v1/agent/service/plain")
s.get("/v1/agent/service/plain?pretty")
s.put(REGISTER, {
    "ID": "redis1", "Name": "redis", "Tags": ["primary", "v1"], "Address": "127.0.0.1",
    "Port": 8000, "Meta": {"redis_version": "4.0"}, "EnableTagOverride": False,
    "TaggedAddresses": {"lan": {"Address": "10.1.1.1", "Port": 1}, "wan": {"Address": "1.2.3.4"}},
    "Check": {"DeregisterCriticalServiceAfter": "90m", "TTL": "30m", "Notes": "heartbeat"},
    "Weights": {"Passing": 10, "Warning": 1},
})
s.get("/v1/agent/service/redis1")
s.get("/v1/agent/checks")
s.get("/v1/catalog/service/redis", until="redis1")
s.get("/v1/health/service/redis", until="service:redis1")
s.get("/v1/health/service/redis?passing")
s.put("/v1/agent/check/pass/service:redis1")
s.get("/v1/health/service/redis?passing", until="service:redis1")
s.put(REGISTER, {"name": "lower", "port": 9, "enable_tag_override": True,
                 "tagged_addresses": {"lan": {"address": "10.1.1.2", "port": 3}},
                 "check": {"ttl": "10m", "deregister_critical_service_after": "20m"}})
s.get("/v1/agent/service/lower")
s.get("/v1/catalog/service/lower", until="lower")
s.put(REGISTER, {"Name": "multi", "Checks": [
    {"TTL": "10m"}, {"Name": "named", "TTL": "11m", "Status": "passing"},
    {"CheckID": "own-id", "TTL": "12m", "Status": "warning", "Notes": "note"}]})
s.get("/v1/agent/checks")
s.get("/v1/agent/checks?filter=ServiceName==multi")
s.get("/v1/agent/checks?filter=Unknown==1")
s.get("/v1/health/checks/multi", until="own-id")
s.put(REGISTER, {"Name": "multi", "Port": 5, "Checks": [{"CheckID": "second", "TTL": "10m"}]})
s.get("/v1/agent/checks?filter=ServiceName==multi")
s.put(REGISTER + "?replace-existing-checks=true",
      {"Name": "multi", "Port": 6, "Checks": [{"CheckID": "third", "TTL": "10m"}]})
s.get("/v1/agent/checks?filter=ServiceName==multi")
s.put(REGISTER + "?replace-existing-checks", {"Name": "multi", "Port": 7})
s.get("/v1/agent/checks?filter=ServiceName==multi")
s.put(REGISTER + "?replace-existing-checks=false", {"Name": "multi"})
s.put(REGISTER + "?replace-existing-checks=maybe", {"Name": "multi"})
s.get("/v1/agent/services?filter=Service==redis")
s.get("/v1/agent/services?filter=Meta.redis_version==%224.0%22")
s.get("/v1/agent/services?filter=%22primary%22+in+Tags")
s.get("/v1/agent/services?filter=Port+!=+8000+and+Service+matches+%22%5Ep%22")
s.get("/v1/agent/services?filter=none==1")
s.get("/v1/agent/services?pretty&filter=ID==plain")
s.get("/v1/agent/service/none")
s.get("/v1/agent/service/")
s.get("/v1/agent/service")
s.put("/v1/agent/service/deregister/redis1")
s.put("/v1/agent/service/deregister/redis1")
s.get("/v1/agent/service/redis1")
s.get("/v1/catalog/service/redis", until=r"^\[\]")
s.put("/v1/agent/service/deregister/none")
s.put("/v1/agent/service/deregister/")
s.put("/v1/agent/service/deregister")
s.get("/v1/agent/services")
for name in ("plain", "lower", "multi"):
    s.put(f"/v1/agent/service/deregister/{name}")
s.get("/v1/agent/services")
s.get("/v1/agent/checks")

s = Scenario("agent-kinds", "Sidecars, proxies, gateways, Connect fields of agent services.")
s.put(REGISTER, {"Name": "web", "Port": 8080, "Connect": {"Native": True}})
s.get("/v1/agent/service/web")
s.put(REGISTER, {"Name": "api", "Port": 9000, "Tags": ["x"], "Meta": {"k": "v"},
                 "Connect": {"SidecarService": {}}})
s.get("/v1/agent/services")
s.get("/v1/agent/service/api-sidecar-proxy")
s.get("/v1/agent/checks", subs=[[r":\d{4,5}", ":<port>"]])
s.put(REGISTER, {"Name": "full", "Port": 9001, "Connect": {"SidecarService": {
    "Port": 21100, "Tags": ["side"], "Meta": {"m": "1"}, "Checks": [],
    "Proxy": {"Upstreams": [
        {"DestinationType": "service", "DestinationName": "db", "LocalBindPort": 9191},
        {"DestinationType": "prepared_query", "DestinationName": "geo", "LocalBindPort": 9192,
         "LocalBindAddress": "127.0.0.2", "Datacenter": "dc2"}],
        "Config": {"bind": "x"}}}}})
s.get("/v1/agent/service/full-sidecar-proxy")
s.put(REGISTER, {"Kind": "connect-proxy", "Name": "own-proxy", "Port": 21200, "Proxy": {
    "DestinationServiceName": "api", "DestinationServiceID": "api",
    "LocalServiceAddress": "127.0.0.1", "LocalServicePort": 9000,
    "MeshGateway": {"Mode": "none"},
    "Expose": {"Checks": False, "Paths": [
        {"Path": "/healthz", "LocalPathPort": 8080, "ListenerPort": 21500,
         "Protocol": "http2"}]}}})
s.get("/v1/agent/service/own-proxy")
s.put(REGISTER, {"Kind": "mesh-gateway", "Name": "mesh", "Port": 443})
s.put(REGISTER, {"Kind": "terminating-gateway", "Name": "term", "Port": 8443})
s.put(REGISTER, {"Kind": "ingress-gateway", "Name": "ing", "Port": 8888})
s.get("/v1/agent/services")
# Anti-entropy carries the services over in a random order: no index relations here.
s.get("/v1/catalog/connect/api", until="own-proxy", ignore_indexes=True)
s.get("/v1/health/connect/api", until="own-proxy", ignore_indexes=True,
      subs=[[r"(dial tcp [\d.]+|:)\d{4,5}", "<port>"]],
      ignore=["*.Checks"])
s.put("/v1/agent/service/deregister/api")
s.get("/v1/agent/services?filter=Kind==%22connect-proxy%22")
for body in (
    {"Kind": "connect-proxy", "Name": "bad", "Port": 1},
    {"Kind": "connect-proxy", "Name": "bad", "Proxy": {"DestinationServiceName": "x"}},
    {"Kind": "connect-proxy", "Name": "bad", "Port": 1, "Connect": {"SidecarService": {}},
     "Proxy": {"DestinationServiceName": "x"}},
    {"Kind": "mesh-gateway", "Name": "bad"},
    {"Kind": "mesh-gateway", "Name": "bad", "Port": 1, "Connect": {"Native": True}},
    {"Kind": "mesh-gateway", "Name": "bad", "Port": 1, "Proxy": {"DestinationServiceName": "x"}},
    {"Kind": "terminating-gateway", "Name": "bad"},
    {"Kind": "ingress-gateway", "Name": "bad"},
    {"Kind": "unheard-of", "Name": "odd"},
    {"Name": "x", "Port": 1, "Proxy": {"DestinationServiceName": "y"}},
    {"Name": "x", "Port": 1, "Connect": {"Native": True, "SidecarService": {}}},
    {"Name": "x", "Connect": {"SidecarService": {}}},
    {"Name": "x", "Port": 1, "Connect": {"SidecarService": {"ID": "own-id"}}},
    {"Name": "x", "Port": 1, "Connect": {"SidecarService": {"Connect": {"SidecarService": {}}}}},
    {"Kind": "connect-proxy", "Name": "p", "Port": 1, "Proxy": {
        "DestinationServiceName": "d", "Upstreams": [{"LocalBindPort": 1}]}},
    {"Kind": "connect-proxy", "Name": "p", "Port": 1, "Proxy": {
        "DestinationServiceName": "d", "Upstreams": [{"DestinationName": "z"}]}},
    {"Kind": "connect-proxy", "Name": "p", "Port": 1, "Proxy": {
        "DestinationServiceName": "d",
        "Upstreams": [{"DestinationName": "z", "LocalBindPort": 2, "DestinationType": "odd"}]}},
    {"Kind": "connect-proxy", "Name": "p", "Port": 1, "Proxy": {
        "DestinationServiceName": "d", "Upstreams": [
            {"DestinationName": "z", "LocalBindPort": 2},
            {"DestinationName": "y", "LocalBindPort": 2}]}},
    {"Kind": "connect-proxy", "Name": "p", "Port": 1, "Proxy": {
        "DestinationServiceName": "d", "Expose": {"Paths": [{"ListenerPort": 70000}]}}},
    {"Kind": "connect-proxy", "Name": "p", "Port": 1, "Proxy": {
        "DestinationServiceName": "d", "Expose": {"Paths": [
            {"Path": "/h", "ListenerPort": 2, "LocalPathPort": 3, "Protocol": "odd"}]}}},
):
    s.put(REGISTER, body, subs=[[r"\[http2 http\]", "[http http2]"]])

s = Scenario("agent-service-hash", "Blocking on one service by content hash.")
s.put(REGISTER, {"Name": "hashed", "Port": 1})
s.get("/v1/agent/service/hashed", capture={"hash": "header:X-Consul-Contenthash"})
s.get("/v1/agent/service/hashed?hash=${hash}&wait=200ms", min_ms=150)
s.get("/v1/agent/service/hashed?hash=0000&wait=5s", max_ms=2000)
s.put(REGISTER, {"Name": "hashed", "Port": 2})
s.get("/v1/agent/service/hashed?hash=${hash}&wait=5s", max_ms=2000,
      capture={"hash": "header:X-Consul-Contenthash"})
s.get("/v1/agent/service/hashed?hash=${hash}&wait=10s", max_ms=5000, concurrently=[
    {"method": "PUT", "path": REGISTER, "body": '{"Name":"hashed","Port":3}'}])
s.get("/v1/agent/service/hashed?hash=x&wait=bad")
s.get("/v1/agent/service/hashed?wait=bad")
s.get("/v1/agent/service/none?hash=${hash}&wait=1s")
s.put("/v1/agent/service/deregister/hashed")

s = Scenario("agent-maintenance",
             "Maintenance of the node and of one service; health by name and id.")
for number in (1, 2):
    s.put(REGISTER, {"ID": f"web-{number}", "Name": "web", "Port": number,
                     "Check": {"TTL": "1h", "Status": "passing"}})
s.put(REGISTER, {"ID": "bare", "Name": "bare"})


def health(scenario):
    """All forms of the agent's own health endpoints."""
    for kind, value in (("name", "web"), ("id", "web-1"), ("id", "web-2"), ("id", "bare")):
        for form in ("", "?format=text"):
            # Consul lists services and checks in the random order of a Go map, and gives the
            # reason of whichever came last.
            scenario.get(f"/v1/agent/health/service/{kind}/{value}{form}", unordered=True,
                         ignore_headers=["X-Consul-Reason"] if kind == "name" else [],
                         subs=[["^(critical|maintenance)$", "<unhealthy>"]] if form else [])


health(s)
s.put("/v1/agent/check/warn/service:web-1?note=hm")
health(s)
s.put("/v1/agent/check/fail/service:web-1?note=broken")
health(s)
s.put("/v1/agent/service/maintenance/web-2?enable=true&reason=for+a+while")
s.get("/v1/agent/checks")
health(s)
s.get("/v1/health/checks/web", until="for a while")
s.put("/v1/agent/service/maintenance/web-2?enable=true&reason=again")
s.get("/v1/agent/checks?filter=CheckID==%22_service_maintenance:web-2%22")
s.put("/v1/agent/service/maintenance/web-2?enable=false")
s.put("/v1/agent/service/maintenance/web-2?enable=false")
s.put("/v1/agent/service/maintenance/web-2?enable=true")
s.get("/v1/agent/checks?filter=CheckID==%22_service_maintenance:web-2%22")
s.put("/v1/agent/service/maintenance/web-2?enable=false")
s.put("/v1/agent/maintenance?enable=true&reason=upgrade")
s.get("/v1/agent/checks?filter=CheckID==_node_maintenance")
health(s)
s.get("/v1/health/node/golden-node", until="_node_maintenance")
s.put("/v1/agent/maintenance?enable=true")
s.put("/v1/agent/maintenance?enable=false")
s.put("/v1/agent/maintenance?enable=false")
s.put("/v1/agent/maintenance?enable=true")
s.get("/v1/agent/checks?filter=CheckID==_node_maintenance")
s.put("/v1/agent/maintenance?enable=0")
for path in (
    "/v1/agent/service/maintenance/web-1", "/v1/agent/service/maintenance/web-1?enable=maybe",
    "/v1/agent/service/maintenance/web-1?enable=", "/v1/agent/service/maintenance/none?enable=true",
    "/v1/agent/service/maintenance/?enable=true", "/v1/agent/service/maintenance?enable=true",
    "/v1/agent/maintenance", "/v1/agent/maintenance?enable=maybe",
):
    s.put(path)
for path in (
    "/v1/agent/health/service/name/none", "/v1/agent/health/service/name/none?format=text",
    "/v1/agent/health/service/id/none", "/v1/agent/health/service/id/none?format=text",
    "/v1/agent/health/service/name/", "/v1/agent/health/service/id/",
    "/v1/agent/health/service/name/web?format=odd", "/v1/agent/health/service/id/web-1?format=odd",
    "/v1/agent/health/service/", "/v1/agent/health",
):
    s.get(path, unordered=True)
s.request("GET", "/v1/agent/health/service/id/web-2", headers={"Accept": "text/plain"},
          unordered=True)
s.get("/v1/agent/maintenance")
s.get("/v1/agent/service/maintenance/web-1")
s.put("/v1/agent/health/service/id/web-1")

s = Scenario("agent-service-errors", "Refused registrations.")
for body in (
    None, "not json", "[]", "{}", '"x"', "null", '{"Name":', {"Name": ""}, {"ID": "only-id"},
    {"Name": 5}, {"Name": ["x"]}, {"Name": "x", "Port": "80"}, {"Name": "x", "Port": 1.5},
    {"Name": "x", "Port": -1}, {"Name": "x", "Port": 70000}, {"Name": "x", "Tags": "a"},
    {"Name": "x", "Tags": [1]}, {"Name": "x", "Meta": {"a": 5}}, {"Name": "x", "Meta": {"": "v"}},
    {"Name": "x", "Meta": {"bad key!": "v"}}, {"Name": "x", "Meta": {"consul-x": "v"}},
    {"Name": "x", "Meta": {"k" * 129: "v"}}, {"Name": "x", "Meta": {"k": "v" * 513}},
    {"Name": "x", "Meta": {f"k{i}": "v" for i in range(65)}},
    {"Name": "x", "Address": "0.0.0.0"}, {"Name": "x", "Address": "::"},
    {"Name": "x", "Address": "[::]"},
    {"Name": "x", "Address": 5}, {"Name": "x", "Unknown": 1},
    {"Name": "x", "Weights": {"Passing": 0, "Warning": 1}},
    {"Name": "x", "Weights": {"Passing": -1, "Warning": 1}},
    {"Name": "x", "Weights": {"Passing": 70000, "Warning": 1}},
    {"Name": "x", "Check": {}}, {"Name": "x", "Check": {"TTL": "soon"}},
    {"Name": "x", "Check": {"TTL": 5}}, {"Name": "x", "Check": {"TTL": "-1s"}},
    {"Name": "x", "Check": {"HTTP": "http://127.0.0.1:1"}},
    {"Name": "x", "Check": {"HTTP": "http://127.0.0.1:1", "Interval": "soon"}},
    {"Name": "x", "Check": {"TTL": "1m", "Status": "odd"}},
    {"Name": "x", "Check": {"TTL": "1m", "HTTP": "http://127.0.0.1:1", "Interval": "1m"}},
    {"Name": "x", "Check": {"Args": ["true"], "Interval": "1m"}},
    {"Name": "x", "Checks": [{"TTL": "1m"}, {}]},
    {"Name": "x", "Checks": {"TTL": "1m"}},
    {"Name": "bad name with spaces"}, {"Name": "under_score"}, {"Name": "dotted.name"},
    {"Name": "x", "Tags": ["bad tag"]}, {"Name": "u" * 64},
    {"Name": "consul"}, {"Name": "x", "ID": "consul"},
    {"Name": "x", "TaggedAddresses": {"lan": "10.0.0.1"}},
    {"Name": "x", "TaggedAddresses": {"lan": {"Address": "10.0.0.1", "Port": 70000}}},
    {"Name": "x", "TaggedAddresses": {"lan": {"Address": "0.0.0.0", "Port": 7}}},
    {"Name": "x", "TaggedAddresses": {"anything": {"Address": "example.com", "Port": 7}}},
    {"Name": "x", "EnableTagOverride": "yes"}, {"Name": "x", "token": "t"},
):
    s.put(REGISTER, body)
s.get("/v1/agent/services", unordered=True)
s.get(REGISTER)
s.post(REGISTER, {"Name": "x"})
s.get("/v1/agent/service/deregister/x")
s.delete("/v1/agent/service/x")
s.put("/v1/agent/services")
