# A matching ETag (304) against nginx's static file, `proxy_cache` and Varnish; and gzip, made once,
# against nginx' gzip_static, which sends a file that was compressed before, and Varnish, which keeps
# what it compressed.

run_conditional() {
    local -A memory=()
    local server round key
    make_payload k1k 1000
    make_payload k64k 65536
    gzip -k -f "$work/www/k64k"
    start_freshet k1k k64k
    start_origin
    start_nginx "gzip_static on;
        location /cached/ {
            proxy_pass http://127.0.0.1:$origin_port/; proxy_cache hits; proxy_cache_valid 1h;
        }"
    start_varnish "$origin_port" "set beresp.do_gzip = true;"
    key="X-API-Key: $secret"
    local -A pid=(
        [freshet]=$pid_api [file]=$pid_nginx [cached]=$pid_nginx [varnish]=$pid_varnish
    )

    local -A tag=()
    rm -f "$work"/*.rounds
    local -A url=(
        [freshet]=$freshet_url/v1/resources/k1k [file]=$nginx_url/k1k
        [cached]=$nginx_url/cached/k1k [varnish]=$varnish_url/k1k
    )
    for server in freshet file cached varnish; do
        await "${url[$server]}" -H "$key"
        tag[$server]=$(entity_tag "${url[$server]}" -H "$key")
        [[ $(status_of "${url[$server]}" -H "$key" -H "If-None-Match: ${tag[$server]}") == 304 ]]
    done
    for ((round = 0; round < rounds; round++)); do
        for server in freshet file cached varnish; do
            compare "$server" "${pid[$server]}" "${url[$server]}" -H "$key" \
                -H "If-None-Match: ${tag[$server]}"
        done
    done
    heading "304 on a matching ETag" "others"
    against file "304/file" ">= 1.0"
    against cached "304/cached" -
    against varnish "304/varnish" -

    rm -f "$work"/*.rounds
    url=(
        [freshet]=$freshet_url/v1/resources/k64k [file]=$nginx_url/k64k [varnish]=$varnish_url/k64k
    )
    for server in freshet file varnish; do
        await "${url[$server]}" -H "$key" -H "Accept-Encoding: gzip"
        cmp "$work/www/k64k" \
            <(curl -fsS -H "$key" -H "Accept-Encoding: gzip" "${url[$server]}" | gzip -dc)
    done
    for ((round = 0; round < rounds; round++)); do
        for server in freshet file varnish; do
            compare "$server" "${pid[$server]}" "${url[$server]}" -H "$key" \
                -H "Accept-Encoding: gzip"
        done
    done
    heading "64 KB, gzip" "others"
    against file "gzip/gzip_static" -
    against varnish "gzip/varnish" -
}

entity_tag() { curl -fsS -D - -o /dev/null "$@" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p'; }
status_of() { curl -sS -o /dev/null -w '%{http_code}' "$@"; }
