"""The workloads: what is prepared, what is measured, and the goals of the design."""

import contextlib
import dataclasses
import http.client
import json
import os
import re
import shutil
import subprocess
import time

from agent import Agent, StartFailure

HERE = os.path.dirname(os.path.abspath(__file__))
# Both agents: one machine is one client here, and has more connections than Consul's default.
CONFIG = {"limits": {"http_max_conns_per_client": 6000}, "log_level": "err"}
SECONDS = 3
ROUNDS = 3
INSTALL = "apt-get install -y"


@dataclasses.dataclass
class Figure:
    """One measured number: its goal is a ratio to the peer or a bound of its own."""
    name: str
    title: str
    unit: str
    higher: bool = True
    times: float = None
    bound: float = None


class Tools:
    """The load programs of this machine."""

    def __init__(self, compiled, directory):
        self.compiled, self.directory = compiled, directory

    def missing(self, row):
        """What a row needs and this machine has not, with the command that installs it."""
        if row.needs == "cc":
            return None if self.compiled else f"no C compiler: {INSTALL} clang"
        if row.needs and not shutil.which(row.needs):
            return f"{row.needs} not installed: {INSTALL} {row.needs}"
        return None

    def run(self, command, seconds=90):
        """Runs a load program and returns its output."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        if done.returncode != 0:
            raise ValueError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def wrk(self, agent, path, connections, script=None, arguments=()):
        """Requests per second and p50 in ms of a wrk run."""
        command = ["wrk", "--latency", "--timeout", "10s", "-t", str(min(2, connections)),
                   "-c", str(connections),
                   "-d", f"{SECONDS}s"]
        if script:
            command += ["-s", os.path.join(HERE, script)]
        url = f"http://127.0.0.1:{agent.ports['http']}{path}"
        output = self.run(command + [url] + (["--", *arguments] if arguments else []))
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)
        if bad:
            raise ValueError(bad.group(0))
        p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)", output)
        scale = {"us": 0.001, "ms": 1, "s": 1000}[p50.group(2)]
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
        return {"rate": rate, "p50": float(p50.group(1)) * scale}


class Row:
    """A workload. `prepare` fills an agent once, `once` measures one round."""

    def __init__(self, name, about, figures, once, needs="wrk", prepare=None, rounds=ROUNDS,
                 peer_dev=True):
        self.name, self.about, self.figures, self.once = name, about, figures, once
        self.needs, self.prepare, self.rounds = needs, prepare, rounds
        self.peer_dev = peer_dev

    def measure(self, tools, ours, peer):
        """The samples of ours and theirs; the rounds alternate between the two."""
        samples = ([], [])
        with contextlib.ExitStack() as stack:
            agents = [
                stack.enter_context(Agent([program], CONFIG, dev=dev)) if program else None
                for program, dev in ((ours, True), (peer, self.peer_dev))
            ]
            for agent in agents:
                if agent and self.prepare:
                    self.prepare(agent)
            for number in range(self.rounds):
                for agent, kept in zip(agents, samples):
                    if agent:
                        kept.append(self.once(tools, agent, number))
        return samples


class AloneRow(Row):
    """A workload for which each program runs alone, from its start."""

    def measure(self, tools, ours, peer):
        samples = ([], [])
        for _ in range(self.rounds):
            for program, kept in zip((ours, peer), samples):
                if program:
                    kept.append(self.once(tools, program))
        return samples


def instances(count):
    """Registers `count` healthy instances of the service web, one per node."""

    def prepare(agent):
        for i in range(count):
            status, body = agent.ask("PUT", "/v1/catalog/register", {
                "Node": f"node-{i}", "Address": f"10.0.0.{i + 1}",
                "TaggedAddresses": {"lan": f"10.0.0.{i + 1}", "wan": f"1.2.3.{i + 1}"},
                "NodeMeta": {"rack": f"r{i % 4}"},
                "Service": {"ID": f"web-{i}", "Service": "web", "Port": 8080,
                            "Tags": ["v1", "primary"], "Meta": {"version": "1.0.0"}},
                "Checks": [
                    {"CheckID": "serfHealth", "Name": "Serf Health Status", "Status": "passing",
                     "Output": "Agent alive and reachable"},
                    {"CheckID": f"service:web-{i}", "Name": "Service 'web' check",
                     "Status": "passing", "ServiceID": f"web-{i}"},
                ]})
            if status != 200:
                raise ValueError(f"catalog/register: {status} {body}")

    return prepare


def health(tools, agent, number):
    return tools.wrk(agent, "/v1/health/service/web", 64)


def dns(tools, agent, number):
    queries = os.path.join(tools.directory, "queries")
    with open(queries, "w") as file:
        file.write("web.service.consul A\n")
    output = tools.run(["dnsperf", "-s", "127.0.0.1", "-p", str(agent.ports["dns"]), "-d", queries,
                        "-c", "8", "-T", "2", "-q", "64", "-l", str(SECONDS)])
    lost = int(re.search(r"Queries lost:\s+(\d+)", output).group(1))
    good = re.search(r"NOERROR (\d+) \(100", output)
    if lost or not good:
        raise ValueError(f"{lost} queries were lost, or an answer was not NOERROR")
    return {"rate": float(re.search(r"Queries per second:\s+([\d.]+)", output).group(1))}


def put(connections):
    """Measures KV puts over some connections."""
    return lambda tools, agent, number: tools.wrk(agent, "/", connections, "put.lua")


def registrations(tools, agent, count, seconds):
    """Registers new instances over 64 connections; pairs of (done, rate) per 10,000."""
    output = tools.run([os.path.join(tools.compiled, "registrations"), str(agent.ports["http"]),
                        str(count), "64", "10000", str(seconds)], seconds + 30)
    return [[float(part) for part in line.split()] for line in output.splitlines()]


def register(tools, program):
    with Agent([program], CONFIG) as agent:
        rates = [rate for _, rate in registrations(tools, agent, 20000, 20)]
        return {"rate": len(rates) / sum(1 / rate for rate in rates)}


def watchers(tools, agent, number):
    output = tools.run([os.path.join(tools.compiled, "watchers"), str(agent.ports["http"]),
                        "5000", "3", str(index_of(agent))])
    rounds = [[float(part) for part in line.split()] for line in output.splitlines()]
    middle = sorted(rounds, key=lambda pair: pair[1])[len(rounds) // 2]
    return {"p50": middle[0], "last": middle[1]}


def index_of(agent):
    """The X-Consul-Index of the watched service."""
    connection = http.client.HTTPConnection(*agent.address, timeout=10)
    connection.request("GET", "/v1/health/service/web")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.getheader("X-Consul-Index")


def hundred_thousand(tools, program):
    with Agent([program], CONFIG) as agent:
        chunks = registrations(tools, agent, 100000, 60)
        rates = [rate for _, rate in chunks]
        name = os.path.basename(program)
        print(f"{'':12} {name}, per 10,000: {' '.join(f'{rate:,.0f}' for rate in rates)}")
        done = chunks[-1][0] if chunks else 0
        sample = {"rate": done / sum(10000 / rate for rate in rates)}
        if done == 100000:
            first, last = sum(rates[1:4]) / 3, sum(rates[-3:]) / 3
            sample.update(flat=last / first, memory=agent.resident_megabytes())
        return sample


def start(tools, program):
    body = json.dumps({"Name": "first", "Port": 80})
    agent = Agent([program], {**CONFIG, "limits": {}})
    agent.wait_until_ready = lambda: None
    begin = time.monotonic()
    with agent:
        while True:
            try:
                status, _ = agent.ask("PUT", "/v1/agent/service/register", body)
                if status == 200:
                    break
            except OSError:
                pass  # It does not listen yet.
            if time.monotonic() - begin > 20:
                raise StartFailure("no registration was accepted in time")
            time.sleep(0.0005)
        elapsed = time.monotonic() - begin
        return {"ms": elapsed * 1000, "memory": agent.resident_megabytes()}


def rate(title, times):
    """The figure of a workload that is counted per second."""
    return Figure("rate", title, "/s", times=times)


ALL = [
    Row("health10", "GET health/service, 10 instances, 64 connections",
        [rate("health/service, 10 instances, 64 connections", 10)], health, prepare=instances(10)),
    Row("health100", "GET health/service, 100 instances, 64 connections",
        [rate("health/service, 100 instances, 64 connections", 15)], health,
        prepare=instances(100)),
    # Consul's development mode indents every answer, at a cost: its compact answers are faster.
    Row("compact10", "as health10, but Consul as a server, which does not indent its answers",
        [rate("health/service, 10 instances, against a server", 10)], health,
        prepare=instances(10), peer_dev=False),
    Row("compact100", "as health100, but Consul as a server, which does not indent its answers",
        [rate("health/service, 100 instances, against a server", 15)], health,
        prepare=instances(100), peer_dev=False),
    Row("dns", "DNS A of a service with 10 instances, 8 clients",
        [rate("DNS A, 8 clients", 5)], dns, needs="dnsperf", prepare=instances(10)),
    *(Row(f"kv{count}", f"KV put of 256 bytes, {count} connections",
          [rate(f"KV put 256 B, {count} connections", times),
           Figure("p50", f"KV put 256 B, {count} connections, p50", "ms", higher=False)],
          put(count)) for count, times in ((1, 2.5), (64, 4), (256, 4))),
    AloneRow("register", "the first 20,000 instances, one request each, 64 connections",
             [rate("catalog register, new instances, 64 connections", 10)], register,
             needs="cc", rounds=2),
    AloneRow("register100k", "100,000 instances, one request each; rate and memory",
             [rate("100,000 registrations, 64 connections", 10),
              Figure("flat", "last 30,000 against 10,000-40,000", "x", bound=0.9),
              Figure("memory", "resident with 100,000 instances", "MB", higher=False, bound=200)],
             hundred_thousand, needs="cc", rounds=1),
    Row("watch", "5,000 blocking queries on one service with 10 instances",
        [Figure("p50", "5,000 watchers: change to the middle one", "ms", higher=False, times=10),
         Figure("last", "5,000 watchers: change to the last one", "ms", higher=False, times=10)],
        watchers, needs="cc", prepare=instances(10), rounds=1),
    AloneRow("start", "agent -dev: start to first accepted registration; memory after it",
             [Figure("ms", "start to first registration", "ms", higher=False, bound=60),
              Figure("memory", "resident after it", "MB", higher=False, bound=25)],
             start, needs=None, rounds=10),
]
