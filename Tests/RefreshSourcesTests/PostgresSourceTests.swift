import FreshetModel
import Glibc
import RefreshSources
import Testing

@Suite(
    "PostgreSQL source", .enabled(if: PostgresServer.programs != nil), .timeLimit(.minutes(2)),
    PostgresServer())
struct PostgresSourceTests {
    private func postgres(
        _ query: String, _ values: [String] = [], parameters: [String] = [],
        timeout: Duration = .seconds(60), _ change: (inout PostgresSource) -> Void = { _ in }
    ) throws -> any RefreshSource {
        var definition = PostgresSource(url: PostgresServer.url(), query: query)
        definition.parameters = values
        change(&definition)
        var resource = try resource(parameters)
        resource.timeout = timeout
        return try SourceFactory.make(.postgres(definition), for: resource)
    }

    private func rows(_ query: String) async throws -> String {
        try await postgres(query).run(context()).payload().text
    }

    @Test("rows become objects, in order")
    func objects() async throws {
        let payload = try await postgres(
            "SELECT n AS id, 'row ' || n AS \"na\"\"me\" FROM generate_series(1, 3) n"
        ).run(context()).payload()
        #expect(
            payload.text == """
                [{"id":1,"na\\"me":"row 1"},{"id":2,"na\\"me":"row 2"},{"id":3,"na\\"me":"row 3"}]
                """)
        #expect(payload.facts.itemCount == 3)
        #expect(payload.contentType == "application/json")
        #expect(try await rows("SELECT 1 WHERE false") == "[]")
        #expect(try await rows("SELECT") == "[{}]")
    }

    @Test(
        "types become JSON's",
        arguments: [
            ("1::int2", "1"), ("-5::int4", "-5"),
            ("9223372036854775807::int8", "9223372036854775807"),
            ("1.50::numeric", "1.50"), ("1e20::float8", "1e+20"), ("0.1::float4", "0.1"),
            ("'NaN'::float8", "\"NaN\""), ("'-Infinity'::float8", "\"-Infinity\""),
            ("'NaN'::numeric", "\"NaN\""), ("true", "true"), ("false", "false"),
            ("NULL::int", "null"), ("NULL::json", "null"), ("''", "\"\""),
            ("'{\"a\": [1,  2]}'::json", "{\"a\": [1,  2]}"),
            ("'{\"a\":[1,2]}'::jsonb", "{\"a\": [1, 2]}"), ("'null'::jsonb", "null"),
            ("E'q\"\\\\\\n\\té😀'", "\"q\\\"\\\\\\n\\té😀\""), ("'007'", "\"007\""),
            ("date '2025-11-28'", "\"2025-11-28\""),
            ("timestamp '2025-11-28 10:30:00.5'", "\"2025-11-28 10:30:00.5\""),
            ("ARRAY[1,2]", "\"{1,2}\""), ("'\\x00ff'::bytea", "\"\\\\x00ff\""),
            ("'a'::char(3)", "\"a  \""), ("1::oid", "1"), ("'12:00'::time", "\"12:00:00\""),
        ])
    func types(expression: String, json: String) async throws {
        #expect(try await rows("SELECT \(expression) AS v") == "[{\"v\":\(json)}]")
    }

    @Test("parameters are bound: none of them is ever SQL")
    func injection() async throws {
        let run = try postgres(
            "SELECT $1::text AS a, $2 || '!' AS b", ["{p}", "x-{p}"], parameters: ["p"])
        for value in [
            "'; DROP TABLE users; --", "' OR '1'='1", "\\", "$1", "\"", "é", "", "1); SELECT 1; --",
            "{p}",
        ] {
            let payload = try await run.run(context(["p": value])).payload()
            let expected = try await postgres("SELECT $q$\(value)$q$ AS a, $q$x-\(value)!$q$ AS b")
                .run(context()).payload()
            #expect(payload.text == expected.text)
        }
    }

    @Test("nothing can be written, and only one statement runs")
    func readOnly() async throws {
        for query in [
            "CREATE TABLE t (a int)", "CREATE TEMP TABLE t AS SELECT 1", "DROP TABLE pg_class",
            "UPDATE pg_class SET relname = 'x' RETURNING 1", "SELECT 1; SELECT 2",
            "SELECT nextval('s')", "SELECT set_config('transaction_read_only', 'off', true)",
            "COPY (SELECT 1) TO STDOUT", "SET work_mem = '1MB'", "", "SELEC", "ROLLBACK",
        ] {
            await #expect(throws: SourceError.self, "\(query)") {
                try await postgres(query).run(context())
            }
        }
        #expect(
            try await rows("SELECT count(*) AS n FROM pg_class WHERE relname = 't'")
                == "[{\"n\":0}]")
        // What PostgreSQL 15 lets through in a read-only transaction is never committed.
        _ = try await rows("SELECT lo_create(4711)")
        #expect(
            try await rows("SELECT count(*) AS n FROM pg_largeobject_metadata") == "[{\"n\":0}]")
    }

    @Test("more than max_rows is for good, and ends the query")
    func tooMany() async throws {
        let run = try postgres("SELECT generate_series(1, 100000000) AS n") {
            $0.maximumRows = 1000
        }
        let error = try await failure(run, context())
        #expect(error.isPermanent)
        #expect(error.message.contains("max_rows"))
        let exact = try postgres("SELECT n FROM generate_series(1, 1000) n") {
            $0.maximumRows = 1000
        }
        #expect(try await exact.run(context()).payload().facts.itemCount == 1000)
    }

    @Test("columns of one name are refused")
    func columns() async throws {
        let error = try await failure(postgres("SELECT 1 AS a, 2 AS a"), context())
        #expect(error.message == "two columns are named a")
    }

    @Test("the server stops a statement after the resource's timeout")
    func statementTimeout() async throws {
        let run = try postgres("SELECT pg_sleep(60)", timeout: .milliseconds(300))
        let error = try await failure(run, context())
        #expect(error.message.contains("57014"))
        #expect(!error.isPermanent)
    }

    @Test("cancelling returns at once and stops the query on the server")
    func cancelling() async throws {
        let folder = PostgresServer.folder
        let run = try postgres("SELECT pg_sleep(600), 'mark' AS mark")
        let job = try context()
        let task = Task { try await run.run(job) }
        func isActive() async throws -> Bool {
            try await rows(
                """
                SELECT 1 AS x FROM pg_stat_activity WHERE state = 'active'
                AND pid <> pg_backend_pid() AND query LIKE '%mark%'
                """) != "[]"
        }
        #expect(!folder.isEmpty)
        while try await !isActive() {}
        let begin = ContinuousClock.now
        task.cancel()
        await #expect(throws: SourceError.self) { try await task.value }
        while try await isActive() { #expect(ContinuousClock.now - begin < .seconds(60)) }
    }

    @Test("errors name the SQL state and hold no password")
    func errors() async throws {
        let missing = try await failure(postgres("SELECT * FROM nowhere"), context())
        #expect(missing.message.contains("42P01"))
        #expect(missing.message.contains("nowhere"))
        let folder = PostgresServer.folder
        for (url, isUnreachable) in [
            (PostgresServer.url(password: "wr0ng-secret"), false),
            (PostgresServer.url(user: "nobody-here", password: "wr0ng-secret"), false),
            ("postgresql://tester:wr0ng-secret@/nodb?host=\(folder)", false),
            ("postgresql://tester:wr0ng-secret@127.0.0.1:1/x", true),
            ("postgresql://tester:wr0ng-secret@/x?host=/nowhere", true),
        ] {
            let error = try await failure(postgres("SELECT 1") { $0.url = url }, context())
            #expect(!error.message.contains("wr0ng-secret"))
            #expect(!error.message.isEmpty)
            #expect(error.isUnreachable == isUnreachable, "\(error.message)")
        }
    }

    @Test("a malformed URL is refused when it is made, without being told")
    func malformed() {
        for url in ["postgresql://u:s3cret@host:port/x?bad", "postgresql://[", "nonsense s3cret"] {
            let error = #expect(throws: SourceError.self) {
                try source(.postgres(PostgresSource(url: url, query: "SELECT 1")))
            }
            #expect(error?.message.contains("s3cret") == false)
        }
    }

    @Test("many rows are written as they come, and progress counts them")
    func manyRows() async throws {
        let told = Recorder<Progress>()
        let payload = try await postgres(
            "SELECT n AS id, repeat('x', 50) AS t FROM generate_series(1, 50000) n"
        ).run(context { told.add($0) }).payload()
        #expect(payload.facts.itemCount == 50_000)
        #expect(!told.values.isEmpty)
    }
}
