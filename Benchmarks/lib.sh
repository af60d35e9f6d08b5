# What the benchmarks share: starting servers on one core and load on the other, counting CPU.

# The server's core and the load's; one and the same where there is only one.
server_core=0
load_core=$(($(nproc) > 1 ? 1 : 0))
rounds=${ROUNDS:-3}
seconds=${SECONDS_PER_ROUND:-5}
connections=${CONNECTIONS:-64}

started=()

print_machine() {
    local model
    model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
    echo "machine: $(nproc) cores, ${model:-unknown}, load $(cut -d' ' -f1 /proc/loadavg)"
    echo "rounds: $rounds of $seconds s, interleaved, $connections connections; medians"
    echo
}

# start NAME COMMAND...: runs a server on its core and remembers its pid in pid_NAME.
start() {
    local name=$1
    shift
    taskset -c "$server_core" "$@" >"$work/$name.log" 2>&1 &
    started+=("$!")
    printf -v "pid_$name" '%s' "$!"
}

# A port of 127.0.0.1 that nothing answers on: a shared one would mix two servers unnoticed.
free_port() {
    local port
    # Below the range that the kernel gives to connections.
    while port=$((20000 + RANDOM % 12000)); do
        # Nor given out before: who has it may not listen yet.
        if ! grep -qx "$port" "$work/ports" 2>/dev/null &&
            ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port" | tee -a "$work/ports"
            return
        fi
    done
}

# Ends everything that `start` started, in reverse order.
stop_all() {
    local index
    for ((index = ${#started[@]} - 1; index >= 0; index--)); do
        kill -TERM "${started[index]}" 2>/dev/null || true
    done
    for pid in "${started[@]}"; do
        for ((tries = 0; tries < 100; tries++)); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    started=()
}

# await URL [CURL OPTIONS...]: until it answers 200.
await() {
    local url=$1 tries
    shift
    for ((tries = 0; tries < 200; tries++)); do
        curl -fsS -o /dev/null "$@" "$url" 2>/dev/null && return
        sleep 0.05
    done
    echo "nothing serves $url:" >&2
    tail -n 5 "$work"/*.log "$work"/*-error.log >&2
    exit 1
}

# CPU time so far of processes with their children that still run, in ticks of 10 ms (CLK_TCK).
cpu_ticks() {
    local pid
    for pid in $(family "$1"); do
        awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$pid/stat" 2>/dev/null || true
    done | awk '{ sum += $1 } END { print sum + 0 }'
}

# Resident memory of a process and its children, in MiB.
resident() {
    local pid
    for pid in $(family "$1"); do
        awk '/^VmRSS/ { print $2 }' "/proc/$pid/status" 2>/dev/null || true
    done | awk '{ sum += $1 } END { printf "%.1f\n", sum / 1024 }'
}

# The process and its children.
family() {
    local children=
    read -r children <"/proc/$1/task/$1/children" || true
    echo "$1 $children"
}

# load PID URL [WRK OPTIONS...]: one round; prints
# "RATE MICROSECONDS_OF_CPU_PER_REQUEST P50_MILLISECONDS P99_MILLISECONDS".
load() {
    local pid=$1 url=$2 before after output
    shift 2
    before=$(cpu_ticks "$pid")
    output=$(taskset -c "$load_core" wrk -t1 -c "$connections" -d "${seconds}s" --latency "$@" "$url")
    after=$(cpu_ticks "$pid")
    if grep -Eq 'Non-2xx|Socket errors' <<<"$output"; then
        printf '%s:\n%s\n' "$url" "$output" >&2
        exit 1
    fi
    awk -v ticks=$((after - before)) -v per_second="$(getconf CLK_TCK)" '
        function milliseconds(text) {
            if (text ~ /us$/) return text / 1000
            return text ~ /ms$/ ? text + 0 : text * 1000
        }
        /requests in/ { count = $1 }
        /Requests\/sec/ { rate = $2 }
        $1 == "50%" { half = milliseconds($2) }
        $1 == "99%" { most = milliseconds($2) }
        END {
            printf "%.*f %.2f %.2f %.2f\n", rate < 1000, rate, ticks / per_second * 1e6 / count, half, most
        }' <<<"$output"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
column() { awk -v n="$1" '{ print $n }'; }
milliseconds_now() { awk '{ printf "%.0f\n", $1 * 1000 }' /proc/uptime; }

# row WHAT OURS THEIRS GOAL: "ratio" is ours over theirs. What the goal says of the ratio is checked,
# and told with how much is missing; a goal of "-" is none. All of it is told again at the end.
heading() { printf '%-48s %11s %11s %9s %8s\n' "$1" freshet "$2" ratio goal; }
row() {
    local goal=$4
    # "<= 1.0" as well as "<=1.0"; other programs' rows may name no goal.
    awk -v what="$1" -v ours="$2" -v theirs="$3" -v goal="$goal" 'BEGIN {
        ratio = theirs ? ours / theirs : 0
        verdict = ""
        if (match(goal, /[0-9.]+/)) {
            wanted = substr(goal, RSTART, RLENGTH) + 0
            most = goal ~ /^</
            missing = most ? ratio / wanted - 1 : 1 - ratio / wanted
            verdict = missing <= 0 ? "reached" : sprintf("MISSED by %.0f %%", missing * 100 + 0.5)
        }
        printf "%-48s %11s %11s %8.2fx %8s  %s\n", what, ours, theirs, ratio, goal, verdict
    }' | tee -a "$work/rows"
}
# limit WHAT OURS LIMIT: at most so much; the ratio is ours over the limit.
limit() { row "$1" "$2" "$3" "<= 1.0"; }
