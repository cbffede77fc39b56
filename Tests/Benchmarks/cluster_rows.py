"""The workloads of three replicated servers, with their data on disk.

All servers of a cluster, those of the peer, and the load share this machine. The data lie in the
directory for temporary files, or in BENCHMARK_DATA: it should be on a real disk.
"""

import concurrent.futures
import contextlib
import os
import threading
import time

from agent import free_ports
from connection import Connection, Failure
from failover import failover
from rows import Figure, Row, instances, rate, registrations
from servers import DEFAULT_PORTS, Cluster, Host

CONFIG = {"log_level": "err", "autopilot": {"cleanup_dead_servers": False}}
KEYS, KEYS_PER_REQUEST = 200_000, 64


def same_machine(number):
    """A place for a server beside the others, where the load programs reach it."""
    return Host("127.0.0.1", dict(zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)))))


def started(program):
    return Cluster(program, 3, same_machine, CONFIG, parent=os.environ.get("BENCHMARK_DATA"))


class ClusterRow(Row):
    """A workload on a cluster of each program; rounds alternate, both run all the time."""

    def measure(self, tools, ours, peer):
        samples = ([], [])
        with contextlib.ExitStack() as stack:
            clusters = [stack.enter_context(started(program)) if program else None
                        for program in (ours, peer)]
            for cluster in clusters:
                if cluster and self.prepare:
                    self.prepare(cluster.leader())
            for number in range(self.rounds):
                for cluster, kept in zip(clusters, samples):
                    if cluster:
                        kept.append(self.once(tools, cluster, number))
        return samples


class AloneClusterRow(ClusterRow):
    """A workload for which each program's cluster runs alone, from its start."""

    def measure(self, tools, ours, peer):
        samples = ([], [])
        for _ in range(self.rounds):
            for program, kept in zip((ours, peer), samples):
                if program:
                    with started(program) as cluster:
                        kept.append(self.once(tools, cluster, 0))
        return samples


def put(connections):
    """KV puts at the leader."""
    return lambda tools, cluster, number: tools.wrk(
        cluster.leader(), "/", connections, "put.lua")


def put_anywhere(tools, cluster, number):
    """KV puts at the leader, then the same through a follower."""
    leader = tools.wrk(cluster.leader(), "/", 64, "put.lua")["rate"]
    follower = tools.wrk(cluster.followers()[0], "/", 64, "put.lua")["rate"]
    return {"leader": leader, "follower": follower, "ratio": follower / leader}


def register(tools, cluster, number):
    """The first 20,000 instances."""
    rates = [pace for _, pace in registrations(tools, cluster.leader(), 20000, 40)]
    return {"rate": len(rates) / sum(1 / pace for pace in rates)}


def lookup(mode):
    """Lookups at the leader, at a follower, and at all three servers at once.

    One machine cannot show that servers add up, so it is also measured what a follower's lookups
    take of the leader's processor time, against its own.
    """

    def once(tools, cluster, number):
        path = f"/v1/health/service/web{mode}"
        every = [cluster.leader(), *cluster.followers()]
        sample, spent = {}, {}
        for name, server in (("leader", every[0]), ("follower", every[1])):
            before = every[0].processor_seconds()
            sample[name] = tools.wrk(server, path, 64)["rate"]
            spent[name] = (every[0].processor_seconds() - before) / sample[name]
        sample["burden"] = 100 * spent["follower"] / spent["leader"]
        with concurrent.futures.ThreadPoolExecutor(len(every)) as pool:
            found = pool.map(lambda server: tools.wrk(server, path, 64)["rate"], every)
            sample["all"] = sum(found)
        return sample

    return once


def stale(tools, cluster, number):
    return tools.wrk(cluster.followers()[0], "/v1/health/service/web?stale", 64)


def lookup_figures(words, times):
    return [Figure("leader", f"{words}, leader", "/s", times=times),
            Figure("follower", f"{words}, follower", "/s", times=times),
            Figure("all", f"{words}, all three at once", "/s", times=times),
            Figure("burden", f"{words}, leader's share in a follower's", "%", higher=False)]


def put_keys(server):
    """Writes the keys of the large state, 64 in one transaction, over 8 connections."""

    def write(worker):
        with Connection(server.http, 30) as connection:
            for first in range(worker * KEYS_PER_REQUEST, KEYS, 8 * KEYS_PER_REQUEST):
                numbers = range(first, min(first + KEYS_PER_REQUEST, KEYS))
                answer = connection.ask("PUT", "/v1/txn", [{"KV": {
                    "Verb": "set", "Key": f"config/app-{i % 500}/key-{i}",
                    "Value": "dmFsdWU" + "%08d" % i + "A" * 21}} for i in numbers])
                if answer.status != 200:
                    raise ValueError(f"txn: {answer.status} {answer.text[:200]}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))


def seconds_until(condition, limit=120):
    """How long it takes until a condition holds."""
    begin = time.monotonic()
    while not condition():
        if time.monotonic() - begin > limit:
            raise ValueError(f"not within {limit} s")
        time.sleep(0.005)
    return time.monotonic() - begin


def has(server, path, text):
    """Whether a server answers a request with 200 and a body that contains the text."""
    try:
        status, body = server.ask("GET", path, seconds=10)
    except Failure:
        return False
    return status == 200 and text in body


class Writing:
    """A client that writes all the time while a `with` statement lasts."""

    def __init__(self, server):
        self.server, self.stopping, self.count = server, threading.Event(), 0
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def run(self):
        with Connection(self.server.http, 10) as connection:
            while not self.stopping.is_set():
                try:
                    connection.ask("PUT", f"/v1/kv/going/{self.count % 1000}", "x" * 256)
                    self.count += 1
                except Failure:
                    time.sleep(0.05)  # The leader changes: the writer goes on.


def save_snapshot(tools, server):
    """Seconds and megabytes of `snapshot save`."""
    path = os.path.join(tools.directory, "saved.snap")
    begin = time.monotonic()
    tools.run([server.cluster.program, "snapshot", "save",
               "-http-addr=http://%s:%d" % server.http, path])
    return time.monotonic() - begin, os.path.getsize(path) / 1e6


def applied_index(server):
    """The index of the last entry that a server's own copy has; 0 while it does not say."""
    found = server.get_json("/v1/agent/self") or {}
    return int(found.get("Stats", {}).get("raft", {}).get("applied_index", 0))


def restarted(server, path, text):
    """Seconds from the start of a killed server until it answers a default read."""
    server.kill()
    server.start()
    return seconds_until(lambda: has(server, path, text))


def large(tools, cluster, number):
    """100,000 instances on 5,000 nodes and 200,000 keys: what a server needs for them."""
    leader, follower = cluster.leader(), cluster.followers()[0]
    chunks = registrations(tools, leader, 100_000, 120)
    rates = [pace for _, pace in chunks]
    print(f"{'':12} {cluster.kind}, per 10,000: {' '.join(f'{pace:,.0f}' for pace in rates)}")
    if len(rates) < 10:
        raise ValueError(f"only {len(rates)} × 10,000 registrations in time")
    sample = {"rate": 10 / sum(1 / pace for pace in rates),
              "flat": sum(rates[-3:]) / sum(rates[1:4])}
    begin = time.monotonic()
    put_keys(leader)
    sample["keys"] = KEYS / (time.monotonic() - begin)
    last = f"/v1/kv/config/app-{(KEYS - 1) % 500}/key-{KEYS - 1}"
    for server in cluster.servers:
        seconds_until(lambda server=server: has(server, last + "?stale", "Value"))
    sample["memory"] = max(server.resident_megabytes() for server in cluster.servers)
    sample["save"], sample["size"] = save_snapshot(tools, leader)
    sample["restart"] = restarted(follower, last, "Value")
    with Writing(cluster.leader()) as writing:
        fresh = cluster.add(4)
        fresh.start()
        begin = time.monotonic()
        goal = applied_index(cluster.leader())
        # Not by a stale read: a server that has never heard the leader passes those on.
        seconds_until(lambda: applied_index(fresh) >= goal)
        sample["fresh"] = time.monotonic() - begin
        sample["meanwhile"] = writing.count / sample["fresh"]
    for path in (last, "/v1/catalog/service/service-999"):
        if not has(fresh, path + "?stale", "Value" if path == last else "i-"):
            raise ValueError(f"the fresh server has not {path}")
    return sample


def all_restarted(tools, cluster, number):
    """All three killed and started again: until a write is done."""
    for server in cluster.servers:
        server.kill()
    begin = time.monotonic()
    for server in cluster.servers:
        server.start()

    def written():
        try:
            return cluster.servers[0].ask("PUT", "/v1/kv/again", "x", seconds=2) == (200, "true")
        except Failure:
            return False

    seconds_until(written)
    return {"seconds": time.monotonic() - begin}


ALL = [
    *(ClusterRow(f"3kv{count}", f"three servers: KV put of 256 bytes, {count} connections",
                 [rate(f"3 servers, KV put 256 B, {count} connections", times),
                  Figure("p50", f"3 servers, KV put 256 B, {count} conn., p50", "ms",
                         higher=False)],
                 put(count)) for count, times in ((1, 2.5), (64, 4), (256, 4))),
    ClusterRow("3follower", "three servers: KV put through a follower against the leader",
               [Figure("leader", "3 servers, KV put 64 conn., leader", "/s"),
                Figure("follower", "3 servers, KV put 64 conn., through a follower", "/s"),
                Figure("ratio", "3 servers, follower against leader", "x", bound=0.85)],
               put_anywhere),
    AloneClusterRow("3register", "three servers: the first 20,000 instances, 64 connections",
                    [rate("3 servers, catalog register, 64 connections", 10)], register,
                    needs="cc", rounds=2),
    *(ClusterRow(f"3stale{count}", f"three servers: stale health/service, {count} instances",
                 [rate(f"3 servers, health/service {count}, stale follower", times)], stale,
                 prepare=instances(count)) for count, times in ((10, 10), (100, 15))),
    ClusterRow("3lookup", "three servers: default (linearizable) health/service, 10 instances",
               lookup_figures("health/service 10", 10), lookup(""), prepare=instances(10)),
    ClusterRow("3consistent", "three servers: health/service?consistent, 10 instances",
               lookup_figures("?consistent 10", 10), lookup("?consistent"),
               prepare=instances(10)),
    AloneClusterRow("3failover", "three servers: ten leaders die by kill -9 under write load",
                    [Figure("worst", "longest gap without a write, worst of 10", "s",
                            higher=False, bound=0.8),
                     Figure("middle", "longest gap without a write, middle of 10", "s",
                            higher=False),
                     Figure("lost", "acknowledged writes that were lost", "", higher=False,
                            bound=0)],
                    failover, needs=None, rounds=1),
    AloneClusterRow("3restart", "three servers: all killed at once and started again",
                    [Figure("seconds", "3 servers, killed: start to a write", "s", higher=False)],
                    all_restarted, needs=None, rounds=3),
    AloneClusterRow("3large", "three servers: 100,000 instances on 5,000 nodes and 200,000 keys",
                    [rate("3 servers, 100,000 registrations", 10),
                     Figure("flat", "last 30,000 against 10,000-40,000", "x", bound=0.9),
                     Figure("keys", "200,000 keys, 64 in a transaction", "keys/s"),
                     Figure("memory", "resident, the largest server", "MB", higher=False,
                            bound=200),
                     Figure("save", "snapshot save", "s", higher=False, bound=0.8),
                     Figure("size", "its size", "MB", higher=False),
                     Figure("restart", "a killed server: start to serving", "s", higher=False,
                            bound=2),
                     Figure("fresh", "a fresh server: start to caught up, under writes", "s",
                            higher=False),
                     Figure("meanwhile", "writes meanwhile, one client", "/s")],
                    large, needs="cc", rounds=1),
]
