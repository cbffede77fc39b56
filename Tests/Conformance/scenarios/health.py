"""Health reads: by node, service and state, with every parameter."""

from . import Scenario

s = Scenario("health", "Services and checks in every state.")
for number, status in ((1, "passing"), (2, "warning"), (3, "critical")):
    s.put("/v1/catalog/register", {
        "Node": f"n{number}", "Address": f"10.0.0.{number}", "NodeMeta": {"rack": f"r{number}"},
        "TaggedAddresses": {"lan": f"10.0.0.{number}"},
        "Service": {"ID": f"web-{number}", "Service": "web", "Tags": ["t", f"t{number}"],
                    "Port": 80, "Meta": {"v": str(number)}},
        "Checks": [
            {"CheckID": f"svc-{number}", "Name": "svc", "ServiceID": f"web-{number}",
             "Status": status, "Output": "said so"},
            {"CheckID": "node", "Name": "node", "Status": "passing"},
        ],
    })
for path in (
    "/v1/health/service/web", "/v1/health/service/web?pretty", "/v1/health/service/web?passing",
    "/v1/health/service/web?passing=1", "/v1/health/service/web?passing=true",
    "/v1/health/service/web?passing=0", "/v1/health/service/web?passing=false",
    "/v1/health/service/web?passing=maybe", "/v1/health/service/web?passing=",
    "/v1/health/service/web?tag=t1", "/v1/health/service/web?tag=t&tag=t2",
    "/v1/health/service/web?tag=none", "/v1/health/service/web?tag=",
    "/v1/health/service/web?node-meta=rack:r3", "/v1/health/service/web?near=n2",
    "/v1/health/service/web?near=_agent", "/v1/health/service/web?near=none",
    "/v1/health/service/web?filter=Checks.Status==warning",
    "/v1/health/service/web?filter=Service.Meta.v==1",
    "/v1/health/service/web?filter=Node.Meta.rack==%22r2%22+or+Service.Port==81",
    "/v1/health/service/web?filter=not+Node.Node==n1",
    "/v1/health/service/web?filter=%22t2%22+in+Service.Tags",
    "/v1/health/service/web?filter=Service.Tags+contains+t3",
    "/v1/health/service/web?filter=Service.Meta.none+is+empty",
    "/v1/health/service/web?filter=Service.Meta+is+not+empty",
    "/v1/health/service/web?filter=v+in+Service.Meta&passing",
    "/v1/health/service/web?filter=Service.ID+matches+%60web-%5B13%5D%60",
    "/v1/health/service/web?filter=Service.ID+not+matches+%22web-%5B13%5D%22",
    "/v1/health/service/web?filter=Service.Weights.Passing==1",
    "/v1/health/service/web?filter=Node.TaggedAddresses.lan==%2210.0.0.1%22",
    "/v1/health/service/web?filter=Checks.CheckID+==+%22svc-1%22+and+Checks.Status+!=+critical",
    "/v1/health/service/web?filter=Unknown.Field==1", "/v1/health/service/web?filter=(((",
    "/v1/health/service/web?dc=dc9", "/v1/health/service/none", "/v1/health/service/",
    "/v1/health/service", "/v1/health/service/WEB",
    "/v1/health/node/n1", "/v1/health/node/n1?filter=Status==passing",
    "/v1/health/node/n1?filter=ServiceID==%22%22", "/v1/health/node/none", "/v1/health/node/",
    "/v1/health/node/golden-node",
    "/v1/health/checks/web", "/v1/health/checks/web?filter=Status==critical",
    "/v1/health/checks/web?near=n3", "/v1/health/checks/web?node-meta=rack:r1",
    "/v1/health/checks/none", "/v1/health/checks/",
    "/v1/health/state/any", "/v1/health/state/passing", "/v1/health/state/warning",
    "/v1/health/state/critical", "/v1/health/state/unknown", "/v1/health/state/nonsense",
    "/v1/health/state/", "/v1/health/state/any?filter=Name==svc", "/v1/health/state/any?near=n2",
    "/v1/health/state/any?node-meta=rack:r2", "/v1/health/connect/web", "/v1/health/connect/",
    "/v1/health/ingress/web", "/v1/health/ingress/", "/v1/health/unknown", "/v1/health",
):
    s.get(path)
s.put("/v1/health/service/web")
s.post("/v1/health/state/any")
s.delete("/v1/health/node/n1")
