#!/usr/bin/env python3
"""The samples, each run for a few seconds against a real agent, and the demonstration of chaos.

Usage: run.py --muster PATH --programs DIRECTORY [--only TEXT] [--list]
--programs is where `swift build --package-path Samples` put them. With --muster set to a real
Consul the samples run against that.
"""

import argparse
import importlib
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "Support", "python")]

import harness  # noqa: E402
import sample  # noqa: E402
from runner import run_all  # noqa: E402

MODULES = ("services", "chaos")


def main():
    parser = argparse.ArgumentParser(description="the samples against a real agent")
    parser.add_argument("--muster", required=True, help="the agent")
    parser.add_argument("--programs", required=True, help="the directory of the samples")
    parser.add_argument("--only", help="only tests whose claim contains this")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    for module in MODULES:
        importlib.import_module(module)
    sample.PROGRAMS = os.path.abspath(options.programs)
    harness.TEST_SECONDS = 90
    program = os.path.abspath(options.muster)
    sys.exit(run_all("samples", sample.ALL, program, options.only, options.list))


if __name__ == "__main__":
    main()
