internal import FoundationEssentials
internal import Runtime

/// The data directory of `freshet up`.
///
///     DIR/lock         held while a stack uses the directory
///     DIR/stack.json   what operators' commands need to find the running stack
///     DIR/redis/       the own Redis: append-only file and socket
struct StackDirectory {
    static let defaultPath = ".freshet"

    /// What a running stack tells operators' commands that are called beside it.
    struct Note: Codable, Equatable {
        var config: String
        /// Only its own Redis is named: another one's URL may hold a password.
        var redisURL: String?
        var url: String

        enum CodingKeys: String, CodingKey {
            case config
            case redisURL = "redis_url"
            case url
        }
    }

    /// Absolute.
    let path: String

    init(_ path: String) {
        let base = FileManager.default.currentDirectoryPath
        self.path = path.hasPrefix("/") ? path : base + "/" + path
    }

    var redis: String { path + "/redis" }
    private var notePath: String { path + "/stack.json" }

    /// Makes the directory when it is not there, and takes it for this process.
    ///
    /// A stack that was just killed may hold it for the moment its Redis needs to end, so a short
    /// wait comes before the error.
    func take() throws(StackError) -> LockFile {
        do {
            try FileManager.default.createDirectory(
                atPath: redis, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw StackError(
                .failed, "cannot make the data directory \(path): \(Self.words(error))")
        }
        guard FileManager.default.isWritableFile(atPath: redis) else {
            throw StackError(.failed, "cannot write to the data directory \(redis)")
        }
        let note = "\(ProcessInfo.processInfo.processIdentifier)\n"
        do throws(SystemError) {
            let lock = try LockFile(path: path + "/lock", note: note, patience: .seconds(5))
            if let lock { return lock }
        } catch {
            throw StackError(.failed, error.description)
        }
        throw StackError(
            .failed, "another `freshet up`\(holder()) uses \(path); end it or choose another --data"
        )
    }

    func write(_ note: Note) throws(StackError) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try encoder.encode(note).write(to: URL(filePath: notePath), options: .atomic)
        } catch {
            throw StackError(.failed, "cannot write \(notePath): \(Self.words(error))")
        }
    }

    /// Forgets the note; a stack that is gone must not be found.
    func removeNote() {
        // It may be gone already, and nothing could be done about it here.
        _ = try? FileManager.default.removeItem(atPath: notePath)
    }

    /// The note of the stack that runs here; `nil` when none does.
    func note() -> Note? {
        guard let data = FileManager.default.contents(atPath: notePath) else { return nil }
        return try? JSONDecoder().decode(Note.self, from: data)
    }

    private func holder() -> String {
        guard let data = FileManager.default.contents(atPath: path + "/lock") else { return "" }
        let number = String(decoding: data, as: UTF8.self).filter(\.isNumber)
        return number.isEmpty ? "" : " (process \(number))"
    }

    private static func words(_ error: any Error) -> String {
        guard let error = error as? CocoaError else { return "\(error)" }
        switch error.code {
        case .fileWriteNoPermission: return "permission denied"
        case .fileWriteFileExists: return "a file of that name is in the way"
        case .fileWriteVolumeReadOnly: return "the file system is read-only"
        case .fileWriteOutOfSpace: return "no space left"
        default:
            if let system = error.underlying as? POSIXError { return "\(system.code)" }
            return "\(error)"
        }
    }
}
