#!/usr/bin/env python3
"""Records the golden HTTP exchanges from a real Consul: one JSON file per scenario.

Usage: record-http.py [--consul PATH] [--only SCENARIO]...
The files go to golden/http beside this script. Replaying them needs no Consul: replay_http.py.
"""

import argparse
import importlib
import json
import os
import pkgutil
import re
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support", "python")]

import scenarios  # noqa: E402
from agent import Agent  # noqa: E402
from exchange import drop, perform  # noqa: E402


def record(command, scenario):
    """Plays one scenario to a fresh agent and returns the contents of its golden file."""
    exchanges, variables = [], {}
    with Agent(command, scenario.config, dev=scenario.dev) as agent:
        for step in scenario.steps:
            wanted = re.compile(step["until"], re.S) if step.get("until") else None
            answer, elapsed = perform(
                agent.address, step, variables,
                accept=lambda a: wanted is None or wanted.search(a.get("body", "")),
            )
            if wanted and not wanted.search(answer.get("body", "")):
                print(f"  never seen: {step['name']}: {step['until']}\n    {answer}")
            if elapsed * 1000 < step.get("min_ms", 0):
                print(f"  too early: {step['name']} {elapsed * 1000:.0f} ms")
            if "scrub" in step:
                answer["body"] = drop(answer["body"], step["scrub"], False)
            exchanges.append({**step, "response": answer})
    return {
        "scenario": scenario.name, "about": scenario.about,
        "config": scenario.config, "dev": scenario.dev,
        "exchanges": exchanges,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--consul", default=os.environ.get("CONSUL_BINARY", "consul"))
    parser.add_argument("--only", action="append")
    parser.add_argument("--out", default=os.path.join(HERE, "golden", "http"))
    options = parser.parse_args()
    consul = shutil.which(options.consul)
    if not consul:
        sys.exit(f"no Consul at {options.consul}: set CONSUL_BINARY or --consul")
    for module in sorted(m.name for m in pkgutil.iter_modules(scenarios.__path__)):
        importlib.import_module(f"scenarios.{module}")
    total = 0
    for scenario in scenarios.ALL:
        if options.only and scenario.name not in options.only:
            continue
        golden = record([consul], scenario)
        path = os.path.join(options.out, f"{scenario.name}.json")
        with open(path, "w") as file:
            json.dump(golden, file, indent=1, ensure_ascii=False)
            file.write("\n")
        total += len(golden["exchanges"])
        print(f"{scenario.name}: {len(golden['exchanges'])} exchanges", flush=True)
    print(f"{total} exchanges recorded")


if __name__ == "__main__":
    main()
