/// What is kept fresh: a resource and its canonical parameters.
///
///     cinema
///     events?city=oslo&page=2
///     ─┬──── ───────┬────────
///      │            └ parameters sorted by name, percent-encoded, defaults filled in
///      └ resource
///
/// Two requests that mean the same payload have the same text, so the text is the identity: in
/// Redis, in job ids, in events and logs.
public struct Key: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The longest text a key may have, in bytes.
    public static let maximumLength = 1024

    /// The resource the key belongs to.
    public let resource: ResourceName
    /// Parameter names and decoded values, sorted by the bytes of the name.
    public let parameters: [Parameter]
    /// The canonical text.
    public let text: String

    /// A parameter of a key: its name and its decoded value.
    public struct Parameter: Hashable, Sendable {
        /// The declared name.
        public var name: String
        /// The value, not percent-encoded.
        public var value: String

        /// A parameter with a decoded value.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The key of `resource` with decoded `parameters`, in any order.
    ///
    /// Whether they are declared and match is the business of `Resource.key(parameters:)`.
    /// - Returns: `nil` when a name appears twice, a name or value holds NUL, or the text would be
    ///   longer than `maximumLength`.
    public init?(resource: ResourceName, parameters: [Parameter] = []) {
        var sorted = parameters
        if sorted.count > 1 {
            // By bytes: Swift orders and compares text by what it looks like, `é` in either spelling.
            sorted.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
            for (left, right) in zip(sorted, sorted.dropFirst())
            where left.name.utf8.elementsEqual(right.name.utf8) {
                return nil
            }
        }
        guard sorted.allSatisfy({ !$0.name.utf8.contains(0) && !$0.value.utf8.contains(0) }) else {
            return nil
        }
        let text = Self.text(resource, sorted)
        guard text.utf8.count <= Self.maximumLength else { return nil }
        self.resource = resource
        self.parameters = sorted
        self.text = text
    }

    /// Reads a key's text, canonical or not: parameters are sorted and encoded anew.
    /// - Returns: `nil` when the name or an escape is malformed, or a parameter appears twice.
    public init?(_ text: String) {
        guard let mark = text.utf8.firstIndex(of: UInt8(ascii: "?")) else {
            guard let resource = ResourceName(text) else { return nil }
            self.init(resource: resource)
            return
        }
        let query = text[text.utf8.index(after: mark)...]
        guard let resource = ResourceName(String(text[..<mark])),
            let parameters = PercentEncoding.decodeQuery(query)
        else { return nil }
        self.init(resource: resource, parameters: parameters)
    }

    private static func text(_ resource: ResourceName, _ parameters: [Parameter]) -> String {
        guard !parameters.isEmpty else { return resource.text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(128)
        bytes += resource.text.utf8
        var separator = UInt8(ascii: "?")
        for parameter in parameters {
            bytes.append(separator)
            separator = UInt8(ascii: "&")
            PercentEncoding.append(parameter.name, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            PercentEncoding.append(parameter.value, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The canonical text.
    public var description: String { text }

    /// Orders by the bytes of the canonical text.
    public static func < (left: Key, right: Key) -> Bool { left.text < right.text }

    /// Equal when the canonical texts are.
    public static func == (left: Key, right: Key) -> Bool { left.text == right.text }

    /// Hashes the canonical text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// The partition of the key among `count`: FNV-1a over the text, the same in every process.
    public func partition(of count: Int) -> Int {
        guard count > 1 else { return 0 }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 {
            hash ^= UInt64(byte)
            hash = hash &* 0x0000_0100_0000_01b3
        }
        return Int(hash % UInt64(count))
    }
}
