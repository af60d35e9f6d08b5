internal import Glibc

/// Ports of 127.0.0.1 that nothing listens on.
package enum LoopbackPort {
    /// A port that was free a moment ago; the kernel does not hand it out again soon.
    package static func free() throws -> Int {
        try free(count: 1)[0]
    }

    /// Several different ones.
    package static func free(count: Int) throws -> [Int] {
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        var ports: [Int] = []
        for _ in 0..<count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw SystemFailure("socket") }
            descriptors.append(descriptor)
            ports.append(try bindAnywhere(descriptor))
        }
        return ports
    }

    static func bindAnywhere(_ descriptor: Int32) throws -> Int {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe bind(descriptor, generic, size) == 0
                    && getsockname(descriptor, generic, &size) == 0
            }
        }
        guard status else { throw SystemFailure("bind") }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

/// A failed system call, with its reason.
package struct SystemFailure: Error, CustomStringConvertible {
    package let call: String
    package let number: Int32

    package init(_ call: String, number: Int32 = errno) {
        self.call = call
        self.number = number
    }

    package var description: String { unsafe "\(call): \(String(cString: strerror(number)))" }
}
