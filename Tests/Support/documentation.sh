#!/usr/bin/env bash
# Converts the DocC catalogues of the SDK with the toolchain's own docc; any warning is a failure.
# Needs a build: swift build --traits GRPC
#
# Usage: Tests/Support/documentation.sh [OUTPUT DIRECTORY]     one MODULE.doccarchive each
set -euo pipefail
cd "$(dirname "$0")/../.."

output=${1:-$(mktemp -d)}
build=${MUSTER_BUILD:-.build}
toolchain=$(dirname "$(readlink -f "$(command -v swift)")")
target=$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)",/\1/p')

# The C modules that the compiled Swift modules name.
flags=()
for folder in "$build"/checkouts/*/Sources/*/include "$build"/checkouts/*/Sources/*/*/include; do
    [ -d "$folder" ] || continue
    map=$folder/module.modulemap
    [ ! -f "$map" ] || flags+=(-Xcc "-fmodule-map-file=$map")
    flags+=(-Xcc "-I$folder")
done
for map in "$build"/debug/*.build/module.modulemap; do flags+=(-Xcc "-fmodule-map-file=$map"); done

for catalogue in ClientSDK/*/Documentation.docc; do
    module=$(basename "$(dirname "$catalogue")")
    mkdir -p "$output/symbols/$module"
    "$toolchain/swift-symbolgraph-extract" -module-name "$module" -target "$target" \
        -I "$build/debug/Modules" "${flags[@]}" -minimum-access-level public \
        -skip-synthesized-members -output-dir "$output/symbols/$module"
    "$toolchain/docc" convert "$catalogue" --warnings-as-errors \
        --additional-symbol-graph-dir "$output/symbols/$module" \
        --fallback-display-name "$module" --fallback-bundle-identifier "muster.$module" \
        --output-path "$output/$module.doccarchive" >"$output/$module.log" || {
        cat "$output/$module.log"
        exit 1
    }
    echo "ok   $module"
done
echo "archives in $output"
