internal import CPostgres
internal import CSpawn
internal import Glibc

/// A connection of libpq, on one thread, closed with its owner.
@safe
final class PostgresConnection {
    /// Whether the server answered at all, though not as hoped.
    private static let answered = "FATAL:"

    private let handle: OpaquePointer
    private let wake: Int32
    private let cancellation: Cancellation

    /// Connects to `url`; what it does not say comes from libpq's own defaults.
    init(_ url: String, _ cancellation: Cancellation) throws(SourceError) {
        // What stands after the URL beats it, what stands before it does not.
        let keywords = [
            "connect_timeout", "fallback_application_name", "dbname", "client_encoding",
        ]
        let values = ["10", "freshet", url, "UTF8"]
        let opened = unsafe withCStrings(keywords) { keywords in
            unsafe withCStrings(values) { values in
                // C takes pointers to const where these are not.
                unsafe keywords.flatMap { keywords in
                    unsafe values.flatMap { values in
                        unsafe keywords.withMemoryRebound(
                            to: UnsafePointer<CChar>?.self, capacity: 5
                        ) { keywords in
                            unsafe values.withMemoryRebound(
                                to: UnsafePointer<CChar>?.self, capacity: 5
                            ) { unsafe PQconnectdbParams(keywords, $0, 1) }
                        }
                    }
                }
            }
        }
        guard let handle = unsafe opened else { throw SourceError("no memory for a connection") }
        unsafe self.handle = handle
        self.cancellation = cancellation
        wake = freshet_wakeup_descriptor()
        unsafe freshet_postgres_silence(handle)
        guard unsafe PQstatus(handle) == CONNECTION_OK, wake >= 0 else {
            let message = lastMessage
            throw SourceError(message, isUnreachable: !message.contains(Self.answered))
        }
        let wake = wake
        cancellation.onCancel { freshet_wake(wake) }
    }

    deinit {
        cancellation.forget()
        if wake >= 0 { close(wake) }
        unsafe PQfinish(handle)
    }

    /// Checks that `url` is one, without saying what is wrong with it: it holds a password.
    static func isWellFormed(_ url: String) -> Bool {
        guard let options = unsafe PQconninfoParse(url, nil) else { return false }
        unsafe PQconninfoFree(options)
        return true
    }

    // MARK: queries

    /// Runs statements that have no rows.
    func run(_ statements: String) throws(SourceError) {
        let result = unsafe PQexec(handle, statements)
        defer { unsafe PQclear(result) }
        guard unsafe PQresultStatus(result) == PGRES_COMMAND_OK else {
            throw unsafe failure(result)
        }
    }

    /// Runs one query with bound parameters and hands on each row as it comes.
    func query(
        _ query: String, _ parameters: [String],
        _ row: (PostgresRow) throws(SourceError) -> Void
    ) throws(SourceError) {
        let isSent = unsafe withCStrings(parameters) { values in
            unsafe values.map { values in
                unsafe values.withMemoryRebound(
                    to: UnsafePointer<CChar>?.self, capacity: parameters.count + 1
                ) {
                    unsafe PQsendQueryParams(
                        handle, query, Int32(parameters.count), nil, $0, nil, nil, 0)
                }
            } ?? 0
        }
        guard isSent == 1, unsafe PQsetSingleRowMode(handle) == 1 else {
            throw SourceError(lastMessage)
        }
        do throws(SourceError) {
            while let result = unsafe try next() {
                defer { unsafe PQclear(result) }
                switch unsafe PQresultStatus(result) {
                case PGRES_SINGLE_TUPLE: try row(unsafe PostgresRow(result))
                case PGRES_TUPLES_OK: break
                case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                    throw SourceError("the query returns no rows, it is no SELECT")
                case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: throw unsafe failure(result)
                default: throw SourceError("the query is a COPY, it has no rows")
                }
            }
        } catch {
            cancelQuery()
            throw error
        }
    }

    /// The next result; `nil` after the last. Waits for the server or the cancellation.
    private func next() throws(SourceError) -> OpaquePointer? {
        while unsafe PQisBusy(handle) == 1 {
            var polled = [
                pollfd(fd: unsafe PQsocket(handle), events: Int16(POLLIN), revents: 0),
                pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            ]
            _ = unsafe poll(&polled, 2, -1)
            try cancellation.check()
            guard unsafe PQconsumeInput(handle) == 1 else {
                throw SourceError(lastMessage)
            }
        }
        try cancellation.check()
        return unsafe PQgetResult(handle)
    }

    /// Asks the server to stop what nobody will read.
    private func cancelQuery() {
        guard let request = unsafe PQgetCancel(handle) else { return }
        defer { unsafe PQfreeCancel(request) }
        // Whether it worked makes no difference: the connection is closed next.
        var reason = [CChar](repeating: 0, count: 256)
        _ = unsafe PQcancel(request, &reason, 256)
    }

    // MARK: messages

    private func failure(_ result: OpaquePointer?) -> SourceError {
        // PG_DIAG_SQLSTATE and PG_DIAG_MESSAGE_PRIMARY are characters, which C has as macros.
        let state = unsafe PQresultErrorField(result, 0x43).map { unsafe String(cString: $0) }
        let primary = unsafe PQresultErrorField(result, 0x4D)
        guard let state, let primary = unsafe primary else {
            return SourceError(lastMessage)
        }
        let message = unsafe text(of: primary)
        return SourceError("SQLSTATE \(state): \(message)")
    }

    private var lastMessage: String { unsafe text(of: PQerrorMessage(handle)) }

    /// A message in one line and without the password, should it ever stand there.
    private func text(of message: UnsafePointer<CChar>?) -> String {
        guard let message = unsafe message else { return "connection failed" }
        var text = unsafe String(cString: message)
        if let secret = unsafe PQpass(handle), case let secret = unsafe String(cString: secret),
            !secret.isEmpty
        {
            while let range = text.range(of: secret) { text.replaceSubrange(range, with: "…") }
        }
        let lines = text.split(whereSeparator: \.isNewline).map { $0[...].trimmed }
        return lines.isEmpty ? "connection failed" : lines.joined(separator: "; ")
    }
}

/// One row of a result, valid while it is handed on.
@safe
struct PostgresRow {
    private let result: OpaquePointer

    init(_ result: OpaquePointer) { unsafe self.result = result }

    var columns: Int { unsafe Int(PQnfields(result)) }

    /// The name of a column.
    func name(_ column: Int) -> String {
        unsafe PQfname(result, Int32(column)).map { unsafe String(cString: $0) } ?? ""
    }

    /// The object identifier of a column's type.
    func type(_ column: Int) -> UInt32 { unsafe PQftype(result, Int32(column)) }

    /// Calls `body` with the text of a field; `nil` for NULL.
    func withField<Value>(
        _ column: Int, _ body: (Span<UInt8>?) throws(SourceError) -> Value
    ) throws(SourceError) -> Value {
        let column = Int32(column)
        guard unsafe PQgetisnull(result, 0, column) == 0,
            let start = unsafe PQgetvalue(result, 0, column)
        else { return try body(nil) }
        let bytes = unsafe UnsafeRawBufferPointer(
            start: start, count: Int(PQgetlength(result, 0, column)))
        return try body(unsafe bytes.bindMemory(to: UInt8.self).span)
    }
}
