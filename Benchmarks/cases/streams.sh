# Event streams of one key on one API process: until all are told of a new version, and their memory.
# CLIENTS says how many (10,000).

run_streams() {
    local clients=${CLIENTS:-10000} before after round line told last
    if (($(ulimit -Hn) < clients + 100)); then
        echo "needs $((clients + 100)) open files per process: ulimit -n" >&2
        exit 1
    fi
    ulimit -n "$(ulimit -Hn)"
    make_payload k1k 1000
    start_freshet k1k
    before=$(resident "$pid_api")
    coproc readers {
        exec taskset -c "$load_core" python3 "$here/client.py" streams -H "X-API-Key: $secret" \
            "$clients" "$freshet_url/v1/events?key=k1k" "$freshet_url/v1/resources/k1k/refresh"
    }
    started+=("$readers_PID")
    local answers=${readers[0]} questions=${readers[1]}
    read -r -t 120 line <&"$answers"
    [[ $line == connected ]]
    after=$(resident "$pid_api")
    : >"$work/told"
    for ((round = 0; round < rounds; round++)); do
        echo go >&"$questions"
        read -r -t 60 told _ last _ <&"$answers"
        if [[ $told != "$clients" ]]; then
            echo "$told of $clients were told" >&2
            exit 1
        fi
        echo "$last" >>"$work/told"
    done
    heading "$clients event streams of one key" "goal"
    limit "  streams: from the asking until all are told, ms" "$(median <"$work/told")" 500
    limit "  streams: memory of one, KiB" "$(awk -v a="$before" -v b="$after" -v n="$clients" \
        'BEGIN { printf "%.1f", (b - a) * 1024 / n }')" 20
}
