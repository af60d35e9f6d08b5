internal import FreshetModel

/// The query of a request, read strictly: what is not understood is the caller's mistake, and saying
/// so beats answering another question than was asked.
struct StrictQuery {
    private var rest: [Key.Parameter]

    /// Splits and decodes `raw`, the text after `?`.
    /// - Throws: 400 for a malformed escape.
    init(_ raw: String) throws(Problem) {
        guard let parameters = PercentEncoding.decodeQuery(raw) else {
            throw .badRequest("invalid_query", "The query holds a malformed escape.")
        }
        rest = parameters
    }

    /// Adds what the path gave, so that the query cannot say it again.
    mutating func append(_ parameters: [Key.Parameter]) { rest += parameters }

    /// Takes the control parameter `name` out; `nil` when it was not given.
    /// - Throws: 400 when it was given twice.
    mutating func take(_ name: String) throws(Problem) -> String? {
        let given = rest.filter { $0.name == name }
        guard let first = given.first else { return nil }
        guard given.count == 1 else {
            throw .badRequest("repeated_parameter", "`\(name)` is given more than once.")
        }
        rest.removeAll { $0.name == name }
        return first.value
    }

    /// Takes a switch, `true` or `false`; absent is false.
    mutating func takeFlag(_ name: String) throws(Problem) -> Bool {
        switch try take(name) {
        case nil, "false": return false
        case "true": return true
        default:
            throw .badRequest("invalid_parameter", "`\(name)` is true or false.")
        }
    }

    /// Takes `limit` of a listing: 1 ... 1000, 100 when absent.
    mutating func takeLimit() throws(Problem) -> Int {
        guard let text = try take("limit") else { return 100 }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let limit = Int(text),
            (1...1000).contains(limit)
        else { throw .badRequest("invalid_parameter", "`limit` is a number from 1 to 1000.") }
        return limit
    }

    /// Takes `cursor` of the listing `list`, back in the store's own form.
    mutating func takeCursor(of list: String) throws(Problem) -> String? {
        guard let text = try take("cursor") else { return nil }
        guard let cursor = Cursor.open(text, of: list) else {
            throw .badRequest("invalid_parameter", "`cursor` is no `next_cursor` of this listing.")
        }
        return cursor
    }

    /// What nobody took: the parameters of a key.
    var remaining: [Key.Parameter] { rest }

    /// - Throws: 400 when something is left that the call does not know.
    func finish() throws(Problem) {
        guard let first = rest.first else { return }
        throw .badRequest(
            "unknown_parameter", "The call has no parameter `\(first.name.shortened)`.")
    }
}

extension String {
    /// At most 80 characters, for messages that quote what a caller sent.
    var shortened: String { count <= 80 ? self : prefix(79) + "…" }
}
