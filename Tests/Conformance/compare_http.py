#!/usr/bin/env python3
"""Sends the same random requests to Muster and to a real Consul and reports where they disagree.

Usage: compare_http.py --muster PATH [--consul PATH] [--seed N] [--count N]
The same seed asks the same questions. What is found here and matters becomes a scenario.
"""

import argparse
import collections
import json
import os
import random
import shutil
import sys
import urllib.parse

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support", "python")]

from agent import Agent  # noqa: E402
from exchange import Failure, Normalizer, captured, perform  # noqa: E402
from replay_http import differences  # noqa: E402

NODES = ["n1", "n2", "n3", "N1"]
SERVICES = ["web", "db", "Web", "api"]
TAGS = ["v1", "v2", "a b", "V1"]
KEYS = ["a", "a/b", "a/b/c", "b", "b/", "ab", "a//b", "ü", "a b"]
STATUSES = ["passing", "warning", "critical"]
ODD = [None, "", 0, -1, 1.5, True, [], {}, "x", ["x"], {"x": "y"}, 65536, 1e20]
EXPRESSIONS = [
    'Node == "{n}"', 'Node != {n}', 'Node matches "^n[12]$"', '{n} in Node', 'Node contains "n"',
    'Meta.k == v', 'NodeMeta.k == v', 'Node.Meta.k is empty', 'ServiceTags contains "v1"',
    '"v1" in ServiceTags', 'ServiceTags is empty', 'ServiceMeta is not empty', 'ServicePort == 80',
    'Service.Port != 80', 'Service.Tags contains v2', 'Checks is empty', 'Checks.Status == passing',
    'Status == critical and Node == {n}', 'not Status == passing',
    'ServiceName == web or Name == c',
    '(Node == {n}) and (Node == {n})', 'Service.Meta["k"] == "v"', 'Node ==', '== x', 'Nope == 1',
    'Port == 80', 'Service == web', 'Tags contains v1', 'ID == ""', 'Address matches "10\\\\."',
]


class Requests:
    """Draws requests; the generator is the only source of chance."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.sessions = 0

    def one(self, *choices):
        return self.random.choice(choices)

    def maybe(self, chance=0.5):
        return self.random.random() < chance

    def draw(self):
        """A step: a request, and sometimes a capture."""
        kind = self.random.choices(
            [self.register, self.deregister, self.read_catalog, self.read_health, self.kv_put,
             self.kv_get, self.kv_delete, self.session, self.txn],
            [6, 2, 6, 6, 6, 6, 2, 4, 4])[0]
        return kind()

    def step(self, method, path, body=None, **more):
        request = {"method": method, "path": path}
        if body is not None:
            request["body"] = body if isinstance(body, str) else json.dumps(body)
        return {"name": f"{method} {path}", "request": request, "unordered":
                path.startswith("/v1/catalog/services"), **more}

    def spoil(self, value):
        """Sometimes replaces a value somewhere by one of another type."""
        if self.maybe(0.85) or not isinstance(value, (dict, list)) or not value:
            return value if self.maybe(0.95) else self.one(*ODD)
        if isinstance(value, list):
            return [self.spoil(item) for item in value]
        key = self.one(*value)
        return {**value, key: self.spoil(value[key]) if self.maybe() else self.one(*ODD)}

    def check(self, service=None):
        check = {"CheckID": self.one("c1", "c2", "serfHealth"), "Name": "c",
                 "Status": self.one(*STATUSES)}
        if service and self.maybe():
            check["ServiceID"] = service
        if self.maybe(0.3):
            check["Output"] = self.one("", "out <&>", "\u2028 \U0001f600")
        if self.maybe(0.2):
            check["Definition"] = {"HTTP": "http://x", "Interval": self.one("10s", "1m", 5)}
        return check

    def register(self):
        body = {"Node": self.one(*NODES), "Address": self.one("10.0.0.1", "10.0.0.2")}
        if self.maybe(0.3):
            body["NodeMeta"] = {"k": self.one("v", "w")}
        if self.maybe(0.2):
            body["TaggedAddresses"] = {"lan": "10.1.1.1"}
        if self.maybe(0.1):
            body["SkipNodeUpdate"] = True
        name = self.one(*SERVICES)
        if self.maybe(0.7):
            service = {"Service": name, "Port": self.one(80, 81)}
            for key, values in (
                ("ID", ["s1", "s2", name]), ("Tags", [[], ["v1"], ["v1", "v2"], ["a b"]]),
                ("Meta", [{"k": "v"}, {}]), ("Address", ["10.2.2.2", ""]),
                ("Weights", [{"Passing": 3, "Warning": 1}, {"Passing": 0}]),
                ("EnableTagOverride", [True]), ("Connect", [{"Native": True}]),
            ):
                if self.maybe(0.3):
                    service[key] = self.one(*values)
            body["Service"] = service
            name = service.get("ID", name)
        if self.maybe(0.4):
            body["Check"] = self.check(name)
        elif self.maybe(0.2):
            body["Checks"] = [self.check(name), self.check()]
        return self.step("PUT", "/v1/catalog/register", self.spoil(body))

    def deregister(self):
        body = {"Node": self.one(*NODES)}
        if self.maybe():
            body["ServiceID"] = self.one("s1", "s2", *SERVICES)
        elif self.maybe():
            body["CheckID"] = self.one("c1", "c2")
        return self.step("PUT", "/v1/catalog/deregister", self.spoil(body))

    def parameters(self, *names):
        """A query string from some of the names."""
        pairs = []
        for name in names:
            if self.maybe(0.2):
                value = {
                    "tag": lambda: self.one(*TAGS), "near": lambda: self.one(*NODES, "_agent"),
                    "node-meta": lambda: self.one("k:v", "k:w", "k", ":"),
                    "filter": lambda: self.one(*EXPRESSIONS).replace("{n}", self.one(*NODES)),
                    "passing": lambda: self.one("", "1", "false", "x"),
                }.get(name, lambda: "")()
                pairs.append(name + ("=" + urllib.parse.quote(value) if value else ""))
        return "?" + "&".join(pairs) if pairs else ""

    def read_catalog(self):
        path = self.one(
            "nodes", "services", f"service/{self.one(*SERVICES)}", f"node/{self.one(*NODES)}",
            f"node-services/{self.one(*NODES)}", f"connect/{self.one(*SERVICES)}")
        query = self.parameters("tag", "near", "node-meta", "filter", "stale", "pretty", "cached"
                                if path.startswith("nodes") else "consistent")
        return self.step("GET", f"/v1/catalog/{path}{query}",
                         ignore=["*.TaggedAddresses"] if path == "nodes" and not query else [])

    def read_health(self):
        path = self.one(
            f"service/{self.one(*SERVICES)}", f"checks/{self.one(*SERVICES)}",
            f"node/{self.one(*NODES)}", f"state/{self.one('any', 'odd', *STATUSES)}",
            f"connect/{self.one(*SERVICES)}")
        query = self.parameters("tag", "near", "node-meta", "filter", "passing", "pretty")
        return self.step("GET", f"/v1/health/{path}{query}")

    def key(self):
        return urllib.parse.quote(self.one(*KEYS))

    def any_session(self):
        number = self.random.randrange(max(1, self.sessions))
        return self.one("${s%d}" % number, "${s%d}" % number, "x",
                        "99999999-9999-9999-9999-999999999999")

    def kv_put(self):
        query = self.one("", "", "", f"?flags={self.one(0, 7, -1, 'x')}",
                         f"?cas={self.one(0, 1, 'x')}", "?cas=${m}",
                         f"?acquire={self.any_session()}", f"?release={self.any_session()}")
        return self.step("PUT", f"/v1/kv/{self.key()}{query}", self.one("", "v", "value"))

    def kv_get(self):
        query = self.one("", "", "?raw", "?recurse", "?keys", "?keys&separator=/", "?separator=/",
                         "?recurse&pretty", "?keys&separator=b", "?raw&recurse", "?stale")
        return self.step("GET", f"/v1/kv/{self.key()}{query}", capture={"m": "json:0.ModifyIndex"})

    def kv_delete(self):
        query = self.one("", "?recurse", "?cas=${m}", "?cas=0", "?cas=x", "?recurse&cas=1")
        return self.step("DELETE", f"/v1/kv/{self.key()}{query}")

    def session(self):
        verb = self.one("create", "create", "destroy", "renew", "info", "list", "node")
        if verb == "create":
            body = {"LockDelay": self.one("0s", 0)}
            for key, values in (("Name", ["n"]), ("TTL", ["30s", "5s", "", "x"]),
                                ("Behavior", ["release", "delete", "odd"]),
                                ("Checks", [[], ["serfHealth"], ["none"]]),
                                ("Node", ["golden-node", "n1"])):
                if self.maybe(0.2):
                    body[key] = self.one(*values)
            self.sessions += 1
            return self.step("PUT", "/v1/session/create", self.spoil(body),
                             capture={f"s{self.sessions - 1}": "json:ID"})
        if verb in ("destroy", "renew"):
            return self.step("PUT", f"/v1/session/{verb}/{self.any_session()}")
        if verb == "info":
            return self.step("GET", f"/v1/session/info/{self.any_session()}")
        node = "/" + self.one("golden-node", "none") if verb == "node" else ""
        # Consul lists sessions by their random ids.
        return self.step("GET", f"/v1/session/{verb}{node}", ignore=["*.ID"], unordered=True,
                         ignore_indexes=True)

    def operation(self):
        if self.maybe(0.6):
            verb = self.one("set", "cas", "get", "get-tree", "check-index", "check-not-exists",
                            "delete", "delete-tree", "delete-cas", "lock", "unlock",
                            "check-session")
            operation = {"Verb": verb, "Key": self.one(*KEYS)}
            if self.maybe():
                operation["Value"] = self.one("dg==", "", "!")
            if self.maybe(0.4):
                operation["Index"] = self.one(0, 1)
            if self.maybe(0.4):
                operation["Session"] = self.any_session()
            return {"KV": operation}
        verb = self.one("set", "get", "delete", "cas", "delete-cas")
        node = {"Node": self.one(*NODES), "Address": "10.0.0.9"}
        service = {"ID": self.one("s1", "web"), "Service": self.one(*SERVICES), "Port": 80}
        return self.one(
            {"Node": {"Verb": verb, "Node": node}},
            {"Service": {"Verb": verb, "Node": self.one(*NODES), "Service": service}},
            {"Check": {"Verb": verb, "Check": {**self.check(), "Node": self.one(*NODES)}}})

    def txn(self):
        operations = [self.operation() for _ in range(self.random.randrange(1, 4))]
        return self.step("PUT", "/v1/txn", self.spoil(operations))


def compare(options, consul):
    """Plays the requests to both and returns how many disagreed."""
    requests, bad = Requests(options.seed), 0
    kinds = collections.Counter()
    with Agent([consul], dev=False) as theirs, Agent([options.muster], dev=False) as ours:
        sides = [(theirs.address, {}, Normalizer()), (ours.address, {}, Normalizer())]
        for number in range(options.count):
            step = requests.draw()
            answers = []
            for address, variables, normalizer in sides:
                plain = {key: value for key, value in step.items() if key != "capture"}
                try:
                    answer, _ = perform(address, plain, variables)
                except Failure as failure:
                    sys.exit(f"{step['name']}: {failure}")
                for name, source in step.get("capture", {}).items():
                    variables[name] = captured(answer, source) or variables.get(name, "0")
                answers.append(normalizer.normalize(step, answer))
            if answers[0]["status"] == 0:
                continue  # Consul panicked.
            found = differences(*answers)
            if found:
                bad += 1
                kinds[(step["request"]["path"].split("?")[0].rsplit("/", 1)[0], found[0][0])] += 1
                print(f"{number}: {step['name']} {step['request'].get('body', '')[:400]}")
                for what, wanted, got in found:
                    print(f"     {what}\n       Consul {str(wanted)[:500]!r}\n"
                          f"       ours   {str(got)[:500]!r}")
    for (path, what), count in kinds.most_common():
        print(f"{count:5} {path} {what}")
    print(f"seed {options.seed}: {options.count - bad} agree, {bad} disagree")
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--muster", required=True)
    parser.add_argument("--consul", default=os.environ.get("CONSUL_BINARY", "consul"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args()
    consul = shutil.which(options.consul)
    if not consul:
        sys.exit("no Consul: set CONSUL_BINARY or --consul")
    sys.exit(1 if compare(options, consul) else 0)


if __name__ == "__main__":
    main()
