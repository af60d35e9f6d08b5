# 200 readers at once of a key that is cold, and of one that is stale, over three API processes; its
# source takes 2 s. The same on one nginx with `proxy_cache_lock` and `use_stale updating`, and on
# Varnish with grace. READERS and SOURCE_SECONDS change it.

run_stampede() {
    local readers=${READERS:-200} delay=${SOURCE_SECONDS:-2} port ports=() index url
    local ours=() calls
    port=$(free_port)
    start source python3 "$here/client.py" origin "$port" "$work/calls" "$delay"
    : >"$work/calls"
    start_freshet <<YAML
  cold: {wait_timeout: 30s, source: {http: {url: "http://127.0.0.1:$port/cold"}}}
  stale: {wait_timeout: 30s, fresh_for: always, source: {http: {url: "http://127.0.0.1:$port/stale"}}}
YAML
    ours=("$freshet_url")
    for index in 2 3; do
        ports+=("$(free_port)")
        start "api$index" "$binaries/freshet" api --config "$work/freshet.yaml" \
            --listen "127.0.0.1:${ports[-1]}"
        ours+=("http://127.0.0.1:${ports[-1]}")
        await "${ours[-1]}/ready"
    done
    # 1 s fresh, so that it is stale when it is asked for the second time.
    start_nginx "location / {
        proxy_pass http://127.0.0.1:$port; proxy_http_version 1.1; proxy_set_header Connection '';
        proxy_cache hits; proxy_cache_valid 1s;
    }"
    start_varnish "$port" "set beresp.ttl = 1s;"
    await "$nginx_url/warm"
    await "$varnish_url/warm"

    local -A urls=(
        [freshet]="${ours[*]/%//v1/resources/KEY}" [nginx]=$nginx_url/KEY [varnish]=$varnish_url/KEY
    )
    local -A count p50 p99 longest
    local server key good
    for key in cold stale; do
        for server in freshet nginx varnish; do
            if [[ $key == stale ]]; then
                for url in ${urls[$server]//KEY/$key}; do
                    curl -fsS -o /dev/null -H "X-API-Key: $secret" "$url"
                done
                # Until no refresh runs any more, and nginx' and Varnish's second is over.
                sleep "$((delay + 2))"
            fi
            calls=$(wc -l <"$work/calls")
            read -r good p50[$server] p99[$server] longest[$server] _ < <(
                # shellcheck disable=SC2086 # one URL a word
                taskset -c "$load_core" python3 "$here/client.py" burst \
                    -H "X-API-Key: $secret" "$readers" ${urls[$server]//KEY/$key}
            )
            if [[ $good != "$readers" ]]; then
                echo "$server answered $good of $readers" >&2
                exit 1
            fi
            sleep "$delay"
            sleep 0.5
            count[$server]=$(($(wc -l <"$work/calls") - calls))
        done
        heading "$readers readers of a $key key, source $delay s" "goal"
        row "  stampede/$key: source calls" "${count[freshet]}" 1 "<= 1.0"
        if [[ $key == cold ]]; then
            limit "  stampede/$key: p50, ms" "${p50[freshet]}" "$((delay * 1000 + 20))"
        else
            limit "  stampede/$key: p99, ms" "${p99[freshet]}" 10
        fi
        for server in nginx varnish; do
            heading "" "$server"
            row "  stampede/$key/$server: source calls" "${count[freshet]}" "${count[$server]}" -
            row "  stampede/$key/$server: p50, ms" "${p50[freshet]}" "${p50[$server]}" -
            row "  stampede/$key/$server: p99, ms" "${p99[freshet]}" "${p99[$server]}" -
            row "  stampede/$key/$server: longest, ms" "${longest[freshet]}" "${longest[$server]}" -
        done
    done
}
