internal import Glibc

/// An open file descriptor, closed with its owner.
struct Descriptor: ~Copyable {
    let number: Int32

    /// Takes over `number`; `nil` when it is negative, as failed calls return it.
    init?(_ number: Int32) {
        guard number >= 0 else { return nil }
        self.number = number
    }

    deinit { close(number) }
}

/// The text of an error number, such as `No such file or directory`.
func errorText(_ number: Int32 = errno) -> String {
    // glibc's strerror may be called from any thread since 2.32.
    unsafe String(cString: strerror(number))
}

/// A reused piece of memory to read into.
struct ReadBuffer {
    private(set) var bytes: [UInt8]

    init(capacity: Int) { bytes = [UInt8](repeating: 0, count: capacity) }

    /// Fills the front of the buffer.
    /// - Returns: How many bytes; 0 at the end of the file, -1 with `errno` set.
    mutating func fill(from descriptor: Int32) -> Int {
        while true {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe read(descriptor, buffer.baseAddress, buffer.count)
            }
            if got >= 0 || errno != EINTR { return got }
        }
    }
}

/// Writes all of `bytes`.
/// - Returns: Whether it succeeded; otherwise `errno` says why not.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
    unsafe bytes.withUnsafeBytes { buffer in
        var rest = unsafe buffer[...]
        while unsafe !rest.isEmpty {
            let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
            let wrote = unsafe write(descriptor, piece.baseAddress, piece.count)
            if wrote < 0 {
                if errno == EINTR { continue }
                return false
            }
            unsafe rest = rest.dropFirst(wrote)
        }
        return true
    }
}
