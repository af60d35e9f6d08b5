internal import CYaml

/// The events of libyaml, one after the other. The only user of the library.
@safe
final class YAMLEvents {
    enum Event {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(text: String, isPlain: Bool, anchor: String?, tag: String?)
        case sequenceStart(anchor: String?, tag: String?)
        case sequenceEnd
        case mappingStart(anchor: String?, tag: String?)
        case mappingEnd
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// libyaml reads from here for as long as the parser lives.
    private let input: UnsafeMutableBufferPointer<UInt8>

    init(_ bytes: [UInt8]) {
        unsafe parser = .allocate(capacity: 1)
        unsafe input = .allocate(capacity: max(1, bytes.count))
        _ = unsafe input.initialize(from: bytes)
        // Fails only when no memory is left.
        let isReady = unsafe yaml_parser_initialize(parser)
        precondition(isReady == 1, "no memory for a YAML parser")
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event and where it begins. Not to be called after `streamEnd`.
    /// - Throws: A syntax error; none may be asked for afterwards.
    func next() throws(ConfigurationError) -> (Event, Place) {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { unsafe yaml_event_delete(&event) }
        let place = unsafe Self.place(event.start_mark)
        return (unsafe Self.translate(&event), place)
    }

    private static func translate(_ event: inout yaml_event_t) -> Event {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_ALIAS_EVENT: return .alias(unsafe text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(
                text: unsafe String(decoding: bytes, as: UTF8.self),
                isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE,
                anchor: unsafe text(scalar.anchor), tag: unsafe text(scalar.tag))
        case YAML_SEQUENCE_START_EVENT:
            let start = unsafe event.data.sequence_start
            return .sequenceStart(anchor: unsafe text(start.anchor), tag: unsafe text(start.tag))
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_START_EVENT:
            let start = unsafe event.data.mapping_start
            return .mappingStart(anchor: unsafe text(start.anchor), tag: unsafe text(start.tag))
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        default: return .streamEnd
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe String(cString: pointer)
    }

    private static func place(_ mark: yaml_mark_t) -> Place {
        Place(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }

    private func problem() -> ConfigurationError {
        let message = unsafe Self.text(parser.pointee.problem) ?? "no YAML"
        guard unsafe parser.pointee.error != YAML_READER_ERROR else {
            // The bytes are no text: libyaml tells how many came before.
            return ConfigurationError(place(atByte: unsafe parser.pointee.problem_offset), message)
        }
        let mark = unsafe parser.pointee.problem_mark
        let place = Self.place(mark)
        if byte(at: place) == UInt8(ascii: "\t") {
            return ConfigurationError(place, "YAML is indented with spaces, this is a tab")
        }
        guard let context = unsafe Self.text(parser.pointee.context) else {
            return ConfigurationError(place, message)
        }
        let begin = Self.place(unsafe parser.pointee.context_mark)
        // Plain `${NAME}` and `{city}` end a value there, which nobody expects who sees it first.
        let isFlow = context.contains("flow") && hasBraceInValue(place.line)
        return ConfigurationError(
            place,
            "\(message), \(context) that begins in line \(begin.line)"
                + (isFlow
                    ? "; between brackets a value with `{`, `}` or `,` needs quotes" : ""))
    }

    private func place(atByte offset: Int) -> Place {
        var place = Place.beginning
        let count = unsafe input.count
        for index in 0..<min(offset, count) {
            let byte = unsafe input[index]
            if byte == UInt8(ascii: "\n") {
                place = Place(line: place.line + 1, column: 1)
            } else if byte & 0xC0 != 0x80 {
                place.column += 1
            }
        }
        return place
    }

    /// Whether a brace follows a character that begins no value: `${NAME}`, `/{city}`.
    private func hasBraceInValue(_ number: Int) -> Bool {
        let count = unsafe input.count
        var line = 1
        var previous = UInt8(ascii: " ")
        for index in 0..<count where line <= number {
            let byte = unsafe input[index]
            if line == number, byte == UInt8(ascii: "{"), !" {[,:'\"".utf8.contains(previous) {
                return true
            }
            previous = byte
            if byte == UInt8(ascii: "\n") {
                line += 1
                previous = UInt8(ascii: " ")
            }
        }
        return false
    }

    private func byte(at place: Place) -> UInt8? {
        var (line, column) = (1, 1)
        let count = unsafe input.count
        for index in 0..<count {
            let byte = unsafe input[index]
            if (line, column) == (place.line, place.column), byte & 0xC0 != 0x80 { return byte }
            if byte == UInt8(ascii: "\n") {
                (line, column) = (line + 1, 1)
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return nil
    }
}
