internal import Codecs

/// Cursors as clients see them: the store's own with a checksum that also names the listing, so that
/// one that is cut, guessed or from elsewhere is refused instead of leading anywhere.
enum Cursor {
    private static let digits = 8
    private static let longest = 2048

    /// A cursor of the listing `list` for clients.
    static func seal(_ cursor: String?, of list: String) -> String? {
        cursor.map { checksum($0, list) + $0 }
    }

    /// The store's cursor; `nil` for what `seal` did not make for the same listing.
    static func open(_ text: String, of list: String) -> String? {
        guard text.utf8.count > digits, text.utf8.count <= longest else { return nil }
        let cursor = String(text.dropFirst(digits))
        return checksum(cursor, list) == text.prefix(digits) ? cursor : nil
    }

    private static func checksum(_ cursor: String, _ list: String) -> String {
        let sum = CRC32.sum(Array("\(list) \(cursor)".utf8))
        return Hexadecimal.encode([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) })
    }
}
