internal import CSpawn
internal import Glibc
import Synchronization

/// A file for a command to read, gone with its owner.
struct TemporaryFile: ~Copyable {
    let path: String

    /// Writes `bytes` to a new file that only this user may read.
    init(_ bytes: [UInt8]) throws(SourceError) {
        let folder = environmentValue("TMPDIR") ?? "/tmp"
        Self.sweepOnce(folder)
        var template = Array("\(folder)/freshet-previous-\(getpid())-XXXXXX".utf8CString)
        guard let file = unsafe Descriptor(freshet_temporary_file(&template)) else {
            throw SourceError("no temporary file for the kept payload: \(errorText())")
        }
        let name = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard writeAll(bytes, to: file.number) else {
            let reason = errorText()
            unsafe unlink(name)
            throw SourceError("no temporary file for the kept payload: \(reason)")
        }
        path = name
    }

    deinit { unsafe unlink(path) }

    private static let isSwept = Atomic(false)

    /// Removes what processes that were killed left behind, once per process. A day is longer than
    /// any run, and the number of a process may be that of another in a container next door.
    private static func sweepOnce(_ folder: String) {
        guard !isSwept.exchange(true, ordering: .relaxed) else { return }
        guard let directory = unsafe opendir(folder) else { return }
        defer { unsafe closedir(directory) }
        let now = freshet_file_clock_milliseconds()
        while let item = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: item.pointee.d_name) { buffer in
                unsafe String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard name.hasPrefix("freshet-previous-") else { continue }
            let path = "\(folder)/\(name)"
            var file = freshet_file()
            guard unsafe freshet_file_at(AT_FDCWD, path, &file) == 0, file.owner == geteuid(),
                now - file.modified_ms > 86_400_000
            else { continue }
            unsafe unlink(path)
        }
    }
}

/// A variable of this process' environment.
func environmentValue(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
}
