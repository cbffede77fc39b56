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
import time
import traceback

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support", "python")]

import harness  # noqa: E402

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
    passed = failed = skipped = 0
    for claim, function in harness.ALL:
        if options.only and options.only not in claim:
            continue
        if options.list:
            print(claim)
            continue
        started = time.monotonic()
        try:
            harness.limited(function, os.path.abspath(options.muster))
        except harness.Skip as reason:
            skipped += 1
            print(f"skipped: {reason}: {claim}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL {claim}: {type(error).__name__}: {error}")
            frame = traceback.extract_tb(error.__traceback__)
            for place in (place for place in frame if "EndToEnd" in place.filename):
                print(f"     {os.path.basename(place.filename)}:{place.lineno}: {place.line}")
            sys.stdout.flush()
        else:
            passed += 1
            print(f"ok   {claim} ({time.monotonic() - started:.1f} s)", flush=True)
    print(f"end-to-end: {passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
