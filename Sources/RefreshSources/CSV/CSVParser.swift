internal import Codecs
internal import FreshetModel

/// Turns CSV, RFC 4180, into a JSON array of objects while it comes in; the first row names the
/// fields.
///
/// Records end with CRLF, LF or CR; a field in quotes may hold any of them, and a quote as two.
/// Lines without any character are passed over. Only the record under way is held besides the
/// output.
struct CSVParser {
    /// More columns are taken for a file that is no CSV.
    static let maximumColumns = 10_000
    /// Bytes of one record: a quote that is never closed must not take the whole file along.
    static let maximumRecordBytes = 16 << 20
    /// Bytes of the payload; Redis takes strings up to this length.
    static let maximumOutputBytes = 512 << 20

    private enum State {
        /// At the beginning of a field.
        case start
        /// In a field without quotes.
        case plain
        /// Between quotes.
        case quoted
        /// After a quote between quotes: the end, or the first of two.
        case quote
    }

    private let delimiter: UInt8
    private let types: CSVSource.Types
    private(set) var json: [UInt8] = []
    /// Records written.
    private(set) var count = 0

    private var state = State.start
    private var record: [UInt8] = []
    private var ends: [Int] = []
    private var line = 1
    private var recordLine = 1
    private var isAfterCarriageReturn = false
    private var head: [UInt8] = []
    private var isBegun = false
    /// `"name":` for each column, the later ones with a comma before.
    private var names: [[UInt8]] = []

    init(delimiter: UInt8, types: CSVSource.Types) {
        self.delimiter = delimiter
        self.types = types
        json.append(UInt8(ascii: "["))
    }

    // MARK: input

    /// Takes the next bytes; records may be cut anywhere.
    mutating func take(_ bytes: Span<UInt8>) throws(SourceError) {
        guard isBegun else { return try begin(bytes) }
        var at = 0
        while at < bytes.count {
            switch state {
            case .start: try takeStart(bytes, &at)
            case .plain: try takePlain(bytes, &at)
            case .quoted: try takeQuoted(bytes, &at)
            case .quote: try takeQuote(bytes, &at)
            }
        }
    }

    /// Ends the text; `json` is then complete.
    mutating func finish() throws(SourceError) {
        if !isBegun {
            isBegun = true
            let text = head
            try take(text.span)
        }
        guard state != .quoted else { throw failure("a quote is never closed", recordLine) }
        if state != .start || !ends.isEmpty {
            endField()
            try endRecord()
        }
        guard !names.isEmpty else { throw SourceError("the CSV has no row that names the fields") }
        json.append(UInt8(ascii: "]"))
    }

    /// Holds the first bytes back until a byte order mark can be told.
    private mutating func begin(_ bytes: Span<UInt8>) throws(SourceError) {
        JSONText.append(bytes, to: &head)
        guard head.count >= 3 else { return }
        guard !head.starts(with: [0xFF, 0xFE]), !head.starts(with: [0xFE, 0xFF]) else {
            throw failure("the CSV is UTF-16, not UTF-8", 1)
        }
        isBegun = true
        let text = head
        head = []
        let mark = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        try take(text.span.extracting(mark..<text.count))
    }

    private mutating func takeStart(_ bytes: Span<UInt8>, _ at: inout Int) throws(SourceError) {
        let byte = bytes[at]
        if byte == UInt8(ascii: "\n"), isAfterCarriageReturn {
            isAfterCarriageReturn = false
            at += 1
        } else if byte == UInt8(ascii: "\""), fieldStart == record.count {
            isAfterCarriageReturn = false
            state = .quoted
            at += 1
        } else {
            isAfterCarriageReturn = false
            state = .plain
        }
    }

    private mutating func takePlain(_ bytes: Span<UInt8>, _ at: inout Int) throws(SourceError) {
        var end = at
        while end < bytes.count {
            let byte = bytes[end]
            if byte == delimiter || byte == 0x0A || byte == 0x0D { break }
            end += 1
        }
        try append(bytes, at, end)
        at = end
        guard end < bytes.count else { return }
        at += 1
        try endField(bytes[end])
    }

    private mutating func takeQuoted(_ bytes: Span<UInt8>, _ at: inout Int) throws(SourceError) {
        var end = at
        while end < bytes.count, bytes[end] != UInt8(ascii: "\"") {
            if bytes[end] == 0x0A { line += 1 }
            end += 1
        }
        try append(bytes, at, end)
        at = end
        guard end < bytes.count else { return }
        at += 1
        state = .quote
    }

    private mutating func takeQuote(_ bytes: Span<UInt8>, _ at: inout Int) throws(SourceError) {
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""):
            record.append(byte)
            state = .quoted
        case delimiter, 0x0A, 0x0D: try endField(byte)
        default: throw failure("something follows a closing quote", line)
        }
    }

    private mutating func append(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int
    ) throws(SourceError) {
        guard record.count + end - start <= Self.maximumRecordBytes else {
            throw failure("a record of more than \(Self.maximumRecordBytes) bytes", recordLine)
        }
        JSONText.append(bytes.extracting(start..<end), to: &record)
    }

    // MARK: fields and records

    private var fieldStart: Int { ends.last ?? 0 }

    private mutating func endField(_ terminator: UInt8) throws(SourceError) {
        endField()
        guard ends.count <= Self.maximumColumns else {
            throw failure("more than \(Self.maximumColumns) columns", line)
        }
        guard terminator != delimiter else { return }
        try endRecord()
        isAfterCarriageReturn = terminator == 0x0D
        line += 1
        recordLine = line
    }

    private mutating func endField() {
        // A field in quotes and an empty line differ by this state.
        if ends.isEmpty, record.isEmpty, state == .quote { isQuotedAlone = true }
        ends.append(record.count)
        state = .start
    }

    /// The record is one empty field in quotes, not an empty line.
    private var isQuotedAlone = false

    private mutating func endRecord() throws(SourceError) {
        defer {
            record.removeAll(keepingCapacity: true)
            ends.removeAll(keepingCapacity: true)
            isQuotedAlone = false
        }
        if ends.count == 1, record.isEmpty, !isQuotedAlone { return }
        guard !names.isEmpty else { return try takeNames() }
        guard ends.count == names.count else {
            throw failure("\(ends.count) fields where \(names.count) are named", recordLine)
        }
        json.append(contentsOf: count == 0 ? "{".utf8 : ",{".utf8)
        try appendFields(record, ends)
        json.append(UInt8(ascii: "}"))
        count += 1
        guard json.count <= Self.maximumOutputBytes else {
            throw .permanent("the CSV makes a payload of more than 512 MiB")
        }
    }

    private mutating func appendFields(
        _ record: [UInt8], _ ends: [Int]
    ) throws(SourceError) {
        var start = 0
        for (index, end) in ends.enumerated() {
            json.append(contentsOf: names[index])
            guard Self.append(record.span.extracting(start..<end), types, to: &json) else {
                throw failure("bytes that are not UTF-8", recordLine)
            }
            start = end
        }
    }

    private mutating func takeNames() throws(SourceError) {
        var start = 0
        var known: Set<[UInt8]> = []
        for end in ends {
            let name = Array(record[start..<end])
            guard known.insert(name).inserted else {
                throw failure(
                    "two fields are named \(String(decoding: name, as: UTF8.self))", recordLine)
            }
            var prefix: [UInt8] = names.isEmpty ? [] : [UInt8(ascii: ",")]
            guard JSONText.append(checking: name.span, to: &prefix) else {
                throw failure("bytes that are not UTF-8", recordLine)
            }
            names.append(prefix + [UInt8(ascii: ":")])
            start = end
        }
    }

    /// Appends a field as its JSON value.
    /// - Returns: Whether it is UTF-8.
    private static func append(
        _ field: Span<UInt8>, _ types: CSVSource.Types, to json: inout [UInt8]
    ) -> Bool {
        if types == .infer {
            guard !field.isEmpty else {
                JSONText.appendNull(to: &json)
                return true
            }
            if isLiteral(field) {
                JSONText.append(field, to: &json)
                return true
            }
        }
        return JSONText.append(checking: field, to: &json)
    }

    /// Whether a field is a JSON number, `true` or `false`.
    private static func isLiteral(_ field: Span<UInt8>) -> Bool {
        switch field[0] {
        case UInt8(ascii: "-"), 0x30...0x39: JSONScanner.isNumber(field)
        case UInt8(ascii: "t"): isWord(field, "true")
        case UInt8(ascii: "f"): isWord(field, "false")
        default: false
        }
    }

    private static func isWord(_ field: Span<UInt8>, _ word: String) -> Bool {
        guard field.count == word.utf8.count else { return false }
        for (index, byte) in word.utf8.enumerated() where field[index] != byte { return false }
        return true
    }

    private func failure(_ what: String, _ line: Int) -> SourceError {
        SourceError("line \(line): \(what)")
    }
}
