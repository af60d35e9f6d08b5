# A worker is killed in the middle of a job, KILLS times in a row (20): how long until another runs
# the job again, against what is promised, the lease and 2 s. LEASE sets the lease, in seconds (1).

# kills_until WHAT COMMAND...: waits up to 60 s until the command succeeds.
kills_until() {
    local what=$1 tries
    shift
    for ((tries = 0; tries < 3000; tries++)); do
        "$@" && return
        sleep 0.02
    done
    echo "not within 60 s: $what" >&2
    exit 1
}
kills_shows() { curl -fsS "$1" | grep -q "$2"; }
kills_ran() { (($(wc -l <"$work/runs") == $1)); }

# Kills a worker for good: it must not be signalled again when its number is another's.
kills_kill() {
    local pid index
    pid=$1
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    for index in "${!started[@]}"; do
        if [[ ${started[index]} == "$pid" ]]; then unset "started[index]"; fi
    done
    started=("${started[@]}")
}

run_kills() {
    local kills=${KILLS:-20} lease=${LEASE:-1} port round job pid rerun killed
    port=$(free_port)
    cat >"$work/freshet.yaml" <<YAML
redis: {url: "unix://$work/redis.sock"}
defaults: {lease: ${lease}s}
resources:
  slow: {fresh_for: never, source: {command: {argv: [/bin/sh, $work/source]}}}
YAML
    # Notes when it began, and goes on until it is let go.
    cat >"$work/source" <<SOURCE
date +%s%N >>$work/runs
while [ -e $work/hold ]; do sleep 0.02; done
echo 1
SOURCE
    : >"$work/runs"
    : >"$work/times"
    start redis redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --dir "$work"
    start api "$binaries/freshet" api --config "$work/freshet.yaml" --listen "127.0.0.1:$port"
    local url="http://127.0.0.1:$port"
    await "$url/ready"
    start worker "$binaries/freshet" worker --config "$work/freshet.yaml"
    start worker "$binaries/freshet" worker --config "$work/freshet.yaml"
    kills_until "two workers" kills_shows "$url/ready" '"workers_alive":2'

    for ((round = 1; round <= kills; round++)); do
        touch "$work/hold"
        job=$(curl -fsS -X POST "$url/v1/resources/slow/refresh" |
            sed 's/.*"job_id":"\([^"]*\)".*/\1/')
        kills_until "the job runs" kills_ran $((2 * round - 1))
        # Workers are named HOST-PID-RANDOM.
        pid=$(curl -fsS "$url/v1/jobs/$job" | sed 's/.*"worker":"[^"]*-\([0-9]*\)-[^-"]*".*/\1/')
        killed=$(date +%s%N)
        kills_kill "$pid"
        kills_until "the job runs again" kills_ran $((2 * round))
        rerun=$(tail -n 1 "$work/runs")
        echo $(((rerun - killed) / 1000000)) >>"$work/times"
        rm "$work/hold"
        start worker "$binaries/freshet" worker --config "$work/freshet.yaml"
        kills_until "the job ends" kills_shows "$url/v1/jobs/$job" '"state":"succeeded"'
        kills_until "another worker" kills_shows "$url/ready" '"workers_alive":[2-9]'
    done
    heading "worker killed $kills times, until rerun, ms" "promised"
    local promised=$((lease * 1000 + 2000))
    row "  median" "$(median <"$work/times")" "$promised" "<= 1.0"
    row "  longest" "$(sort -n "$work/times" | tail -n 1)" "$promised" "<= 1.0"
}
