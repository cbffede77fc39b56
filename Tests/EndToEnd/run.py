#!/usr/bin/env python3
"""The end-to-end tests: real processes, real sockets, strangers' programs.

Usage: run.py --muster PATH [--only TEXT] [--list]
Prints one line per test and a total. What needs a program that is not installed is skipped, and the
line says which. With --muster set to a real Consul the tests judge themselves.
"""

import argparse
import importlib
import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support", "python")]

import harness  # noqa: E402
from runner import run_all  # noqa: E402

MODULES = ("lifecycle", "listeners", "discovery", "hostile", "command_line",
           "consul_commands", "strangers")


def main():
    parser = argparse.ArgumentParser(description="end-to-end tests")
    parser.add_argument("--muster", required=True, help="the program under test")
    parser.add_argument("--only", help="only tests whose claim contains this")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    for module in MODULES:
        importlib.import_module(module)
    program = os.path.abspath(options.muster)
    sys.exit(run_all("end-to-end", harness.ALL, program, options.only, options.list))


if __name__ == "__main__":
    main()
