internal import FoundationEssentials
internal import FreshetModel

/// Progress as records and events hold it: `{"d":40,"t":100,"m":"page 4"}`.
enum ProgressCoding {
    private struct Wire: Codable {
        var d: Double
        var t: Double?
        var m: String?
    }

    static func encode(_ progress: Progress) -> String {
        let message = progress.message.map {
            Limits.cut($0, toLast: false, bytes: Limits.progressMessageLength)
        }
        let wire = Wire(
            d: progress.done.isFinite ? progress.done : 0,
            t: progress.total.flatMap { $0.isFinite ? $0 : nil }, m: message)
        return JSONText.encode(wire)
    }

    static func decode(_ text: String) -> Progress? {
        guard let wire = JSONText.decode(Wire.self, text) else { return nil }
        return Progress(done: wire.d, total: wire.t, message: wire.m)
    }
}

/// Scopes as records hold them: a JSON array; absent or empty means everything.
enum ScopeCoding {
    static func encode(_ scope: RefreshScope) -> String {
        scope.parts.isEmpty ? "" : JSONText.encode(scope.parts)
    }

    static func decode(_ text: String) -> RefreshScope? {
        JSONText.decode([String].self, text).map { RefreshScope($0) }
    }
}

/// JSON of small values, off the serving path.
enum JSONText {
    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        // Only finite numbers, strings and arrays are encoded, which cannot fail.
        guard let data = try? encoder.encode(value) else { return "" }
        return String(decoding: data, as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) -> Value? {
        // What is not this JSON was changed from outside and reads as absent.
        try? JSONDecoder().decode(type, from: Data(text.utf8))
    }
}

extension Limits {
    /// `text` cut to at most `bytes` bytes of UTF-8, keeping its end or its beginning.
    static func cut(_ text: String, toLast: Bool, bytes: Int) -> String {
        guard text.utf8.count > bytes else { return text }
        let cut = toLast ? Array(text.utf8.suffix(bytes)) : Array(text.utf8.prefix(bytes))
        return String(decoding: cut, as: UTF8.self)
    }
}
