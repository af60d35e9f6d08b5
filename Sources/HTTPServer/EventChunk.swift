/// One event, encoded once and sent to any number of streams, from the same bytes.
///
///     1f\r\n id: 7\nevent: updated\ndata: {}\n\n \r\n
///     └─ chunk size (RFC 9112, 7.1)               └─ end of chunk; HTTP/1.0 gets what is between
package struct EventChunk: Sendable {
    let bytes: SharedBytes
    /// Where the event lies within the bytes.
    let start: Int
    let end: Int

    /// Bytes on the wire.
    package var count: Int { bytes.count }

    /// Encodes an event as section 9.2 of the HTML standard has it: a `data:` line per line of `data`.
    /// Line ends in `event` and `id` are left out: they would end the field.
    package init(event: String? = nil, id: String? = nil, data: [UInt8]) {
        var text: [UInt8] = []
        text.reserveCapacity(data.count + 96)
        if let id { Self.add("id", Self.oneLine(id), to: &text) }
        if let event { Self.add("event", Self.oneLine(event), to: &text) }
        Self.addData(data, to: &text)
        text.append(0x0a)
        self.init(encoded: text)
    }

    package init(event: String? = nil, id: String? = nil, data: String) {
        self.init(event: event, id: id, data: Array(data.utf8))
    }

    /// A comment: nothing to the client's code, but a sign of life on its way.
    package init(comment: String) {
        self.init(encoded: Array(":\(Self.oneLine(comment))\n\n".utf8))
    }

    /// How long the client is to wait before it comes back.
    init(retry: Duration) {
        self.init(encoded: Array("retry: \(retry.nanoseconds / 1_000_000)\n\n".utf8))
    }

    private init(encoded text: [UInt8]) {
        var framed = Array(String(text.count, radix: 16).utf8)
        framed.append(contentsOf: [0x0d, 0x0a])
        start = framed.count
        framed.reserveCapacity(framed.count + text.count + 2)
        framed.append(contentsOf: text)
        end = framed.count
        framed.append(contentsOf: [0x0d, 0x0a])
        bytes = SharedBytes(framed)
    }

    private static func add(_ name: String, _ value: String, to text: inout [UInt8]) {
        text.append(contentsOf: "\(name): \(value)\n".utf8)
    }

    private static func oneLine(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d || $0 == 0 }) else {
            return value
        }
        return String(
            decoding: value.utf8.filter { $0 != 0x0a && $0 != 0x0d && $0 != 0 }, as: UTF8.self)
    }

    private static func addData(_ data: [UInt8], to text: inout [UInt8]) {
        let prefix = Array("data: ".utf8)
        var lineStart = 0
        var index = 0
        while index < data.count {
            let byte = data[index]
            if byte == 0x0a || byte == 0x0d {
                text.append(contentsOf: prefix)
                text.append(contentsOf: data[lineStart..<index])
                text.append(0x0a)
                if byte == 0x0d && index + 1 < data.count && data[index + 1] == 0x0a { index += 1 }
                lineStart = index + 1
            }
            index += 1
        }
        text.append(contentsOf: prefix)
        text.append(contentsOf: data[lineStart...])
        text.append(0x0a)
    }
}
