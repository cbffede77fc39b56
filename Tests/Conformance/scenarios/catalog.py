"""The catalog: registration of nodes, services and checks, and every read."""

from . import Scenario

ID1 = "40e4a748-2192-161a-0510-9bf59fe950b5"
ID2 = "50e4a748-2192-161a-0510-9bf59fe950b5"


def register(body):
    """A step that registers `body` with the catalog."""
    return ("/v1/catalog/register", body)


s = Scenario("catalog-register", "Nodes, services and checks registered from outside; reads.")
s.put(*register({"Node": "n1", "Address": "10.0.0.1"}))
s.get("/v1/catalog/node/n1")
s.put(*register({
    "ID": ID1, "Node": "n2", "Address": "10.0.0.2", "Datacenter": "dc1",
    "TaggedAddresses": {"lan": "10.0.0.2", "wan": "1.2.3.4"}, "NodeMeta": {"rack": "r1"},
    "Service": {
        "ID": "web-1", "Service": "web", "Tags": ["primary", "v1"], "Address": "10.0.9.2",
        "TaggedAddresses": {
            "lan": {"Address": "10.0.9.2", "Port": 80},
            "wan": {"Address": "1.2.3.5", "Port": 8080},
        },
        "Meta": {"version": "4"}, "Port": 80, "Weights": {"Passing": 10, "Warning": 2},
        "EnableTagOverride": True,
    },
    "Check": {
        "Node": "n2", "CheckID": "service:web-1", "Name": "web alive", "Notes": "by hand",
        "Status": "passing", "Output": "fine", "ServiceID": "web-1",
        "Definition": {
            "TCP": "localhost:80", "Interval": "5s", "Timeout": "1s",
            "DeregisterCriticalServiceAfter": "30s",
        },
    },
}))
s.get("/v1/catalog/node/n2")
s.get("/v1/catalog/node-services/n2")
s.get("/v1/catalog/node/n2?pretty")
s.get("/v1/catalog/service/web")
s.get("/v1/health/service/web")
s.get("/v1/health/node/n2")
s.get("/v1/health/checks/web")
s.put(*register({
    "Node": "n2", "Address": "10.0.0.2", "SkipNodeUpdate": True,
    "Checks": [
        {"Name": "memory", "CheckID": "mem", "Status": "warning"},
        {"Name": "disk", "Status": "critical", "Output": "full <&>"},
        {"Name": "lower", "CheckID": "low", "Status": "passing", "ServiceID": "web-1"},
    ],
}))
s.get("/v1/health/node/n2")
s.get("/v1/health/service/web")
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "web", "Port": 81}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1",
                 "Service": {"ID": "db", "Service": "db", "Tags": [], "Meta": {}}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {"ID": "only-id"}}))
s.get("/v1/catalog/node/n1")
s.get("/v1/catalog/service/web")
s.get("/v1/catalog/services", unordered=True)
s.get("/v1/catalog/nodes", ignore=["*.TaggedAddresses"])
s.put(*register({"Node": "n1", "Address": "10.0.0.99", "SkipNodeUpdate": True}))
s.get("/v1/catalog/node/n1")
s.put(*register({"Node": "n1", "Address": "10.0.0.99"}))
s.get("/v1/catalog/node/n1")
s.put(*register({"Node": "n1", "Address": "10.0.0.99"}))
s.get("/v1/catalog/node/n1")
s.put(*register({"Node": "renamed", "ID": ID1, "Address": "10.0.0.2"}))
s.get("/v1/catalog/node/renamed")
s.get("/v1/catalog/node/n2")
s.put(*register({"Node": "n3", "ID": ID2, "Address": "10.0.0.3"}))
s.put(*register({"Node": "n3", "ID": ID1, "Address": "10.0.0.3"}))
s.get("/v1/catalog/nodes", ignore=["*.TaggedAddresses"])

s = Scenario("catalog-reads", "Parameters of the catalog's reads: tag, near, node-meta, filter.")
for number, (tags, meta) in enumerate((
    (["a", "b"], {"rack": "r1"}), (["b"], {"rack": "r2"}), ([], {"rack": "r1", "os": "x"}),
), 1):
    s.put(*register({
        "Node": f"n{number}", "Address": f"10.0.0.{number}", "NodeMeta": meta,
        "Service": {"ID": f"web-{number}", "Service": "web", "Tags": tags, "Port": 80 + number,
                    "Meta": {"v": str(number)}},
        "Check": {"CheckID": f"c{number}", "Name": "c", "ServiceID": f"web-{number}",
                  "Status": ("passing", "warning", "critical")[number - 1]},
    }))
for path in (
    "/v1/catalog/service/web", "/v1/catalog/service/web?tag=b", "/v1/catalog/service/web?tag=B",
    "/v1/catalog/service/web?tag=a&tag=b", "/v1/catalog/service/web?tag=none",
    "/v1/catalog/service/web?tag=", "/v1/catalog/service/web?node-meta=rack:r1",
    "/v1/catalog/service/web?node-meta=rack:r1&node-meta=os:x",
    "/v1/catalog/service/web?node-meta=rack", "/v1/catalog/service/web?node-meta=rack:",
    "/v1/catalog/service/web?near=n3", "/v1/catalog/service/web?near=none",
    "/v1/catalog/service/web?near=_agent", "/v1/catalog/service/web?near=_ip",
    "/v1/catalog/service/web?near=", "/v1/catalog/service/web?passing",
    "/v1/catalog/service/web?filter=ServiceMeta.v==2",
    "/v1/catalog/service/web?filter=%22b%22%20in%20ServiceTags",
    "/v1/catalog/service/web?filter=Node%20matches%20%22n%5B12%5D%22",
    "/v1/catalog/service/WEB", "/v1/catalog/service/none", "/v1/catalog/service/",
    "/v1/catalog/service", "/v1/catalog/connect/web", "/v1/catalog/connect/",
    "/v1/catalog/services?node-meta=rack:r2", "/v1/catalog/services?node-meta=rack:none",
    "/v1/catalog/nodes?node-meta=rack:r1", "/v1/catalog/nodes?node-meta=rack:none",
    "/v1/catalog/nodes?filter=Meta.rack==r2", "/v1/catalog/nodes?filter=Node==n1&pretty",
    "/v1/catalog/nodes?filter=Meta.os+is+not+empty",
    "/v1/catalog/node/none", "/v1/catalog/node/", "/v1/catalog/node",
    "/v1/catalog/node/n1?filter=Service==web", "/v1/catalog/node/n1?filter=Service==none",
    "/v1/catalog/node-services/none", "/v1/catalog/node-services/n1?filter=Port==81",
    "/v1/catalog/node-services/n1?filter=Port==82", "/v1/catalog/node-services/",
    "/v1/catalog/datacenters", "/v1/catalog/datacenters?pretty",
    "/v1/catalog/gateway-services/none", "/v1/catalog/gateway-services/",
):
    s.get(path)
s.get("/v1/catalog/services", unordered=True)
s.get("/v1/catalog/services?node-meta=rack:r1", unordered=True)
s.get("/v1/catalog/nodes?near=n2", ignore=["*.TaggedAddresses"])

s = Scenario("catalog-kinds", "Kinds, Connect, proxies, weights: stored, validated, served.")
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Service": "web", "Port": 80, "Connect": {"Native": True}}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "connect-proxy", "ID": "api-proxy", "Service": "api-proxy", "Port": 21000,
    "Proxy": {
        "DestinationServiceName": "api", "DestinationServiceID": "api-1",
        "LocalServiceAddress": "127.0.0.1", "LocalServicePort": 9000,
        "Config": {"protocol": "http", "n": 5, "f": 1.5, "list": [1, "x"]},
        "Upstreams": [{"DestinationName": "db", "LocalBindPort": 9191,
                       "Config": {"connect_timeout_ms": 1000}}],
        "MeshGateway": {"Mode": "local"},
        "Expose": {"Checks": True, "Paths": [{"Path": "/h", "LocalPathPort": 8080,
                                              "ListenerPort": 21500, "Protocol": "http2"}]},
    }}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "mesh-gateway", "ID": "mesh", "Service": "mesh", "Port": 443}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "terminating-gateway", "ID": "term", "Service": "term", "Port": 8443}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "ingress-gateway", "ID": "ing", "Service": "ing", "Port": 8888}}))
s.get("/v1/catalog/node/n1")
s.get("/v1/catalog/node-services/n1")
s.get("/v1/catalog/service/api-proxy")
s.get("/v1/catalog/connect/api")
s.get("/v1/catalog/connect/web")
s.get("/v1/catalog/connect/none")
s.get("/v1/health/connect/api")
s.get("/v1/health/connect/web?passing")
s.get("/v1/health/ingress/web")
s.get("/v1/catalog/service/web?filter=ServiceConnect.Native==true")
s.get("/v1/catalog/service/api-proxy?filter=ServiceProxy.DestinationServiceName==api")
s.get("/v1/catalog/service/api-proxy?filter=ServiceKind==%22connect-proxy%22")
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "connect-proxy", "Service": "bad", "Port": 1}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "connect-proxy", "Service": "bad", "Proxy": {"DestinationServiceName": "x"}}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "connect-proxy", "Service": "bad", "Port": 1, "Connect": {"Native": True},
    "Proxy": {"DestinationServiceName": "x"}}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "unheard-of", "Service": "odd", "Port": 1}}))
s.get("/v1/catalog/service/odd")
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Service": "w", "Weights": {"Passing": 0, "Warning": 0}}}))
s.get("/v1/catalog/service/w")
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Service": "w", "Weights": {"Passing": -1, "Warning": 1}}}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Service": "w", "Weights": {"Passing": 65536, "Warning": 1}}}))

s = Scenario("catalog-deregister", "Removal of checks, services and nodes, and their indexes.")
s.put(*register({
    "Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "web", "Port": 80},
    "Checks": [{"CheckID": "c1", "Name": "c1", "ServiceID": "web", "Status": "passing"},
               {"CheckID": "node", "Name": "node", "Status": "passing"}],
}))
s.put(*register({"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "db"}}))
s.get("/v1/health/service/web")
s.get("/v1/catalog/service/none")
s.put("/v1/catalog/deregister", {"Node": "n1", "CheckID": "c1"})
s.get("/v1/health/service/web")
s.get("/v1/health/checks/web")
s.put("/v1/catalog/deregister", {"Node": "n1", "ServiceID": "web"})
s.get("/v1/health/service/web")
s.get("/v1/catalog/service/web")
s.get("/v1/catalog/service/none")
s.get("/v1/catalog/node/n1")
s.put("/v1/catalog/deregister", {"Node": "n1", "ServiceID": "none"})
s.put("/v1/catalog/deregister", {"Node": "n1", "CheckID": "none"})
s.put("/v1/catalog/deregister", {"Node": "none"})
s.put("/v1/catalog/deregister", {"Node": "n1", "Datacenter": "dc1"})
s.get("/v1/catalog/node/n1")
s.get("/v1/health/node/n1")
s.get("/v1/catalog/services", unordered=True)
s.put("/v1/catalog/deregister", {"Node": "n1"})
s.put("/v1/catalog/deregister")
s.put("/v1/catalog/deregister", "not json")
s.put("/v1/catalog/deregister", {})
s.put("/v1/catalog/deregister", {"Address": "10.0.0.1"})
s.put("/v1/catalog/deregister", {"Node": 5})
s.put("/v1/catalog/deregister", {"Node": "n1", "Unknown": 1})
s.put("/v1/catalog/deregister", {"Node": "n1", "Datacenter": "dc9"})
s.get("/v1/catalog/deregister")

s = Scenario("catalog-errors", "Bad registrations, bad filters, unknown datacenters.")
for body in (
    None, "", "not json", "[]", "{}", '{"Node":', '"text"', "null", "5",
    {"Node": "n1"}, {"Address": "10.0.0.1"}, {"Node": "", "Address": "10.0.0.1"},
    {"Node": "n1", "Address": 5}, {"Node": ["n1"], "Address": "10.0.0.1"},
    {"Node": "n1", "Address": "10.0.0.1", "Datacenter": "dc9"},
    {"Node": "n1", "Address": "10.0.0.1", "ID": "not-a-uuid"},
    {"Node": "n1", "Address": "10.0.0.1", "NodeMeta": {"": "x"}},
    {"Node": "n1", "Address": "10.0.0.1", "NodeMeta": {"a": 5}},
    {"Node": "n1", "Address": "10.0.0.1", "Service": {}},
    {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "x", "Port": "eighty"}},
    {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "x", "Port": 70000}},
    {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "x", "Port": -1}},
    {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "x", "Port": 1.5}},
    {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "x", "Tags": "a"}},
    {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "x", "Meta": []}},
    {"Node": "n1", "Address": "10.0.0.1", "Check": {"Name": "c", "Status": "odd"}},
    {"Node": "n1", "Address": "10.0.0.1", "Check": {"Name": "nostatus"}},
    {"Node": "n1", "Address": "10.0.0.1", "Check": {"Status": "passing"}},
    {"Node": "n1", "Address": "10.0.0.1", "Check": {"Name": "c", "ServiceID": "none"}},
    {"Node": "n1", "Address": "10.0.0.1", "Check": {"Name": "c", "Node": "other"}},
    {"Node": "n1", "Address": "10.0.0.1",
     "Check": {"Name": "c", "Definition": {"Interval": "soon"}}},
    {"Node": "n1", "Address": "10.0.0.1", "Unknown": {"x": 1}},
    {"node": "n5", "address": "10.0.0.5", "service": {"service": "lower", "port": 1}},
):
    s.put("/v1/catalog/register", body)
s.get("/v1/catalog/node/n1")
s.get("/v1/catalog/node/n5")
s.get("/v1/health/node/n1")
for expression in (
    "", "(", "Node", "Node==", "Unknown==x", "Node==%22x", "Node+matches+%22%5B%22", "Node+in+Meta",
    "ServicePort==abc", "ServicePort+contains+1", "not", "Node==n1+and", "ServiceTags==a",
    "Node==n1+%26%26+Node==n2",
):
    s.get(f"/v1/catalog/service/lower?filter={expression}")
for path in (
    "/v1/catalog/nodes?dc=dc9", "/v1/catalog/services?dc=dc9", "/v1/catalog/service/x?dc=dc9",
    "/v1/catalog/node/n1?dc=dc9", "/v1/catalog/nodes?dc=dc1", "/v1/catalog/nodes?dc=",
    "/v1/catalog/nodes?stale&consistent", "/v1/catalog/register", "/v1/catalog/unknown",
    "/v1/catalog", "/v1/catalog/",
):
    s.get(path, ignore=["*.TaggedAddresses"] if "nodes?dc" in path else [])
s.put("/v1/catalog/register?dc=dc9", {"Node": "n7", "Address": "10.0.0.7"})
s.put("/v1/catalog/nodes")
s.post("/v1/catalog/register", {"Node": "n7", "Address": "10.0.0.7"})
s.delete("/v1/catalog/service/x")
s.post("/v1/catalog/datacenters")
