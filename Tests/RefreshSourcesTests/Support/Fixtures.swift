import Codecs
import FreshetModel
import Glibc
import RefreshSources
import Synchronization
import Testing

/// A resource named `test` with free-form parameters.
func resource(_ parameters: [String] = []) throws -> Resource {
    var resource = Resource(name: try #require(ResourceName("test")))
    resource.parameters = parameters.sorted().map { ParameterRule(name: $0, pattern: ".*") }
    return resource
}

/// A source of `definition` whose resource declares `parameters`.
func source(
    _ definition: SourceDefinition, parameters: [String] = []
) throws -> any RefreshSource {
    try SourceFactory.make(definition, for: resource(parameters))
}

/// A context for one run.
func context(
    _ values: [String: String] = [:], attempt: Int = 1, scope: RefreshScope = .all,
    previous: PreviousPayload? = nil, report: @escaping @Sendable (Progress) -> Void = { _ in }
) throws -> SourceContext {
    let name = try #require(ResourceName("test"))
    let parameters = values.map { Key.Parameter(name: $0.key, value: $0.value) }
    let key = try #require(Key(resource: name, parameters: parameters))
    return SourceContext(
        key: key, jobID: "1-test", attempt: attempt, scope: scope, previous: previous,
        report: report)
}

/// What a payload becomes when it is kept.
func kept(_ payload: Payload, refreshedAt: Timestamp? = nil) -> PreviousPayload {
    let now = refreshedAt ?? Timestamp(milliseconds: Int64(time(nil)) * 1000)
    let bytes = payload.bytes
    return PreviousPayload(
        metadata: PayloadMetadata(
            version: 1, contentType: payload.contentType, encoding: .identity,
            storedBytes: bytes.count, facts: payload.facts, refreshedAt: now, modifiedAt: now,
            freshUntil: nil, keptUntil: nil)
    ) { bytes }
}

extension SourceOutcome {
    /// The payload; fails the test when there is none.
    func payload() throws -> Payload {
        guard case .payload(let payload) = self else {
            throw SourceError("not modified where a payload was due")
        }
        return payload
    }

    var isNotModified: Bool { if case .notModified = self { true } else { false } }
}

extension Payload {
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// Runs `source` and returns its error; fails the test when it has none.
func failure(_ source: any RefreshSource, _ context: SourceContext) async throws -> SourceError {
    do throws(SourceError) {
        _ = try await source.run(context)
    } catch {
        return error
    }
    throw SourceError("a source succeeded that was to fail")
}

/// Collects what is reported, from any thread.
final class Recorder<Value: Sendable>: Sendable {
    private let state = Mutex<[Value]>([])
    var values: [Value] { state.withLock { $0 } }
    func add(_ value: Value) { state.withLock { $0.append(value) } }
}

/// A new directory, removed with everything in it at the end.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = "/tmp/freshet-test-" + Hexadecimal.encode(RandomBytes.make(8))
        unsafe try #require(mkdir(path, 0o755) == 0)
    }

    deinit { Self.remove(path) }

    /// Writes a file, making the directories above it.
    func write(_ name: String, _ text: String, modifiedAt: Int? = nil) throws {
        let parts = name.split(separator: "/")
        var above = path
        for part in parts.dropLast() {
            above += "/\(part)"
            unsafe mkdir(above, 0o755)
        }
        let file = unsafe open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        try #require(file >= 0)
        let bytes = Array(text.utf8)
        #expect(unsafe Glibc.write(file, bytes, bytes.count) == bytes.count)
        close(file)
        if let modifiedAt { try touch(name, modifiedAt) }
    }

    /// Sets the modification time, in seconds since 1970.
    func touch(_ name: String, _ seconds: Int) throws {
        let moment = timespec(tv_sec: seconds, tv_nsec: 0)
        let times = [moment, moment]
        try #require(unsafe utimensat(AT_FDCWD, "\(path)/\(name)", times, 0) == 0)
    }

    func read(_ name: String) -> String? {
        guard let file = unsafe fopen("\(path)/\(name)", "r") else { return nil }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = unsafe fgetc(file), byte >= 0 { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func remove(_ path: String) {
        if let directory = unsafe opendir(path) {
            while let item = unsafe readdir(directory) {
                let name = unsafe withUnsafeBytes(of: item.pointee.d_name) { buffer in
                    unsafe String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
                }
                guard name != ".", name != ".." else { continue }
                if unsafe item.pointee.d_type == DT_DIR {
                    remove("\(path)/\(name)")
                } else {
                    unsafe unlink("\(path)/\(name)")
                }
            }
            unsafe closedir(directory)
        }
        unsafe rmdir(path)
    }
}

/// Waits until `condition` holds, at most `seconds`; looks 100 times a second.
func eventually(
    _ seconds: Double = 10, _ condition: () throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return try condition()
}

/// The shortest time that `body` took until its own clock stopped. On a busy machine a test waits
/// for its turn, so one good run of several is what shows that a thing is prompt.
func shortest(
    of runs: Int = 5, below bound: Duration, _ body: () async throws -> Duration
) async throws -> Bool {
    for _ in 0..<runs where try await body() < bound { return true }
    return false
}

/// Whether a process with this number exists and has not ended.
func isRunning(_ id: Int32) -> Bool {
    guard let file = unsafe fopen("/proc/\(id)/stat", "r") else { return false }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    while case let byte = unsafe fgetc(file), byte >= 0 { bytes.append(UInt8(byte)) }
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return false }
    return !bytes[end...].starts(with: Array(") Z".utf8))
}
