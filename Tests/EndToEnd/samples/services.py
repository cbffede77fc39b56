"""Registration, balancing, and calls by name."""

import json
import os
import re
import tempfile

from agent import free_ports
from harness import check, eventually
from sample import Sample, agent, get, test


def instances(one, service):
    """The passing instances of a service: id to port."""
    status, body = one.get(f"/v1/health/service/{service}?passing")
    check(status == 200, status, body)
    return {entry["Service"]["ID"]: entry["Service"]["Port"] for entry in json.loads(body)}


def counts(path):
    """The last counts of a Traffic: (answered by instance, lost)."""
    answered, lost = {}, 0
    with open(path) as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if len(fields) != 5:
                continue
            if fields[1] == "-":
                lost = int(fields[4])
            else:
                answered[fields[1]] = int(fields[3])
    return answered, lost


@test("Greeter registers when it listens, goes out of service on demand, deregisters at the end")
def greeter(muster):
    with agent(muster) as one, Sample(one, "Greeter", "--name", "greeter-7") as sample:
        port = eventually(lambda: instances(one, "greeter").get("greeter-7"), "registered")
        status, body = get(port, "/greetings/Ada")
        check(status == 200 and body == "Hello Ada, this is greeter-7.", status, body)
        sample.process.send_signal(10)  # SIGUSR1
        eventually(lambda: not instances(one, "greeter"), "in maintenance")
        sample.process.send_signal(10)
        eventually(lambda: instances(one, "greeter"), "back again")
        sample.end()
        check("greeter-7" not in one.get("/v1/agent/services")[1], "still registered")


@test("Traffic spreads its calls over all instances and loses none when one is killed")
def traffic(muster):
    with agent(muster) as one, tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "counts")
        with Sample(one, "Greeter", "--name", "a") as first, \
                Sample(one, "Greeter", "--name", "b"), \
                Sample(one, "Traffic", "--plain", "--counts", path):
            eventually(lambda: len(instances(one, "greeter")) == 2, "two instances")
            eventually(lambda: os.path.exists(path) and
                       all(counts(path)[0].get(name, 0) > 50 for name in "ab"), "calls to both")
            first.kill()
            before = counts(path)[0]["b"]
            eventually(lambda: counts(path)[0]["b"] > before + 200, "calls go on")
            lost = counts(path)[1]
            check(lost == 0, lost, "calls lost")


@test("Gateway passes requests on to services by name and is as healthy as they are")
def gateway(muster):
    port, = free_ports(1)
    with agent(muster) as one, Sample(one, "Gateway", "--port", port):
        eventually(lambda: get(port, "/health")[0] == 503, "no greeter yet")
        check(get(port, "/services/greeter/greetings/Ada")[0] in (502, 504), "nobody to answer")
        with Sample(one, "Greeter", "--name", "g"):
            eventually(lambda: get(port, "/health") == (200, "greeter: 1 instances\n"), "healthy")
            answer = get(port, "/services/greeter/greetings/Ada")
            check(answer == (200, "Hello Ada, this is g."), answer)
            check(get(port, "/services/greeter/nothing")[0] == 404, "the service's own 404")
            check(get(port, "/elsewhere")[0] == 404, "not a service")
            eventually(lambda: instances(one, "gateway"), "its HTTP check passes")


@test("Ticker takes its settings from the registry, changed ones while it runs, all at once")
def ticker(muster):
    with agent(muster) as one:
        one.ask("PUT", "/v1/kv/config/ticker/message", "first")
        with Sample(one, "Ticker") as sample:
            sample.says('settings: "first" every 1000 ms')
            body = json.dumps([
                {"KV": {"Verb": "set", "Key": "config/ticker/message", "Value": "c2Vjb25k"}},
                {"KV": {"Verb": "set", "Key": "config/ticker/interval/ms", "Value": "NTA="}},
            ])
            check(one.ask("PUT", "/v1/txn", body)[0] == 200, "transaction")
            sample.says('settings: "second" every 50 ms')
            check('"second" every 1000' not in sample.output(), "half a change", sample.output())
            one.ask("DELETE", "/v1/kv/config/ticker?recurse")
            sample.says('settings: "tick" every 1000 ms')


@test("Indexer works in one instance at a time; another takes over when it ends and when it dies")
def indexer(muster):
    with agent(muster) as one, Sample(one, "Indexer", "--name", "first") as first:
        first.says("counts 2 under")
        with Sample(one, "Indexer", "--name", "second") as second:
            first.says("counts 6 under")
            check("leads" not in second.output(), second.output())
            first.end()
            second.says("counts 1 under")
            check("leads no more" in first.output(), first.output())
            with Sample(one, "Indexer", "--name", "third") as third:
                second.kill()
                third.says("counts 1 under")
                tokens = [int(one.output().split("leads with")[1].split("@")[1].split()[0])
                          for one in (first, second, third)]
                check(tokens == sorted(set(tokens)), tokens, "tokens rise")


@test("Forecast spreads gRPC calls by weight and loses none when an instance dies")
def forecast(muster):
    with agent(muster) as one, \
            Sample(one, "Forecast", "serve", "--name", "light") as light, \
            Sample(one, "Forecast", "serve", "--name", "heavy", "--weight", "3"):
        eventually(lambda: len(instances(one, "forecast")) == 2, "two instances")
        with Sample(one, "Forecast", "ask", "--calls", 400) as client:
            client.says("times: Sun in Rome, says light.")
            answers = {name: int(count) for count, name in
                       re.findall(r"(\d+) times: Sun in Rome, says (\w+)", client.output())}
            # Three to one; a connection that is not there yet passes its turn on.
            check(sum(answers.values()) == 400 and 285 <= answers["heavy"] <= 315, answers)
        with Sample(one, "Forecast", "ask", "--calls", 200, "--pause", 10) as client:
            eventually(lambda: client.process.poll() is None, "under way")
            light.kill()
            client.says("says heavy.")
            check(client.process.wait(15) == 0, "every call was answered", client.output())
