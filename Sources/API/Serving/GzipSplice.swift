/// Text before and after a deflated payload, as one gzip member, without compressing it again.
///
/// The payload is kept as deflate blocks none of which is the last and that end on a byte (what zlib
/// makes with `Z_SYNC_FLUSH`). RFC 1951 blocks follow each other freely, so
///
///     gzip header · stored(head) · payload's blocks · stored(tail, last) · checksum · length
///
/// is one member of RFC 1952. One, because browsers stop at the end of the first.
struct GzipSplice {
    /// The checksum of the payload before compression.
    let checksum: UInt32
    /// Its length before compression.
    let length: Int

    private static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF]

    /// What stands before the payload's blocks.
    func opening(_ head: [UInt8]) -> [UInt8] {
        head.isEmpty ? Self.header : Self.header + Self.stored(head, isLast: false)
    }

    /// What stands after them. `head` is needed for the checksum of the whole.
    func closing(_ tail: [UInt8], after head: [UInt8]) -> [UInt8] {
        let opened = CRC32.combine(CRC32.sum(head), checksum, count: length)
        let sum = CRC32.combine(opened, CRC32.sum(tail), count: tail.count)
        // Section 2.3.1: the length is that of the whole modulo 2^32.
        let total = UInt32(truncatingIfNeeded: head.count + length + tail.count)
        return Self.stored(tail, isLast: true) + Self.littleEndian(sum) + Self.littleEndian(total)
    }

    /// `bytes` as stored blocks, at most 65,535 bytes each.
    private static func stored(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var blocks: [UInt8] = []
        var start = 0
        repeat {
            let end = min(start + 0xFFFF, bytes.count)
            let count = UInt16(end - start)
            blocks.append(isLast && end == bytes.count ? 1 : 0)
            blocks += [
                UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8),
            ]
            blocks += bytes[start..<end]
            start = end
        } while start < bytes.count
        return blocks
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }
}
