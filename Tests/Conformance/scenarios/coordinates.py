"""Network coordinates, and sorting by them."""

from . import Scenario

s = Scenario("coordinates", "update, nodes, node, datacenters, near.")


def coordinate(x, height=0.00001, error=1.5, adjustment=0, vector=None):
    """A coordinate on the first axis."""
    return {"Adjustment": adjustment, "Error": error, "Height": height,
            "Vec": vector or [x, 0, 0, 0, 0, 0, 0, 0]}


OWN = [[r'\{"Node":"golden-node","Segment":"","Coord":\{[^}]*\}\},?', ""], [r",\]$", "]"]]

s.get("/v1/coordinate/datacenters", ignore=["*.Coordinates.*.Coord"])
s.get("/v1/coordinate/node/none")
s.get("/v1/coordinate/node/")
for number in (1, 2, 3):
    s.put("/v1/catalog/register", {
        "Node": f"n{number}", "Address": f"10.0.0.{number}",
        "Service": {"Service": "web", "Port": number},
        "Check": {"CheckID": "c", "Name": "c", "Status": "passing"}})
s.put("/v1/coordinate/update", {"Node": "n1", "Segment": "", "Coord": coordinate(0.01)})
s.put("/v1/coordinate/update", {"Node": "n2", "Coord": coordinate(0.05, adjustment=0.001)})
s.put("/v1/coordinate/update", {"Node": "n3", "Coord": coordinate(0.02)})
s.get("/v1/coordinate/node/n3", until="Vec")
s.get("/v1/coordinate/node/n2", until="Vec")
s.get("/v1/coordinate/node/n1?pretty", until="Vec")
s.get("/v1/coordinate/nodes", subs=OWN)
s.get("/v1/coordinate/node/n1?segment=x")
s.get("/v1/coordinate/nodes?segment=x")
s.get("/v1/coordinate/nodes?dc=dc9")
for near in ("n1", "n2", "n3"):
    s.get(f"/v1/catalog/service/web?near={near}")
    s.get(f"/v1/health/service/web?near={near}")
    s.get(f"/v1/health/checks/web?near={near}")
    s.get(f"/v1/catalog/nodes?near={near}&filter=Node!=%22golden-node%22")
    s.get(f"/v1/health/state/any?near={near}&filter=Node!=%22golden-node%22")
s.put("/v1/coordinate/update")
s.put("/v1/coordinate/update", "not json")
s.put("/v1/coordinate/update", {})
s.put("/v1/coordinate/update", {"Node": "n1"})
s.put("/v1/coordinate/update", {"Node": "none", "Coord": coordinate(1)})
s.put("/v1/coordinate/update", {"Node": "n1", "Coord": coordinate(1, vector=[1, 2, 3])})
s.put("/v1/coordinate/update", {"Node": "n1", "Coord": coordinate("x")})
s.put("/v1/coordinate/update?dc=dc9", {"Node": "n1", "Coord": coordinate(1)})
s.get("/v1/coordinate/update")
s.put("/v1/coordinate/nodes")
s.put("/v1/coordinate/node/n1")
s.get("/v1/coordinate/unknown")
