#!/usr/bin/env bash
# Every test, one command: prepares the machine, builds, and runs unit, tidy, golden and end-to-end
# tests. The last line is "N passed, N failed"; the exit code is 0 only if nothing failed.
#
# Usage: Tests/run.sh [--quick]       --quick leaves out the end-to-end tests
# Environment: SWIFT_BUILD_ARGS       further arguments for swift build and swift test
set -euo pipefail
cd "$(dirname "$0")/.."

Tests/Support/prepare.sh zlib python3

read -r -a build_args <<<"${SWIFT_BUILD_ARGS:-}"
build_args+=(--explicit-target-dependency-import-check error --traits GRPC)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0
failed=0

# Adds what a stage counted. A stage that counted nothing, or ended badly without a failure, failed.
count() { # name, passed, failed, exit code
    echo "== $1: $2 passed, $3 failed"
    passed=$((passed + $2))
    failed=$((failed + $3))
    if [ "$3" -eq 0 ] && { [ "$4" -ne 0 ] || [ "$2" -eq 0 ]; }; then
        echo "== $1: ended with code $4 without naming a failure"
        failed=$((failed + 1))
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    exit
}

# The two numbers of a line such as "golden HTTP: 5 passed, 0 failed".
numbers_of() { # start of the line, log
    sed -n "s/^$1: \([0-9]*\) passed, \([0-9]*\) failed.*/\1 \2/p" "$2" | tail -1
}

# Runs a stage that prints a summary line of its own.
stage() { # name, command...
    local name=$1 code=0 good bad
    shift
    echo "== $name"
    "$@" 2>&1 | tee "$logs/stage" || code=${PIPESTATUS[0]}
    read -r good bad <<<"$(numbers_of "$name" "$logs/stage")" || true
    count "$name" "${good:-0}" "${bad:-0}" "$code"
}

echo "== build"
if ! swift build --build-tests "${build_args[@]}"; then
    failed=1
    finish
fi
muster=$(swift build --show-bin-path "${build_args[@]}")/muster

# Runs the unit tests that the arguments choose.
units() { # name, arguments of swift test...
    local name=$1 code=0 total bad
    shift
    echo "== $name"
    swift test --skip-build "${build_args[@]}" "$@" 2>&1 | tee "$logs/unit" || code=${PIPESTATUS[0]}
    total=$(sed -n 's/.*Test run with \([0-9]*\) tests\{0,1\}.*/\1/p' "$logs/unit" | tail -1)
    bad=$(grep -cE '✘ Test .* failed after' "$logs/unit" || true)
    count "$name" "$((${total:-0} - bad))" "$bad" "$code"
}

# The SDK's own tests apart: they talk over real sockets, and the simulations take every thread.
units "unit tests of the server, tidy tests" --skip '^Muster' --skip '^LiveTests'
units "unit tests of the SDK" --filter '^Muster'

stage "golden HTTP" python3 Tests/Conformance/replay_http.py --start "$muster"
if [ "${1:-}" != --quick ]; then
    stage "live" python3 Tests/EndToEnd/live.py --muster "$muster"
    stage "end-to-end" python3 Tests/EndToEnd/run.py --muster "$muster"
    stage "cluster" python3 Tests/EndToEnd/cluster/run.py --muster "$muster"

    # Last, and into the same folder: what both packages need is built already, apart from the SDK
    # itself, whose compiler arguments name another package.
    echo "== samples: build"
    # SwiftPM notices new files of a package next door only when it plans anew.
    touch Samples/Package.swift
    samples=(--package-path Samples --scratch-path .build)
    samples+=(--explicit-target-dependency-import-check error)
    if swift build "${samples[@]}"; then
        stage "samples" python3 Tests/EndToEnd/samples/run.py --muster "$muster" \
            --programs "$(swift build "${samples[@]}" --show-bin-path)"
    else
        count "samples" 0 1 1
    fi
fi

finish
