internal import Codecs

/// Cursors as clients see them: the store's own with a checksum that also names the listing, so that
/// one that is cut, guessed or from elsewhere is refused instead of leading anywhere.
enum Cursor {
    private static let checksumBytes = 4
    private static let longest = 4096

    /// A cursor of the listing `list` for clients: URL-safe text.
    static func seal(_ cursor: String?, of list: String) -> String? {
        cursor.map { Base64URL.encode(checksum($0, list) + Array($0.utf8)) }
    }

    /// The store's cursor; `nil` for what `seal` did not make for the same listing.
    static func open(_ text: String, of list: String) -> String? {
        guard text.utf8.count <= longest, let bytes = Base64URL.decode(text),
            bytes.count > checksumBytes,
            let cursor = String(validating: bytes[checksumBytes...], as: UTF8.self)
        else { return nil }
        return checksum(cursor, list) == Array(bytes[..<checksumBytes]) ? cursor : nil
    }

    private static func checksum(_ cursor: String, _ list: String) -> [UInt8] {
        let sum = CRC32.sum(Array("\(list) \(cursor)".utf8))
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) }
    }
}
