# A read of 1 KB from memory, the API key checked, against nginx `return 200` of the same bytes: CPU
# of the server for each request, and rate. Server on one core, wrk on the other.

run_cached_read() {
    local payload secret hash freshet_port nginx_port
    freshet_port=$(free_port)
    nginx_port=$(free_port)
    # 1,000 bytes of JSON without quotes or braces that a shell or nginx would mind.
    payload="[$(printf '1234567,%.0s' {1..124})123456]"
    secret=bench.$(head -c 32 /dev/urandom | sha256sum | cut -c1-43)
    hash=$(printf '%s' "$secret" | sha256sum | cut -d' ' -f1)
    printf '%s' "$payload" >"$work/payload.json"

    cat >"$work/freshet.yaml" <<YAML
redis: {url: "unix://$work/redis.sock"}
api:
  listen: 127.0.0.1:$freshet_port
  keys: [{name: bench, sha256: "$hash", scopes: [read]}]
resources:
  small: {fresh_for: never, response: raw, source: {command: {argv: [/bin/cat, $work/payload.json]}}}
YAML
    cat >"$work/nginx.conf" <<CONF
daemon off;
master_process off;
pid $work/nginx.pid;
error_log $work/nginx-error.log;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path $work; proxy_temp_path $work; fastcgi_temp_path $work;
    uwsgi_temp_path $work; scgi_temp_path $work;
    server {
        listen 127.0.0.1:$nginx_port reuseport;
        location / { default_type application/json; return 200 "$payload"; }
    }
}
CONF
    start redis redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --dir "$work"
    start worker "$binaries/freshet" worker --config "$work/freshet.yaml"
    start api "$binaries/freshet" api --config "$work/freshet.yaml"
    start nginx nginx -c "$work/nginx.conf" -p "$work"
    local ours="http://127.0.0.1:$freshet_port/v1/resources/small"
    local theirs="http://127.0.0.1:$nginx_port/"
    await "$ours" -H "X-API-Key: $secret"
    await "$theirs"
    cmp <(curl -fsS -H "X-API-Key: $secret" "$ours") <(curl -fsS "$theirs")

    local round
    : >"$work/ours"
    : >"$work/theirs"
    for ((round = 0; round < rounds; round++)); do
        load "$pid_api" "$ours" -H "X-API-Key: $secret" >>"$work/ours"
        load "$pid_nginx" "$theirs" >>"$work/theirs"
    done
    heading "cached read, 1 KB, key checked" "nginx"
    row "  CPU per request, µs" "$(column 2 <"$work/ours" | median)" \
        "$(column 2 <"$work/theirs" | median)" "<= 1.0"
    row "  requests per second" "$(column 1 <"$work/ours" | median)" \
        "$(column 1 <"$work/theirs" | median)" ">= 1.0"
}
