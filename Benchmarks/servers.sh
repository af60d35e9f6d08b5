# The programs that Freshet is compared with, each with the same payloads: $work/www/NAME.

# A payload of $2 bytes of JSON without quotes or braces, which a shell or nginx would mind.
make_payload() {
    mkdir -p "$work/www"
    awk -v size="$2" 'BEGIN {
        printf "["
        for (left = size - 2; left > 16; left -= 8) printf "%07d,", 1000000 + (left * 7919) % 9000000
        printf "1"
        for (; left > 1; left--) printf "7"
        printf "]"
    }' >"$work/www/$1"
}

# start_freshet NAME...: Redis, a worker and an API process with the payloads, each with one key.
# Sets freshet_url and secret. Only the API process has the server's core: what is measured is reads.
start_freshet() {
    local name hash port
    port=$(free_port)
    secret=bench.$(head -c 32 /dev/urandom | sha256sum | cut -c1-43)
    hash=$(printf '%s' "$secret" | sha256sum | cut -d' ' -f1)
    cat >"$work/freshet.yaml" <<YAML
redis: {url: "unix://$work/redis.sock"}
api:
  listen: 127.0.0.1:$port
  keys: [{name: bench, sha256: "$hash", scopes: [read, refresh, admin]}]
defaults: {fresh_for: never, response: raw}
resources:
YAML
    for name in "$@"; do
        echo "  $name: {source: {command: {argv: [/bin/cat, $work/www/$name]}}}" \
            >>"$work/freshet.yaml"
    done
    if (($# == 0)); then cat >>"$work/freshet.yaml"; fi
    start redis redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --dir "$work"
    start worker "$binaries/freshet" worker --config "$work/freshet.yaml"
    start api "$binaries/freshet" api --config "$work/freshet.yaml"
    taskset -p -c "$load_core" "$pid_redis" >/dev/null
    taskset -a -p -c "$load_core" "$pid_worker" >/dev/null
    freshet_url="http://127.0.0.1:$port"
    await "$freshet_url/ready"
    for name in "$@"; do await "$freshet_url/v1/resources/$name" -H "X-API-Key: $secret"; done
}

# start_nginx LOCATIONS: one process; `origin` is a second server in it. Sets nginx_url.
start_nginx() {
    local port locations=$1
    port=$(free_port)
    mkdir -p "$work/nginx" "$work/cache"
    cat >"$work/nginx.conf" <<CONF
daemon off;
master_process off;
pid $work/nginx.pid;
error_log $work/nginx-error.log;
worker_rlimit_nofile 20000;
events { worker_connections 4096; }
http {
    access_log off;
    sendfile on;
    keepalive_requests 1000000000;
    open_file_cache max=1000 inactive=1h;
    open_file_cache_valid 1h;
    default_type application/json;
    client_body_temp_path $work/nginx; proxy_temp_path $work/nginx; fastcgi_temp_path $work/nginx;
    uwsgi_temp_path $work/nginx; scgi_temp_path $work/nginx;
    proxy_cache_path $work/cache keys_zone=hits:10m max_size=1g inactive=1h use_temp_path=off;
    proxy_cache_use_stale updating error timeout;
    proxy_cache_background_update on;
    proxy_cache_lock on;
    proxy_cache_lock_timeout 30s;
    server {
        listen 127.0.0.1:$port reuseport backlog=4096;
        root $work/www;
        $locations
    }
}
CONF
    start nginx nginx -c "$work/nginx.conf" -p "$work"
    nginx_url="http://127.0.0.1:$port"
}

# start_origin: nginx with the payloads' files, for what caches them, and `/new`, 1 KB that is never
# the same. Sets origin_port.
start_origin() {
    local new
    new="[$(printf '"$request_id",%.0s' {1..27})1]"
    origin_port=$(free_port)
    cat >"$work/origin.conf" <<CONF
daemon off;
master_process off;
pid $work/origin.pid;
error_log $work/origin-error.log;
events { worker_connections 1024; }
http {
    access_log off;
    default_type application/json;
    client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work;
    uwsgi_temp_path $work; scgi_temp_path $work;
    server {
        listen 127.0.0.1:$origin_port;
        root $work/www;
        expires 1h;
        location = /new { return 200 '$new'; }
    }
}
CONF
    start origin nginx -c "$work/origin.conf" -p "$work"
}

# start_varnish PORT [VCL]: in front of the origin at PORT, with grace. Sets varnish_url.
start_varnish() {
    local port origin=$1
    port=$(free_port)
    cat >"$work/varnish.vcl" <<VCL
vcl 4.1;
backend origin { .host = "127.0.0.1"; .port = "$origin"; .first_byte_timeout = 60s; }
sub vcl_backend_response {
    set beresp.grace = 1h;
    ${2:-}
}
VCL
    # Without its jail, which as another user could not read what is ours.
    start varnish varnishd -j none -F -n "$work/varnish" -a "127.0.0.1:$port" -f "$work/varnish.vcl" \
        -s malloc,512m -p thread_pools=1 -p thread_pool_min=100 -p feature=-http2
    varnish_url="http://127.0.0.1:$port"
}

# start_webdis NAME...: on a Redis of its own with the payloads' bytes. Sets webdis_url.
start_webdis() {
    local name port redis_port
    port=$(free_port)
    redis_port=$(free_port)
    cat >"$work/webdis.json" <<JSON
{"redis_host": "127.0.0.1", "redis_port": $redis_port, "http_host": "127.0.0.1",
 "http_port": $port, "threads": 1, "pool_size": 4, "daemonize": false, "database": 0,
 "verbosity": 0, "logfile": "$work/webdis-log"}
JSON
    start plain redis-server --port "$redis_port" --save '' --dir "$work" --dbfilename plain.rdb
    taskset -p -c "$load_core" "$pid_plain" >/dev/null
    until redis-cli -p "$redis_port" ping >/dev/null 2>&1; do sleep 0.05; done
    for name in "$@"; do
        redis-cli -p "$redis_port" -x set "$name" <"$work/www/$name" >/dev/null
    done
    start webdis webdis "$work/webdis.json"
    webdis_url="http://127.0.0.1:$port"
}

# compare NAME PID URL [WRK OPTIONS...]: keeps a round's figures in $work/NAME.rounds; call it in a
# loop over all servers, so that a busy moment does not hit one alone.
compare() {
    local name=$1
    shift
    load "$@" >>"$work/$name.rounds"
}
# figure NAME COLUMN: the median of its rounds. 1 rate, 2 CPU in µs, 3 p50 in ms, 4 p99 in ms.
figure() { column "$2" <"$work/$1.rounds" | median; }

# against NAME TITLE RATE_GOAL [CPU_GOAL]: rows of Freshet against what NAME's rounds gave.
against() {
    row "  $2: requests per second" "$(figure freshet 1)" "$(figure "$1" 1)" "$3"
    row "  $2: CPU per request, µs" "$(figure freshet 2)" "$(figure "$1" 2)" "${4:--}"
    row "  $2: p50, ms" "$(figure freshet 3)" "$(figure "$1" 3)" "-"
    row "  $2: p99, ms" "$(figure freshet 4)" "$(figure "$1" 4)" "-"
    if [[ -n ${memory[$1]:-} ]]; then
        row "  $2: resident, MiB" "${memory[freshet]}" "${memory[$1]}" "-"
    fi
}
