#!/usr/bin/env python3
"""The end-to-end tests of a cluster: real servers that are killed, paused, cut off and filled up.

Usage: run.py --muster PATH [--long] [--only TEXT] [--list]
Without --long only the short set runs. With --muster set to a real Consul the suite judges itself:
what is ours alone is skipped. The scenarios that cut the network or fill a disk need Linux
namespaces (root, or unprivileged user namespaces); where there are none they are skipped, with the
reason.
"""

import argparse
import importlib
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "Support", "python")]

import harness  # noqa: E402
import network  # noqa: E402
import scenario  # noqa: E402
from runner import run_all  # noqa: E402

MODULES = (
    "checker_tests", "failures", "cuts", "disks", "restarts", "members", "images", "secured",
)


# The limit of one test: Consul is slow to see that a server is back. Ours take a third of it.
TEST_SECONDS = 130


def main():
    parser = argparse.ArgumentParser(description="end-to-end tests of a cluster")
    parser.add_argument("--muster", required=True, help="the program under test")
    parser.add_argument("--long", action="store_true", help="also the long set")
    parser.add_argument("--only", help="only tests whose claim contains this")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if not options.list:
        network.enter_namespaces()
    for module in MODULES:
        importlib.import_module(module)
    tests = scenario.SHORT + (scenario.LONG if options.long or options.only else [])
    harness.TEST_SECONDS = TEST_SECONDS
    program = os.path.abspath(options.muster)
    sys.exit(run_all("cluster", tests, program, options.only, options.list))


if __name__ == "__main__":
    main()
