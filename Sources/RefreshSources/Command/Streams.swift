internal import Glibc

/// The reading ends of a command's pipes: standard output, standard error, progress.
struct Streams: ~Copyable {
    /// -1 once closed.
    var readers: [Int32] = [-1, -1, -1]

    init() {}

    deinit { for reader in readers where reader >= 0 { close(reader) } }

    /// Reads once from stream `index` and hands on what came.
    mutating func read(
        _ index: Int, _ buffer: inout ReadBuffer, _ take: (ArraySlice<UInt8>, Int) -> Void
    ) {
        guard readers[index] >= 0 else { return }
        let count = buffer.fill(from: readers[index])
        if count > 0 {
            take(buffer.bytes[..<count], index)
        } else if count == 0 || errno != EAGAIN {
            closeReader(index)
        }
    }

    /// Reads what stands in the pipes, at most `limit` bytes of each: others may still write.
    mutating func drain(atMost limit: Int, _ take: (ArraySlice<UInt8>, Int) -> Void) {
        var buffer = ReadBuffer(capacity: 64 << 10)
        for index in readers.indices where readers[index] >= 0 {
            var total = 0
            while total < limit {
                let count = buffer.fill(from: readers[index])
                guard count > 0 else { break }
                total += count
                take(buffer.bytes[..<count], index)
            }
        }
    }

    /// Closes standard output when too much came, so that the program is stopped by its next write.
    mutating func closeOutput(ifOverflown isOverflown: Bool) {
        if isOverflown { closeReader(0) }
    }

    private mutating func closeReader(_ index: Int) {
        guard readers[index] >= 0 else { return }
        close(readers[index])
        readers[index] = -1
    }
}

/// The last 4 KiB of standard error, where programs say what went wrong.
struct ErrorTail {
    static let length = 4096

    private var bytes: [UInt8] = []

    mutating func take(_ piece: ArraySlice<UInt8>) {
        bytes.append(contentsOf: piece.suffix(Self.length))
        if bytes.count > Self.length { bytes.removeFirst(bytes.count - Self.length) }
    }

    /// As text, without white space around it. A character cut at the front is left out.
    var text: String {
        let whole = bytes.drop { bytes.count == Self.length && $0 & 0xC0 == 0x80 }
        let isSpace: (UInt8) -> Bool = { $0 <= 0x20 }
        let front = whole.drop(while: isSpace)
        guard let last = front.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(decoding: front[...last], as: UTF8.self)
    }
}

/// Calls `body` with a null-terminated array of C strings.
func withCStrings<Value>(
    _ texts: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>?) -> Value
) -> Value {
    var pointers = unsafe texts.map { unsafe strdup($0) }
    unsafe pointers.append(nil)
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
}

/// Calls `body` with a C string, or a null pointer.
func withOptionalCString<Value>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Value
) -> Value {
    guard let text else { return body(nil) }
    return unsafe text.withCString { unsafe body($0) }
}
