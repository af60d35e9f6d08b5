internal import CLinux

/// A pipe from a child process, read line by line without blocking.
@safe
final class OutputPipe {
    /// A longer line is handed on in pieces of this many bytes.
    private static let maximumLine = 64 << 10

    let readEnd: Int32
    private(set) var writeEnd: Int32
    private var pending: [UInt8] = []

    init() throws(SystemError) {
        var ends: (Int32, Int32) = (-1, -1)
        let result = unsafe withUnsafeMutableBytes(of: &ends) { bytes in
            unsafe freshet_pipe_ends(bytes.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        guard result == 0 else { throw .last("make a pipe") }
        readEnd = ends.0
        writeEnd = ends.1
        _ = freshet_set_nonblocking(readEnd)
    }

    deinit {
        close(readEnd)
        closeWriteEnd()
    }

    func closeWriteEnd() {
        guard writeEnd >= 0 else { return }
        close(writeEnd)
        writeEnd = -1
    }

    /// Reads what is there. `false` once the other end is closed.
    func read(_ line: (String) -> Void) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe CLinux.read(readEnd, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                take(buffer[0..<count], line)
                // A child that never stops printing must not starve the loop.
                if count < buffer.count { return true }
            } else if count == 0 {
                return false
            } else if freshet_errno() != EINTR {
                return freshet_errno() == EAGAIN
            }
        }
    }

    /// Hands on a last line that has no end.
    func flush(_ line: (String) -> Void) {
        guard !pending.isEmpty else { return }
        line(String(decoding: pending, as: UTF8.self))
        pending = []
    }

    private func take(_ bytes: ArraySlice<UInt8>, _ line: (String) -> Void) {
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            pending += rest[rest.startIndex..<end]
            line(String(decoding: pending, as: UTF8.self))
            pending.removeAll(keepingCapacity: true)
            rest = rest[(end + 1)...]
        }
        pending += rest
        if pending.count >= Self.maximumLine { flush(line) }
    }
}
