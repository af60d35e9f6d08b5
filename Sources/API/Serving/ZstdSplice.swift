/// Text before and after a zstd frame, as one frame, without compressing the payload again.
///
/// RFC 8878 section 3.1.1: a frame is a header and blocks, the last one marked. Raw blocks may stand
/// before and after compressed ones, because compressed blocks refer back to what came before them
/// within the frame at most as far as their own data, and raw blocks change no table and no repeated
/// offset. So the spliced frame is
///
///     header, no checksum · raw(head) · payload's blocks, last mark cleared · raw(tail, last)
///
/// One frame, not three: some clients stop at the end of the first.
struct ZstdSplice {
    /// The window of the payload's frame, as a window descriptor, at least 1 KiB.
    private let window: UInt8
    /// The payload's blocks but for the header of the last.
    let leading: Range<Int>
    /// The 3 bytes that stand for the last block's header in the spliced frame.
    let lastHeader: [UInt8]
    /// The content of the last block.
    let lastContent: Range<Int>

    private static let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]

    /// Finds the blocks of `frame`; reads only their headers.
    /// - Returns: `nil` for bytes that are not exactly one frame without dictionary.
    init?(_ frame: [UInt8]) {
        guard frame.count >= 9, frame.starts(with: Self.magic) else { return nil }
        let descriptor = frame[4]
        let isSingleSegment = descriptor & 0x20 != 0
        let hasChecksum = descriptor & 0x04 != 0
        guard descriptor & 0x0B == 0 else { return nil }
        var at = 5
        var windowDescriptor: UInt8 = 0
        if !isSingleSegment {
            windowDescriptor = frame[at]
            at += 1
        }
        let sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][Int(descriptor >> 6)]
        guard at + sizeBytes <= frame.count else { return nil }
        if isSingleSegment {
            var size: UInt64 = 0
            for index in 0..<sizeBytes { size |= UInt64(frame[at + index]) << UInt64(index * 8) }
            if sizeBytes == 2 { size += 256 }
            windowDescriptor = Self.descriptor(covering: size)
        }
        at += sizeBytes
        let blocks = at
        while true {
            guard at + 3 <= frame.count else { return nil }
            let header =
                UInt32(frame[at]) | UInt32(frame[at + 1]) << 8 | UInt32(frame[at + 2]) << 16
            let kind = header >> 1 & 3
            guard kind != 3 else { return nil }
            let content = kind == 1 ? 1 : Int(header >> 3)
            let end = at + 3 + content
            guard end <= frame.count else { return nil }
            if header & 1 == 1 {
                guard end + (hasChecksum ? 4 : 0) == frame.count else { return nil }
                leading = blocks..<at
                lastHeader = [frame[at] & 0xFE, frame[at + 1], frame[at + 2]]
                lastContent = at + 3..<end
                break
            }
            at = end
        }
        window = windowDescriptor
    }

    /// What stands before the payload's blocks: frame header and `head` as raw blocks.
    func opening(_ head: [UInt8]) -> [UInt8] {
        Self.magic + [0x00, window] + Self.raw(head, isLast: false)
    }

    /// What stands after them: `tail` as the last raw block.
    func closing(_ tail: [UInt8]) -> [UInt8] { Self.raw(tail, isLast: true) }

    /// The smallest window descriptor of section 3.1.1.1.2 that covers `size` bytes.
    private static func descriptor(covering size: UInt64) -> UInt8 {
        for exponent in 0..<32 {
            let base = UInt64(1) << UInt64(10 + exponent)
            for mantissa in 0..<8 where base + base / 8 * UInt64(mantissa) >= size {
                return UInt8(exponent << 3 | mantissa)
            }
        }
        return 0xFF
    }

    /// `bytes` as raw blocks. A block may not be larger than the window, nor than 128 KiB; head and
    /// tail are small, and 1 KiB fits every window.
    private static func raw(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var blocks: [UInt8] = []
        var start = 0
        repeat {
            let end = min(start + 1024, bytes.count)
            let header = UInt32(end - start) << 3 | (isLast && end == bytes.count ? 1 : 0)
            blocks.append(UInt8(header & 0xFF))
            blocks.append(UInt8(header >> 8 & 0xFF))
            blocks.append(UInt8(header >> 16 & 0xFF))
            blocks += bytes[start..<end]
            start = end
        } while start < bytes.count
        return blocks
    }
}
