"""What every endpoint shares: consistency, caching, compression, blocking, tokens, headers."""

from . import Scenario, write

CATALOG = {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "web", "Port": 80}}

s = Scenario("consistency", "stale, consistent, default, conflicts, max_stale.")
s.put("/v1/catalog/register", CATALOG)
for path in ("/v1/health/service/web", "/v1/kv/a", "/v1/catalog/services", "/v1/agent/checks"):
    options = {"unordered": True} if path == "/v1/catalog/services" else {}
    s.get(path + "?stale", **options)
    s.get(path + "?consistent", **options)
    s.get(path + "?stale&consistent", **options)
    s.get(path + "?leader", **options)
s.get("/v1/health/service/web?stale=false")
s.get("/v1/health/service/web?stale&max_stale=10s")
s.get("/v1/health/service/web?max_stale=bad")
s.get("/v1/kv/a?stale&raw")
s.get("/v1/catalog/datacenters?stale")
s.get("/v1/status/leader?consistent", subs=[[r"127\.0\.0\.1:\d+", "<address>"]])

s = Scenario("compression", "gzip when asked; what never is.")
s.put("/v1/catalog/register", CATALOG)
for value in ("gzip", "gzip, deflate", "deflate", "identity", "*", "gzip;q=0", "br, gzip;q=0.5",
              "x-gzip", ""):
    s.get("/v1/health/service/web", headers={"Accept-Encoding": value})
s.put("/v1/kv/a", "text")
s.get("/v1/kv/a", headers={"Accept-Encoding": "gzip"})
s.get("/v1/kv/a?raw", headers={"Accept-Encoding": "gzip"})
s.get("/v1/kv/none", headers={"Accept-Encoding": "gzip"})
s.get("/v1/catalog/service/none", headers={"Accept-Encoding": "gzip"})
s.get("/v1/unknown", headers={"Accept-Encoding": "gzip"})
s.put("/v1/catalog/register", "bad", headers={"Accept-Encoding": "gzip"})

s = Scenario("cached", "The agent cache: cached, Age, X-Cache, Cache-Control.")
s.put("/v1/catalog/register", CATALOG)
s.get("/v1/health/service/web?cached")
s.get("/v1/health/service/web?cached")
s.get("/v1/health/service/web?cached&passing")
s.get("/v1/health/service/web?cached", headers={"Cache-Control": "max-age=30"})
s.get("/v1/health/service/web?cached", headers={"Cache-Control": "must-revalidate"})
s.get("/v1/health/service/web?cached", headers={"Cache-Control": "no-cache"})
s.get("/v1/health/service/web?cached", headers={"Cache-Control": "max-age=bad"})
s.get("/v1/health/service/web?cached", headers={"Cache-Control": "stale-if-error=bad"})
s.get("/v1/health/service/web?cached&stale")
s.get("/v1/health/service/web?cached&consistent")
s.get("/v1/catalog/service/web?cached")
s.get("/v1/catalog/service/web?cached")
s.get("/v1/catalog/services?cached")
s.get("/v1/catalog/nodes?cached&filter=Node==n1")
s.get("/v1/catalog/datacenters?cached")
s.get("/v1/catalog/datacenters?cached")
s.get("/v1/kv/a?cached")
s.get("/v1/health/state/critical?cached")

s = Scenario("tokens", "Tokens are accepted in all three places and ignored while ACLs are off.")
s.put("/v1/catalog/register", CATALOG)
s.get("/v1/catalog/service/web?token=secret")
s.get("/v1/catalog/service/web", headers={"X-Consul-Token": "secret"})
s.get("/v1/catalog/service/web", headers={"Authorization": "Bearer secret"})
s.get("/v1/catalog/service/web", headers={"Authorization": "Basic c2VjcmV0OnNlY3JldA=="})
s.get("/v1/catalog/service/web", headers={"Authorization": "Bearer"})
s.get("/v1/kv/a?token=secret")
s.get("/v1/agent/services?token=secret")
s.put("/v1/kv/a?token=anonymous", "x")
s.get("/v1/acl/tokens")
s.get("/v1/catalog/services?ns=default", unordered=True)
s.get("/v1/catalog/nodes?ns=other&filter=Node==n1")
s.get("/v1/catalog/nodes?filter=Node==n1", headers={"X-Consul-Namespace": "default"})
s.get("/v1/health/service/web?unknown=parameter")
s.get("/v1/health/service/web?a=%zz")
s.get("/v1/health/service/web?passing;stale")

s = Scenario("blocking", "index and wait: waking, waiting, resetting, bad values.")
s.put("/v1/catalog/register", CATALOG)
s.get("/v1/health/service/web", capture={"i": "header:X-Consul-Index"})
s.get("/v1/health/service/web?index=${i}&wait=200ms", min_ms=180)
s.get("/v1/health/service/web?index=1&wait=10s", max_ms=3000)
s.get("/v1/health/service/web?index=0&wait=10s", max_ms=3000)
s.get("/v1/health/service/web?index=999999&wait=100ms")
s.get("/v1/health/service/web?index=${i}&wait=10s", max_ms=5000, concurrently=[
    write("PUT", "/v1/catalog/register", {**CATALOG, "Service": {"Service": "web", "Port": 81}})],
    capture={"i": "header:X-Consul-Index"})
s.get("/v1/health/service/web?index=${i}&wait=400ms", min_ms=380, concurrently=[
    write("PUT", "/v1/kv/unrelated", "x"),
    write("PUT", "/v1/catalog/register",
          {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "other"}})])
s.get("/v1/health/service/web?index=${i}&wait=10s&passing", max_ms=5000, concurrently=[
    write("PUT", "/v1/catalog/register", {"Node": "n1", "Address": "10.0.0.1", "Check": {
        "CheckID": "c", "Name": "c", "Status": "critical"}})],
    capture={"i": "header:X-Consul-Index"})
s.get("/v1/health/service/absent", capture={"absent": "header:X-Consul-Index"})
s.get("/v1/health/service/absent?index=${absent}&wait=10s", max_ms=5000, concurrently=[
    write("PUT", "/v1/catalog/register",
          {"Node": "n2", "Address": "10.0.0.2", "Service": {"Service": "absent"}})],
    capture={"absent": "header:X-Consul-Index"})
s.get("/v1/health/service/absent?index=${absent}&wait=10s", max_ms=5000, concurrently=[
    write("PUT", "/v1/catalog/deregister", {"Node": "n2"})])
s.get("/v1/kv/a", capture={"k": "header:X-Consul-Index"})
s.get("/v1/kv/a?index=${k}&wait=10s", max_ms=5000,
      concurrently=[write("PUT", "/v1/kv/a", "1")], capture={"k": "header:X-Consul-Index"})
s.get("/v1/kv/a?index=${k}&wait=300ms", min_ms=280,
      concurrently=[write("PUT", "/v1/kv/b", "unrelated")])
s.get("/v1/kv/a?index=${k}&wait=10s&raw", max_ms=5000,
      concurrently=[write("PUT", "/v1/kv/a", "2")], capture={"k": "header:X-Consul-Index"})
s.get("/v1/kv/a?index=${k}&wait=10s", max_ms=5000, concurrently=[write("DELETE", "/v1/kv/a")])
s.put("/v1/kv/tree/a", "1")
s.get("/v1/kv/tree/?recurse", capture={"t": "header:X-Consul-Index"})
s.get("/v1/kv/tree/?recurse&index=${t}&wait=10s", max_ms=5000,
      concurrently=[write("PUT", "/v1/kv/tree/b", "2")], capture={"t": "header:X-Consul-Index"})
s.get("/v1/kv/tree/?recurse&index=${t}&wait=300ms", min_ms=280,
      concurrently=[write("PUT", "/v1/kv/other", "2")])
s.get("/v1/kv/tree/?keys&index=${t}&wait=10s", max_ms=5000,
      concurrently=[write("DELETE", "/v1/kv/tree/a")], capture={"t": "header:X-Consul-Index"})
s.get("/v1/session/list", capture={"s": "header:X-Consul-Index"})
s.get("/v1/session/list?index=${s}&wait=10s", max_ms=5000,
      concurrently=[write("PUT", "/v1/session/create", {"Name": "new"})])
s.get("/v1/catalog/services", unordered=True, capture={"c": "header:X-Consul-Index"})
s.get("/v1/catalog/services?index=${c}&wait=10s", max_ms=5000, unordered=True, concurrently=[
    write("PUT", "/v1/catalog/register",
          {"Node": "n1", "Address": "10.0.0.1", "Service": {"Service": "third"}})])
s.get("/v1/catalog/nodes?filter=Node!=%22golden-node%22", capture={"n": "header:X-Consul-Index"})
s.get("/v1/catalog/nodes?filter=Node!=%22golden-node%22&index=${n}&wait=10s", max_ms=5000,
      concurrently=[write("PUT", "/v1/catalog/register", {"Node": "n9", "Address": "10.0.0.9"})])
s.get("/v1/health/state/critical", capture={"h": "header:X-Consul-Index"})
s.get("/v1/health/state/critical?index=${h}&wait=10s", max_ms=5000, concurrently=[
    write("PUT", "/v1/catalog/register", {"Node": "n9", "Address": "10.0.0.9", "Check": {
        "CheckID": "d", "Name": "d", "Status": "critical"}})])
for value in ("index=abc", "index=-1", "index=", "index=18446744073709551616", "wait=abc",
              "wait=10", "wait=-1s", "index=1&wait=", "index=1&wait=1x", "wait=1h",
              "index=1&wait=11m", "index=1.5"):
    s.get(f"/v1/health/service/web?{value}")

s = Scenario("dev-pretty", "Development mode indents every answer.", dev=True)
s.put("/v1/catalog/register", CATALOG)
s.get("/v1/health/service/web")
s.put("/v1/kv/a", "x")
s.get("/v1/kv/a")
s.get("/v1/kv/?keys")

s = Scenario("http-config", "http_config: response_headers, block_endpoints.", config={
    "http_config": {"response_headers": {"X-Consul-Test": "yes"},
                    "block_endpoints": ["/v1/agent/host", "/v1/kv"]}})
s.get("/v1/status/leader", subs=[[r"127\.0\.0\.1:\d+", "<address>"]])
s.get("/v1/agent/host")
s.get("/v1/kv/a")
s.get("/v1/unknown")
