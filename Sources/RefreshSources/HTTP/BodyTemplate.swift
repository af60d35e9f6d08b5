internal import Codecs
internal import FreshetModel

/// A request body in which parameters stand, each escaped for the media type it is in.
struct BodyTemplate: Sendable {
    private enum Format {
        case json, form, xml, plain
    }

    /// The media type to send.
    let contentType: String
    private let template: Template
    private let format: Format
    /// For JSON: whether the parameter at this place in the template stands inside a string.
    private let insideString: [Bool]

    /// - Parameter contentType: As configured; without it a body that begins with a brace or a
    ///   bracket is JSON and any other a form.
    init(_ text: String, contentType: String?, declared: [ParameterRule]) throws(SourceError) {
        template = try Template(text, declared: declared)
        let first = text.utf8.first { $0 > 0x20 }
        let isJSONLike = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
        let type =
            contentType ?? (isJSONLike ? "application/json" : "application/x-www-form-urlencoded")
        self.contentType = type
        let essence = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        if MediaType.isJSON(type) {
            format = .json
        } else if essence == "application/x-www-form-urlencoded" {
            format = .form
        } else if essence.hasSuffix("/xml") || essence.hasSuffix("+xml") {
            format = .xml
        } else if essence == "text/plain" || !template.hasParameters {
            format = .plain
        } else {
            throw .permanent("parameters cannot be escaped for a body of type \(essence)")
        }
        insideString = Self.insideString(template)
    }

    /// The body for `key`.
    func expand(_ key: Key) throws(SourceError) -> [UInt8] {
        var bytes: [UInt8] = []
        for (index, piece) in template.pieces.enumerated() {
            switch piece {
            case .literal(let text): bytes.append(contentsOf: text.utf8)
            case .parameter(let name):
                try append(
                    try key.value(of: name), isInsideString: insideString[index], to: &bytes)
            }
        }
        return bytes
    }

    private func append(
        _ value: String, isInsideString: Bool, to bytes: inout [UInt8]
    ) throws(SourceError) {
        switch format {
        case .plain: bytes.append(contentsOf: value.utf8)
        case .form: bytes.append(contentsOf: PercentEncoding.encode(value).utf8)
        case .xml:
            for byte in value.utf8 {
                switch byte {
                case UInt8(ascii: "&"): bytes.append(contentsOf: "&amp;".utf8)
                case UInt8(ascii: "<"): bytes.append(contentsOf: "&lt;".utf8)
                case UInt8(ascii: ">"): bytes.append(contentsOf: "&gt;".utf8)
                case UInt8(ascii: "\""): bytes.append(contentsOf: "&quot;".utf8)
                case UInt8(ascii: "'"): bytes.append(contentsOf: "&#39;".utf8)
                default: bytes.append(byte)
                }
            }
        case .json where isInsideString:
            var quoted: [UInt8] = []
            JSONText.append(value, to: &quoted)
            bytes.append(contentsOf: quoted[1..<(quoted.count - 1)])
        case .json:
            // Outside a string only a value that cannot be more than one is safe.
            let text = Array(value.utf8)
            guard ["true", "false", "null"].contains(value) || JSONScanner.isNumber(text.span)
            else {
                throw .permanent("a parameter outside a JSON string is no number")
            }
            bytes.append(contentsOf: text)
        }
    }

    private static func insideString(_ template: Template) -> [Bool] {
        var isInside = false
        var isEscaped = false
        var result: [Bool] = []
        for piece in template.pieces {
            result.append(isInside)
            guard case .literal(let text) = piece else { continue }
            for byte in text.utf8 {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = isInside
                } else if byte == UInt8(ascii: "\"") {
                    isInside.toggle()
                }
            }
        }
        return result
    }
}
