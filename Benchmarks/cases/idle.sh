# An API process that does nothing: how soon it answers, and its resident memory.

run_idle() {
    local round port begin
    start_freshet <<YAML
  one: {source: {command: {argv: [/bin/echo, "1"]}}}
YAML
    memory_idle=$(resident "$pid_api")
    : >"$work/times"
    for ((round = 0; round < rounds * 3; round++)); do
        port=$(free_port)
        begin=$(date +%s%N)
        start second "$binaries/freshet" api --config "$work/freshet.yaml" \
            --listen "127.0.0.1:$port"
        # Not curl: a process takes as long to start as what is measured.
        until exec 5<>"/dev/tcp/127.0.0.1/$port"; do sleep 0.002; done 2>/dev/null
        printf 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n' >&5
        read -r line <&5
        [[ $line == *200* ]]
        echo $((($(date +%s%N) - begin) / 1000000)) >>"$work/times"
        exec 5>&-
        kill -TERM "$pid_second"
        wait "$pid_second" || true
        unset 'started[-1]'
    done
    heading "API process, idle" "goal"
    limit "  idle: resident, MiB" "$memory_idle" 40
    limit "  idle: from its start to its first answer, ms" "$(median <"$work/times")" 200
}
