#!/usr/bin/env bash
# Two minutes in which instances are killed and the registry with them, while four consumers call:
# no call may be lost. Draws the traffic of every instance into an SVG.
#
#   Samples/chaos.sh                       builds, then plays for two minutes; says where it drew
#   Samples/chaos.sh --seconds 20 --seed 7 --picture /tmp/short.svg
#   Samples/chaos.sh --help                all options
#
# MUSTER_BINARY=/path/to/agent   uses another Consul-compatible agent and does not build muster.
# MUSTER_BUILD=/path/to/folder   builds there instead of in Samples/.build.
# MUSTER_JOBS=2                  limits the build to that many processes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")

"$root/Tests/Support/prepare.sh" zlib
options=(--package-path "$here" --scratch-path "${MUSTER_BUILD:-$here/.build}")
[ -z "${MUSTER_JOBS:-}" ] || options+=(-j "$MUSTER_JOBS")
# SwiftPM notices new files of a package next door only when it plans anew.
touch "$here/Package.swift"
products=(Greeter Traffic Chaos)
[ -n "${MUSTER_BINARY:-}" ] || products=(muster "${products[@]}")
echo "Building; the first time takes some minutes."
for product in "${products[@]}"; do swift build "${options[@]}" --product "$product"; done
bin=$(swift build "${options[@]}" --show-bin-path)

# Signals reach the program itself, which ends everything that it started.
exec "$bin/Chaos" --registry "${MUSTER_BINARY:-$bin/muster}" --programs "$bin" "$@"
