internal import Codecs
internal import FreshetModel

/// The `postgres` source: the rows of a query as JSON objects, written while they come in.
struct PostgresRefreshSource: RefreshSource {
    /// Bytes of the payload; Redis takes strings up to this length.
    private static let maximumBytes = 512 << 20

    private let definition: PostgresSource
    private let parameters: [Template]
    private let timeout: Duration

    init(
        _ definition: PostgresSource, declared: [ParameterRule], timeout: Duration
    ) throws(SourceError) {
        guard PostgresConnection.isWellFormed(definition.url) else {
            throw .permanent("malformed PostgreSQL connection URL")
        }
        self.definition = definition
        self.timeout = timeout
        var parameters: [Template] = []
        for text in definition.parameters {
            parameters.append(try Template(text, declared: declared))
        }
        self.parameters = parameters
    }

    func run(_ context: SourceContext) async throws(SourceError) -> SourceOutcome {
        var values: [String] = []
        for template in parameters { values.append(try template.expandPlain(context.key)) }
        let source = self
        let bound = values
        return try await BlockingThread.run("postgres", onCancel: .abandon) {
            cancellation throws(SourceError) in
            try source.read(bound, context.report, cancellation)
        }
    }

    private func read(
        _ values: [String], _ report: @escaping @Sendable (Progress) -> Void,
        _ cancellation: Cancellation
    ) throws(SourceError) -> SourceOutcome {
        let connection = try PostgresConnection(definition.url, cancellation)
        // The server stops by itself even when nobody is left to cancel. A repeatable snapshot is
        // not needed for one statement.
        let milliseconds = max(1, min(timeout.milliseconds, Int64(Int32.max)))
        try connection.run(
            """
            BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = \(milliseconds); \
            SET LOCAL datestyle = 'ISO'; SET LOCAL bytea_output = 'hex'
            """)
        var rows = RowWriter(maximumRows: definition.maximumRows, maximumBytes: Self.maximumBytes)
        var pace = ProgressPace { if !cancellation.isCancelled { report($0) } }
        try connection.query(definition.query, values) { row throws(SourceError) in
            try rows.append(row)
            pace.tell { Progress(done: Double(rows.count)) }
        }
        return .payload(try Payload.checked(rows.finish(), contentType: "application/json"))
    }
}

/// Writes rows as an array of JSON objects.
struct RowWriter {
    /// How the text of a field becomes JSON, by the type of its column.
    private enum Form {
        case number, boolean, json, text
    }

    private let maximumRows: Int
    private let maximumBytes: Int
    private var json: [UInt8] = [UInt8(ascii: "[")]
    private(set) var count = 0
    /// `"name":` and the form of each column, the later ones with a comma before.
    private var columns: [(prefix: [UInt8], form: Form)] = []

    init(maximumRows: Int, maximumBytes: Int) {
        self.maximumRows = maximumRows
        self.maximumBytes = maximumBytes
    }

    mutating func append(_ row: PostgresRow) throws(SourceError) {
        if count == 0 { try readColumns(row) }
        guard count < maximumRows else {
            throw .permanent("more than max_rows, \(maximumRows) rows")
        }
        json.append(contentsOf: count == 0 ? "{".utf8 : ",{".utf8)
        for (index, column) in columns.enumerated() {
            json.append(contentsOf: column.prefix)
            try row.withField(index) { field throws(SourceError) in
                guard let field else { return JSONText.appendNull(to: &json) }
                guard Self.append(field, column.form, to: &json) else {
                    throw SourceError("row \(count + 1) holds bytes that are not UTF-8")
                }
            }
        }
        json.append(UInt8(ascii: "}"))
        count += 1
        guard json.count <= maximumBytes else {
            throw .permanent("the rows make a payload of more than \(maximumBytes) bytes")
        }
    }

    /// The whole array.
    consuming func finish() -> [UInt8] {
        json.append(UInt8(ascii: "]"))
        return json
    }

    private mutating func readColumns(_ row: PostgresRow) throws(SourceError) {
        var known: Set<String> = []
        for index in 0..<row.columns {
            let name = row.name(index)
            guard known.insert(name).inserted else {
                throw .permanent("two columns are named \(name)")
            }
            var prefix: [UInt8] = index == 0 ? [] : [UInt8(ascii: ",")]
            JSONText.append(name, to: &prefix)
            prefix.append(UInt8(ascii: ":"))
            columns.append((prefix, Self.form(row.type(index))))
        }
    }

    /// By the fixed object identifiers of pg_type.dat.
    private static func form(_ type: UInt32) -> Form {
        switch type {
        case 16: .boolean
        case 20, 21, 23, 26, 700, 701, 1700: .number  // int8 int2 int4 oid float4 float8 numeric
        case 114, 3802: .json  // json jsonb
        default: .text
        }
    }

    /// Appends a field; returns whether it is UTF-8.
    private static func append(
        _ field: Span<UInt8>, _ form: Form, to json: inout [UInt8]
    ) -> Bool {
        switch form {
        case .boolean:
            let isTrue = field.count == 1 && field[0] == UInt8(ascii: "t")
            json.append(contentsOf: isTrue ? "true".utf8 : "false".utf8)
        case .number where JSONScanner.isNumber(field), .json:
            JSONText.append(field, to: &json)
        case .number, .text:
            // NaN and the infinities are numbers to SQL but not to JSON.
            return JSONText.append(checking: field, to: &json)
        }
        return true
    }
}
