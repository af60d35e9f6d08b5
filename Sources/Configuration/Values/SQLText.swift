/// As much of PostgreSQL's syntax as it takes to find `$1` and not be fooled by quotes and comments.
enum SQLText {
    /// The highest n of all `$n`.
    static func parameterCount(_ query: String) -> Int {
        let bytes = Array(query.utf8)
        var highest = 0
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "'"):
                let isEscaped =
                    index > 0 && (bytes[index - 1] | 0x20) == UInt8(ascii: "e")
                    && (index < 2 || !isNameByte(bytes[index - 2]))
                index = skipQuotes(bytes, index, backslashes: isEscaped)
            case UInt8(ascii: "\""): index = skipQuotes(bytes, index, backslashes: false)
            case UInt8(ascii: "-") where bytes[index...].starts(with: "--".utf8):
                index = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            case UInt8(ascii: "/") where bytes[index...].starts(with: "/*".utf8):
                index = skipComment(bytes, index)
            case UInt8(ascii: "$"):
                let digits = bytes[(index + 1)...].prefix { (0x30...0x39).contains($0) }.prefix(6)
                if !digits.isEmpty {
                    highest = max(highest, digits.reduce(0) { $0 * 10 + Int($1 - 0x30) })
                    index += digits.count + 1
                } else {
                    index = skipDollarQuotes(bytes, index)
                }
            case let byte where isNameByte(byte):
                // A dollar inside of a name begins nothing.
                while index < bytes.count, isNameByte(bytes[index]) || bytes[index] == 0x24 {
                    index += 1
                }
            default: index += 1
            }
        }
        return highest
    }

    /// Behind the quotes that begin at `start`; two in a row stand for one.
    private static func skipQuotes(_ bytes: [UInt8], _ start: Int, backslashes: Bool) -> Int {
        var index = start + 1
        while index < bytes.count {
            if backslashes, bytes[index] == UInt8(ascii: "\\") {
                index += 2
            } else if bytes[index] == bytes[start] {
                guard index + 1 < bytes.count, bytes[index + 1] == bytes[start] else {
                    return index + 1
                }
                index += 2
            } else {
                index += 1
            }
        }
        return bytes.count
    }

    /// Behind the comment that begins at `start`; comments nest.
    private static func skipComment(_ bytes: [UInt8], _ start: Int) -> Int {
        var index = start
        var depth = 0
        while index < bytes.count {
            if bytes[index...].starts(with: "/*".utf8) {
                depth += 1
                index += 2
            } else if bytes[index...].starts(with: "*/".utf8) {
                depth -= 1
                index += 2
                if depth == 0 { return index }
            } else {
                index += 1
            }
        }
        return bytes.count
    }

    /// Behind `$tag$ … $tag$`; behind the dollar when it begins no such thing.
    private static func skipDollarQuotes(_ bytes: [UInt8], _ start: Int) -> Int {
        let tag = bytes[(start + 1)...].prefix { isNameByte($0) }
        let open = start + tag.count + 1
        guard open < bytes.count, bytes[open] == UInt8(ascii: "$") else { return start + 1 }
        let mark = bytes[start...open]
        var index = open + 1
        while index < bytes.count {
            if bytes[index...].starts(with: mark) { return index + mark.count }
            index += 1
        }
        return bytes.count
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), 0x80...: true
        default: false
        }
    }
}
