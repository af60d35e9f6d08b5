extension BrokenFile {
    static let resources: [BrokenFile] = [
        BrokenFile(
            "wrong types in a resource",
            #"""
            resources:
              a:
                path: [/a]
                cold: no
                response: wrap
                priority: 1
                timeout: 30
                lease: {}
                params: [city]
                retry: 3
                schedule: 1h
                refresh_ahead: "0.9"
                source: http
              b: 5
            """#,
            [
                #"3:11: `path`: expected text, found a list"#,
                #"4:11: `cold`: expected `wait` or `unavailable`, found `no`"#,
                #"5:15: `response`: expected `envelope` or `raw`, found `wrap`"#,
                #"6:15: `priority`: expected `high`, `normal` or `low`, found `1`"#,
                #"7:14: `timeout`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `30`; did you mean `30s`?"#,
                #"8:12: `lease`: expected a duration such as `30s`, found an empty mapping"#,
                #"9:13: `params`: expected names with `pattern` and `default`, found a list"#,
                #"10:12: expected the fields of `retry`, found `3`"#,
                #"11:15: expected the fields of `schedule`, found `1h`"#,
                #"12:20: `refresh_ahead`: expected a number, found the text `0.9`; write it without quotes"#,
                #"13:13: `source` of `a` is one of `http`, `command`, `directory`, `postgres`, `csv`, such as `{http: {url: …}}`; found `http`"#,
                #"14:6: expected the fields of the resource `b`, found `5`"#,
            ]),
        BrokenFile(
            "no source",
            #"""
            resources:
              cinema: {fresh_for: 6d}
              events:
            """#,
            [
                #"2:3: the resource `cinema` has no `source`"#,
                #"3:3: the resource `events` has no `source`"#,
            ]),
        BrokenFile(
            "inheritance without a parent's source",
            #"""
            resources:
              process.list: {fresh_for: 2m}
              rule: {fresh_for: 1m}
              rule.search: {}
              rule.search.own: {}
            """#,
            [
                #"2:3: `process.list` has no `source`, and there is no `process` to inherit one from"#,
                #"3:3: the resource `rule` has no `source`"#,
                #"4:3: `rule.search` inherits from `rule`, which has no `source`"#,
                #"5:3: `rule.search.own` inherits from `rule.search`, which has no `source`"#,
            ]),
        BrokenFile(
            "an unknown default resource",
            #"""
            default_resource: cinama
            resources: {cinema: {source: {csv: {file: a}}}}
            """#,
            [
                #"1:19: `default_resource`: there is no resource `cinama`; did you mean `cinema`?"#
            ]),
        BrokenFile(
            "paths",
            #"""
            resources:
              a: {path: /health, source: {csv: {file: a}}}
              b: {path: /v1/films, source: {csv: {file: a}}}
              c: {path: /api/cache/stats, source: {csv: {file: a}}}
              d: {path: films, source: {csv: {file: a}}}
              e: {path: /films/, source: {csv: {file: a}}}
              f: {path: "/films?x", source: {csv: {file: a}}}
              g: {path: "/films-{city}", source: {csv: {file: a}}}
              h: {path: "/films/{city}", source: {csv: {file: a}}}
              i: {path: "/{a}/{a}", params: {a: {}}, source: {csv: {file: "{a}"}}}
              j: {path: "/x/../y", source: {csv: {file: a}}}
            """#,
            [
                #"2:13: `path`: `/health` belongs to the API"#,
                #"3:13: `path`: everything below `/v1` belongs to the API"#,
                #"4:13: `path`: `/api/cache/stats` belongs to the API"#,
                #"5:13: `path`: a path begins with `/`, found `films`"#,
                #"6:13: `path`: a path has no empty segment and no `/` at its end"#,
                #"7:13: `path`: `?` cannot stand in a path; write characters as themselves, without query and escapes"#,
                #"8:13: `path`: `films-{city}`: a parameter is a whole segment, `/{name}/`"#,
                #"9:13: `path`: `{city}` is not declared in `params`"#,
                #"10:13: `path`: `{a}` stands in it twice"#,
                #"11:13: `path`: `..` is no segment of a path"#,
            ]),
        BrokenFile(
            "a path used twice",
            #"""
            resources:
              a: {path: /api/films, source: {csv: {file: a}}}
              b: {path: /api/films, source: {csv: {file: a}}}
            """#,
            [
                #"3:13: `path`: used twice; `/api/films` of `a` in line 2 is the first"#
            ]),
        BrokenFile(
            "two templates that match the same paths",
            #"""
            resources:
              a: {path: "/api/{x}", params: {x: {pattern: "[a-z]"}}, source: {http: {url: "http://a/{x}"}}}
              b: {path: "/api/{y}", params: {y: {pattern: "[a-z]"}}, source: {http: {url: "http://a/{y}"}}}
              c: {path: "/{y}/b", params: {y: {pattern: "[a-z]"}}, source: {http: {url: "http://a/{y}"}}}
              d: {path: /api/b, source: {csv: {file: a}}}
            """#,
            [
                #"3:13: `path`: `/api/{y}` and `/api/{x}` of `a` in line 2 match the same paths"#,
                #"4:13: `path`: `/{y}/b` and `/api/{x}` of `a` in line 2 match the same paths"#,
            ]),
        BrokenFile(
            "parameters",
            #"""
            resources:
              a:
                params:
                  refresh: {default: true}
                  stream: {}
                  1st: {}
                  city: {pattern: "[a-z", default: oslo}
                  page: {pattern: "[0-9]+", default: one}
                  size: {patern: "[0-9]+"}
                  ahead: {pattern: "a(?=b)"}
                source: {command: {argv: [a]}}
            """#,
            [
                #"4:7: `refresh` cannot be a parameter: the API has a meaning for it"#,
                #"5:7: `stream` cannot be a parameter: the API has a meaning for it"#,
                #"6:7: `1st` is no name of a parameter: a letter or `_`, then letters, digits, `_`, `.` and `-`, 64 in all"#,
                #"7:23: `pattern`: `[` without `]` (character 1 of the pattern)"#,
                #"8:42: `default`: `one` does not match the pattern `[0-9]+`"#,
                #"9:14: `patern` is not a field of the parameter `size`; did you mean `pattern`?"#,
                #"10:24: `pattern`: look-ahead is not supported (character 2 of the pattern)"#,
            ]),
        BrokenFile(
            "parameters that are one variable",
            #"""
            resources:
              a:
                params: {a-b: {}, a_b: {}, a.b: {}}
                source: {command: {argv: [a]}}
            """#,
            [
                #"3:23: `a_b` and `a.b` are both FRESHET_PARAM_A_B to a command"#,
                #"3:32: `a.b` and `a-b` are both FRESHET_PARAM_A_B to a command"#,
            ]),
        BrokenFile(
            "a schedule with a required parameter",
            #"""
            resources:
              a:
                params: {city: {pattern: a}, page: {default: 1}}
                schedule: {every: 1h}
                source: {command: {argv: [a]}}
            """#,
            [
                #"4:23: `schedule` refreshes the key made of defaults, and `city` has none"#
            ]),
        BrokenFile(
            "schedules",
            #"""
            resources:
              a: {schedule: {every: 1h, cron: "0 6 * * *"}, source: {csv: {file: a}}}
              b: {schedule: {cron: "0 6 * *"}, source: {csv: {file: a}}}
              c: {schedule: {cron: "61 * * * *"}, source: {csv: {file: a}}}
              d: {schedule: {}, source: {csv: {file: a}}}
              e: {schedule: {evry: 1h}, source: {csv: {file: a}}}
              f: {schedule: {cron: "0 0 30 2 *"}, source: {csv: {file: a}}}
            """#,
            [
                #"2:29: `schedule` has both `every` and `cron`; one of them counts"#,
                #"3:24: `cron`: a cron expression has 5 fields (minute hour day month weekday), this one has 4"#,
                #"4:24: `cron`: minute `61`: `61` is not in 0-59"#,
                #"5:17: `schedule` needs `every` or `cron`"#,
                #"6:17: `schedule` needs `every` or `cron`"#,
                #"6:18: `evry` is not a field of `schedule`; did you mean `every`?"#,
                #"7:24: `cron`: `0 0 30 2 *` never comes: no month has such a day"#,
            ]),
    ]
}
