extension BrokenFile {
    static let sources: [BrokenFile] = [
        BrokenFile(
            "two sources",
            #"""
            resources:
              a:
                source:
                  http: {url: "http://a"}
                  csv: {file: a.csv}
              b: {source: {}}
              c: {source: {htp: {url: "http://a"}}}
              d: {source: {url: "http://a"}}
            """#,
            [
                #"5:7: `a` has two sources, `http` and `csv`; one of them counts"#,
                #"6:15: `source` of `b` is one of `http`, `command`, `directory`, `postgres`, `csv`, such as `{http: {url: …}}`; found an empty mapping"#,
                #"7:16: `htp` is no source; the sources are `http`, `command`, `directory`, `postgres`, `csv`; did you mean `http`?"#,
                #"8:16: `url` is no source; the sources are `http`, `command`, `directory`, `postgres`, `csv`; it belongs to `source.http` or `source.postgres` or `source.csv`"#,
            ]),
        BrokenFile(
            "names of resources",
            #"""
            resources:
              Cinema: {source: {csv: {file: a}}}
              "a b": {source: {csv: {file: a}}}
            """#,
            [
                #"2:3: `Cinema` is no name of a resource: a lower-case letter or digit, then those, `_`, `.` and `-`, 64 in all; did you mean `cinema`?"#,
                #"3:3: `a b` is no name of a resource: a lower-case letter or digit, then those, `_`, `.` and `-`, 64 in all"#,
            ]),
        BrokenFile(
            "undeclared placeholders",
            #"""
            resources:
              a:
                params: {city: {pattern: "[a-z]+"}}
                source:
                  http:
                    url: "https://example.org/{citi}?q={query}"
                    headers: {X-City: "{town}"}
                    body: '{"a": "{body}", "b": "{city}"}'
                    method: POST
              b: {source: {command: {argv: [run, "{city}"]}}}
              c: {source: {directory: {root: "/srv/{dir}"}}}
              d: {source: {csv: {file: "/srv/{name}.csv"}}}
            """#,
            [
                #"6:14: `{citi}` is not declared in `params`; did you mean `city`?"#,
                #"6:14: `{query}` is not declared in `params`"#,
                #"7:27: `{town}` is not declared in `params`"#,
                #"8:15: `{body}` is not declared in `params`"#,
                #"10:38: `{city}` is not declared in `params`"#,
                #"11:34: `{dir}` is not declared in `params`"#,
                #"12:28: `{name}` is not declared in `params`"#,
            ]),
        BrokenFile(
            "a source inherited without its parameters",
            #"""
            resources:
              a: {params: {x: {pattern: a}}, source: {http: {url: "http://h/{x}"}}}
              a.b: {params: {y: {pattern: a}}}
            """#,
            [
                #"3:3: `a.b` inherits the source of `a`, which has `{x}`, and does not declare it in its `params`"#
            ]),
        BrokenFile(
            "http sources",
            #"""
            resources:
              a: {source: {http: {}}}
              b: {source: {http: {url: "ftp://a"}}}
              c: {source: {http: {url: "https://"}}}
              d: {source: {http: {url: "https://a b"}}}
              e: {source: {http: {url: "http://a", method: FETCH}}}
              f: {source: {http: {url: "http://a", select: data}}}
              g: {source: {http: {url: "http://a", select: "/a~2b"}}}
              h: {source: {http: {url: "http://a", headers: {"a b": x, Content-Length: 5, A: "1\n2", a: 2}}}}
              i: {source: {http: {url: "http://a", headers: [a], max_redirects: 21}}}
              j: {source: {http: {url: "http://a", method: get}}}
              k: {params: {x: {pattern: a}}, source: {http: {url: "http://{x}.org/"}}}
              l: {params: {x: {pattern: a}}, source: {http: {url: "http://a", method: POST, body: "{x}", headers: {content-type: text/csv}}}}
            """#,
            [
                #"2:22: `source.http` needs `url`"#,
                #"3:28: `url`: expected a URL that begins with http:// or https://, found `ftp://a`"#,
                #"4:28: `url`: the URL has no host"#,
                #"5:28: `url`: a URL holds no spaces; write `%20`"#,
                #"6:48: `method`: expected `GET`, `POST`, `PUT`, `PATCH`, `DELETE` or `QUERY`, found `FETCH`"#,
                #"7:48: `select`: a JSON pointer begins with `/`, found `data`"#,
                #"8:48: `select`: in a JSON pointer `~` is written `~0`, and `/` in a name `~1`"#,
                #"9:50: `a b` is no name of a header field"#,
                #"9:60: `Content-Length` is set by the request itself"#,
                #"9:82: a header field holds no control characters"#,
                #"9:90: the header field `a` appears twice"#,
                #"10:49: `headers`: expected names with their text, found a list"#,
                #"10:69: `max_redirects`: `21` is not in 0 ... 20"#,
                #"11:48: `method`: expected `GET`, `POST`, `PUT`, `PATCH`, `DELETE` or `QUERY`, found `get`; did you mean `GET`?"#,
                #"12:55: `url`: `{x}` would let callers choose the host that is asked"#,
                #"13:87: `{x}` cannot be escaped for a body of type `text/csv`; known are JSON, XML, forms and plain text"#,
            ]),
        BrokenFile(
            "command sources",
            #"""
            resources:
              a: {source: {command: {}}}
              b: {source: {command: {argv: run}}}
              c: {source: {command: {argv: []}}}
              d: {params: {x: {pattern: a}}, source: {command: {argv: ["{x}"]}}}
              e: {source: {command: {argv: [run], environment: {FRESHET_KEY: a, "A B": c, D: [e]}}}}
              f: {source: {command: {argv: [run], content_type: json}}}
              g: {source: {command: {argv: [run, ~]}}}
              h: {source: {command: {argv: [run], environment: {CITY: "{city}"}}}}
            """#,
            [
                #"2:25: `source.command` needs `argv`"#,
                #"3:32: `argv`: expected a list of program and arguments, found `run`"#,
                #"4:32: `argv` names no program"#,
                #"5:60: a caller would choose the program: `{x}` stands in its name"#,
                #"6:53: `FRESHET_KEY`: names that begin with FRESHET_ are set by Freshet"#,
                #"6:69: `A B` is no name of an environment variable"#,
                #"6:82: `D`: expected text, found a list"#,
                #"7:53: `content_type`: expected a media type such as `text/csv`, found `json`"#,
                #"8:38: `argv`: has no value"#,
                #"9:59: `{city}` is not declared in `params`"#,
            ]),
        BrokenFile(
            "directory sources",
            #"""
            resources:
              a: {source: {directory: {}}}
              b: {source: {directory: {root: /srv, include: [], exclude: [/a], collections: dirs, hash: md5}}}
              c: {source: {directory: {root: /srv, include: "*.tif", exclude: [../a], watch: 1, max_files: many}}}
              d: {source: {directory: {root: /srv, include: ["*.{tif", "[a", ""]}}}
              e: {params: {x: {pattern: a}}, source: {directory: {root: "/srv/{x}", watch: true}}}
            """#,
            [
                #"2:27: `source.directory` needs `root`"#,
                #"3:49: `include` is empty: no file could be taken"#,
                #"3:63: `exclude`: a pattern is relative to `root`, found `/a`"#,
                #"3:81: `collections`: expected `none` or `subdirectory`, found `dirs`"#,
                #"3:93: `hash`: expected `none` or `sha256`, found `md5`"#,
                #"4:49: `include`: expected a list of patterns such as `**/*.tif`, found `*.tif`"#,
                #"4:68: `exclude`: a pattern does not leave `root`, found `../a`"#,
                #"4:82: `watch`: expected `true` or `false`, found `1`"#,
                #"4:96: `max_files`: expected a whole number, found `many`"#,
                #"5:50: `include`: `*.{tif` leaves a bracket or a brace open"#,
                #"5:60: `include`: `[a` leaves a bracket or a brace open"#,
                #"5:66: `include`: is empty"#,
                #"6:80: `watch` needs a `root` without `{x}`"#,
            ]),
        BrokenFile(
            "postgres sources",
            #"""
            resources:
              a: {source: {postgres: {url: "mysql://a", query: select 1}}}
              b: {source: {postgres: {url: "postgres://a"}}}
              c:
                params: {city: {pattern: a}}
                source: {postgres: {url: "postgres://a", query: "select * from t where c = $1 and d = $2", parameters: ["{city}"]}}
              d:
                params: {city: {pattern: a}}
                source: {postgres: {url: "postgres://a", query: "select '{city}' -- $1"}}
            """#,
            [
                #"2:32: `url`: a PostgreSQL URL begins with postgres:// or postgresql://"#,
                #"3:26: `source.postgres` needs `query`"#,
                #"6:53: the query has `$1` to `$2`, `parameters` has 1 value"#,
                #"9:53: `{city}` is not replaced in a query; write `$1` and list it in `parameters`"#,
            ]),
        BrokenFile(
            "csv sources",
            #"""
            resources:
              a: {source: {csv: {}}}
              b: {source: {csv: {file: a, url: "http://a"}}}
              c: {source: {csv: {file: a, delimiter: ";;", types: guess}}}
              d: {source: {csv: {url: "file:///a"}}}
            """#,
            [
                #"2:21: `source.csv` needs `file` or `url`"#,
                #"3:31: `source.csv` has both `file` and `url`; one of them counts"#,
                #"4:42: `delimiter`: expected one character such as `;` or "\t", found `;;`"#,
                #"4:55: `types`: expected `infer` or `text`, found `guess`"#,
                #"5:27: `url`: expected a URL that begins with http:// or https://, found `file:///a`"#,
            ]),
    ]
}
