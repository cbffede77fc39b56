#!/usr/bin/env python3
"""Runs the workloads of rows.py against Muster and Consul, and prints one line for each.

Started by run.sh, which builds Muster. Python's standard library only; the load comes from wrk,
dnsperf and two C programs compiled here.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "Support", "python")]

import cluster_rows  # noqa: E402
import rows  # noqa: E402
from agent import StartFailure  # noqa: E402


def compile_tools(directory):
    """Builds the C programs and returns their folder, or nothing without a compiler."""
    compiler = next((name for name in ("cc", "clang", "gcc") if shutil.which(name)), None)
    if not compiler:
        return None
    for name in ("watchers", "registrations"):
        subprocess.run(
            [compiler, "-O2", "-D_GNU_SOURCE", "-pthread", "-o", os.path.join(directory, name),
             os.path.join(HERE, f"{name}.c")], check=True,
        )
    return directory


def number(value, unit):
    """A figure with its unit, short enough for a table."""
    if value is None:
        return "-"
    digits = 0 if value >= 100 else 1
    return f"{value:,.{digits}f} {unit}"


def report(row, ours, theirs):
    """Prints the lines of one row: a row may measure several figures."""
    for figure in row.figures:
        mine = median(ours, figure.name)
        other = median(theirs, figure.name)
        ratio = goal = verdict = ""
        if mine and other:
            value = mine / other if figure.higher else other / mine
            ratio = f"{value:.1f}x"
            if figure.times:
                verdict = "met" if value >= figure.times else "MISSED"
        if figure.times:
            goal = f"goal >= {figure.times:g}x"
        if figure.bound is not None:
            goal = f"goal {'>=' if figure.higher else '<='} {figure.bound:g} {figure.unit}"
            if mine is not None:
                good = mine >= figure.bound if figure.higher else mine <= figure.bound
                verdict = "met" if good else "MISSED"
        print(f"{row.name:12} {figure.title:46} ours {number(mine, figure.unit):>14}  "
              f"theirs {number(other, figure.unit):>14}  {ratio:>7}  {goal:16} {verdict}",
              flush=True)


def median(samples, name):
    """The median of one figure over the rounds."""
    values = [sample[name] for sample in samples if name in sample]
    return statistics.median(values) if values else None


def main():
    parser = argparse.ArgumentParser(description="Muster and Consul side by side")
    parser.add_argument("--muster", help="the program to measure")
    parser.add_argument("--only", action="append", help="only the row of this name")
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    parser.add_argument("--no-peer", action="store_true", help="measure only ours")
    options = parser.parse_args()
    if options.list:
        for row in rows.ALL + cluster_rows.ALL:
            print(f"{row.name:12} {row.about}")
        return
    peer = None if options.no_peer else shutil.which(os.environ.get("CONSUL_BINARY", "consul"))
    print(f"ours:   {options.muster}\ntheirs: {peer or 'no Consul here: set CONSUL_BINARY'}")
    print(f"{os.cpu_count()} processors, load generators included; medians of interleaved rounds")
    failed = False
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        tools = rows.Tools(compile_tools(directory), directory)
        for row in rows.ALL + cluster_rows.ALL:
            if options.only and row.name not in options.only:
                continue
            missing = tools.missing(row)
            if missing:
                print(f"{row.name:12} skipped: {missing}")
                continue
            try:
                report(row, *row.measure(tools, options.muster, peer))
            except (StartFailure, subprocess.SubprocessError, OSError, ValueError) as error:
                failed = True
                print(f"{row.name:12} FAILED: {error}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
