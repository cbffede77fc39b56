"""Kills one leader after the other under write load and measures how long nobody could write."""

import statistics
import threading
import time

from connection import Connection, Failure

ROUNDS = 10
WRITERS_PER_SERVER = 4
STEADY_SECONDS = 1.0


class Writer(threading.Thread):
    """Writes keys of its own through one server and keeps what was acknowledged, and when."""

    def __init__(self, server, number, stopping):
        super().__init__(daemon=True)
        self.server, self.number, self.stopping = server, number, stopping
        self.acknowledged = []

    def run(self):
        connection, count = Connection(self.server.http, 10), 0
        while not self.stopping.is_set():
            count += 1
            key = f"{self.number}-{count}"
            try:
                answer = connection.ask("PUT", f"/v1/kv/failover/{key}", "x" * 256)
                good = answer.status == 200 and answer.text.strip() == "true"
            except Failure:
                good = False
            if good:
                self.acknowledged.append((key, time.monotonic()))
            else:
                time.sleep(0.01)
        connection.close()


def failover(tools, cluster, number):
    """The longest gaps, and how many acknowledged writes are missing at the end."""
    stopping = threading.Event()
    writers = [Writer(server, f"{server}-{i}", stopping)
               for server in cluster.servers for i in range(WRITERS_PER_SERVER)]
    for writer in writers:
        writer.start()
    gaps = []
    for _ in range(ROUNDS):
        time.sleep(STEADY_SECONDS)
        leader = cluster.leader()
        begin = time.monotonic()
        leader.kill()
        others = cluster.living()
        cluster.leader(among=others)
        time.sleep(STEADY_SECONDS)
        gaps.append(longest_gap(writers, begin, time.monotonic()))
        leader.start()
        cluster.wait_until_formed(60)
    stopping.set()
    for writer in writers:
        writer.join()
    acknowledged = {key for writer in writers for key, _ in list(writer.acknowledged)}
    kept = {key[len("failover/"):]
            for key in cluster.leader().get_json("/v1/kv/failover/?keys", seconds=30)}
    print(f"{'':12} {cluster.kind}, gaps in s: {' '.join(f'{gap:.2f}' for gap in gaps)}; "
          f"{len(acknowledged):,} writes acknowledged")
    return {"worst": max(gaps), "middle": statistics.median(gaps),
            "lost": len(acknowledged - kept)}


def longest_gap(writers, begin, end):
    """The longest time between two acknowledged writes from `begin` to `end`."""
    times = sorted(when for writer in writers for _, when in list(writer.acknowledged)
                   if begin <= when <= end)
    edges = [begin, *times, end]
    return max(after - before for before, after in zip(edges, edges[1:]))
