/// Immutable bytes that any number of responses send from, without a copy.
package final class SharedBytes: Sendable {
    package let bytes: [UInt8]
    package var count: Int { bytes.count }

    /// Takes `bytes` over; nothing is copied.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}
