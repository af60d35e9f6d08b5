internal import FreshetModel

/// JSON being written, RFC 8259. Members appear in the order they are written.
///
///     var json = JSONText()
///     json.object {
///         $0.member("key", key.text)
///         $0.member("position", position)     // nil becomes null
///     }
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    init() {}

    /// The text of one object.
    static func object(_ body: (inout JSONText) -> Void) -> [UInt8] {
        var json = JSONText()
        json.object(body)
        return json.bytes
    }

    /// Writes `{…}` as a value.
    mutating func object(_ body: (inout JSONText) -> Void) {
        begin(UInt8(ascii: "{"))
        body(&self)
        end(UInt8(ascii: "}"))
    }

    /// Writes `[…]` with a value per element.
    mutating func array<Elements: Sequence>(
        _ elements: Elements, _ body: (inout JSONText, Elements.Element) -> Void
    ) {
        begin(UInt8(ascii: "["))
        for element in elements { body(&self, element) }
        end(UInt8(ascii: "]"))
    }

    /// Writes a member that is an object.
    mutating func member(_ name: String, _ body: (inout JSONText) -> Void) {
        self.name(name)
        object(body)
    }

    /// Writes a member that is an array.
    mutating func member<Elements: Sequence>(
        _ name: String, _ elements: Elements,
        _ body: (inout JSONText, Elements.Element) -> Void
    ) {
        self.name(name)
        array(elements, body)
    }

    mutating func member(_ name: String, _ value: String?) {
        self.name(name)
        if let value { self.value(value) } else { null() }
    }

    mutating func member(_ name: String, _ value: Int?) {
        self.name(name)
        if let value { raw("\(value)") } else { null() }
    }

    mutating func member(_ name: String, _ value: Int64?) {
        self.name(name)
        if let value { raw("\(value)") } else { null() }
    }

    mutating func member(_ name: String, _ value: Bool) {
        self.name(name)
        raw(value ? "true" : "false")
    }

    mutating func member(_ name: String, _ value: Double?) {
        self.name(name)
        guard let value, value.isFinite else { return null() }
        let whole = value.rounded()
        raw(whole == value && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)")
    }

    /// A duration as seconds, to the millisecond.
    mutating func member(_ name: String, _ value: Duration?) {
        member(name, value.map { Double($0.milliseconds) / 1000 })
    }

    /// A time as RFC 3339 in UTC.
    mutating func member(_ name: String, _ value: Timestamp?) { member(name, value?.rfc3339) }

    mutating func null(_ name: String) {
        self.name(name)
        null()
    }

    /// Writes a string as a value.
    mutating func value(_ text: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 { append(escaped: byte) }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// Writes a member's name; a value follows.
    mutating func name(_ name: String) {
        value(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes `text`, JSON already, as a value.
    mutating func raw(_ text: some StringProtocol) {
        separate()
        bytes += text.utf8
        needsComma = true
    }

    private mutating func null() { raw("null") }

    private mutating func begin(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): bytes += "\\\"".utf8
        case UInt8(ascii: "\\"): bytes += "\\\\".utf8
        case 0x0A: bytes += "\\n".utf8
        case 0x0D: bytes += "\\r".utf8
        case 0x09: bytes += "\\t".utf8
        case 0..<0x20:
            let digits = Array("0123456789abcdef".utf8)
            bytes += "\\u00".utf8
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }
}
