internal import CMicrohttpd

/// What the server itself wants to know from a request's header, gathered in one pass.
struct HeaderFields {
    var framing = Framing()
    /// The client's own id, when it is sane.
    var requestID: String?
    /// Lengths of the names that are there.
    private(set) var names = NameLengths()
    private var layout: HeadLayout

    private init(_ layout: HeadLayout) { self.layout = layout }

    /// - Parameter headBytes: The length of the head, which begins at `method`.
    static func read(
        _ connection: OpaquePointer, isVersion10: Bool, method: UnsafePointer<CChar>,
        target: Range<UInt>, version: UnsafePointer<CChar>, headBytes: Int
    ) -> HeaderFields {
        var fields = unsafe HeaderFields(HeadLayout(method, target: target, version: version))
        fields.framing.isVersion10 = isVersion10
        unsafe withUnsafeMutablePointer(to: &fields) { fields in
            _ = unsafe MHD_get_connection_values_n(connection, .HEADER_KIND, note, fields)
        }
        unsafe fields.layout.end(UnsafeRawBufferPointer(start: method, count: headBytes))
        return fields
    }

    /// What is wrong with the head; `nil`: nothing.
    var refusal: Refusal? { layout.refusal ?? framing.refusal }

    private static let note: MHD_KeyValueIteratorN = {
        context, _, name, nameLength, value, length in
        guard let context = unsafe context, let name = unsafe name else { return .YES }
        let fields = unsafe context.assumingMemoryBound(to: HeaderFields.self)
        let nameBytes = unsafe UnsafeRawBufferPointer(start: name, count: nameLength)
        let valueBytes = unsafe UnsafeRawBufferPointer(start: value, count: length)
        unsafe fields.pointee.layout.note(nameBytes, valueBytes)
        unsafe fields.pointee.note(Span(_unsafeBytes: nameBytes), Span(_unsafeBytes: valueBytes))
        return .YES
    }

    private mutating func note(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        framing.note(name, value)
        names.insert(name.count)
        if name.count == 12, requestID == nil, name.equalsLowercased("x-request-id"),
            RequestID.isSane(value.extracting(value.trimmedRange))
        {
            requestID = HTTPExchange.text(value)
        }
    }
}

/// Which lengths the names of a request's header fields have: what tells at once of most absent names
/// that they are, where a look-up would walk over all fields.
struct NameLengths {
    private var seen: UInt64 = 0

    /// All lengths of 63 and more count as one.
    private static func bit(_ length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }

    mutating func insert(_ length: Int) { seen |= Self.bit(length) }

    func mayHold(_ name: String) -> Bool { seen & Self.bit(name.utf8.count) != 0 }
}
