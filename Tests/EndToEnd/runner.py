"""Runs tests one after another and prints a line for each, and a total."""

import os
import sys
import time
import traceback

import harness


def explain(error):
    """Prints where in the tests an error came from."""
    for place in traceback.extract_tb(error.__traceback__):
        if "EndToEnd" in place.filename:
            print(f"     {os.path.basename(place.filename)}:{place.lineno}: {place.line}")


def run_all(title, tests, argument, only=None, listing=False):
    """Runs pairs of (claim, function) with one argument and returns the exit code.

    What a function returns is printed behind its claim.
    """
    passed = failed = skipped = 0
    for claim, function in tests:
        if only and only not in claim:
            continue
        if listing:
            print(claim)
            continue
        started = time.monotonic()
        try:
            note = harness.limited(function, argument)
        except harness.Skip as reason:
            skipped += 1
            print(f"skipped: {reason}: {claim}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL {claim}: {type(error).__name__}: {error}")
            explain(error)
            sys.stdout.flush()
        else:
            passed += 1
            note = f": {note}" if note else ""
            print(f"ok   {claim} ({time.monotonic() - started:.1f} s){note}", flush=True)
    if not listing:
        print(f"{title}: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0
