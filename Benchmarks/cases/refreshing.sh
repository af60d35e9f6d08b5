# The rate of reads of a 1 KB key while another key's refresh runs, and while the key itself is
# published 10 times a second, against an idle Freshet.

run_refreshing() {
    local round key port
    make_payload k1k 1000
    start_origin
    cat >"$work/slow" <<'SOURCE'
while :; do echo '{"done":1,"total":100}' >&3; sleep 0.5; done
SOURCE
    start_freshet <<YAML
  steady: {source: {http: {url: "http://127.0.0.1:$origin_port/k1k"}}}
  busy: {source: {http: {url: "http://127.0.0.1:$origin_port/new"}}}
  slow: {source: {command: {argv: [/bin/sh, $work/slow]}}}
YAML
    taskset -p -c "$load_core" "$pid_origin" >/dev/null
    key="X-API-Key: $secret"
    local url=$freshet_url/v1/resources
    await "$url/steady" -H "$key"
    await "$url/busy" -H "$key"
    rm -f "$work"/*.rounds
    for ((round = 0; round < rounds; round++)); do
        compare idle "$pid_api" "$url/steady" -H "$key"
        local job
        job=$(curl -fsS -X POST -H "$key" "$url/slow/refresh" |
            sed 's/.*"job_id":"\([^"]*\)".*/\1/')
        compare running "$pid_api" "$url/steady" -H "$key"
        curl -fsS -o /dev/null -X DELETE -H "$key" "$freshet_url/v1/jobs/$job"
        taskset -c "$load_core" python3 "$here/client.py" pace -H "$key" 10 "$((seconds + 1))" \
            "$url/busy/refresh" >"$work/paced" &
        local pace=$!
        compare published "$pid_api" "$url/busy" -H "$key"
        wait "$pace"
    done
    local published
    published=$(curl -fsS -D - -o /dev/null -H "$key" "$url/busy" | tr -d '\r' |
        sed -n 's/^X-Freshet-Version: //p')
    # Each version differs, or nothing would be published.
    if ((published < rounds * seconds * 8)); then
        echo "only $published versions were published" >&2
        exit 1
    fi
    heading "reads while refreshing" "idle"
    row "  rate while another key is refreshed" "$(figure running 1)" "$(figure idle 1)" ">= 0.95"
    row "  rate while published 10 times a second" "$(figure published 1)" "$(figure idle 1)" \
        ">= 0.95"
    row "  p99 while published, ms" "$(figure published 4)" "$(figure idle 4)" -
}
