internal import FreshetModel

/// Which resources a caller may touch: all, or those that match a pattern of its key.
struct ResourceAccess: Equatable {
    /// Patterns with `*` for any text; empty: all resources.
    let patterns: [String]

    static let all = ResourceAccess(patterns: [])

    var isRestricted: Bool { !patterns.isEmpty }

    func allows(_ name: ResourceName) -> Bool {
        patterns.isEmpty
            || patterns.contains { Self.matches(Array(name.text.utf8)[...], Array($0.utf8)[...]) }
    }

    private static func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        if first == UInt8(ascii: "*") {
            let rest = pattern.dropFirst()
            return (0...text.count).contains { matches(text.dropFirst($0), rest) }
        }
        return text.first == first && matches(text.dropFirst(), pattern.dropFirst())
    }
}
