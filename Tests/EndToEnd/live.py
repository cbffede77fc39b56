#!/usr/bin/env python3
"""The SDK's live tests (Tests/LiveTests): one suite, run against our agent and a real Consul.

Usage: live.py --muster PATH [--consul PATH] [--tests PATH] [--filter REGEX]
--consul is $CONSUL_BINARY unless given; without one only our own agent is tested, and the output
says so. --tests is the built test bundle, by default the one beside the program under test.
Prints what the tests print and a total for each agent, then "live: N passed, M failed".
"""

import argparse
import glob
import os
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support", "python")]

from agent import Agent  # noqa: E402

SUITE_SECONDS = 300


def bundle_beside(program):
    """The test bundle in the program's build folder."""
    found = glob.glob(os.path.join(os.path.dirname(program), "*PackageTests.xctest"))
    if len(found) != 1:
        sys.exit(f"no test bundle beside {program}: build with --build-tests, or give --tests")
    return found[0]


def run_suite(name, program, bundle, only):
    """Runs the suite against one program: (passed, failed)."""
    with Agent([program]) as agent:
        environment = {
            **os.environ,
            "NO_COLOR": "1",
            "TERM": "dumb",
            "MUSTER_LIVE_ADDRESS": f"http://127.0.0.1:{agent.ports['http']}",
            "MUSTER_LIVE_PROGRAM": name,
            "MUSTER_LIVE_BINARY": program,
        }
        command = [bundle, "--testing-library", "swift-testing", "--filter", only]
        try:
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", timeout=SUITE_SECONDS)
        except subprocess.TimeoutExpired as expired:
            print((expired.stdout or b"").decode(errors="replace"))
            print(f"the tests against {name} took longer than {SUITE_SECONDS} s")
            return 0, 1
    print(done.stdout, end="")
    output = re.sub(r"\x1b\[\d*m", "", done.stdout)
    ended = re.findall(r"Test run with (\d+) tests? ", output)
    failed = len(re.findall(r"✘ Test (?!run with).* failed after", output))
    skipped = len(re.findall(r"Test \S+ skipped", output))
    total = int(ended[-1]) if ended else 0
    if failed == 0 and (done.returncode != 0 or total <= skipped):
        print(f"the tests against {name} ended with code {done.returncode} and no result")
        failed = 1
    return max(0, total - failed - skipped), failed


def main():
    parser = argparse.ArgumentParser(description="live tests of the SDK")
    parser.add_argument("--muster", required=True, help="our program")
    parser.add_argument("--consul", default=os.environ.get("CONSUL_BINARY"))
    parser.add_argument("--tests", help="the test bundle")
    parser.add_argument("--filter", default="LiveTests", help="which tests, as a regex")
    options = parser.parse_args()
    muster = os.path.abspath(options.muster)
    bundle = options.tests or bundle_beside(muster)
    programs = [("muster", muster)]
    consul = options.consul and shutil.which(options.consul)
    if options.consul and not consul:
        sys.exit(f"there is no program {options.consul}")
    if consul:
        programs.append(("consul", consul))
    passed = failed = 0
    for name, program in programs:
        print(f"-- live tests against {name}", flush=True)
        good, bad = run_suite(name, program, os.path.abspath(bundle), options.filter)
        print(f"-- against {name}: {good} passed, {bad} failed", flush=True)
        passed += good
        failed += bad
    if not consul:
        print("skipped: no Consul (CONSUL_BINARY): the suite ran against our own agent only")
    print(f"live: {passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
