internal import CLinux

/// One event as bytes, newline included.
struct LogLine {
    private(set) var bytes: [UInt8] = []

    /// - Parameter milliseconds: Wall clock, since 1970.
    static func encode(
        _ format: Log.Format, at milliseconds: Int64, _ level: Log.Level, _ event: String,
        _ fields: Log.Fields
    ) -> LogLine {
        var line = LogLine()
        line.bytes.reserveCapacity(160)
        switch format {
        case .text: line.addText(milliseconds, level, event, fields)
        case .json: line.addJSON(milliseconds, level, event, fields)
        }
        line.bytes.append(UInt8(ascii: "\n"))
        return line
    }

    /// 2026-11-21T02:40:00.123Z info job.claimed key=cinema detail="two words"
    private mutating func addText(
        _ milliseconds: Int64, _ level: Log.Level, _ event: String, _ fields: Log.Fields
    ) {
        add(WallClock.text(milliseconds))
        add(" ")
        add(level.name)
        add(" ")
        add(event)
        for (name, value) in fields {
            guard let value else { continue }
            add(" ")
            add(name)
            add("=")
            let text = LogMask.shown(name: name, value: value.description)
            if Self.isPlain(text) { add(text) } else { addQuoted(text) }
        }
    }

    private mutating func addJSON(
        _ milliseconds: Int64, _ level: Log.Level, _ event: String, _ fields: Log.Fields
    ) {
        add("{\"time\":\"")
        add(WallClock.text(milliseconds))
        add("\",\"level\":\"")
        add(level.name)
        add("\",\"event\":")
        addQuoted(event)
        for (name, value) in fields {
            guard let value else { continue }
            add(",")
            addQuoted(name)
            add(":")
            if Self.isNumberOrBool(value) {
                add(value.description)
            } else {
                addQuoted(LogMask.shown(name: name, value: value.description))
            }
        }
        add("}")
    }

    private mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

    /// A JSON string; in the text format too, so that a line stays one line.
    private mutating func addQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): add("\\\"")
            case UInt8(ascii: "\\"): add("\\\\")
            case UInt8(ascii: "\n"): add("\\n")
            case UInt8(ascii: "\r"): add("\\r")
            case UInt8(ascii: "\t"): add("\\t")
            case 0..<0x20, 0x7f:
                add("\\u00")
                let digits = String(byte, radix: 16)
                if digits.utf8.count == 1 { add("0") }
                add(digits)
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                byte > 0x20 && byte != 0x7f && byte != UInt8(ascii: "\"")
                    && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: "=")
            }
    }

    private static func isNumberOrBool(_ value: any CustomStringConvertible) -> Bool {
        switch value {
        case is Bool: true
        case is any FixedWidthInteger: true
        case let number as Double: number.isFinite
        case let number as Float: number.isFinite
        default: false
        }
    }

    /// In one call to `write`, so that lines of several threads and processes do not mix.
    func write(to descriptor: Int32) {
        var start = 0
        while start < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe CLinux.write(
                    descriptor, buffer.baseAddress?.advanced(by: start), buffer.count - start)
            }
            if written > 0 {
                start += written
            } else if written < 0 && freshet_errno() == EINTR {
                continue
            } else {
                // A log that cannot be written is no reason to stop serving.
                return
            }
        }
    }
}

/// Keeps secrets that slipped into a field out of the log.
enum LogMask {
    private static let secretNames = ["password", "secret", "token", "authorization", "api_key"]
    private static let mask = "[masked]"

    static func shown(name: String, value: String) -> String {
        if secretNames.contains(where: { name.hasSuffix($0) }) { return mask }
        return withoutPassword(value)
    }

    /// `redis://user:password@host` → `redis://user:[masked]@host`, anywhere in the text.
    static func withoutPassword(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "@")) else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard let authority = authorityStart(bytes, at: index) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let end =
                bytes[authority...].firstIndex { $0 <= 0x20 || "/?#\"'<>".utf8.contains($0) }
                ?? bytes.count
            result.append(contentsOf: bytes[index..<authority])
            if let at = bytes[authority..<end].lastIndex(of: UInt8(ascii: "@")),
                let colon = bytes[authority..<at].firstIndex(of: UInt8(ascii: ":"))
            {
                result.append(contentsOf: bytes[authority...colon])
                result.append(contentsOf: mask.utf8)
                result.append(contentsOf: bytes[at..<end])
            } else {
                result.append(contentsOf: bytes[authority..<end])
            }
            index = end
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func authorityStart(_ bytes: [UInt8], at index: Int) -> Int? {
        let isScheme =
            index + 2 < bytes.count && bytes[index] == UInt8(ascii: ":")
            && bytes[index + 1] == UInt8(ascii: "/") && bytes[index + 2] == UInt8(ascii: "/")
        return isScheme ? index + 3 : nil
    }
}
