# A payload of 81 MB, 102,052 records, on three API processes: until a reader has its first byte and
# all of it, the memory that 20 readers at once add, and what its reading from Redis does to reads of
# small keys on the same process.

run_large() {
    local records=102052 port index urls=() pids=() pid
    mkdir -p "$work/www"
    # 800 bytes a record or so.
    awk -v records="$records" 'BEGIN {
        text = ""
        while (length(text) < 700) text = text "a record of some length, "
        printf "["
        for (n = 1; n <= records; n++)
            printf "%s{\"id\":%d,\"title\":\"Title of %d\",\"text\":\"%s\"}", (n > 1 ? "," : ""), n, n, text
        printf "]"
    }' >"$work/www/large"
    start_freshet <<YAML
  large: {wait_timeout: 60s, source: {command: {argv: [/bin/cat, $work/www/large], max_bytes: 200MiB}}}
  small:
    wait_timeout: 60s
    params: {n: {default: "0"}}
    source: {command: {argv: [/bin/echo, "1"]}}
YAML
    local key="X-API-Key: $secret"
    urls=("$freshet_url")
    pids=("$pid_api")
    for index in 2 3; do
        port=$(free_port)
        start "api$index" "$binaries/freshet" api --config "$work/freshet.yaml" \
            --listen "127.0.0.1:$port"
        urls+=("http://127.0.0.1:$port")
        pid=pid_api$index
        pids+=("${!pid}")
        await "${urls[-1]}/ready"
    done
    await "$freshet_url/v1/resources/large" -H "$key"
    local url
    for url in "${urls[@]}"; do
        cmp "$work/www/large" <(curl -fsS -H "$key" "$url/v1/resources/large")
    done

    local round
    : >"$work/first"
    : >"$work/whole"
    for ((round = 0; round < rounds * 3; round++)); do
        url=${urls[round % 3]}
        read -r first whole < <(taskset -c "$load_core" python3 "$here/client.py" body -H "$key" \
            "$url/v1/resources/large")
        echo "$first" >>"$work/first"
        echo "$whole" >>"$work/whole"
    done
    local one many good longest began
    one=$(resident "${pids[0]}")
    # The most while they read: afterwards it may be back.
    : >"$work/resident"
    while resident "${pids[0]}" >>"$work/resident"; do sleep 0.02; done 2>/dev/null &
    local sampler=$!
    read -r good _ _ longest began < <(taskset -c "$load_core" python3 "$here/client.py" burst \
        -H "$key" 20 "${urls[@]/%//v1/resources/large}")
    kill "$sampler"
    wait "$sampler" 2>/dev/null || true
    if [[ $good != 20 ]]; then
        echo "$good of 20 readers had the whole" >&2
        exit 1
    fi
    many=$(sort -n "$work/resident" | tail -n 1)
    heading "81 MB, 102,052 records, three API processes" "goal"
    limit "  large: first byte, ms" "$(median <"$work/first")" 20
    limit "  large: whole body, ms" "$(median <"$work/whole")" 100
    row "  large: 20 readers at once, first byte of the last, ms" "$began" 20 -
    row "  large: 20 readers at once, all of the last, ms" "$longest" 2000 -
    heading "" "before"
    row "  large: resident, most with 20 readers, MiB" "$many" "$one" "<= 1.05"

    # A process that holds nothing: small keys are read from Redis while the large one is too.
    local n still=() small=()
    for ((n = 0; n < 400; n++)); do
        await "$freshet_url/v1/resources/small?n=$n" -H "$key"
    done
    port=$(free_port)
    start api4 "$binaries/freshet" api --config "$work/freshet.yaml" --listen "127.0.0.1:$port"
    local cold="http://127.0.0.1:$port"
    await "$cold/ready"
    for ((n = 0; n < 200; n++)); do still+=("$cold/v1/resources/small?n=$n"); done
    for ((n = 200; n < 400; n++)); do small+=("$cold/v1/resources/small?n=$n"); done
    read -r _ quiet99 quiet_longest < <(taskset -c "$load_core" python3 "$here/client.py" delays \
        -H "$key" "${still[@]}")
    curl -fsS -o /dev/null -H "$key" "$cold/v1/resources/large" &
    local reader=$!
    sleep 0.02
    read -r _ busy99 busy_longest < <(taskset -c "$load_core" python3 "$here/client.py" delays \
        -H "$key" "${small[@]}")
    wait "$reader"
    heading "small reads from Redis beside it" "alone"
    row "  large: small reads' p99, ms" "$busy99" "$quiet99" -
    row "  large: small reads' longest, ms" "$busy_longest" "$quiet_longest" -
}
