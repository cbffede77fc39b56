"""Checks of the local agent: every verb, every kind, and what is refused."""

from . import Scenario

REGISTER = "/v1/agent/check/register"

s = Scenario("agent-checks", "TTL checks: register, pass, warn, fail, update, deregister.")
s.get("/v1/agent/checks")
s.put(REGISTER, {"Name": "mem", "TTL": "1h", "Notes": "watch it"})
s.get("/v1/agent/checks")
s.get("/v1/agent/checks?pretty")
s.put(REGISTER, {"ID": "own", "Name": "Own id", "TTL": "1h", "Status": "passing"})
s.put(REGISTER, {"CheckID": "own2", "Name": "Own id 2", "TTL": "1h", "Status": "warning"})
s.put(REGISTER, {"id": "own3", "name": "lower", "ttl": "1h", "output_max_size": 10})
s.put(REGISTER, {"ID": "own2", "Name": "Own id 2", "TTL": "1h", "Status": "warning"})
s.put(REGISTER, {"id": "own3", "name": "lower", "ttl": "1h", "outputmaxsize": 10})
s.get("/v1/agent/checks")
s.get("/v1/health/node/golden-node", until="own3")
s.put("/v1/agent/check/pass/mem")
s.put("/v1/agent/check/pass/mem?note=all+well")
s.get("/v1/agent/checks?filter=CheckID==mem")
s.put("/v1/agent/check/warn/mem?note=hm")
s.get("/v1/agent/checks?filter=CheckID==mem")
s.put("/v1/agent/check/fail/mem?note=no%20%3C%26%3E")
s.get("/v1/agent/checks?filter=CheckID==mem")
s.get("/v1/health/state/critical", until='"CheckID":"mem"')
s.put("/v1/agent/check/update/mem", {"Status": "passing", "Output": "from update"})
s.get("/v1/agent/checks?filter=CheckID==mem")
s.get("/v1/health/node/golden-node", until='"CheckID":"mem","Name":"mem","Status":"passing"')
s.put("/v1/agent/check/update/mem", {"Status": "warning"})
s.put("/v1/agent/check/update/mem", {"Status": "critical", "Output": "x" * 5000})
s.get("/v1/agent/checks?filter=CheckID==mem")
s.put("/v1/agent/check/update/own3", {"Status": "passing", "Output": "0123456789abcdef"})
s.get("/v1/agent/checks?filter=CheckID==own3")
s.put("/v1/agent/check/pass/own3?note=0123456789abcdef")
s.get("/v1/agent/checks?filter=CheckID==own3")
s.put("/v1/agent/check/update/mem", {"Status": "odd"})
s.put("/v1/agent/check/update/mem", {"Status": ""})
s.put("/v1/agent/check/update/mem", {"Output": "no status"})
s.put("/v1/agent/check/update/mem", "not json")
s.put("/v1/agent/check/update/mem")
s.put("/v1/agent/check/update/mem", {"Status": 5})
s.put("/v1/agent/check/update/none", {"Status": "passing"})
s.put("/v1/agent/check/update/", {"Status": "passing"})
for verb in ("pass", "warn", "fail"):
    s.put(f"/v1/agent/check/{verb}/none")
    s.put(f"/v1/agent/check/{verb}/")
    s.put(f"/v1/agent/check/{verb}")
s.get("/v1/agent/check/pass/mem")
s.post("/v1/agent/check/pass/mem")
s.put("/v1/agent/check/deregister/mem")
s.put("/v1/agent/check/deregister/mem")
s.put("/v1/agent/check/deregister/none")
s.put("/v1/agent/check/deregister/")
s.get("/v1/health/node/golden-node", until=r'^(?!.*"CheckID":"mem")')
for name in ("own", "own2", "own3"):
    s.put(f"/v1/agent/check/deregister/{name}")
s.get("/v1/agent/checks")

s = Scenario("agent-check-kinds", "HTTP and TCP checks; TTL expiry; checks of a service.")
s.put("/v1/agent/service/register", {"ID": "web-1", "Name": "web", "Port": 80, "Tags": ["a"]})
s.put(REGISTER, {"Name": "Web TTL", "ServiceID": "web-1", "TTL": "1h", "Status": "passing"})
s.put(REGISTER, {"ID": "http", "Name": "HTTP", "HTTP": "http://127.0.0.1:1/health",
                 "Method": "POST", "Header": {"X-Foo": ["bar", "baz"]}, "Body": "{}",
                 "Interval": "1h", "Timeout": "2s", "TLSSkipVerify": True,
                 "SuccessBeforePassing": 2, "FailuresBeforeCritical": 3})
s.put(REGISTER, {"ID": "tcp", "Name": "TCP", "TCP": "127.0.0.1:1", "Interval": "1h"})
s.put(REGISTER, {"ID": "dereg", "Name": "Dereg", "TTL": "1h",
                 "DeregisterCriticalServiceAfter": "90m"})
s.get("/v1/agent/checks", ignore=["http.Output", "tcp.Output"])
s.get("/v1/health/service/web", until="Web TTL")
s.put(REGISTER, {"Name": "quick", "TTL": "300ms", "Status": "passing"})
s.get("/v1/agent/checks?filter=CheckID==quick", until="expired")
s.put("/v1/agent/check/pass/quick?note=back")
s.put("/v1/agent/service/deregister/web-1")
s.get("/v1/agent/checks", ignore=["quick", "http.Output", "tcp.Output"])
s.put("/v1/agent/check/pass/http")

s = Scenario("agent-check-alias", "Alias checks follow a service or a node.")
s.put("/v1/agent/service/register", {"Name": "db", "Port": 1})
s.put("/v1/agent/service/register", {"Name": "front", "Port": 2})
s.put(REGISTER, {"Name": "db TTL", "ServiceID": "db", "TTL": "1h", "Status": "passing"})
s.put(REGISTER, {"ID": "follows", "Name": "Follows db", "AliasService": "db", "ServiceID": "front"})
s.get("/v1/agent/checks?filter=CheckID==follows", until="All checks passing")
s.get("/v1/health/checks/front", until="All checks passing")
s.put("/v1/agent/check/warn/db%20TTL?note=slow")
s.get("/v1/agent/checks?filter=CheckID==follows", until="slow")
s.put("/v1/agent/check/fail/db%20TTL?note=down")
s.get("/v1/agent/checks?filter=CheckID==follows", until="down")
s.put("/v1/agent/check/deregister/db%20TTL")
s.get("/v1/agent/checks?filter=CheckID==follows", until="passing")
s.put("/v1/agent/check/deregister/follows")
s.put("/v1/catalog/register", {"Node": "elsewhere", "Address": "10.0.0.9", "Service": {
    "ID": "far-1", "Service": "far"}, "Check": {
    "CheckID": "c", "Name": "far check", "Status": "critical", "Output": "burning"}})
s.put(REGISTER, {"ID": "node", "Name": "Follows a node", "AliasNode": "elsewhere"})
s.get("/v1/agent/checks?filter=CheckID==node", until="burning")
s.put(REGISTER, {"ID": "remote", "Name": "Remote", "AliasNode": "elsewhere",
                 "AliasService": "far-1"})
s.get("/v1/agent/checks?filter=CheckID==remote", until="burning")

s = Scenario("agent-check-scripts", "Script checks where they are enabled.",
             config={"enable_local_script_checks": False, "enable_script_checks": True})
for code, name in ((0, "ok"), (1, "warn"), (2, "fail")):
    s.put(REGISTER, {"Name": name, "Args": ["/bin/sh", "-c", f"echo said {name}; exit {code}"],
                     "Interval": "200ms"})
s.put(REGISTER, {"Name": "slow", "Args": ["/bin/sleep", "10"], "Interval": "100ms",
                 "Timeout": "200ms"})
s.put(REGISTER, {"Name": "missing", "Args": ["/no/such/program"], "Interval": "100ms"})
s.put(REGISTER, {"Name": "old", "ScriptArgs": ["/bin/true"], "Interval": "100ms"})
s.get("/v1/agent/checks?filter=CheckID==ok", until="said ok")
s.get("/v1/agent/checks?filter=CheckID==warn", until="said warn")
s.get("/v1/agent/checks?filter=CheckID==fail", until="said fail")
s.get("/v1/agent/checks?filter=CheckID==slow", until="Timed out")
s.get("/v1/agent/checks?filter=CheckID==missing", until="no such file")
s.get("/v1/agent/checks?filter=CheckID==old", until="passing")
s.put(REGISTER, {"Name": "script", "Script": "true", "Interval": "1s"})
s.put(REGISTER, {"Name": "noint", "Args": ["true"]})

s = Scenario("agent-check-errors", "Refused check definitions.")
for body in (
    None, "not json", "[]", "{}", "null", '{"Name":', {"Name": "x"}, {"TTL": "10s"},
    {"Name": "", "TTL": "10s"}, {"ID": "only", "TTL": "10s"}, {"Name": 5, "TTL": "10s"},
    {"Name": "x", "TTL": "soon"}, {"Name": "x", "TTL": "10"}, {"Name": "x", "TTL": 10},
    {"Name": "x", "TTL": "-1s"}, {"Name": "x", "TTL": "0s"}, {"Name": "x", "TTL": {}},
    {"Name": "x", "Interval": "10s"}, {"Name": "x", "TCP": "127.0.0.1:1"},
    {"Name": "x", "HTTP": "http://127.0.0.1:1"},
    {"Name": "x", "HTTP": "http://127.0.0.1:1", "Interval": "soon"},
    {"Name": "x", "HTTP": "http://127.0.0.1:1", "Interval": "-1s"},
    {"Name": "x", "HTTP": "http://127.0.0.1:1", "Interval": "1h", "Timeout": "soon"},
    {"Name": "x", "HTTP": 5, "Interval": "1h"},
    {"Name": "x", "HTTP": "http://127.0.0.1:1", "Interval": "1h", "Header": {"X": "not a list"}},
    {"Name": "x", "HTTP": "http://127.0.0.1:1", "Interval": "1h", "Header": ["x"]},
    {"Name": "x", "TTL": "1h", "Status": "odd"},
    {"Name": "x", "TTL": "1h", "ServiceID": "none"},
    {"Name": "x", "TTL": "1h", "TCP": "127.0.0.1:1", "Interval": "1h"},
    {"Name": "x", "TTL": "1h", "Interval": "1h"},
    {"Name": "x", "HTTP": "http://127.0.0.1:1", "TCP": "127.0.0.1:1", "Interval": "1h"},
    {"Name": "x", "TTL": "1h", "DeregisterCriticalServiceAfter": "soon"},
    {"Name": "x", "TTL": "1h", "OutputMaxSize": -1},
    {"Name": "x", "TTL": "1h", "OutputMaxSize": "big"},
    {"Name": "x", "Args": ["true"], "Interval": "10s"},
    {"Name": "x", "Args": "true", "Interval": "10s"},
    {"Name": "x", "Args": [], "Interval": "10s"},
    {"Name": "x", "DockerContainerID": "abc", "Interval": "10s"},
    {"Name": "x", "DockerContainerID": "abc", "Args": ["true"], "Interval": "10s"},
    {"Name": "x", "GRPC": "127.0.0.1:1"},
    {"Name": "x", "AliasService": "none"},
    {"Name": "x", "TTL": "1h", "Unknown": 1},
    {"Name": "x", "TTL": "1h", "SuccessBeforePassing": -1},
    {"Name": "x", "TTL": "1h", "SuccessBeforePassing": "two"},
    {"Name": "x", "TTL": "1h", "Notes": 5},
):
    s.put(REGISTER, body)
s.get("/v1/agent/checks", ignore=["x"])
s.get(REGISTER)
s.post(REGISTER)
s.put("/v1/agent/checks")
