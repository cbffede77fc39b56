#!/usr/bin/env bash
# Measures Muster, and in the same run a real Consul beside it, in development mode; prints one line
# per workload: ours, theirs, the ratio, and the goal of the design.
#
# Usage: Tests/Benchmarks/run.sh [--only NAME]... [--list] [--muster PATH]
# Environment: CONSUL_BINARY    the peer; otherwise `consul` on the PATH; otherwise no second column
# Tools: wrk, dnsperf and a C compiler: apt-get install -y wrk dnsperf clang
set -euo pipefail
cd "$(dirname "$0")/../.."

Tests/Support/prepare.sh zlib python3

case " $* " in
    *" --muster "* | *" --list "*) ;;
    *)
        scratch=${BENCHMARK_SCRATCH:-.build}
        build=(swift build -c release --product muster)
        build+=(--static-swift-stdlib --scratch-path "$scratch")
        "${build[@]}"
        set -- --muster "$("${build[@]}" --show-bin-path)/muster" "$@"
        ;;
esac
exec python3 Tests/Benchmarks/bench.py "$@"
