#!/usr/bin/env python3
"""The figures of the SDK: picks, decoding, memory, delays, the herd after a restart.

Started by run.sh with `--only sdk`, which builds what it needs. Each line is printed by the program
that measured it and ends with its goal (DESIGN.md §5, client-sdks.md §D3).
"""

import argparse
import glob
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "Support", "python")]

from agent import Agent  # noqa: E402


def run(command, environment=None):
    """Runs a program and prints what it prints; true if it ended well."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, timeout=900,
        env={**os.environ, **(environment or {})})
    print(done.stdout, end="", flush=True)
    return done.returncode == 0


def discovery(programs, muster):
    """The benchmark that needs a registry."""
    config = {"limits": {"http_max_conns_per_client": 6000}, "log_level": "err"}
    with Agent([muster], config) as agent:
        address = "%s:%d" % agent.address
        return run([os.path.join(programs, "DiscoveryBenchmark")], {"CONSUL_HTTP_ADDR": address})


def herd():
    """Ten thousand clients after a restart, on a virtual clock: a test says how it went."""
    found = glob.glob(os.path.join(HERE, "..", "..", ".build", "debug", "*PackageTests.xctest"))
    if not found:
        print("herd skipped: build the tests first (swift build --build-tests)")
        return True
    done = subprocess.run(
        [found[0], "--testing-library", "swift-testing", "--filter", "HerdTests"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900)
    for line in sorted(re.findall(r"^herd of .*$", done.stdout, re.MULTILINE)):
        print(line + " goal=10 s, 0 failed picks")
    return done.returncode == 0


def main():
    parser = argparse.ArgumentParser(description="the figures of the SDK")
    parser.add_argument("--muster", required=True, help="the registry to measure against")
    parser.add_argument("--programs", required=True, help="the directory of the benchmarks")
    options = parser.parse_args()
    good = run([os.path.join(options.programs, "PickBenchmark")])
    good &= run([os.path.join(options.programs, "DecodeBenchmark")])
    good &= discovery(options.programs, options.muster)
    good &= herd()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
