internal import CLinux

/// One of the process' standard streams for output.
package enum StandardStream: Int32, Sendable {
    case output = 1
    case error = 2

    /// Writes all of `bytes`, waiting for a slow reader.
    ///
    /// - Returns: `false` when nobody reads any more.
    @discardableResult
    package func write(_ bytes: some Collection<UInt8>) -> Bool {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe CLinux.write(rawValue, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if freshet_errno() == EAGAIN {
                var waiting = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&waiting, 1, -1)
            } else if freshet_errno() != EINTR {
                return false
            }
        }
        return true
    }

    /// Writes `text` as UTF-8.
    @discardableResult
    package func write(_ text: String) -> Bool { write(Array(text.utf8)) }

    /// Whether it is a terminal and not a pipe or a file.
    package var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Columns and rows of the terminal; `nil` when it is none.
    package var terminalSize: (columns: Int, rows: Int)? {
        var columns: Int32 = 0
        var rows: Int32 = 0
        guard unsafe freshet_terminal_size(rawValue, &columns, &rows) == 1, columns > 0, rows > 0
        else { return nil }
        return (Int(columns), Int(rows))
    }
}

/// Keys pressed in the terminal, one by one and unechoed, until it is ended.
///
/// Ctrl-C still sends SIGINT. Belongs to the loop's thread.
@safe
package final class TerminalKeys {
    private let loop: EventLoop
    private var saved = termios()

    /// Calls `onKeys` with the bytes that came; an arrow is three of them.
    ///
    /// - Returns: `nil` when standard input is not a terminal.
    package init?(on loop: EventLoop, onKeys: @escaping ([UInt8]) -> Void) {
        self.loop = loop
        guard unsafe freshet_terminal_raw(0, &saved) == 0 else { return nil }
        loop.add(0, [.read]) { [unowned self] _ in
            var buffer = [UInt8](repeating: 0, count: 64)
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe CLinux.read(0, bytes.baseAddress, bytes.count)
            }
            if count > 0 {
                onKeys(Array(buffer[0..<count]))
            } else {
                // The terminal is gone; its end would be reported for ever.
                self.loop.remove(0)
                onKeys([UInt8(ascii: "q")])
            }
        }
    }

    /// Puts the terminal back as it was.
    package func end() {
        loop.remove(0)
        _ = unsafe tcsetattr(0, TCSANOW, &saved)
    }
}
