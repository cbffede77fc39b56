#!/usr/bin/env bash
# Makes sure that what a build or a test run needs is installed.
#
# Usage: Tests/Support/prepare.sh [zlib] [python3]      (zlib when nothing is named)
# Installs what is missing with apt-get when run as root; otherwise prints the exact command and
# fails.
set -euo pipefail

# The Debian and Ubuntu package of each need, and how to see that it is there.
package_of() {
    case "$1" in
        zlib) echo zlib1g-dev ;;
        python3) echo python3 ;;
        *) echo "prepare.sh: unknown need: $1" >&2; exit 2 ;;
    esac
}

is_there() {
    case "$1" in
        zlib) printf '#include <zlib.h>\n' | clang -fsyntax-only -x c - 2>/dev/null \
                || [ -e /usr/include/zlib.h ] ;;
        python3) command -v python3 >/dev/null ;;
    esac
}

if ! command -v swift >/dev/null; then
    echo "A Swift 6.2 toolchain (or newer) is needed: https://www.swift.org/install/linux/" >&2
    exit 1
fi

[ $# -gt 0 ] || set -- zlib
missing=()
for need in "$@"; do
    name=$(package_of "$need")
    is_there "$need" || missing+=("$name")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing: ${missing[*]}. Please run this, then try again:" >&2
    install="sudo apt-get install -y --no-install-recommends ${missing[*]}"
    echo "    sudo apt-get update && $install" >&2
    exit 1
fi
echo "Installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
