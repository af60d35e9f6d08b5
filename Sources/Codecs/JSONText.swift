/// Writes JSON text straight into bytes.
///
///     var text = JSONText()
///     text.object {
///         $0.member("key", key.text)
///         $0.member("age_seconds", 93.2)
///         $0.name("items"); $0.raw(payload)
///     }
///
/// Commas are its own business; that names and values alternate is the caller's.
package struct JSONText: Sendable {
    /// What has been written.
    package private(set) var bytes: [UInt8]
    private var needsComma = false

    /// An empty text, with room for `capacity` bytes.
    package init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// The text as a string.
    package var string: String { String(decoding: bytes, as: UTF8.self) }

    /// Writes `{`, what `body` writes, and `}`.
    package mutating func object<E: Error>(
        _ body: (inout JSONText) throws(E) -> Void
    ) throws(E) {
        begin(UInt8(ascii: "{"))
        try body(&self)
        end(UInt8(ascii: "}"))
    }

    /// Writes `[`, what `body` writes, and `]`.
    package mutating func array<E: Error>(_ body: (inout JSONText) throws(E) -> Void) throws(E) {
        begin(UInt8(ascii: "["))
        try body(&self)
        end(UInt8(ascii: "]"))
    }

    private mutating func begin(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        needsComma = false
    }

    private mutating func end(_ byte: UInt8) {
        bytes.append(byte)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    /// Writes a member's name; its value comes next.
    package mutating func name(_ name: String) {
        separate()
        Self.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// Writes a string, or `null`.
    package mutating func value(_ text: String?) {
        separate()
        if let text { Self.append(text, to: &bytes) } else { Self.appendNull(to: &bytes) }
    }

    /// Writes a whole number, or `null`.
    package mutating func value(_ number: Int?) {
        separate()
        if let number { Self.append(number, to: &bytes) } else { Self.appendNull(to: &bytes) }
    }

    /// Writes a number, or `null`, also for what is not finite.
    package mutating func value(_ number: Double?) {
        separate()
        if let number { Self.append(number, to: &bytes) } else { Self.appendNull(to: &bytes) }
    }

    /// Writes `true` or `false`, or `null`.
    package mutating func value(_ flag: Bool?) {
        separate()
        switch flag {
        case true?: bytes.append(contentsOf: "true".utf8)
        case false?: bytes.append(contentsOf: "false".utf8)
        case nil: Self.appendNull(to: &bytes)
        }
    }

    /// Writes JSON text as it is.
    package mutating func raw(_ text: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: text)
    }

    /// Writes a name and a string, or `null`.
    package mutating func member(_ name: String, _ text: String?) {
        self.name(name)
        value(text)
    }

    /// Writes a name and a whole number, or `null`.
    package mutating func member(_ name: String, _ number: Int?) {
        self.name(name)
        value(number)
    }

    /// Writes a name and a number, or `null`.
    package mutating func member(_ name: String, _ number: Double?) {
        self.name(name)
        value(number)
    }

    /// Writes a name and `true`, `false` or `null`.
    package mutating func member(_ name: String, _ flag: Bool?) {
        self.name(name)
        value(flag)
    }
}
