internal import CHiredis

/// hiredis' protocol parser, building `RedisValue`s as it goes.
///
/// Only the parser of hiredis is used. Its connections copy what is sent twice and, in 0.14, move all
/// of what is left after each partial write (1.3 s of CPU for an 81 MB SET on a unix socket), have no
/// reply for PING on a subscribed connection, and cannot say which commands were written when the
/// socket broke.
@safe
final class ReplyReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private let sink: UnsafeMutablePointer<freshet_reply_sink>
    private let builder: ReplyBuilder

    init() {
        builder = ReplyBuilder()
        unsafe sink = .allocate(capacity: 1)
        unsafe sink.initialize(to: ReplyReader.sink(for: builder))
        guard let created = unsafe freshet_reader_create(sink) else {
            preconditionFailure("no memory for a reply parser")
        }
        unsafe reader = created
    }

    deinit {
        unsafe redisReaderFree(reader)
        unsafe sink.deallocate()
    }

    /// Takes bytes from the socket; false when what came before was not the protocol.
    func feed(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe redisReaderFeed(
            reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
            == REDIS_OK
    }

    enum Step {
        case value(RedisValue)
        case needsMore
        case broken(String)
    }

    /// The next complete reply.
    func next() -> Step {
        switch unsafe freshet_reader_next(reader) {
        case 1:
            guard let value = builder.take() else { return .needsMore }
            return .value(value)
        case 0: return .needsMore
        default:
            let reason = unsafe withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            return .broken(reason)
        }
    }

    /// Whether the parser holds on to much memory although nothing is left to parse: it keeps its
    /// buffer at the size of the largest reply until the next bytes come.
    var isBloated: Bool {
        unsafe reader.pointee.pos == reader.pointee.len && builder.largest > 1 << 20
    }

    private static func sink(for builder: ReplyBuilder) -> freshet_reply_sink {
        var sink = unsafe freshet_reply_sink()
        // The reader outlives the builder by nothing: both belong to one `ReplyReader`.
        unsafe sink.context = Unmanaged.passUnretained(builder).toOpaque()
        unsafe sink.string = { context, type, bytes, length in
            guard let builder = unsafe ReplyBuilder.from(context) else { return }
            let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: length)
            switch type {
            case REDIS_REPLY_STATUS:
                builder.add(.status(unsafe String(decoding: buffer, as: UTF8.self)))
            case REDIS_REPLY_ERROR:
                builder.add(.error(unsafe String(decoding: buffer, as: UTF8.self)))
            default: builder.add(.string(unsafe Array(buffer)))
            }
        }
        unsafe sink.array = { context, count in
            unsafe ReplyBuilder.from(context)?.begin(count: count)
        }
        unsafe sink.integer = { context, value in
            unsafe ReplyBuilder.from(context)?.add(.integer(value))
        }
        unsafe sink.null = { context in unsafe ReplyBuilder.from(context)?.add(.null) }
        unsafe sink.reset = { context in unsafe ReplyBuilder.from(context)?.reset() }
        return unsafe sink
    }
}

/// Puts the values of a reply together, depth first.
private final class ReplyBuilder {
    private struct Frame {
        var values: [RedisValue] = []
        var missing: Int
    }

    private var frames: [Frame] = []
    private var root: RedisValue?
    /// Bytes of the largest string so far.
    private(set) var largest = 0

    static func from(_ context: UnsafeMutableRawPointer?) -> ReplyBuilder? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<ReplyBuilder>.fromOpaque(context).takeUnretainedValue()
    }

    func begin(count: Int) {
        guard count > 0 else { return add(.array([])) }
        var frame = Frame(missing: count)
        // The count comes from the wire: trust it for a first guess only.
        frame.values.reserveCapacity(min(count, 1024))
        frames.append(frame)
    }

    func add(_ value: RedisValue) {
        if case .string(let bytes) = value { largest = max(largest, bytes.count) }
        var value = value
        while !frames.isEmpty {
            let top = frames.count - 1
            frames[top].values.append(value)
            frames[top].missing -= 1
            guard frames[top].missing == 0 else { return }
            value = .array(frames.removeLast().values)
        }
        root = value
    }

    func take() -> RedisValue? {
        defer { root = nil }
        return root
    }

    func reset() {
        frames.removeAll()
        root = nil
    }
}
