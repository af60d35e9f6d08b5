/// Immutable bytes that any number of responses send from, without a copy.
package final class SharedBytes: Sendable {
    package let bytes: [UInt8]
    package var count: Int { bytes.count }

    /// Takes `bytes` over; nothing is copied.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Where the bytes lie, for as long as this object lives: an array that is never changed does not
    /// move its elements. For C, which keeps the object alive by a reference of its own.
    var address: UnsafeRawPointer? {
        unsafe bytes.withUnsafeBytes { buffer in buffer.baseAddress }
    }
}
