internal import Codecs
internal import Coordination
internal import FreshetModel

/// The JSON body of an asking, contract section 4.2, and of its relatives.
struct RefreshBody: Equatable {
    var force = false
    var scope = RefreshScope.all
    var priority: Priority?
    var delay = Duration.zero
    /// `POST /v1/refresh`: the texts of the keys.
    var keys: [String]?

    /// Seconds that a refresh may be put off for: 30 days.
    static let longestDelay = 2_592_000.0

    /// Reads `bytes`; none at all means the defaults.
    ///
    /// - Parameter takesKeys: Whether `keys` is a member.
    /// - Throws: 400 for what is not JSON, not an object, or holds something that is not understood.
    init(_ bytes: [UInt8], takesKeys: Bool = false) throws(Problem) {
        if bytes.isEmpty {
            guard !takesKeys else { throw Self.invalid("`keys` is missing") }
            return
        }
        var reading = Reading(takesKeys: takesKeys)
        try JSONBody.read(bytes) { name, reader throws(JSONError) in
            try reading.take(name, &reader)
        }
        if let fault = reading.fault { throw Self.invalid(fault) }
        self = reading.body
        if takesKeys, keys == nil { throw Self.invalid("`keys` is missing") }
    }

    fileprivate init() {}

    static func invalid(_ detail: String) -> Problem {
        .badRequest("invalid_body", "The body is not understood: \(detail).")
    }

    private struct Reading {
        let takesKeys: Bool
        var body = RefreshBody()
        var fault: String?
        private var seen: Set<String> = []

        init(takesKeys: Bool) { self.takesKeys = takesKeys }

        mutating func take(_ name: String, _ reader: inout JSONReader) throws(JSONError) {
            guard seen.insert(name).inserted else {
                return try skip(&reader, "`\(name.shortened)` stands twice")
            }
            switch name {
            case "force":
                if let force = try reader.readBoolean() {
                    body.force = force
                } else {
                    note("`force` is true or false")
                }
            case "priority":
                if let priority = try reader.readString().flatMap(Priority.init(name:)) {
                    body.priority = priority
                } else {
                    note("`priority` is high, normal or low")
                }
            case "delay_seconds":
                let seconds = try reader.readDouble() ?? -1
                if seconds >= 0, seconds <= RefreshBody.longestDelay {
                    body.delay = .milliseconds(Int64((seconds * 1000).rounded()))
                } else {
                    note("`delay_seconds` is a number from 0 to \(Int(RefreshBody.longestDelay))")
                }
            case "scope": try takeScope(&reader)
            case "keys" where takesKeys: try takeKeys(&reader)
            default: try skip(&reader, "there is no member `\(name.shortened)`")
            }
        }

        private mutating func takeScope(_ reader: inout JSONReader) throws(JSONError) {
            guard let parts = try JSONBody.strings(&reader), parts.allSatisfy(Self.isPart) else {
                return note(
                    "`scope` is an array of relative paths of 1 to \(Limits.scopePartLength) bytes")
            }
            body.scope = RefreshScope(parts)
        }

        private mutating func takeKeys(_ reader: inout JSONReader) throws(JSONError) {
            guard let keys = try JSONBody.strings(&reader),
                (1...Limits.bulkKeys).contains(keys.count)
            else { return note("`keys` is an array of 1 to \(Limits.bulkKeys) texts") }
            body.keys = keys
        }

        /// A part names a place below the root and nothing else.
        private static func isPart(_ part: String) -> Bool {
            !part.isEmpty && part.utf8.count <= Limits.scopePartLength && !part.hasPrefix("/")
                && part.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
                && !part.split(separator: "/").contains("..")
        }

        private mutating func skip(
            _ reader: inout JSONReader, _ fault: String
        ) throws(JSONError) {
            note(fault)
            try reader.skip()
        }

        private mutating func note(_ fault: String) { self.fault = self.fault ?? fault }
    }
}

/// Reading of JSON bodies.
enum JSONBody {
    /// Calls `body` for each member of the object that `bytes` are.
    /// - Throws: 400 when they are no JSON object.
    static func read(
        _ bytes: [UInt8], _ body: (String, inout JSONReader) throws(JSONError) -> Void
    ) throws(Problem) {
        var isObject = false
        do throws(JSONError) {
            var reader = try JSONReader(bytes)
            isObject = try reader.kind() == .object
            if isObject { try reader.forEachMember(body) }
        } catch {
            throw RefreshBody.invalid("\(error)")
        }
        guard isObject else { throw RefreshBody.invalid("it is not an object") }
    }

    /// The next value as an array of strings; `nil` when it is anything else.
    static func strings(_ reader: inout JSONReader) throws(JSONError) -> [String]? {
        guard try reader.kind() == .array else {
            try reader.skip()
            return nil
        }
        var strings: [String]? = []
        try reader.forEachElement { reader throws(JSONError) in
            let text = try reader.readString()
            if let text { strings?.append(text) } else { strings = nil }
        }
        return strings
    }
}
