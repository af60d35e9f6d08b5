internal import CMicrohttpd
internal import Glibc

/// A response made once and sent any number of times: status, headers and body are ready, a request
/// only has it queued.
///
/// It belongs to one loop. What it sends from (`SharedBytes`) may be shared by all loops.
///
/// What differs from request to request (`X-Request-Id`, `Date`, the slots) has room of a fixed width
/// in the header fields, and is written there just before the response is queued: libmicrohttpd copies
/// the fields into the connection's buffer before it does anything else, on the same thread.
@safe
package final class PreparedResponse {
    /// A part of the body.
    package enum Piece {
        case bytes([UInt8])
        case shared(SharedBytes)
        /// A part of shared bytes, which must lie within them.
        case slice(SharedBytes, Range<Int>)
    }

    /// A header field whose value is given per request; at most `width` bytes. Shorter values are
    /// padded with spaces in front, which are no part of a field's value.
    package struct Slot: Sendable {
        package var name: String
        package var width: Int
        /// Used when a reply gives no value.
        package var value: String

        package init(_ name: String, width: Int, value: String = "") {
            self.name = name
            self.width = width
            self.value = value
        }
    }

    /// Bodies up to this size are made one piece when prepared: one piece leaves in the same system
    /// call as the header, several do not.
    static let joinedBytesMax = 128 * 1024

    package let status: Int
    package let contentLength: Int
    /// Bytes this response itself holds, beyond the shared ones.
    package let ownedBytes: Int

    private let handle: OpaquePointer
    private var id: FixedField
    private let date: FixedField
    private var dateSecond: Int64 = -1
    private let slots: [FixedField]
    private let defaults: [String]
    /// What the slots hold.
    private var written: [String]?
    /// A client's id stands in the header instead of ours.
    private var foreignID: String?
    /// Fields of the last answer alone, still in the header.
    private var added: [HTTPField] = []

    private static let idName = "X-Request-Id"

    /// - Parameters:
    ///   - status: 200 ... 599.
    ///   - headers: Without `Content-Length`, `Date` and `X-Request-Id`, which are the server's.
    package init(
        status: Int, headers: [(String, String)], body: [Piece] = [], slots: [Slot] = []
    ) {
        precondition(status >= 200 && status <= 599, "not a status of a final response: \(status)")
        self.status = status
        let made = unsafe ResponseBody.make(body)
        let handle = unsafe made.handle
        unsafe self.handle = handle
        contentLength = unsafe made.length
        ownedBytes = unsafe made.ownedBytes
        id = unsafe FixedField(handle, Self.idName, width: 16)
        date = unsafe FixedField(handle, "Date", width: 29)
        self.slots = slots.map { unsafe FixedField(handle, $0.name, width: $0.width) }
        defaults = slots.map(\.value)
        for (name, value) in headers {
            if ResponseHeader.isReserved(name) { continue }
            unsafe ResponseHeader.add(handle, name, value)
        }
    }

    /// For one request.
    convenience init(_ response: HTTPResponse) {
        self.init(
            status: response.status, headers: response.headers, body: [.bytes(response.body)])
    }

    deinit { unsafe MHD_destroy_response(handle) }

    /// Queues it on a connection that is being called back for. False when that is not possible.
    func queue(
        _ connection: OpaquePointer, _ requestID: RequestID, _ stamp: DateStamp, _ extra: [String]?,
        added fields: [HTTPField], closing: Bool
    ) -> Bool {
        write(requestID)
        if !(fields.isEmpty && added.isEmpty) && fields != added { replaceAdded(with: fields) }
        if dateSecond != stamp.second {
            dateSecond = stamp.second
            date.write(stamp.bytes.span)
        }
        if !slots.isEmpty { write(extra ?? defaults) }
        if closing { unsafe freshet_mhd_close_after(handle) }
        return unsafe MHD_queue_response(connection, UInt32(status), handle) == .YES
    }

    /// The same values for many requests in a row are written once.
    private func write(_ values: [String]) {
        if values == written { return }
        written = values
        for index in slots.indices {
            slots[index].write(index < values.count ? values[index] : defaults[index])
        }
    }

    private func write(_ requestID: RequestID) {
        switch requestID {
        case .fresh(let number):
            if foreignID != nil { replaceID(with: nil) }
            id.writeHexadecimal(number)
        case .given(let text):
            if text.utf8.count == 16 {
                if foreignID != nil { replaceID(with: nil) }
                id.write(text)
            } else {
                replaceID(with: text)
            }
        }
    }

    private func replaceAdded(with fields: [HTTPField]) {
        for field in added {
            unsafe MHD_del_response_header(handle, field.name, field.value)
        }
        added = fields.map { HTTPField($0.name, ResponseHeader.shown($0.value)) }
        for field in added { unsafe ResponseHeader.add(handle, field.name, field.value) }
    }

    /// The slow path: another length needs another field.
    private func replaceID(with text: String?) {
        unsafe MHD_del_response_header(handle, Self.idName, foreignID ?? id.text)
        foreignID = text
        if let text {
            unsafe ResponseHeader.add(handle, Self.idName, text)
        } else {
            unsafe id = FixedField(handle, Self.idName, width: 16)
        }
    }
}

/// Room of a fixed width for the value of a header field, inside libmicrohttpd's copy of it.
@safe
private struct FixedField {
    private let place: UnsafeMutablePointer<UInt8>
    private let width: Int

    init(_ response: OpaquePointer, _ name: String, width: Int) {
        precondition(width > 0 && width <= 1024, "a slot has 1 to 1024 bytes")
        let added = unsafe MHD_add_response_header(
            response, name, String(repeating: "0", count: width))
        guard added == .YES, let value = unsafe MHD_get_response_header(response, name) else {
            preconditionFailure("not the name of a header field: \(name)")
        }
        unsafe place = UnsafeMutableRawPointer(mutating: value).assumingMemoryBound(to: UInt8.self)
        self.width = width
    }

    var text: String {
        unsafe String(decoding: UnsafeBufferPointer(start: place, count: width), as: UTF8.self)
    }

    /// Right-aligned. What is too long or could end the field is not shown at all.
    func write(_ value: String) {
        var value = value
        value.withUTF8 { unsafe write(Span(_unsafeElements: $0)) }
    }

    func write(_ value: Span<UInt8>) {
        var isFit = value.count <= width
        for index in value.indices where value[index] < 0x20 { isFit = false }
        let length = isFit ? value.count : 0
        for index in 0..<(width - length) { unsafe place[index] = 0x20 }
        for index in 0..<length { unsafe place[width - length + index] = value[index] }
    }

    func writeHexadecimal(_ number: UInt64) {
        for index in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: number >> UInt64(60 - 4 * index)) & 15
            unsafe place[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
        }
    }
}

/// Header fields of a response.
enum ResponseHeader {
    /// Fields that the server or libmicrohttpd writes.
    private static let reserved: Set<String> = ["content-length", "date", "x-request-id"]

    /// Adds a field; one without a value is left out. A value comes from the world at times, and must
    /// not be able to end its line.
    static func add(_ response: OpaquePointer, _ name: String, _ value: String) {
        let shown = shown(value)
        guard !shown.isEmpty else { return }
        let added = unsafe MHD_add_response_header(response, name, shown)
        precondition(added == .YES, "not the name of a header field: \(name)")
    }

    static func shown(_ value: String) -> String {
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) { return value }
        return String(
            decoding: value.utf8.map { $0 >= 0x20 && $0 != 0x7f ? $0 : 0x20 }, as: UTF8.self)
    }

    static func isReserved(_ name: String) -> Bool { reserved.contains(name.lowercased()) }
}
