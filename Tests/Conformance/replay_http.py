#!/usr/bin/env python3
"""Replays the golden HTTP exchanges and says where the answers differ from Consul's.

Usage:
  replay_http.py --start .build/debug/muster [--jobs N] [--only SCENARIO]... [--match TEXT]
  replay_http.py --base http://127.0.0.1:8500 [--only SCENARIO]...

With --start every scenario gets a fresh agent of its own, a server with a data directory as
recorded. With --base the scenarios share a running agent named golden-node, whose catalog, KV and
sessions are emptied before each one; scenarios that need a configuration of their own are skipped.
The exit code is 0 only if every exchange agrees or is listed in deviations.json, and every entry of
that list still deviates.
"""

import argparse
import concurrent.futures
import glob
import json
import os
import sys
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support", "python")]

from agent import NODE_NAME, Agent, StartFailure  # noqa: E402
from exchange import Failure, Normalizer, perform, send  # noqa: E402

LINE = 2000


def load(only):
    """The recorded scenarios, in order of name."""
    for path in sorted(glob.glob(os.path.join(HERE, "golden", "http", "*.json"))):
        with open(path) as file:
            golden = json.load(file)
        if not only or golden["scenario"] in only:
            yield golden


def load_deviations():
    """The exchanges where we differ on purpose: (scenario, exchange) to entry."""
    with open(os.path.join(HERE, "deviations.json")) as file:
        return {(entry["scenario"], entry["exchange"]): entry for entry in json.load(file)}


def replay(address, golden):
    """Plays one scenario and yields (step, problems) for each exchange."""
    theirs, ours, variables = Normalizer(), Normalizer(), {}
    for step in golden["exchanges"]:
        wanted = theirs.normalize(step, step["response"])

        def agrees(answer):
            return not differences(wanted, ours.copy().normalize(step, answer))

        try:
            answer, elapsed = perform(address, step, variables, accept=agrees)
        except Failure as failure:
            yield step, [("exchange", "an answer", str(failure))], None
            continue
        found = differences(wanted, ours.normalize(step, answer))
        if elapsed * 1000 < step.get("min_ms", 0):
            found.append(("elapsed", f"at least {step['min_ms']} ms", f"{elapsed * 1000:.0f} ms"))
        if elapsed * 1000 > step.get("max_ms", 1e9):
            found.append(("elapsed", f"at most {step['max_ms']} ms", f"{elapsed * 1000:.0f} ms"))
        yield step, found, answer


def differences(wanted, answer):
    """What differs between two normalized answers: (what, wanted, got)."""
    found = []
    if wanted["status"] != answer["status"]:
        found.append(("status", wanted["status"], answer["status"]))
    for name in sorted({*wanted["headers"], *answer["headers"]}):
        pair = wanted["headers"].get(name), answer["headers"].get(name)
        if pair[0] != pair[1] and not (name == "X-Consul-Index" and finer(*pair)):
            found.append((name, *pair))
    for name in ("body", "body_base64"):
        if wanted.get(name) != answer.get(name):
            found.append((name, *narrowed(wanted.get(name), answer.get(name))))
    return found


def finer(wanted, got):
    """Whether an index differs only in being better than Consul's: finer, or not falling."""
    better = {
        "same answer, grew": {"same answer"},
        "FELL": {"same answer", "grew", "same answer, grew"},
    }
    return got in better.get(wanted, ())


def narrowed(wanted, got):
    """Two different texts, from shortly before they part."""
    if not wanted or not got:
        return wanted, got
    pairs = enumerate(zip(wanted, got))
    at = next((i for i, (a, b) in pairs if a != b), min(len(wanted), len(got)))
    start = max(0, at - 60)
    lead = "…" if start else ""
    return lead + wanted[start:at + 240], lead + got[start:at + 240]


def describe(golden, step, found):
    """A readable report of one exchange that differs."""
    lines = [f"FAIL {golden['scenario']}: {step['name']}"]
    if "body" in step["request"]:
        lines.append(f"     sent    {str(step['request']['body'])[:200]}")
    for what, wanted, got in found:
        lines.append(f"     {what}: wanted {str(wanted)[:LINE]!r}")
        lines.append(f"     {' ' * len(what)}  got    {str(got)[:LINE]!r}")
    return "\n".join(lines)


def play(options, golden, deviations):
    """Runs one scenario to its end: (passed, failed, lines to print)."""
    passed, failed, lines = 0, 0, []
    for step, found, answer in results(options, golden):
        if options.match and options.match not in step["name"]:
            continue
        entry = deviations.get((golden["scenario"], step["name"]))
        if entry and not found:
            found = [("deviation", "an answer that deviates", "Consul's: remove the entry")]
        elif entry and answer and entry.get("status", answer["status"]) == answer["status"]:
            found = []
        if found:
            failed += 1
            lines.append(describe(golden, step, found))
        else:
            passed += 1
            if options.verbose:
                lines.append(f"ok   {golden['scenario']}: {step['name']}")
    return passed, failed, lines


def results(options, golden):
    """The results of one scenario; a server that ends is a failure, not the end of the run."""
    try:
        if options.base:
            url = urllib.parse.urlparse(options.base)
            empty((url.hostname, url.port))
            yield from replay((url.hostname, url.port), golden)
            return
        dev = options.dev or golden["dev"]
        with Agent([os.path.abspath(options.start)], golden["config"], dev=dev) as agent:
            yield from replay(agent.address, golden)
    except (Failure, StartFailure) as failure:
        yield {"name": "(start)", "request": {}}, [("start", "an agent", str(failure))], None


def empty(address):
    """Removes what earlier scenarios may have left on a shared agent."""

    def ask(method, path, body=None):
        request = {"method": method, "path": path}
        if body is not None:
            request["body"] = json.dumps(body)
        answer, _ = send(address, request)
        return answer.get("body", "")

    ask("PUT", "/v1/agent/maintenance?enable=false")
    for service in json.loads(ask("GET", "/v1/agent/services")):
        ask("PUT", "/v1/agent/service/deregister/" + urllib.parse.quote(service))
    for check in json.loads(ask("GET", "/v1/agent/checks")):
        ask("PUT", "/v1/agent/check/deregister/" + urllib.parse.quote(check))
    for session in json.loads(ask("GET", "/v1/session/list")):
        ask("PUT", f"/v1/session/destroy/{session['ID']}")
    for node in json.loads(ask("GET", "/v1/catalog/nodes")):
        if node["Node"] != NODE_NAME:
            ask("PUT", "/v1/catalog/deregister", {"Node": node["Node"]})
    ask("DELETE", "/v1/kv/?recurse")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--start", metavar="PROGRAM", help="start PROGRAM for each scenario")
    where.add_argument("--base", metavar="URL", help="use a running agent")
    parser.add_argument("--dev", action="store_true", help="start every agent with -dev")
    parser.add_argument("--only", action="append", help="only this scenario")
    parser.add_argument("--no-deviations", action="store_true",
                        help="expect Consul's own answers everywhere")
    parser.add_argument("--match", help="report only exchanges whose name contains this")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    goldens = [g for g in load(options.only) if options.start or not g["config"]]
    deviations = {} if options.no_deviations else load_deviations()
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(1 if options.base else options.jobs) as pool:
        jobs = pool.map(lambda golden: play(options, golden, deviations), goldens)
        for golden, (good, bad, lines) in zip(goldens, jobs):
            for line in lines:
                print(line)
            print(f"{golden['scenario']}: {good} passed, {bad} failed", flush=True)
            passed, failed = passed + good, failed + bad
    print(f"golden HTTP: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
