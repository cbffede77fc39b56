"""The agent about itself, and cluster verbs."""

from . import Scenario

s = Scenario("agent-self", "self, members, host, version, metrics.")
s.get("/v1/agent/self", ignore=["DebugConfig", "Stats", "Coord.*", "Config.Version",
                               "Config.Revision", "Member.Tags", "Member.Port"],
      scrub=["DebugConfig.*", "Stats.*.*"])
s.get("/v1/agent/members", ignore=["*.Tags", "*.Port"])
s.get("/v1/agent/members?wan", ignore=["*.Tags", "*.Port"])
s.get("/v1/agent/members?wan=1", ignore=["*.Tags", "*.Port"])
s.get("/v1/agent/members?segment=x", ignore=["*.Tags", "*.Port"])
s.get("/v1/agent/members?segment=_all", ignore=["*.Tags", "*.Port"])
s.get("/v1/agent/host", ignore=["*"], scrub=["*.*", "CollectionTime"])
s.get("/v1/agent/metrics", ignore=["*"], scrub=["*"])
s.get("/v1/agent/metrics?format=prometheus")
s.get("/v1/agent/metrics?format=odd", ignore=["*"], scrub=["*"])
s.get("/v1/agent/version")
s.put("/v1/agent/self")
s.post("/v1/agent/members")
s.delete("/v1/agent/host")
s.get("/v1/agent/reload")
s.put("/v1/agent/reload")
s.get("/v1/agent/leave")
s.post("/v1/agent/leave")
s.get("/v1/agent/join/127.0.0.1")
s.put("/v1/agent/force-leave/none")
s.put("/v1/agent/force-leave/")
s.get("/v1/agent/force-leave/none")
s.put("/v1/agent/token/default", {"Token": "abc"})
s.put("/v1/agent/token/nonsense", {"Token": "abc"})
s.put("/v1/agent/token/default", "not json")
s.get("/v1/agent/token/default")
s.get("/v1/agent/unknown")
s.get("/v1/agent")
s.get("/v1/agent/")

s = Scenario("status-operator", "Status, raft configuration, autopilot reads.")
PORT = [[r"127\.0\.0\.1:\d+", "127.0.0.1:<port>"]]
s.get("/v1/status/leader", subs=PORT)
s.get("/v1/status/leader?pretty", subs=PORT)
s.get("/v1/status/leader?dc=dc1", subs=PORT)
s.get("/v1/status/leader?dc=dc9")
s.get("/v1/status/peers", subs=PORT)
s.get("/v1/status/peers?dc=dc9")
s.get("/v1/status/unknown")
s.put("/v1/status/leader")
s.post("/v1/status/peers")
s.get("/v1/operator/raft/configuration", subs=PORT)
s.get("/v1/operator/raft/configuration?stale", subs=PORT)
s.get("/v1/operator/raft/configuration?pretty", subs=PORT)
s.get("/v1/operator/raft/configuration?dc=dc9")
s.put("/v1/operator/raft/configuration")
s.get("/v1/operator/autopilot/configuration")
s.get("/v1/operator/autopilot/configuration?stale")
s.get("/v1/operator/autopilot/configuration?dc=dc9")
s.get("/v1/operator/autopilot/health", until='"Healthy":true,"FailureTolerance"', subs=[
    *PORT, [r'"(LastContact)":"[^"]*"', r'"\1":"<duration>"'],
    [r'"(LastIndex|LastTerm)":\d+', r'"\1":<number>'],
    [r'"StableSince":"[^"]*"', '"StableSince":"<time>"'],
    [r'"Version":"[^"]*"', '"Version":"<version>"']])
s.post("/v1/operator/autopilot/health")
s.get("/v1/operator/autopilot/state")
s.get("/v1/operator/raft/peer")
s.get("/v1/operator/unknown")

s = Scenario("paths", "Unknown paths, redirects, methods, and what is not HTTP API.")
for path in (
    "/", "/v1", "/v1/", "/v2/kv/a", "/v1/unknown", "/v1//kv/a", "/v1/kv/../kv/a", "/V1/kv/a",
    "/v1/KV/a", "/robots.txt", "/v1/agent/self/", "/v1/status/leader/", "/v1/catalog/nodes/",
    "/v1/health/state/any/", "/v1/event/list/", "/v1/session/list/", "/%zz", "/v1/kv/%",
    "/v1/catalog/service/a%2Fb", "/v1/catalog/node/..%2Fx", "/ui", "/ui/", "/debug/pprof/",
):
    s.get(path, **({"ignore": ["*"]} if path == "/v1/agent/self/" else {}))
for method in ("HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"):
    s.request(method, "/v1/catalog/nodes")
for method in ("OPTIONS", "HEAD"):
    for path in ("/v1/kv/a", "/v1/txn", "/v1/agent/service/register", "/v1/session/create",
                 "/v1/status/leader", "/v1/event/fire/x", "/v1/unknown"):
        s.request(method, path)
