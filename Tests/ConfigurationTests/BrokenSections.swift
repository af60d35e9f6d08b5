extension BrokenFile {
    static let sections: [BrokenFile] = [
        BrokenFile(
            "misspelt sections",
            #"""
            resorces: {}
            rediss: {}
            """#,
            [
                #"1:1: `resorces` is not a field of the file; did you mean `resources`?"#,
                #"2:1: `rediss` is not a field of the file; did you mean `redis`?"#,
            ]),
        BrokenFile(
            "misspelt fields everywhere",
            #"""
            redis: {uri: "unix:///a"}
            api: {keyz: [], rate_limit: {rps: 5, bursts: 3, requests_per_second: 1}}
            worker: {concurency: 4}
            refresh: {max-retries: 3, interval: 5s}
            defaults: {fresh_fro: 5m, path: /x}
            resources:
              a:
                fresh: 5m
                watch: true
                url: https://example.org
                source: {http: {url: "https://example.org", max_byte: 5}}
            """#,
            [
                #"1:9: `uri` is not a field of `redis`; did you mean `url`?"#,
                #"2:7: `keyz` is not a field of `api`; did you mean `keys`?"#,
                #"2:30: `rps` is not a field of `rate_limit`"#,
                #"2:38: `bursts` is not a field of `rate_limit`; did you mean `burst`?"#,
                #"3:10: `concurency` is not a field of `worker`; did you mean `concurrency`?"#,
                #"4:11: `max-retries` is not a field of `refresh`; did you mean `max_retries`?"#,
                #"4:27: `interval` is not a field of `refresh`; it belongs to `retry`"#,
                #"5:12: `fresh_fro` is not a field of `defaults`; did you mean `fresh_for`?"#,
                #"5:27: `path` is not a field of `defaults`; it belongs to a resource"#,
                #"8:5: `fresh` is not a field of the resource `a`; did you mean `fresh_for`?"#,
                #"9:5: `watch` is not a field of the resource `a`; it belongs to `source.directory`"#,
                #"10:5: `url` is not a field of the resource `a`; it belongs to `redis` or `source.http` or `source.postgres` or `source.csv`"#,
                #"11:49: `max_byte` is not a field of `source.http`; did you mean `max_bytes`?"#,
            ]),
        BrokenFile(
            "wrong types",
            #"""
            worker: {concurrency: four, drain_timeout: [1]}
            api: {open_metrics: yes, memory_limit: {}, keys: web}
            redis: {partitions: "4", wait_replicas: 1.5, url: {host: a}, namespace: }
            resources: [cinema]
            """#,
            [
                #"1:23: `concurrency`: expected a whole number, found `four`"#,
                #"1:44: `drain_timeout`: expected a duration such as `30s`, found a list"#,
                #"2:21: `open_metrics`: expected `true` or `false`, found `yes`"#,
                #"2:40: `memory_limit`: expected a size such as `100MiB`, found an empty mapping"#,
                #"2:50: `keys`: expected a list of keys, found `web`"#,
                #"3:21: `partitions`: expected a whole number, found the text `4`; write it without quotes"#,
                #"3:41: `wait_replicas`: expected a whole number, found `1.5`"#,
                #"3:51: `url`: expected text, found a mapping"#,
                #"3:73: `namespace`: has no value"#,
                #"4:12: `resources`: expected names with their fields, found a list"#,
            ]),
        BrokenFile(
            "durations",
            #"""
            defaults: {fresh_for: 5 m, keep_for: 7 days, timeout: 5min, lease: -1s, wait_timeout: 1h30m}
            refresh: {check_interval: 30, retry_interval: 0s, keep_jobs: "", active_window: 1y}
            resources:
              a: {fresh_for: nevr, source: {directory: {root: /srv}}}
              b: {fresh_for: 0s, source: {directory: {root: /srv}}}
              c: {fresh_for: , source: {directory: {root: /srv}}}
              d: {fresh_for: 99999999999w, source: {directory: {root: /srv}}}
            """#,
            [
                #"1:23: `fresh_for`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `5 m`"#,
                #"1:38: `keep_for`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `7 days`"#,
                #"1:55: `timeout`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `5min`"#,
                #"1:68: `lease`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `-1s`"#,
                #"1:87: `wait_timeout`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `1h30m`"#,
                #"2:27: `check_interval`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `30`; did you mean `30s`?"#,
                #"2:47: `retry_interval`: `0s` is not in 1ms ... 30d"#,
                #"2:62: `keep_jobs`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found empty text"#,
                #"2:81: `active_window`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `1y`"#,
                #"4:18: `fresh_for`: expected a duration, `never` or `always`, found `nevr`; did you mean `never`?"#,
                #"5:18: `fresh_for`: `0s` is said as `always`"#,
                #"6:18: `fresh_for`: has no value; it is a duration, `never` or `always`"#,
                #"7:18: `fresh_for`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `99999999999w`"#,
            ]),
        BrokenFile(
            "sizes",
            #"""
            api: {memory_limit: 256MB}
            resources:
              a: {source: {http: {url: "http://a", max_bytes: 1.5GiB}}}
              b: {source: {command: {argv: [a], max_bytes: 0}}}
              c: {source: {http: {url: "http://a", max_bytes: 10 kb}}}
            """#,
            [
                #"1:21: `memory_limit`: expected a size such as `100MiB` (units: KiB, MiB, GiB, or plain bytes), found `256MB`; did you mean `256MiB`?"#,
                #"3:51: `max_bytes`: expected a size such as `100MiB` (units: KiB, MiB, GiB, or plain bytes), found `1.5GiB`"#,
                #"4:48: `max_bytes`: `0` is not in 1 ... 4GiB"#,
                #"5:51: `max_bytes`: expected a size such as `100MiB` (units: KiB, MiB, GiB, or plain bytes), found `10 kb`; did you mean `10KiB`?"#,
            ]),
        BrokenFile(
            "ranges",
            #"""
            redis: {partitions: 257, wait_replicas: -1}
            worker: {concurrency: 0}
            refresh: {max_concurrent: 0, max_queue: 0, batch_size: 0, max_retries: -1}
            defaults:
              refresh_ahead: 1
              jitter: 0.6
              max_variants: 0
              lease: 10ms
              retry: {max: 1001, backoff: 0.5, interval: 5m, max_interval: 1m}
            api: {rate_limit: {requests_per_second: 0, burst: 0}}
            """#,
            [
                #"1:21: `partitions`: `257` is not in 1 ... 256"#,
                #"1:41: `wait_replicas`: `-1` is not in 0 ... 32"#,
                #"2:23: `concurrency`: `0` is not in 1 ... 1,024"#,
                #"3:27: `max_concurrent`: `0` is not in 1 ... 1,000,000"#,
                #"3:41: `max_queue`: `0` is not in 1 ... 1,000,000,000"#,
                #"3:56: `batch_size`: `0` is not in 1 ... 100,000"#,
                #"3:72: `max_retries`: `-1` is not in 0 ... 1,000"#,
                #"5:18: `refresh_ahead`: `1` is not a share between 0 and 1"#,
                #"6:11: `jitter`: `0.6` is not a share in 0 ... 0.5"#,
                #"7:17: `max_variants`: `0` is not in 1 ... 100,000,000"#,
                #"8:10: `lease`: `10ms` is not in 100ms ... 1h"#,
                #"9:16: `max`: `1001` is not in 0 ... 1,000"#,
                #"9:31: `backoff`: `0.5` is not in 1 ... 10"#,
                #"9:64: `max_interval` is shorter than `interval`"#,
                #"10:41: `requests_per_second`: `0` is not above 0 and at most 1,000,000"#,
                #"10:51: `burst`: `0` is not in 1 ... 1,000,000"#,
            ]),
        BrokenFile(
            "redis urls",
            #"""
            redis: {url: "127.0.0.1:6379"}
            """#,
            [
                #"1:14: `url`: a Redis URL begins with redis://, unix://, redis+sentinel:// or redis+cluster://"#
            ]),
        BrokenFile(
            "a redis url with a bad port",
            #"""
            redis: {url: "redis://:secret@127.0.0.1:port"}
            """#,
            [
                #"1:14: `url`: a port is a number from 1 to 65535"#
            ]),
        BrokenFile(
            "a redis url with a path",
            #"""
            redis: {url: "redis://127.0.0.1/a/b"}
            """#,
            [
                #"1:14: `url`: after the hosts stands nothing but a database number"#
            ]),
        BrokenFile(
            "a sentinel without a master",
            #"""
            redis: {url: "redis+sentinel://h1,h2"}
            """#,
            [
                #"1:14: `url`: redis+sentinel:// ends with the master's name: redis+sentinel://h1,h2/mymaster"#
            ]),
        BrokenFile(
            "a cluster with a database",
            #"""
            redis: {url: "redis+cluster://h1,h2/1"}
            """#,
            [
                #"1:14: `url`: a Redis Cluster has one database: nothing follows its hosts"#
            ]),
        BrokenFile(
            "a socket with a relative path",
            #"""
            redis: {url: "unix://redis.sock"}
            """#,
            [
                #"1:14: `url`: unix:// takes an absolute path: unix:///run/redis/redis.sock"#
            ]),
        BrokenFile(
            "redis over tls",
            #"""
            redis: {url: "rediss://127.0.0.1"}
            """#,
            [
                #"1:14: `url`: rediss:// (TLS) is not spoken; reach Redis through a local tunnel"#
            ]),
        BrokenFile(
            "several hosts for one",
            #"""
            redis: {url: "redis://h1,h2", namespace: "a{b}"}
            """#,
            [
                #"1:14: `url`: redis:// names one host; several need redis+sentinel:// or redis+cluster://"#,
                #"1:42: `namespace`: a namespace has 1 to 64 letters, digits, `_`, `.`, `:` and `-`"#,
            ]),
        BrokenFile(
            "listening beyond loopback",
            #"""
            api:
              listen: 0.0.0.0:8080
            """#,
            [
                #"2:11: `listen`: `0.0.0.0:8080` can be reached from beyond this machine, and there are no `api.keys`; `freshet key new` makes one"#
            ]),
        BrokenFile(
            "no address",
            #"""
            api: {listen: ":8080"}
            """#,
            [
                #"1:15: `listen`: expected HOST:PORT such as `127.0.0.1:8080`, found `:8080`"#
            ]),
        BrokenFile(
            "api keys",
            #"""
            api:
              keys:
                - {name: web, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, scopes: [read, write]}
                - {name: web, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}
                - {name: web, sha256: 0f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, scopes: []}
                - {name: a b, sha256: abc}
                - {sha256: zf86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, scopes: read, resources: [Cinema]}
                - web
            """#,
            [
                #"3:108: `scopes`: expected `read`, `refresh` or `admin`, found `write`"#,
                #"4:27: this secret is also that of the key in line 3"#,
                #"5:14: a third key `web`: two live secrets of one name are for changing them"#,
                #"5:101: `scopes` is empty: the key could do nothing"#,
                #"6:14: `name`: the name of a key has 1 to 64 letters, digits, `_`, `.` and `-`"#,
                #"6:27: `sha256`: expected the SHA-256 of the secret, 64 hexadecimal digits; `freshet key new` prints it"#,
                #"7:7: a key needs `name`"#,
                #"7:16: `sha256`: expected the SHA-256 of the secret, 64 hexadecimal digits; `freshet key new` prints it"#,
                #"7:90: `scopes`: expected a list of `read`, `refresh`, `admin`, found `read`"#,
                #"7:108: `resources`: `Cinema` is no name of a resource, also with `*`"#,
                #"8:7: expected the fields of a key, found `web`"#,
            ]),
        BrokenFile(
            "half of tls",
            #"""
            api: {tls: {certificate: a.pem}}
            """#,
            [
                #"1:12: `tls` needs `key`"#
            ]),
    ]
}
