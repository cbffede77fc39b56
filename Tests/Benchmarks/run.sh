#!/usr/bin/env bash
# Measures Muster, and in the same run a real Consul beside it, in development mode; prints one line
# per workload: ours, theirs, the ratio, and the goal of the design.
#
# Usage: Tests/Benchmarks/run.sh [--only NAME]... [--list] [--muster PATH]
#        Tests/Benchmarks/run.sh --only sdk [--muster PATH]     the SDK's figures, without a peer
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
case " $* " in
    *" --only sdk "*)
        samples=(swift build -c release --package-path Samples)
        samples+=(--scratch-path "${BENCHMARK_SCRATCH:-.build}")
        [ -z "${MUSTER_JOBS:-}" ] || samples+=(-j "$MUSTER_JOBS")
        touch Samples/Package.swift
        for program in PickBenchmark DecodeBenchmark DiscoveryBenchmark; do
            "${samples[@]}" --product "$program"
        done
        while [ "$1" != --muster ]; do shift; done
        exec python3 Tests/Benchmarks/sdk.py --muster "$2" \
            --programs "$("${samples[@]}" --show-bin-path)"
        ;;
esac
exec python3 Tests/Benchmarks/bench.py "$@"
