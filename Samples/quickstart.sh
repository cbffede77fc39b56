#!/usr/bin/env bash
# Shows the registry and the SDK at work: a registry, a few instances of an HTTP service, and a
# consumer that balances over them. One instance is killed, one is taken out of service; the
# traffic moves; they come back, and the traffic does.
#
#   Samples/quickstart.sh            builds, then plays until Ctrl-C, with a live view
#   Samples/quickstart.sh --check    builds, then plays once and judges what it sees
#
# MUSTER_BINARY=/path/to/agent   uses another Consul-compatible agent and does not build muster.
# MUSTER_BUILD=/path/to/folder   builds there instead of in Samples/.build.
# MUSTER_JOBS=2                  limits the build to that many processes.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$here")
instances=4
rate=200
check=no
case "${1:-}" in
    --check) check=yes ;;
    "") ;;
    *) sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

# ---------------------------------------------------------------- setting up and cleaning up

work=$(mktemp -d "${TMPDIR:-/tmp}/muster-quickstart.XXXXXX")
counts=$work/counts
story=$work/story
touch "$counts" "$story"
mkfifo "$work/never"
exec 9<>"$work/never"
pause() { read -r -t "$1" -u 9 _ || true; } # sleeps without a process that could be left over
declare -A pids=()
story_pid=

end_process() { # name: asks it to end, and insists after three seconds
    local pid=${pids[$1]:-}
    [ -n "$pid" ] || return 0
    unset "pids[$1]"
    kill -TERM "$pid" 2>/dev/null || return 0
    for _ in $(seq 30); do
        kill -0 "$pid" 2>/dev/null || break
        pause 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

clean_up() {
    local status=$?
    trap - EXIT INT TERM
    [ -z "$story_pid" ] || kill "$story_pid" 2>/dev/null || true
    local name
    for name in "${!pids[@]}"; do [ "$name" = registry ] || end_process "$name"; done
    # The instances a story started after the live view did are known by their files only.
    local file pid
    for file in "$work"/*.pid; do
        [ -e "$file" ] || continue
        pid=$(cat "$file")
        kill -TERM "$pid" 2>/dev/null || true
    done
    end_process registry
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "FAILED: $*" >&2
    echo "The last counts (milliseconds, instance, state, answered, failed):" >&2
    tail -n 10 "$counts" >&2
    for log in "$work"/*.log; do
        [ -s "$log" ] && { echo "--- $(basename "$log")" >&2; tail -n 15 "$log" >&2; }
    done
    exit 1
}

# ---------------------------------------------------------------------------------- building

"$root/Tests/Support/prepare.sh" zlib
options=(--package-path "$here" --scratch-path "${MUSTER_BUILD:-$here/.build}")
[ -z "${MUSTER_JOBS:-}" ] || options+=(-j "$MUSTER_JOBS")
build() { swift build "${options[@]}" "$@"; }
echo "Building; the first time takes some minutes."
# SwiftPM notices new files of a package next door only when it plans anew.
touch "$here/Package.swift"
if [ -n "${MUSTER_BINARY:-}" ]; then
    muster=$MUSTER_BINARY
else
    build --product muster
fi
build --product Greeter
build --product Traffic
bin=$(build --show-bin-path)
muster=${muster:-$bin/muster}

# ------------------------------------------------------------------------------ the registry

is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

leader() { # the registry's leader, as it says itself; empty when there is none
    {
        exec 3<>"/dev/tcp/127.0.0.1/$http_port" || return 0
        printf 'GET /v1/status/leader HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3
        tail -n 1 <&3 | tr -d '"\r\n'
        exec 3<&- 3>&-
    } 2>/dev/null
}

start_registry() {
    local attempt port
    for attempt in 1 2 3 4 5; do
        # Below the range from which outgoing connections take theirs.
        http_port=$((20000 + RANDOM % 12000))
        for port in $(seq "$http_port" $((http_port + 4))); do is_free "$port" || continue 2; done
        "$muster" agent -dev -node quickstart -http-port "$http_port" \
            -dns-port $((http_port + 1)) -serf-lan-port $((http_port + 2)) \
            -serf-wan-port $((http_port + 3)) -server-port $((http_port + 4)) \
            -grpc-port -1 >"$work/registry.log" 2>&1 &
        pids[registry]=$!
        for _ in $(seq 100); do
            kill -0 "${pids[registry]}" 2>/dev/null || continue 2
            case "$(leader)" in *:*) return 0 ;; esac
            pause 0.1
        done
        end_process registry
    done
    fail "the registry does not start ($muster agent -dev)"
}

# ----------------------------------------------------------------------------- the instances

start_instance() { # number
    "$bin/Greeter" --name "greeter-$1" >"$work/greeter-$1.log" 2>&1 &
    pids[greeter-$1]=$!
    echo $! >"$work/greeter-$1.pid"
}

instance_pid() { cat "$work/greeter-$1.pid"; }

kill_instance() { # number: as a crash would, without a word to the registry
    local pid
    pid=$(instance_pid "$1")
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    rm -f "$work/greeter-$1.pid"
    unset "pids[greeter-$1]"
}

toggle_maintenance() { kill -USR1 "$(instance_pid "$1")"; }

tell() {
    echo "$*" >>"$story"
    if [ "$check" = yes ]; then echo "== $*"; fi
}

# -------------------------------------------------------------------------------- judging

# Prints "instance state answered failed" for the last second and a half.
window() {
    awk -F '\t' '
        { time[NR] = $1; name[NR] = $2; state[NR] = $3; answered[NR] = $4; failed[NR] = $5 }
        END {
            last = time[NR]
            for (i = NR; i > 0 && time[i] > last - 1500; i--) {}
            for (from = time[i]; i > 0 && time[i] == from; i--) {
                before[name[i]] = answered[i]; beforeFailed[name[i]] = failed[i]
            }
            for (i = NR; i > 0 && time[i] == last; i--) {
                # An instance that came back counts from zero.
                a = answered[i] - before[name[i]]; if (a < 0) a = answered[i]
                f = failed[i] - beforeFailed[name[i]]; if (f < 0) f = failed[i]
                print name[i], state[i], a, f
            }
        }' "$counts"
}

# Whether the instances named first get no call at all and all others get their share.
traffic_avoids() { # space-separated list of instances
    local avoided=" $1 " name state answered failed seen=0 fair=$((rate * 3 / 2 / instances / 4))
    while read -r name state answered failed; do
        [ "$name" != - ] || continue
        seen=$((seen + 1))
        case "$avoided" in
            *" $name "*) [ $((answered + failed)) -eq 0 ] || return 1 ;;
            *) [ "$state" = passing ] && [ "$answered" -ge "$fair" ] || return 1 ;;
        esac
    done < <(window)
    [ "$seen" -eq "$instances" ]
}

expect_traffic_avoids() { # list, seconds, what it shows
    # Counted in looks, not by the clock: a machine that stands still costs no patience.
    local looks=$(($2 * 4))
    until traffic_avoids "$1"; do
        looks=$((looks - 1))
        [ "$looks" -gt 0 ] || fail "after $2 s traffic still does not: $3"
        kill -0 "${pids[traffic]}" 2>/dev/null || fail "the consumer ended"
        pause 0.25
    done
    echo "   ok: $3"
    window | awk '$1 != "-" { printf "       %-10s %-12s %4d calls in 1.5 s\n", $1, $2, $3 }' | sort
}

# ------------------------------------------------------------------------------ the story

check_story() {
    local started=$SECONDS
    "$bin/Traffic" --plain --rate "$rate" --counts "$counts" --story "$story" \
        >"$work/traffic.log" 2>&1 &
    pids[traffic]=$!
    tell "$instances instances register"
    expect_traffic_avoids "" 20 "every instance gets calls"
    tell "greeter-1 is killed with SIGKILL"
    kill_instance 1
    expect_traffic_avoids "greeter-1" 20 "none for greeter-1, all others carry on"
    tell "greeter-2 is put into maintenance"
    toggle_maintenance 2
    expect_traffic_avoids "greeter-1 greeter-2" 20 "none for greeter-1 and greeter-2"
    tell "greeter-2 comes back from maintenance"
    toggle_maintenance 2
    expect_traffic_avoids "greeter-1" 20 "greeter-2 gets calls again"
    tell "greeter-1 is started again"
    start_instance 1
    expect_traffic_avoids "" 20 "every instance gets calls again"
    local lost total
    read -r _ _ _ total lost < <(tail -n 1 "$counts")
    [ "$lost" -eq 0 ] || fail "$lost of $total calls were answered by no instance"
    echo "PASSED: $total calls, none lost, in $((SECONDS - started)) s"
}

live_story() { # what happens while the live view is shown
    local first second
    while :; do
        tell "all is well"
        pause 8
        first=$((RANDOM % instances + 1))
        second=$((first % instances + 1))
        tell "greeter-$first is killed (SIGKILL)"
        kill_instance "$first"
        pause 8
        tell "greeter-$second goes into maintenance"
        toggle_maintenance "$second"
        pause 8
        tell "greeter-$first is started again"
        start_instance "$first"
        pause 5
        tell "greeter-$second comes back from maintenance"
        toggle_maintenance "$second"
        pause 6
    done
}

start_registry
export CONSUL_HTTP_ADDR=127.0.0.1:$http_port
unset CONSUL_HTTP_TOKEN CONSUL_HTTP_TOKEN_FILE CONSUL_HTTP_SSL CONSUL_HTTP_AUTH
for number in $(seq "$instances"); do start_instance "$number"; done
if [ "$check" = yes ]; then
    check_story
else
    live_story 2>/dev/null &
    story_pid=$!
    "$bin/Traffic" --rate "$rate" --story "$story"
fi
