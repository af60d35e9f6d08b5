/// One event, encoded once and sent to any number of streams.
package struct EventChunk: Sendable {
    let bytes: SharedBytes

    /// Encodes an event as the HTML standard's section 9.2 has it: a `data:` line per line of `data`.
    package init(event: String? = nil, id: String? = nil, data: [UInt8]) {
        bytes = SharedBytes(data)
    }

    package init(event: String? = nil, id: String? = nil, data: String) {
        self.init(event: event, id: id, data: Array(data.utf8))
    }

    /// A comment: nothing to the client's code.
    package init(comment: String) { bytes = SharedBytes(Array(comment.utf8)) }
}
