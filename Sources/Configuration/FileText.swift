internal import Glibc

/// The bytes of a configuration file.
enum FileText {
    /// Reads `path`, up to one byte more than a configuration may have.
    /// - Throws: Why it cannot be read.
    static func read(_ path: String) throws(ValueError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ValueError("cannot be read: \(reason())") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count <= TreeBuilder.maximumBytes {
            let count = unsafe buffer.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ValueError("cannot be read: \(reason())") }
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return bytes
    }

    private static func reason() -> String {
        let number = errno
        return switch number {
        case ENOENT: "there is no such file"
        case EACCES: "permission denied"
        case EISDIR: "it is a directory"
        default: "error \(number)"
        }
    }
}
