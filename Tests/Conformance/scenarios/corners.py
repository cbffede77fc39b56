"""Corners that random comparison with Consul has found: what is checked first, what is ignored."""

from . import Scenario

UNKNOWN = "99999999-9999-9999-9999-999999999999"
MALFORMED = "gggggggg-1111-1111-1111-111111111111"
NODE = {"Node": "n1", "Address": "10.0.0.1"}

s = Scenario("corners-sessions", "Session ids that are none, in the KV store and transactions.")
s.put("/v1/kv/a?release=x", "v")
s.put("/v1/kv/a", "v")
for verb in ("release", "acquire"):
    for session in ("x", MALFORMED, UNKNOWN, ""):
        s.put(f"/v1/kv/a?{verb}={session}", "v")
for verb in ("lock", "unlock", "check-session"):
    for session in ("x", MALFORMED, UNKNOWN, ""):
        s.put("/v1/txn", [{"KV": {"Verb": verb, "Key": "a", "Session": session}}])
s.put("/v1/txn", [{"KV": {}}])
for verb in ("unknown", "set", "cas", "lock", "unlock", "get", "get-tree", "check-index",
             "check-session", "check-not-exists", "delete", "delete-cas", "delete-tree"):
    s.put("/v1/txn", [{"KV": {"Verb": verb}}])
check = {"Node": "none", "CheckID": "c", "Name": "c", "Status": "passing"}
s.put("/v1/txn", [{"Check": {"Verb": "cas", "Check": check}}])
s.put("/v1/txn", [{"Check": {"Verb": "cas", "Check": {**check, "ModifyIndex": 5}}}])
s.put("/v1/txn", [{"Check": {"Verb": "set", "Check": check}}])
s.put("/v1/catalog/register", NODE)
s.put("/v1/txn", [{"Check": {"Verb": "cas", "Check": {**check, "Node": "n1", "ServiceID": "s"}}}])
s.put("/v1/txn", [{"Check": {"Verb": "cas", "Check": {"Node": "n1", "Status": "passing"}}}])
s.put("/v1/txn", [{"Check": {"Verb": "set", "Check": {"Node": "n1", "Status": "passing"}}}])
s.get("/v1/health/node/n1")

s = Scenario("corners-catalog", "Tags of mesh reads, order of errors, empty lists, wrong types.")
s.put("/v1/catalog/register", NODE)
for filtered in ("", "?filter=Service==x"):
    s.get(f"/v1/catalog/node-services/n1{filtered}")
    s.get(f"/v1/catalog/node/n1{filtered}")
for service in ("web", "Web", "api", "Zed", "db2", "db10"):
    s.put("/v1/catalog/register", {**NODE, "Service": {"Service": service}})
s.get("/v1/catalog/node/n1")
s.get("/v1/catalog/node-services/n1")
s.get("/v1/catalog/node-services/n1?filter=Service==x")
s.put("/v1/catalog/register", {**NODE, "Service": {
    "Service": "native", "Tags": ["v1"], "Connect": {"Native": True}}})
for kind in ("service", "connect"):
    s.get(f"/v1/catalog/{kind}/native?tag=v2")
    s.get(f"/v1/health/{kind}/native?tag=v2")
for kind in ("service", "connect", "ingress"):
    s.get(f"/v1/health/{kind}/native?passing=x")
    s.get(f"/v1/health/{kind}/native?passing=x&filter=Nope==1")
for body in ('"x"', "[]", "5", "true", "null", "[1", '{"Node":5}'):
    s.put("/v1/catalog/deregister", body)
for value in ("x", 5, True, {}, [5], ["x"], [[]], [{"Node": 5}]):
    s.put("/v1/catalog/register", {**NODE, "Checks": value})
