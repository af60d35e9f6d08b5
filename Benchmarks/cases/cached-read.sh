# Reads from memory, the API key checked, of 1 KB, 64 KB and 10 MB, against the same bytes from nginx
# (`return 200`, a static file, `proxy_cache`), Varnish and webdis. SIZES picks some: "1k 64k 10m".

run_cached_read() {
    local size sizes=${SIZES:-1k 64k 10m}
    declare -A bytes=([1k]=1000 [64k]=65536 [10m]=10485760)
    local -A memory
    for size in $sizes; do
        cached_read "$size" "${bytes[$size]}"
        stop_all
    done
}

cached_read() {
    local name=k$1 server round key text
    make_payload "$name" "$2"
    rm -f "$work"/*.rounds
    # nginx reads no longer text than 4 KB in its configuration.
    text=$(if (($2 < 4000)); then cat "$work/www/$name"; fi)
    start_freshet "$name"
    start_origin
    start_nginx "location = /text { return 200 \"$text\"; }
        location /www/ { alias $work/www/; }
        location /cached/ {
            proxy_pass http://127.0.0.1:$origin_port/; proxy_cache hits; proxy_cache_valid 1h;
        }"
    start_varnish "$origin_port"
    start_webdis "$name"
    local -A url=(
        [freshet]=$freshet_url/v1/resources/$name [text]=$nginx_url/text
        [file]=$nginx_url/www/$name [cached]=$nginx_url/cached/$name
        [varnish]=$varnish_url/$name [webdis]=$webdis_url/GET/$name.txt
    )
    local -A pid=(
        [freshet]=$pid_api [text]=$pid_nginx [file]=$pid_nginx [cached]=$pid_nginx
        [varnish]=$pid_varnish [webdis]=$pid_webdis
    )
    local servers=(freshet file cached varnish)
    [[ -z $text ]] || servers+=(text)
    # webdis frames a payload of 10 MB anew for each reader; it needs seconds for one.
    (($2 > 1000000)) || servers+=(webdis)
    key="X-API-Key: $secret"
    for server in "${servers[@]}"; do
        await "${url[$server]}" -H "$key"

        cmp "$work/www/$name" <(curl -fsS -H "$key" "${url[$server]}")
    done
    for ((round = 0; round < rounds; round++)); do
        for server in "${servers[@]}"; do
            compare "$server" "${pid[$server]}" "${url[$server]}" -H "$key"
            memory[$server]=$(resident "${pid[$server]}")
        done
    done

    local -A rate=([1k]="cached >= 2.0 varnish >= 2.5" [64k]="cached >= 1.2" [10m]="varnish >= 1.1")
    local goals=${rate[$1]}
    for server in "${servers[@]:1}"; do
        heading "cached read, $1, key checked" "$server"
        local goal=- cpu_goal=-
        [[ $goals =~ $server\ (\>=\ [0-9.]+) ]] && goal=${BASH_REMATCH[1]}
        [[ $server == text ]] && cpu_goal="<= 1.0"
        against "$server" "$1/$server" "$goal" "$cpu_goal"
    done
}
