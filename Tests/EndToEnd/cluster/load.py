"""Clients of every server at once, what they saw, and the judgement of it at the end.

Every client keeps to one server, as an application keeps to its agent, and writes down each call.
An answer that is not 200 leaves the fate of a write unknown; so does no answer. Most keys change
every second, so that no history grows beyond what can be judged. Two stay, so that a server that
stood still for long can be caught answering from its past: they are only put and got, which is
easy to judge.
"""

import base64
import json
import random
import threading
import time

from connection import Connection, Failure
from harness import check, eventually
from history import UNKNOWN, Operation, StaleRead, judge, judge_stale

EPOCH_SECONDS = 1.0
KEYS = 4
PAUSE_SECONDS = 0.006
BACK_OFF_SECONDS = 0.1
REQUEST_SECONDS = 8
PREFIXES = ("register", "lock", "journal")
# A member that Consul's gossip took for dead is tried again only after half a minute.
PATIENCE_SECONDS = {"consul": 45, "muster": 20}
LOCK_NODE = "lock-clients"


class Client(threading.Thread):
    """A thread with one server; subclasses say what it does again and again."""

    def __init__(self, load, server, number):
        super().__init__(daemon=True)
        self.load, self.server = load, server
        self.name = f"{type(self).__name__}-{load.seed}-{number}"
        self.connection = Connection(server.http, REQUEST_SECONDS)
        self.random = random.Random(f"{load.seed} {self.name}")
        self.operations, self.failures, self.count, self.error = [], 0, 0, None

    def run(self):
        try:
            while not self.load.stopping.is_set():
                good = self.step()
                time.sleep(PAUSE_SECONDS if good else BACK_OFF_SECONDS)
        except Exception as error:  # The judgement reports it: a thread cannot fail a test.
            self.error = error
        self.connection.close()

    def ask(self, method, path, body=None):
        """The answer to a request, nothing unless it is 200 or 404; and whether it was sent."""
        self.connection.address = self.server.http
        try:
            answer = self.connection.ask(method, path, body)
        except Failure as failure:
            self.failures += 1
            return None, failure.sent
        if answer.status in (200, 404):
            return answer, True
        self.failures += 1
        return None, True

    def value(self):
        """A value that nobody else writes."""
        self.count += 1
        return f"{self.name}.{self.count}"

    def epoch(self):
        """The name of the second in which all clients use the same keys."""
        passed = int((time.monotonic() - self.load.started) / EPOCH_SECONDS)
        return f"{self.load.seed}.{passed}"

    def get(self, key, mode=""):
        """(value, session, index) of a key, or nothing; notes the operation unless it is stale."""
        start = time.monotonic()
        answer, _ = self.ask("GET", f"/v1/kv/{key}{mode}")
        if not answer:
            return None
        found = json.loads(answer.text)[0] if answer.status == 200 else {}
        value = base64.b64decode(found["Value"]).decode() if found else None
        session, index = found.get("Session"), found.get("ModifyIndex", 0)
        end = time.monotonic()
        if "stale" in mode:
            self.operations.append(StaleRead(
                self.server.name, self.server.starts, key, index, value, start, end))
        else:
            client = f"{self.name} at {self.server}{mode}"
            self.operations.append(Operation(
                "get", key, start, end, result=(value, session), client=client))
        return value, session, index

    def write(self, kind, key, query="", **more):
        """Writes a new value and notes it; whether it was done, or nothing if nobody knows."""
        client = f"{self.name} at {self.server}"
        operation = Operation(
            kind, key, time.monotonic(), value=self.value(), client=client, **more)
        answer, sent = self.ask("PUT", f"/v1/kv/{key}{query}", operation.value)
        if answer and answer.status == 200:
            operation.end, operation.result = time.monotonic(), answer.text.strip() == "true"
        if sent:
            self.operations.append(operation)
        return None if operation.result is UNKNOWN else operation.result


class Register(Client):
    """Gets, puts, and compares and sets the keys of the epoch; gets and puts the lasting ones."""

    def step(self):
        key = f"register/{self.epoch()}/{self.random.randrange(KEYS)}"
        lasting = f"register/{self.load.seed}.lasting/{self.random.randrange(2)}"
        draw = self.random.random()
        mode = self.random.choice(self.load.modes)
        if draw < 0.2:
            return self.get(lasting, mode)
        if draw < 0.3:
            return self.write("put", lasting) is not None
        if draw < 0.6:
            return self.get(key, mode)
        if draw < 0.75:
            return self.write("put", key) is not None
        seen = self.get(key, mode)
        if not seen:
            return False
        value, _, index = seen
        return self.write("cas", key, f"?cas={index}", expected=value) is not None


class Locker(Client):
    """Takes and gives back the lock of the epoch with a session of its own."""

    def __init__(self, load, server, number):
        super().__init__(load, server, number)
        body = {"Node": LOCK_NODE, "Checks": [], "LockDelay": "0s"}
        status, text = server.ask("PUT", "/v1/session/create", body)
        check(status == 200, "session/create", status, text)
        self.session = json.loads(text)["ID"]

    def step(self):
        key = f"lock/{self.epoch()}"
        taken = self.write("acquire", key, f"?acquire={self.session}", session=self.session)
        if taken is None:
            return False
        if self.random.random() < 0.3:
            self.get(key, self.random.choice(self.load.modes))
        if not taken:
            return True
        done = self.write("release", key, f"?release={self.session}", session=self.session)
        return done is not None


class StaleReader(Client):
    """Reads what its server has, whoever leads."""

    def step(self):
        lasting = self.random.random() < 0.5
        place = f"{self.load.seed}.lasting/0" if lasting else f"{self.epoch()}/0"
        return self.get(f"register/{place}", "?stale")


class Journal(Client):
    """Writes keys that are never written again; what was acknowledged must be there at the end."""

    def __init__(self, load, server, number):
        super().__init__(load, server, number)
        self.acknowledged = []

    def step(self):
        value = self.value()
        answer, _ = self.ask("PUT", f"/v1/kv/journal/{value}", value)
        if not answer or answer.text.strip() != "true":
            return False
        self.acknowledged.append((value, time.monotonic()))
        return True


class Watcher(Client):
    """Follows a key by blocking queries: its index and its number may only grow."""

    def __init__(self, load, server, number):
        super().__init__(load, server, number)
        self.index, self.newest = 0, -1

    def step(self):
        answer, _ = self.ask("GET", f"/v1/kv/watched?index={self.index}&wait=2s")
        if not answer or answer.status == 404:
            return False
        index = int(answer.headers["X-Consul-Index"])
        check(index >= self.index, self.server, "index went from", self.index, "to", index)
        number = int(base64.b64decode(json.loads(answer.text)[0]["Value"]))
        check(number >= self.newest, self.server, "watched", number, "after", self.newest)
        self.index, self.newest = index, number
        return True


class Ticker(Client):
    """Counts up under the watched key, by compare-and-set: a late write cannot put it back."""

    index = None

    def step(self):
        if self.index is None:
            found = self.get("watched", "?consistent")
            if not found:
                return False
            value, _, self.index = found
            self.count = int(value or 0)
        answer, _ = self.ask("PUT", f"/v1/kv/watched?cas={self.index}", str(self.count + 1))
        self.index = None
        time.sleep(0.05)
        return answer is not None


class Load:
    """All clients while a `with` statement lasts; `verify` judges what they saw."""

    def __init__(self, cluster, seed=1, modes=None):
        self.cluster, self.seed = cluster, seed
        # A deposed leader of Consul may answer a default read from its past: only ours promises.
        self.modes = modes or (("", "?consistent") if cluster.kind == "muster"
                               else ("?consistent",))
        self.stopping = threading.Event()
        self.started = time.monotonic()
        self.ended = None
        status, text = cluster.leader().ask(
            "PUT", "/v1/catalog/register", {"Node": LOCK_NODE, "Address": "10.0.0.1"})
        check(status == 200, "catalog/register", status, text)
        self.clients = []
        for server in list(cluster.servers):
            for kind in (Register, Register, Locker, StaleReader, Journal, Watcher):
                self.clients.append(kind(self, server, len(self.clients)))
        self.clients.append(Ticker(self, cluster.leader(), "t"))

    def __enter__(self):
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def run(self, seconds):
        """Lets the clients go on for a while."""
        time.sleep(seconds)
        for client in self.clients:
            if client.error:
                raise client.error

    def hurry(self, servers, seconds):
        """From now on the clients of some servers do not wait longer than this for an answer."""
        for client in self.clients:
            if client.server in servers:
                client.connection.seconds = seconds

    def stop(self):
        """Stops the clients and waits for the requests under way."""
        self.ended = self.ended or time.monotonic()
        self.stopping.set()
        for client in self.clients:
            client.join(REQUEST_SECONDS + 5)

    def of(self, *kinds):
        return [client for client in self.clients if isinstance(client, kinds)]

    def acknowledged(self):
        """All acknowledged writes of the journal: value -> when."""
        return dict(pair for client in self.of(Journal) for pair in list(client.acknowledged))

    def wait_for_writes(self, server=None):
        """Waits until a write that begins now is acknowledged, by one server or by any."""
        journals = [one for one in self.of(Journal) if server in (None, one.server)]
        before = {one: len(one.acknowledged) for one in journals}
        eventually(lambda: any(len(one.acknowledged) > before[one] + 1 for one in journals),
                   "a write at", server or "any server",
                   seconds=PATIENCE_SECONDS[self.cluster.kind])

    def longest_gap(self):
        """The longest time in seconds without an acknowledged write of the journal."""
        times = sorted(self.acknowledged().values())
        edges = [self.started, *times, self.ended]
        return max(after - before for before, after in zip(edges, edges[1:]))

    def verify(self, minimum=50):
        """Fails unless all that was seen can be explained; returns a summary."""
        self.stop()
        for client in self.clients:
            if client.error:
                raise client.error
            check(not client.is_alive(), client.name, "did not stop")
        entries = converged(self.cluster)
        acknowledged = self.acknowledged()
        lost = [value for value in acknowledged if entries.get(f"journal/{value}") != value]
        check(not lost, len(lost), "acknowledged writes are lost:", lost[:10])
        check(len(acknowledged) >= minimum, "only", len(acknowledged), "writes were done")
        operations = [one for client in self.of(Register, Locker) for one in client.operations]
        operations += self.final_reads(operations, entries)
        complaints = judge(operations)
        reads = [one for client in self.of(StaleReader) for one in client.operations]
        complaints += judge_stale(reads, operations)
        check(not complaints, "\n".join(complaints[:5]))
        unknown = sum(not one.known for one in operations)
        return (f"{len(acknowledged)} writes kept, {len(operations)} operations linearizable "
                f"({unknown} of unknown fate), {len(reads)} stale reads, "
                f"longest gap {self.longest_gap():.2f} s")

    def final_reads(self, operations, entries):
        """A read of every register at the end, so that the last acknowledged write counts."""
        now = time.monotonic()
        keys = {one.key for one in operations if one.key.startswith("register/")}
        return [Operation("get", key, now, now, result=(entries.get(key), None), client="end")
                for key in sorted(keys)]


def dump(server, mode="stale"):
    """Everything under the keys of the load on one server: key -> (value, index, session)."""
    found = []
    for prefix in PREFIXES:
        found += server.get_json(f"/v1/kv/{prefix}/?recurse&{mode}", seconds=10) or []
    return {entry["Key"]: (base64.b64decode(entry["Value"] or "").decode(), entry["ModifyIndex"],
                           entry.get("Session")) for entry in found}


def converged(cluster, seconds=15):
    """Waits until all living servers have the same keys, and returns key -> value."""
    leader = cluster.leader()
    reference = eventually(lambda: dump(leader, "consistent"), "a consistent read", seconds=seconds)
    for server in cluster.living():
        deadline = time.monotonic() + seconds
        while (copy := dump(server)) != reference:
            if time.monotonic() > deadline:
                different = [key for key in {*copy, *reference}
                             if copy.get(key) != reference.get(key)]
                shown = [(key, copy.get(key), reference.get(key)) for key in sorted(different)[:3]]
                raise AssertionError(
                    f"{server} differs from {leader} in {len(different)} keys: {shown}")
            time.sleep(0.1)
            reference = dump(leader, "consistent") or reference
    return {key: value for key, (value, _, _) in reference.items()}
