extension BrokenFile {
    static let yaml: [BrokenFile] = [
        BrokenFile(
            "a tab for indentation",
            #"""
            resources:
            	cinema: {}
            """#,
            [
                #"2:1: YAML is indented with spaces, this is a tab"#
            ]),
        BrokenFile(
            "several unset variables in one value, keys that cannot be read",
            #"""
            redis: {url: "redis://:${ONE}@${TWO}:${ONE}"}
            api: {listen: "0.0.0.0:80", keys: [{name: web, sha256: "${THREE}"}]}
            """#,
            [
                #"1:14: the environment variable `${ONE}` is not set"#,
                #"1:14: the environment variable `${TWO}` is not set"#,
                #"2:56: the environment variable `${THREE}` is not set"#,
            ]),
        BrokenFile(
            "a variable between brackets without quotes",
            #"""
            worker: {concurrency: ${COUNT}}
            """#,
            [
                "1:24: did not find expected ',' or '}', while parsing a flow mapping that begins "
                    + "in line 1; between brackets a value with `{`, `}` or `,` needs quotes"
            ]),
        BrokenFile(
            "an unclosed bracket",
            #"""
            redis: {url: "redis://127.0.0.1"
            worker: {}
            """#,
            [
                #"2:1: did not find expected ',' or '}', while parsing a flow mapping that begins in line 1"#
            ]),
        BrokenFile(
            "bad indentation",
            #"""
            worker:
              concurrency: 4
             drain_timeout: 30s
            """#,
            [
                #"3:2: did not find expected key, while parsing a block mapping that begins in line 1"#
            ]),
        BrokenFile(
            "an unclosed quote",
            #"""
            redis:
              url: "redis://127.0.0.1
            """#,
            [
                #"2:26: found unexpected end of stream, while scanning a quoted scalar that begins in line 2"#
            ]),
        BrokenFile(
            "a key twice",
            #"""
            worker: {concurrency: 2}
            api:
              listen: 127.0.0.1:1
              listen: 127.0.0.1:2
            worker: {}
            """#,
            [
                #"4:3: `listen` appears twice; it is also in line 3"#,
                #"5:1: `worker` appears twice; it is also in line 1"#,
            ]),
        BrokenFile(
            "two documents",
            #"""
            worker: {}
            ---
            worker: {}
            """#,
            [
                #"2:1: a second YAML document; the file has one"#
            ]),
        BrokenFile(
            "a list as the whole file",
            #"""
            - cinema
            """#,
            [
                #"1:1: expected the fields of the file, found a list"#
            ]),
        BrokenFile(
            "an unknown anchor",
            #"""
            worker: *w
            """#,
            [
                #"1:9: there is no `&w` above"#
            ]),
        BrokenFile(
            "an alias inside of what it means",
            #"""
            defaults: &d {fresh_for: 5m, retry: *d}
            """#,
            [
                #"1:37: `*d` stands inside of what it means"#
            ]),
        BrokenFile(
            "a tag",
            #"""
            worker: {concurrency: !int 4}
            """#,
            [
                #"1:23: the tag `!int` is not understood"#
            ]),
        BrokenFile(
            "a complex key",
            #"""
            ? [a, b]
            : 1
            """#,
            [
                #"1:3: the name of a field is plain text"#
            ]),
        BrokenFile(
            "unset variables",
            #"""
            redis: {url: "${NO_SUCH_URL}"}
            resources:
              a:
                source: {http: {url: "https://${HOST}/$${x}", headers: {A: "${TOKEN}", B: "${TOKEN", C: "${a-b}"}}}
            """#,
            [
                #"1:14: the environment variable `${NO_SUCH_URL}` is not set"#,
                #"4:64: the environment variable `${TOKEN}` is not set"#,
                #"4:79: `${` without `}`; write `$${` for the characters themselves"#,
                #"4:93: `${a-b}` is not the name of an environment variable; write `$${` for the characters themselves"#,
            ]),
        BrokenFile(
            "secrets are not shown",
            #"""
            redis: {url: "${SECRET}"}
            worker: {concurrency: "${SECRET}", drain_timeout: "${SECRET}x"}
            api: {memory_limit: "${SECRET}"}
            """#,
            [
                #"1:14: `url`: a Redis URL begins with redis://, unix://, redis+sentinel:// or redis+cluster://"#,
                #"2:23: `concurrency`: expected a whole number, found the value of `${SECRET}`"#,
                #"2:51: `drain_timeout`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found the value of `${SECRET}x`"#,
                #"3:21: `memory_limit`: expected a size such as `100MiB` (units: KiB, MiB, GiB, or plain bytes), found the value of `${SECRET}`"#,
            ]),
        BrokenFile(
            "a repetition inside of an alias is told once",
            #"""
            resources:
              a: &a {fresh_for: soon, source: {csv: {file: a}}}
              b: *a
            """#,
            [
                #"2:21: `fresh_for`: expected a duration such as `30s` (units: ms, s, m, h, d, w), found `soon`"#
            ]),
        BrokenFile(
            "nested too deep",
            #"""
            worker: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
            """#,
            [
                #"1:72: nested deeper than 64 levels"#
            ]),
        BrokenFile(
            "a merge of something else",
            #"""
            resources:
              a: {<<: 5, source: {csv: {file: a}}}
              b: {<<: [{cold: wait}, 5], source: {csv: {file: a}}}
            """#,
            [
                #"2:11: `<<` merges mappings, found `5`"#,
                #"3:26: `<<` merges mappings, found `5`"#,
            ]),
        BrokenFile(
            "a zero byte",
            #"""
            worker: {concurrency: "4\0"}
            """#,
            [
                #"1:23: text with a zero byte"#
            ]),
        BrokenFile(
            "a control character",
            #"""
            worker: {concurrency: 4}
            api: {listen: "\#u{1}"}
            """#,
            [
                #"2:16: control characters are not allowed"#
            ]),
        BrokenFile(
            "colons in a value",
            #"""
            redis:
              url: a: b
            """#,
            [
                #"2:9: mapping values are not allowed in this context"#
            ]),
        BrokenFile(
            "columns are counted in characters",
            #"""
            worker: {"ø😀": 1, concurrency: x}
            """#,
            [
                #"1:10: `ø😀` is not a field of `worker`"#,
                #"1:32: `concurrency`: expected a whole number, found `x`"#,
            ]),
    ]
}
