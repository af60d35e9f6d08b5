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
    while port=$((20000 + RANDOM % 20000)); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
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
    tail -n 5 "$work"/*.log >&2
    exit 1
}

# CPU time of a process so far, in ticks of 10 ms (getconf CLK_TCK).
cpu_ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"; }

# load PID URL [WRK OPTIONS...]: one round; prints "RATE MICROSECONDS_OF_CPU_PER_REQUEST".
load() {
    local pid=$1 url=$2 before after output
    shift 2
    before=$(cpu_ticks "$pid")
    output=$(taskset -c "$load_core" wrk -t1 -c "$connections" -d "${seconds}s" "$@" "$url")
    after=$(cpu_ticks "$pid")
    if grep -q 'Non-2xx' <<<"$output" && [[ ${allow_3xx:-} != yes ]]; then
        echo "$output" >&2
        exit 1
    fi
    awk -v ticks=$((after - before)) -v per_second="$(getconf CLK_TCK)" '
        /requests in/ { count = $1 }
        /Requests\/sec/ { rate = $2 }
        END { printf "%.0f %.3f\n", rate, ticks / per_second * 1e6 / count }' <<<"$output"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
column() { awk -v n="$1" '{ print $n }'; }

# row WHAT OURS THEIRS GOAL: "ratio" is ours over theirs.
heading() { printf '%-44s %12s %12s %8s %8s\n' "$1" freshet "$2" ratio goal; }
row() {
    awk -v what="$1" -v ours="$2" -v theirs="$3" -v goal="$4" 'BEGIN {
        printf "%-44s %12s %12s %7.2fx %8s\n", what, ours, theirs, ours / theirs, goal }'
}
