"""Transactions: every verb, all-or-nothing, errors, limits."""

from . import Scenario


def kv(verb, key, value=None, **more):
    """One KV operation; `value` is base64 already."""
    op = {"Verb": verb, "Key": key, **more}
    if value is not None:
        op["Value"] = value
    return {"KV": op}


ONE, TWO = "b25l", "dHdv"

s = Scenario("txn-kv", "KV verbs, results, rollback.")
s.put("/v1/txn", [kv("set", "t/a", ONE), kv("set", "t/b", TWO, Flags=9), kv("get", "t/a")])
s.get("/v1/kv/t/?recurse", capture={"index": "json:0.ModifyIndex"})
s.put("/v1/txn", [kv("get", "t/a")])
s.put("/v1/txn", [kv("get", "t/a"), kv("get-tree", "t/")])
s.put("/v1/txn?stale", [kv("get", "t/b")])
s.put("/v1/txn?consistent", [kv("get", "t/b")])
s.put("/v1/txn?pretty", [kv("get", "t/b")])
s.put("/v1/txn", [kv("get", "t/none")])
s.put("/v1/txn", [kv("get-tree", "none/")])
s.put("/v1/txn", [kv("cas", "t/a", TWO, Index=1)])
s.put("/v1/txn", [kv("cas", "t/c", TWO, Index=0)])
s.put("/v1/txn", [kv("set", "t/d", ONE), kv("cas", "t/a", TWO, Index=1), kv("get", "t/none")])
s.get("/v1/kv/t/d")
s.put("/v1/txn", [kv("check-not-exists", "t/none")])
s.put("/v1/txn", [kv("check-not-exists", "t/a")])
s.put("/v1/txn", [kv("check-index", "t/a", Index=1)])
s.put("/v1/txn", [kv("check-index", "t/none", Index=1)])
s.put("/v1/txn", '[{"KV":{"Verb":"check-index","Key":"t/a","Index":${index}}}]')
s.put("/v1/txn", '[{"KV":{"Verb":"cas","Key":"t/a","Value":"dHdv","Index":${index}}}]')
s.put("/v1/txn", [kv("delete-cas", "t/a", Index=1)])
s.put("/v1/txn", [kv("delete", "t/a")])
s.put("/v1/txn", [kv("delete", "t/none")])
s.put("/v1/txn", [kv("delete-tree", "t/")])
s.get("/v1/kv/t/?keys")
s.put("/v1/session/create", {"LockDelay": "0s"}, capture={"id": "json:ID"})
s.put("/v1/txn", [kv("lock", "t/l", ONE, Session="${id}")])
s.put("/v1/txn", [kv("check-session", "t/l", Session="${id}")])
s.put("/v1/txn", [kv("check-session", "t/l", Session="99999999-9999-9999-9999-999999999999")])
s.put("/v1/txn", [kv("check-session", "t/none", Session="${id}")])
s.put("/v1/txn", [kv("lock", "t/l", ONE, Session="99999999-9999-9999-9999-999999999999")])
s.put("/v1/txn", [kv("lock", "t/l", ONE)])
s.put("/v1/txn", [kv("unlock", "t/l", TWO, Session="99999999-9999-9999-9999-999999999999")])
s.put("/v1/txn", [kv("unlock", "t/l", TWO, Session="${id}")])
s.put("/v1/txn", [kv("unlock", "t/l", TWO, Session="${id}")])
s.get("/v1/kv/t/l")

s = Scenario("txn-catalog", "Node, Service and Check verbs.")
node = {"Node": "n1", "Address": "10.0.0.1", "Meta": {"k": "v"}}
service = {"ID": "s1", "Service": "svc", "Tags": ["a"], "Port": 80}
check = {"Node": "n1", "CheckID": "c1", "Name": "check", "Status": "passing", "ServiceID": "s1"}
s.put("/v1/txn", [{"Node": {"Verb": "set", "Node": node}}])
s.put("/v1/txn", [{"Service": {"Verb": "set", "Node": "n1", "Service": service}}])
s.put("/v1/txn", [{"Check": {"Verb": "set", "Check": check}}])
s.put("/v1/txn", [
    {"Node": {"Verb": "get", "Node": {"Node": "n1"}}},
    {"Service": {"Verb": "get", "Node": "n1", "Service": {"ID": "s1"}}},
    {"Check": {"Verb": "get", "Check": {"Node": "n1", "CheckID": "c1"}}},
])
s.get("/v1/catalog/node/n1", capture={"node": "json:Node.ModifyIndex"})
s.get("/v1/health/service/svc")
s.put("/v1/txn", [{"Node": {"Verb": "cas", "Node": {**node, "ModifyIndex": 1}}}])
s.put("/v1/txn", '[{"Node":{"Verb":"cas","Node":{"Node":"n1","Address":"10.0.0.2",'
      '"ModifyIndex":${node}}}}]')
s.put("/v1/txn", [{"Service": {"Verb": "cas", "Node": "n1", "Service": service}}])
s.put("/v1/txn", [{"Check": {"Verb": "cas", "Check": check}}])
s.put("/v1/txn", [{"Node": {"Verb": "get", "Node": {"Node": "none"}}}])
s.put("/v1/txn", [{"Service": {"Verb": "get", "Node": "n1", "Service": {"ID": "none"}}}])
s.put("/v1/txn", [{"Check": {"Verb": "get", "Check": {"Node": "n1", "CheckID": "none"}}}])
s.put("/v1/txn", [{"Service": {"Verb": "set", "Node": "none", "Service": service}}])
s.put("/v1/txn", [{"Check": {"Verb": "set", "Check": {**check, "Node": "none"}}}])
s.put("/v1/txn", [{"Check": {"Verb": "set", "Check": {**check, "Status": "odd"}}}])
s.put("/v1/txn", [{"Check": {"Verb": "set", "Check": {**check, "Status": ""}}}])
s.put("/v1/txn", [{"Node": {"Verb": "set", "Node": {"Node": "", "Address": "10.0.0.1"}}}])
s.put("/v1/txn", [{"Node": {"Verb": "set", "Node": {"Node": "n2"}}}])
s.put("/v1/txn", [{"Service": {"Verb": "set", "Node": "n1", "Service": {"ID": "x"}}}])
s.put("/v1/txn", [{"Node": {"Verb": "delete-cas", "Node": {**node, "ModifyIndex": 1}}}])
s.put("/v1/txn", [{"Check": {"Verb": "delete", "Check": {"Node": "n1", "CheckID": "c1"}}}])
s.put("/v1/txn", [{"Service": {"Verb": "delete", "Node": "n1", "Service": {"ID": "s1"}}}])
s.put("/v1/txn", [{"Node": {"Verb": "delete", "Node": {"Node": "n1"}}}])
s.put("/v1/txn", [{"Node": {"Verb": "delete", "Node": {"Node": "n1"}}}])
s.get("/v1/catalog/node/n1")

s = Scenario("txn-errors", "Requests that are refused before anything is applied.")
s.put("/v1/txn")
s.put("/v1/txn", "[]")
s.put("/v1/txn", "{}")
s.put("/v1/txn", "not json")
s.put("/v1/txn", '[{"KV":')
s.put("/v1/txn", '[{}]')
s.put("/v1/txn", '[null]')
s.put("/v1/txn", [kv("nonsense", "k", ONE)])
s.put("/v1/txn", [kv("", "k", ONE)])
s.put("/v1/txn", [kv("set", "", ONE)])
s.put("/v1/txn", [kv("set", "k", "not base64!")])
s.put("/v1/txn", [kv("set", "k", 5)])
s.put("/v1/txn", [kv("set", "k", ONE, Unknown=1)])
s.get("/v1/kv/k?raw")
s.put("/v1/txn", [kv("cas", "k", ONE, Index="abc")])
s.put("/v1/txn", [{"Node": {"Verb": "nonsense", "Node": {"Node": "n"}}}])
s.put("/v1/txn", [{"Service": {"Verb": "nonsense", "Node": "n", "Service": {"ID": "i"}}}])
s.put("/v1/txn", [{"Check": {"Verb": "nonsense", "Check": {"Node": "n", "CheckID": "i"}}}])
s.put("/v1/txn", [{"Unknown": {"Verb": "set"}}])
s.put("/v1/txn", [kv("get", f"k{i}") for i in range(65)])
s.put("/v1/txn", [kv("set", f"k/{i}", ONE) for i in range(64)],
      subs=[[r'(?s)^.*$', "<64 results>"]])
s.put("/v1/txn", {"before": '[{"KV":{"Verb":"set","Key":"big","Value":"', "repeat": "QUFB",
                  "count": 174763, "after": '"}}]'})
s.put("/v1/txn", {"before": '[{"KV":{"Verb":"set","Key":"big","Value":"', "repeat": "QUFB",
                  "count": 262145, "after": '"}}]'})
s.get("/v1/kv/big?keys")
s.get("/v1/txn")
s.post("/v1/txn", "[]")
s.delete("/v1/txn")
