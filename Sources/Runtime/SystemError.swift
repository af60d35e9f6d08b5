internal import CLinux

/// A system call that failed, in words for people.
package struct SystemError: Error, Hashable, CustomStringConvertible {
    /// What was tried, such as `bind 127.0.0.1:8080`.
    package var action: String
    /// `errno` after it.
    package var code: Int32

    package init(_ action: String, code: Int32) {
        self.action = action
        self.code = code
    }

    /// The failure of what was just tried: takes `errno`.
    package static func last(_ action: String) -> SystemError {
        SystemError(action, code: freshet_errno())
    }

    /// The system's words for the code.
    package var reason: String {
        var buffer = [CChar](repeating: 0, count: 256)
        unsafe buffer.withUnsafeMutableBufferPointer { buffer in
            unsafe freshet_error_text(code, buffer.baseAddress, buffer.count)
        }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    package var description: String { "\(action): \(reason)" }

    /// Whether the address is taken.
    package var isAddressInUse: Bool { code == EADDRINUSE }
}
