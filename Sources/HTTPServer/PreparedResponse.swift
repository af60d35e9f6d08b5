/// A response made once and sent any number of times: status line, headers and body are ready, a
/// request only has it queued.
///
/// It belongs to one loop. What it sends from (`SharedBytes`) may be shared by all loops.
package final class PreparedResponse {
    /// A part of the body.
    package enum Piece {
        case bytes([UInt8])
        case shared(SharedBytes)
        /// A part of shared bytes, which must lie within them.
        case slice(SharedBytes, Range<Int>)
    }

    /// A header whose value is given per request; at most `width` bytes.
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

    package let status: Int
    package let contentLength: Int

    package init(
        status: Int, headers: [(String, String)], body: [Piece] = [], slots: [Slot] = []
    ) {
        self.status = status
        contentLength = 0
    }
}
