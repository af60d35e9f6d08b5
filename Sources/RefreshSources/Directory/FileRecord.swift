internal import Codecs
internal import FreshetModel

/// What the payload says about one file.
struct FileRecord: Sendable {
    /// Relative to the root, as the file system has it.
    var path: [UInt8]
    var size: Int
    /// Milliseconds since 1970.
    var modified: Int64
    /// SHA-256, when asked for.
    var hash: [UInt8]?

    /// The first name of the path; `.` for a file in the root itself.
    var collection: ArraySlice<UInt8> {
        guard let slash = path.firstIndex(of: UInt8(ascii: "/")) else { return [UInt8(ascii: ".")] }
        return path[..<slash]
    }

    /// The order of the payload: the bytes of the path.
    static func isBefore(_ left: FileRecord, _ right: FileRecord) -> Bool {
        left.path.lexicographicallyPrecedes(right.path)
    }

    /// Appends `{"path":…,"name":…,"size_bytes":…,"modified_at":…}`, with `sha256` when known.
    func append(to bytes: inout [UInt8]) {
        let name = path.lastIndex(of: UInt8(ascii: "/")).map { path[($0 + 1)...] } ?? path[...]
        bytes.append(contentsOf: "{\"path\":".utf8)
        Self.append(path[...], to: &bytes)
        bytes.append(contentsOf: ",\"name\":".utf8)
        Self.append(name, to: &bytes)
        bytes.append(contentsOf: ",\"size_bytes\":".utf8)
        JSONText.append(size, to: &bytes)
        bytes.append(contentsOf: ",\"modified_at\":".utf8)
        RFC3339.append(modified, to: &bytes)
        if let hash {
            bytes.append(contentsOf: ",\"sha256\":\"".utf8)
            bytes.append(contentsOf: Hexadecimal.encode(hash).utf8)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends a file name as a JSON string; bytes that are not UTF-8 become U+FFFD.
    static func append(_ name: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        let start = bytes.count
        if !JSONText.append(checking: name.span, to: &bytes) {
            bytes.removeLast(bytes.count - start)
            JSONText.append(String(decoding: name, as: UTF8.self), to: &bytes)
        }
    }
}

/// Times as the payload has them: RFC 3339 in UTC, milliseconds only when not zero.
enum RFC3339 {
    /// Appends `"2025-11-28T10:30:00Z"`, quotes included.
    static func append(_ milliseconds: Int64, to bytes: inout [UInt8]) {
        let time = Timestamp(milliseconds: milliseconds).utc
        bytes.append(UInt8(ascii: "\""))
        append(time.year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(time.month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(time.day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        append(time.hour, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(time.minute, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(time.second, digits: 2, to: &bytes)
        let fraction = Int(((milliseconds % 1000) + 1000) % 1000)
        if fraction != 0 {
            bytes.append(UInt8(ascii: "."))
            append(fraction, digits: 3, to: &bytes)
        }
        bytes.append(contentsOf: "Z\"".utf8)
    }

    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        var unit = 1
        for _ in 1..<digits { unit *= 10 }
        // A year of five digits is none that RFC 3339 has; files can claim it.
        var rest = min(max(0, number), unit * 10 - 1)
        while unit > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    /// Milliseconds since 1970 of what `append` wrote, without the quotes; `nil` for anything else.
    static func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 20 || bytes.count == 24, bytes.last == UInt8(ascii: "Z"),
            let year = number(bytes, 0..<4), let month = number(bytes, 5..<7),
            let day = number(bytes, 8..<10), let hour = number(bytes, 11..<13),
            let minute = number(bytes, 14..<16), let second = number(bytes, 17..<19)
        else { return nil }
        let fraction = bytes.count == 24 ? number(bytes, 20..<23) : 0
        guard let fraction else { return nil }
        // Days since 1970 by the 400-year era arithmetic, years beginning in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - 719_468
        return Int64(((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + Int64(fraction)
    }

    private static func number(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        var value = 0
        for byte in bytes[range] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}
