"""Judges what clients saw: is there one order of the operations that explains every answer?

The search is Wing and Gong's with Lowe's memory of configurations, one key at a time, which is
enough because linearizability is local. A key holds a value and the session that has locked it.
All written values are unique, so an answer names the write it saw.

- Source: Wing and Gong 1993; Lowe, "Testing for linearizability", 2017.
"""

import dataclasses
import math

UNKNOWN = "unknown"
BUDGET = 300_000
ABSENT = (None, None)


@dataclasses.dataclass
class Operation:
    """One call of one client on one key.

    `end` is infinite and `result` UNKNOWN when no answer came: it may take effect at any time after
    `start`, or never. `result` is (value, session) for a get, otherwise whether the write was done.
    """

    kind: str  # get, put, cas, acquire or release
    key: str
    start: float
    end: float = math.inf
    value: str = None  # what is written
    expected: str = None  # of a cas: the value that must be there
    session: str = None  # of acquire and release
    result: object = UNKNOWN
    client: str = ""

    @property
    def known(self):
        return self.result is not UNKNOWN

    def __str__(self):
        what = f"{self.kind} {self.key}"
        if self.kind == "cas":
            what += f" {self.expected} -> {self.value}"
        elif self.value is not None:
            what += f" {self.value}"
        end = "never" if self.end == math.inf else f"{self.end:.4f}"
        return f"[{self.start:.4f} .. {end}] {self.client}: {what} = {self.result}"


def effect(operation, state):
    """The state after the operation took effect, or nothing if its condition does not hold."""
    value, holder = state
    if operation.kind == "put":
        return operation.value, holder
    if operation.kind == "cas":
        return (operation.value, holder) if value == operation.expected else None
    if operation.kind == "acquire":
        free = holder in (None, operation.session)
        return (operation.value, operation.session) if free else None
    if operation.kind == "release":
        return (operation.value, None) if holder == operation.session else None
    raise ValueError(operation.kind)


def after(operation, state):
    """The state after an operation with the answer it had; nothing if the answer is impossible."""
    if operation.kind == "get":
        return state if state == operation.result else None
    changed = effect(operation, state)
    if not operation.known or operation.result:
        return changed
    return state if changed is None else None


def relevant(operations):
    """The operations without those that cannot matter to the answer.

    A get without an answer says nothing. A write of unknown fate whose value nobody saw can be left
    out, unless it may have been the reason for a refusal.
    """
    seen = {operation.result[0] for operation in operations
            if operation.kind == "get" and operation.known}
    seen |= {operation.expected for operation in operations if operation.kind == "cas"}
    refused = any(operation.result is False for operation in operations)
    locked = any(operation.kind in ("acquire", "release") for operation in operations)
    return [operation for operation in operations
            if operation.known or (operation.kind != "get" and (
                refused or locked or operation.value in seen))]


class Search:
    """One key's operations, and the configurations that were tried."""

    def __init__(self, operations, budget=BUDGET):
        chosen = sorted(relevant(operations), key=lambda operation: operation.start)
        self.known = [operation for operation in chosen if operation.known]
        self.unknown = [operation for operation in chosen if not operation.known]
        self.budget = budget
        self.deepest = 0
        self.stuck = []

    def run(self):
        """True, False, or nothing when the budget was not enough."""
        start = (0, 0, 0, ABSENT)
        seen = {start}
        stack = [start]
        while stack:
            configuration = stack.pop()
            done = configuration[0] + configuration[1].bit_count()
            if done == len(self.known):
                return True
            following, stuck = self.following(configuration)
            if done >= self.deepest:
                self.deepest, self.stuck = done, (configuration[3], stuck)
            for one in following:
                if one not in seen:
                    seen.add(one)
                    stack.append(one)
            if len(seen) > self.budget:
                return None
        return False

    def following(self, configuration):
        """The configurations one step on, the most promising last; and what could have come next.

        A configuration is: how many of the known operations are done without a gap, which ones
        behind those (bits), which of unknown fate were done (bits), and the state of the key.
        """
        base, ahead, others, state = configuration
        earliest, possible = math.inf, []
        for place in range(base, len(self.known)):
            operation = self.known[place]
            if operation.start > earliest:
                break
            if ahead >> (place - base) & 1:
                continue
            earliest = min(earliest, operation.end)
            possible.append((place, operation))
        found = []
        for place, operation in sorted(possible, key=lambda pair: -pair[1].end):
            changed = after(operation, state)
            if changed is None:
                continue
            step = (*self.mark(base, ahead, place), others, changed)
            if changed == state:
                return [step], []  # It changes nothing: doing it now can never be wrong.
            found.append(step)
        unlikely = []
        for now, before, state in self.surprises(state, others, earliest):
            for place, operation in possible:
                changed = after(operation, state)
                if changed is not None and changed != after(operation, before):
                    unlikely.append((*self.mark(base, ahead, place), now, changed))
        return unlikely + found, [operation for _, operation in possible]

    def surprises(self, state, others, earliest):
        """What operations of unknown fate can lead to: (those done, state before the last, state).

        Such a write may be late, so it need only be tried right before an operation that needs it:
        one that is impossible without it, or that has another effect after it.
        """
        chains = [(others, None, state)]
        while chains:
            done, before, now = chains.pop()
            for place, operation in enumerate(self.unknown):
                if operation.start > earliest:
                    break
                changed = None if done >> place & 1 else after(operation, now)
                if changed in (None, now) or (before and changed == after(operation, before)):
                    continue
                chain = (done | 1 << place, now, changed)
                chains.append(chain)
                yield chain

    @staticmethod
    def mark(base, ahead, place):
        """Adds one operation to those that are done."""
        ahead |= 1 << (place - base)
        while ahead & 1:
            base, ahead = base + 1, ahead >> 1
        return base, ahead


def judge(operations, budget=BUDGET):
    """The complaints about a history, one text per key; an empty list means linearizable."""
    by_key = {}
    for operation in operations:
        by_key.setdefault(operation.key, []).append(operation)
    complaints = []
    for key, of_key in sorted(by_key.items()):
        search = Search(of_key, budget)
        verdict = search.run()
        if verdict is None:
            complaints.append(f"{key}: not decided within {budget} configurations")
        elif not verdict:
            state, stuck = search.stuck
            complaints.append("\n     ".join([
                f"{key}: not linearizable: after {search.deepest} of {len(search.known)} "
                f"operations, with the state {state}, none of these fits:",
                *map(str, stuck[:8]), *(f"fate unknown: {one}" for one in search.unknown[:8])]))
    return complaints


@dataclasses.dataclass
class StaleRead:
    """What one server said about a key from its own copy: `run` counts the server's starts."""

    server: str
    run: int
    key: str
    index: int  # the ModifyIndex, 0 when the key was absent
    value: str
    start: float
    end: float


def judge_stale(reads, operations):
    """The complaints about stale reads: one client's reads of a server that runs never go back.

    They also may only show what somebody had begun to write when the answer came, and an index has
    one value.
    """
    begun = {(one.key, one.value): one.start for one in operations if one.kind != "get"}
    newest, values, complaints = {}, {}, []
    for read in sorted(reads, key=lambda read: read.start):
        place = (read.server, read.run, read.key)
        if read.index < newest.get(place, 0):
            complaints.append(f"{read} went back behind {newest[place]}")
        newest[place] = max(read.index, newest.get(place, 0))
        if read.index == 0:
            continue
        if begun.get((read.key, read.value), math.inf) > read.end:
            complaints.append(f"{read}: nobody had written this")
        if values.setdefault((read.key, read.index), read.value) != read.value:
            complaints.append(f"{read}: the index had {values[read.key, read.index]} elsewhere")
    return complaints
