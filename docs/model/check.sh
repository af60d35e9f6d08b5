#!/usr/bin/env bash
# Checks refresh.pml: every state of the model, and that each variant without a safeguard fails.
#
#   check.sh        the combinations below, some seconds each
#   check.sh long   larger budgets too, minutes and gigabytes
#
# Exit 0 when all is as it should be, 1 when not, 69 without spin or a C compiler.
set -euo pipefail

model=$(cd "$(dirname "$0")" && pwd)/refresh.pml
for tool in spin cc; do
    command -v "$tool" >/dev/null || { echo "check.sh: no $tool" >&2; exit 69; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Prints `ok STATES`, or the first error; anything that was not searched to its end is an error.
search() {
    local dir="$work/run"
    rm -rf "$dir" && mkdir "$dir" && cd "$dir"
    spin "$@" -a "$model" >spin.log 2>&1 || { echo "spin: $(tail -1 spin.log)"; return; }
    cc -O1 -w -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c
    timeout "$limit" ./pan -m100000 >pan.log 2>&1 || { echo "not within $limit s"; return; }
    if grep -q 'errors: 0$' pan.log && ! grep -qE 'not completed|max search depth' pan.log; then
        echo "ok $(awk '/states, stored/ { print $1 }' pan.log)"
    else
        echo "error $(grep -m1 '^pan:1:' pan.log || tail -1 pan.log)"
    fi
}

status=0
limit=50

holds() {
    local found
    found=$(search "$@")
    case $found in
        ok*) echo "holds   $*: ${found#ok } states" ;;
        *) echo "BROKEN  $*: $found"; status=1 ;;
    esac
}

fails() {
    local found
    found=$(search "$@")
    case $found in
        error\ pan:1:*) echo "fails   $*, as it must: ${found#error pan:1: }" ;;
        *) echo "BROKEN  $* should fail: $found"; status=1 ;;
    esac
}

holds -DLOSSES=3
holds -DRETURNS=1 -DREPEATS=1
holds -DDROPS=1 -DCANCELS=1
holds -DCRASHES=1 -DREPEATS=1 -DATTEMPTS=1
fails -DUNFENCED
fails -DCRASHES=1 -DFENCE_ONLY
fails -DREPEATS=1 -DFORGETFUL
fails -DDROPS=1 -DDEAF
fails -DCANCELS=1 -DUNHELD

if [ "${1:-}" = long ]; then
    limit=1800
    holds -DCRASHES=1
    holds -DCRASHES=1 -DREPEATS=1
    holds -DCRASHES=1 -DDROPS=1
    holds -DRETURNS=1 -DREPEATS=1 -DDROPS=1 -DCANCELS=1
fi
exit $status
