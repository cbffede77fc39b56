"""The lists behind the web page."""

from . import Scenario

s = Scenario("internal-ui", "internal/ui/nodes, node, services, gateway-services-nodes.")
OWN = ["*.TaggedAddresses", "*.Services.*.Meta", "*.Services.*.Port"]
s.get("/v1/internal/ui/nodes", ignore=OWN, ignore_indexes=True)
s.get("/v1/internal/ui/services")
for number, status in ((1, "passing"), (2, "warning"), (3, "critical")):
    s.put("/v1/catalog/register", {
        "Node": f"n{number}", "Address": f"10.0.0.{number}", "NodeMeta": {"r": str(number)},
        "Service": {"ID": f"web-{number}", "Service": "web", "Port": 80,
                    "Tags": [f"t{number}", "t"],
                    "Meta": {"external-source": "kubernetes"} if number == 1 else None},
        "Check": {"CheckID": f"c{number}", "Name": "c", "Status": status,
                  "ServiceID": f"web-{number}"}})
s.put("/v1/catalog/register", {"Node": "n1", "Address": "10.0.0.1", "Service": {
    "Kind": "connect-proxy", "Service": "web-proxy", "Port": 81,
    "Proxy": {"DestinationServiceName": "web"}}})
s.put("/v1/catalog/register", {"Node": "n2", "Address": "10.0.0.2", "Service": {
    "Kind": "mesh-gateway", "Service": "mesh", "Port": 443}})
s.get("/v1/internal/ui/nodes", ignore=OWN)
s.get("/v1/internal/ui/nodes?filter=Node==n1", ignore=OWN)
s.get("/v1/internal/ui/nodes?filter=Meta.r==2&pretty")
s.get("/v1/internal/ui/nodes?filter=bad(")
s.get("/v1/internal/ui/nodes?dc=dc9")
s.get("/v1/internal/ui/node/n1")
s.get("/v1/internal/ui/node/none")
s.get("/v1/internal/ui/node/")
s.get("/v1/internal/ui/services", unordered=True)
s.get("/v1/internal/ui/services?filter=ServiceName==web", unordered=True)
s.get("/v1/internal/ui/services?filter=bad(")
s.get("/v1/internal/ui/services?dc=dc9")
s.get("/v1/internal/ui/gateway-services-nodes/mesh")
s.get("/v1/internal/ui/gateway-services-nodes/none")
s.get("/v1/internal/ui/gateway-services-nodes/")
s.get("/v1/internal/ui/unknown")
s.put("/v1/internal/ui/nodes")
s.post("/v1/internal/ui/services")
