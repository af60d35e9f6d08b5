internal import CSpawn
internal import Codecs
internal import FreshetModel
internal import Glibc

/// The `csv` source: the records of a file, local or by URL, as JSON objects.
struct CSVRefreshSource: RefreshSource {
    private enum Place {
        case file(Template)
        case url(HTTPRequestTemplate)
    }

    private let place: Place
    private let delimiter: UInt8
    private let types: CSVSource.Types

    init(_ definition: CSVSource, declared: [ParameterRule]) throws(SourceError) {
        guard let delimiter = definition.delimiter.asciiValue,
            delimiter != UInt8(ascii: "\""), delimiter != 0x0A, delimiter != 0x0D, delimiter != 0
        else { throw .permanent("the delimiter is not one byte") }
        self.delimiter = delimiter
        types = definition.types
        switch (definition.file, definition.url) {
        case (let file?, nil):
            guard !file.isEmpty else { throw .permanent("file is empty") }
            place = .file(try Template(file, declared: declared))
        case (nil, let url?):
            var http = HTTPSource(url: url)
            // The resource's own timeout bounds it, and the parser its output.
            http.timeout = .seconds(86_400)
            http.maximumBytes = CSVParser.maximumOutputBytes
            place = .url(try HTTPRequestTemplate(http, declared: declared))
        default: throw .permanent("csv needs either file or url")
        }
    }

    func run(_ context: SourceContext) async throws(SourceError) -> SourceOutcome {
        let source = self
        switch place {
        case .file(let template):
            let path = try PathTemplate.expand(template, context.key)
            return try await BlockingThread.run("csv", onCancel: .abandon) {
                cancellation throws(SourceError) in
                try source.read(path, context, cancellation)
            }
        case .url(let template):
            let fingerprint = try template.fingerprint(context.key, form)
            let validators = context.previous.map {
                Validators($0.metadata.facts, fingerprint: fingerprint)
            }
            let request = try template.request(
                for: context.key, validators: validators, traceparent: context.traceparent)
            return try await BlockingThread.run("csv", onCancel: .abandon) {
                cancellation throws(SourceError) in
                try source.fetch(request, fingerprint, context.report, cancellation)
            }
        }
    }

    /// What besides the place decides the payload.
    private var form: String { "csv \(delimiter) \(types.rawValue)" }

    // MARK: file

    private func read(
        _ path: String, _ context: SourceContext, _ cancellation: Cancellation
    ) throws(SourceError) -> SourceOutcome {
        // O_NONBLOCK: opening a FIFO must not wait for a writer.
        let flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
        guard let file = unsafe Descriptor(open(path, flags)) else {
            throw SourceError("\(path): \(errorText())")
        }
        var before = freshet_file()
        guard unsafe freshet_file_of(file.number, &before) == 0, before.is_regular != 0 else {
            throw SourceError("\(path): not a regular file")
        }
        let fingerprint = Hexadecimal.encode(Array(SHA256.hash(path + "\n" + form).prefix(6)))
        let state = Self.state(before)
        if let facts = context.previous?.metadata.facts,
            Validators(facts, fingerprint: fingerprint).etag == state
        {
            return .notModified
        }
        FileReading.waitPast(before.modified_ms)
        var parser = CSVParser(delimiter: delimiter, types: types)
        var pace = ProgressPace { if !cancellation.isCancelled { context.report($0) } }
        var buffer = ReadBuffer(capacity: 256 << 10)
        var done = 0
        while true {
            try cancellation.check()
            let count = buffer.fill(from: file.number)
            if count == 0 { break }
            guard count > 0 else { throw SourceError("\(path): \(errorText())") }
            try parser.take(buffer.bytes.span.extracting(0..<count))
            done += count
            pace.tell { Progress(done: Double(done), total: Double(max(done, Int(before.size)))) }
        }
        try parser.finish()
        var after = freshet_file()
        guard unsafe freshet_file_of(file.number, &after) == 0, Self.state(after) == state else {
            throw SourceError("\(path): it changed while it was read")
        }
        var payload = try Payload.checked(parser.json, contentType: "application/json")
        payload.facts.sourceETag = Validators.keep(state, fingerprint: fingerprint)
        return .payload(payload)
    }

    /// Changes whenever the file does.
    private static func state(_ file: freshet_file) -> String {
        "\(file.size)-\(file.modified_ms)-\(file.inode)"
    }

    // MARK: URL

    private func fetch(
        _ request: HTTPRequest, _ fingerprint: String,
        _ report: @escaping @Sendable (Progress) -> Void, _ cancellation: Cancellation
    ) throws(SourceError) -> SourceOutcome {
        var parser = CSVParser(delimiter: delimiter, types: types)
        var pace = ProgressPace { if !cancellation.isCancelled { report($0) } }
        let response = try HTTPFetch.run(request, cancellation) { done, total in
            pace.tell { Progress(done: Double(done), total: total.map(Double.init)) }
        } sink: { piece throws(SourceError) in
            try parser.take(piece)
        }
        guard response.status != 304 else { return .notModified }
        guard response.status != 206 else {
            throw SourceError("HTTP 206, only a part, from \(request.url.origin)")
        }
        try parser.finish()
        var payload = try Payload.checked(parser.json, contentType: "application/json")
        payload.facts.sourceETag = Validators.keep(response.etag, fingerprint: fingerprint)
        payload.facts.sourceLastModified = Validators.keep(
            response.lastModified, fingerprint: fingerprint)
        return .payload(payload)
    }
}
