"""The checker itself is tested: right histories pass, and each kind of wrong one is caught."""

import math
import random

from harness import check
from history import (
    ABSENT, UNKNOWN, Operation, Search, StaleRead, after, judge, judge_stale,
)
from scenario import always


def operation(start, end, kind, *rest, **more):
    """An operation: put VALUE, get VALUE [SESSION], cas EXPECTED VALUE RESULT, …"""
    made = Operation(kind, "k", start, end, client=f"c{start}", **more)
    if kind == "put":
        made.value, made.result = rest[0], True
    elif kind == "get":
        made.result = (rest[0], rest[1] if len(rest) > 1 else None)
    elif kind == "cas":
        made.expected, made.value, made.result = rest
    else:
        made.session, made.value, made.result = rest
    return made


def lost(start, kind, *rest):
    """An operation without an answer."""
    made = operation(start, math.inf, kind, *rest, *([UNKNOWN] if kind != "put" else []))
    made.result = UNKNOWN
    return made


RIGHT = {
    "one after another": [
        operation(0, 1, "get", None), operation(2, 3, "put", "a"), operation(4, 5, "get", "a")],
    "concurrent puts in either order": [
        operation(0, 9, "put", "a"), operation(1, 8, "put", "b"), operation(10, 11, "get", "a")],
    "a write is seen before its answer came": [
        operation(0, 9, "put", "a"), operation(1, 2, "get", "a"), operation(3, 4, "get", "a")],
    "a lost write took effect late": [
        lost(0, "put", "a"), operation(1, 2, "get", None), operation(3, 4, "get", "a")],
    "a lost write never took effect": [lost(0, "put", "a"), operation(5, 6, "get", None)],
    "cas by the winner, refused to the loser": [
        operation(0, 1, "put", "a"), operation(2, 5, "cas", "a", "b", True),
        operation(2, 5, "cas", "a", "c", False), operation(6, 7, "get", "b")],
    "a lost cas explains a refusal": [
        operation(0, 1, "put", "a"), lost(2, "cas", "a", "b"),
        operation(3, 4, "cas", "a", "c", False)],
    "a lock goes from hand to hand": [
        operation(0, 1, "acquire", "S", "a", True), operation(2, 3, "acquire", "T", "b", False),
        operation(3, 4, "get", "a", "S"), operation(5, 6, "release", "S", "c", True),
        operation(7, 8, "acquire", "T", "d", True), operation(9, 10, "get", "d", "T")],
}

WRONG = {
    "a stale read after an acknowledged write": [
        operation(0, 1, "put", "a"), operation(2, 3, "put", "b"), operation(4, 5, "get", "a")],
    "an acknowledged write is lost": [
        operation(0, 1, "put", "a"), operation(2, 3, "get", None)],
    "two readers see two orders": [
        operation(0, 9, "put", "a"), operation(0, 9, "put", "b"), operation(10, 11, "get", "a"),
        operation(12, 13, "get", "b")],
    "a read goes back": [
        operation(0, 9, "put", "a"), operation(1, 2, "get", "a"), operation(3, 4, "get", None)],
    "a value that nobody wrote": [operation(0, 1, "get", "ghost")],
    "a write is seen before it was sent": [
        operation(0, 1, "get", "a"), operation(2, 3, "put", "a")],
    "a write took effect twice": [
        operation(0, 1, "put", "a"), operation(2, 3, "put", "b"), operation(4, 5, "get", "b"),
        operation(6, 7, "get", "a")],
    "a lost write took effect twice": [
        lost(0, "put", "a"), operation(1, 2, "get", "a"), operation(3, 4, "put", "b"),
        operation(5, 6, "get", "b"), operation(7, 8, "get", "a")],
    "both compare-and-set of one value won": [
        operation(0, 1, "put", "a"), operation(2, 5, "cas", "a", "b", True),
        operation(2, 5, "cas", "a", "c", True)],
    "a compare-and-set was refused without a reason": [
        operation(0, 1, "put", "a"), operation(2, 3, "cas", "a", "b", False)],
    "two sessions hold one lock": [
        operation(0, 1, "acquire", "S", "a", True), operation(2, 3, "acquire", "T", "b", True)],
    "a lock was refused though it was free": [
        operation(0, 1, "acquire", "S", "a", True), operation(2, 3, "release", "S", "b", True),
        operation(4, 5, "acquire", "T", "c", False)],
    "a lock was released by another session": [
        operation(0, 1, "acquire", "S", "a", True), operation(2, 3, "release", "T", "b", True)],
}


@always("the history checker accepts what a correct register and lock can do")
def right_histories(_):
    for name, history in RIGHT.items():
        check(judge(history) == [], name, judge(history))


@always("the history checker catches each kind of wrong history")
def wrong_histories(_):
    for name, history in WRONG.items():
        check(len(judge(history)) == 1 and "not linearizable" in judge(history)[0], name)


def simulated(seed, wrong=False):
    """A random history of a correct register; a wrong one has one read of an older value."""
    draw = random.Random(seed)
    clock, value, history = 0.0, None, []
    for number in range(400):
        clock += draw.random()
        kind = draw.choice(("put", "get", "cas", "lost"))
        if kind == "get":
            history.append(operation(clock - 2 * draw.random(), clock + 2 * draw.random(),
                                     "get", value))
        elif kind == "cas":
            expected = draw.choice([value, "other"])
            history.append(operation(clock - draw.random(), clock + draw.random(), "cas",
                                     expected, f"v{number}", expected == value))
            value = f"v{number}" if expected == value else value
        elif kind == "lost" and draw.random() < 0.1:
            history.append(lost(clock, "put", f"v{number}"))
            value = f"v{number}" if draw.random() < 0.5 else value
        else:
            value = f"v{number}"
            history.append(operation(clock - draw.random(), clock + draw.random(), "put", value))
    if wrong:
        old = next(one.value for one in history if one.kind == "put" and one.known)
        history.append(operation(clock + 10, clock + 11, "get", old))
    return history


@always("the history checker decides long random histories, right and wrong, within its budget")
def random_histories(_):
    for seed in range(30):
        check(Search(simulated(seed)).run() is True, "refused: seed", seed)
        check(Search(simulated(seed, wrong=True)).run() is False, "accepted: seed", seed)


def brute_force(operations):
    """The same judgement by trying every order, for a handful of operations."""

    def search(left, state):
        if not any(one.known for one in left):
            return True
        earliest = min(one.end for one in left)
        return any(
            (changed := after(one, state)) is not None
            and search([other for other in left if other is not one], changed)
            for one in left if one.start <= earliest)

    return search(operations, ABSENT)


def small(draw):
    """Six random operations, which may fit together or not."""
    history = []
    for number in range(6):
        start = draw.uniform(0, 6)
        end, value = start + draw.uniform(0, 3), f"v{number}"
        seen = draw.choice([None, "v0", "v1", "v2", "v3"])
        holder, mine = draw.choice([None, None, "S"]), draw.choice("ST")
        result = draw.random() < 0.6
        history.append(draw.choice([
            lambda: operation(start, end, "put", value),
            lambda: operation(start, end, "get", seen, holder),
            lambda: operation(start, end, "cas", seen, value, result),
            lambda: operation(start, end, "acquire", mine, value, result),
            lambda: operation(start, end, "release", mine, value, result),
            lambda: lost(start, "put", value), lambda: lost(start, "cas", seen, value),
            lambda: lost(start, "acquire", mine, value),
            lambda: lost(start, "release", mine, value)])())
    return history


@always("the history checker agrees with trying every order, on small random histories")
def brute_force_agrees(_):
    draw, right = random.Random(7), 0
    for number in range(20_000):
        history = small(draw)
        expected = brute_force(history)
        check(Search(history).run() is expected, "history", number, *map(str, history))
        right += expected
    check(2000 < right < 18_000, right, "of 20,000 are right: one-sided")


@always("the history checker says so when its budget does not suffice")
def budget(_):
    check("not decided" in judge(simulated(1), budget=10)[0], judge(simulated(1), budget=10))


def stale(start, index, value, server="s1", run=1):
    return StaleRead(server, run, "k", index, value, start, start + 1)


@always("the checker of stale reads catches going back, ghosts, and one index with two values")
def stale_reads(_):
    writes = [operation(0, 1, "put", "a"), operation(2, 3, "put", "b")]
    good = [stale(1, 0, None), stale(2, 5, "a"), stale(4, 6, "b"), stale(5, 5, "a", "s2"),
            stale(6, 5, "a", run=2)]
    check(judge_stale(good, writes) == [], judge_stale(good, writes))
    for name, wrong in {
        "back": [stale(4, 6, "b"), stale(6, 5, "a")], "gone": [stale(4, 6, "b"), stale(6, 0, None)],
        "ghost": [stale(4, 6, "x")], "too early": [stale(0, 6, "b")],
        "two values": [stale(4, 6, "a"), stale(4, 6, "b", "s2")],
    }.items():
        check(len(judge_stale(wrong, writes)) == 1, name, judge_stale(wrong, writes))
