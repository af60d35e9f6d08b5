/// Commands on their way out, as bytes of one endless stream.
///
/// Small arguments are gathered in one buffer, so that a turn's commands leave in one write; a large
/// one is queued as the array it is, without a copy. Offsets count from the first byte of the
/// connection, so a command whose end lies past `written` cannot have been run.
struct OutputQueue {
    /// From here on an argument is not copied. A copy of less is cheaper than another system call.
    private static let largeBytes = 16 * 1024
    /// An emptied buffer above this is let go.
    private static let keptBytes = 256 * 1024

    /// Full pieces, oldest first, before `tail`.
    private var pieces = Fifo<[UInt8]>()
    private var tail: [UInt8] = []
    /// How much of the oldest piece, or of `tail` when there is none, has been written.
    private var offset = 0
    private(set) var appended: UInt64 = 0
    private(set) var written: UInt64 = 0

    var isEmpty: Bool { appended == written }
    /// Bytes not yet written.
    var count: Int { Int(appended - written) }

    /// Encodes one command and answers with the offset of its end.
    @discardableResult
    mutating func append(_ arguments: [RedisArgument]) -> UInt64 {
        let before = tail.count
        var moved = 0
        appendLine(UInt8(ascii: "*"), arguments.count)
        for argument in arguments {
            appendLine(UInt8(ascii: "$"), argument.byteCount)
            switch argument {
            case .text(let text): tail.append(contentsOf: text.utf8)
            case .integer(let value): Decimal.append(value, to: &tail)
            case .bytes(let bytes) where bytes.count < Self.largeBytes:
                tail.append(contentsOf: bytes)
            case .bytes(let bytes):
                moved += tail.count + bytes.count
                closeTail()
                pieces.append(bytes)
            }
            tail.append(UInt8(ascii: "\r"))
            tail.append(UInt8(ascii: "\n"))
        }
        appended += UInt64(moved + tail.count - before)
        return appended
    }

    private mutating func appendLine(_ mark: UInt8, _ count: Int) {
        tail.append(mark)
        Decimal.append(Int64(count), to: &tail)
        tail.append(UInt8(ascii: "\r"))
        tail.append(UInt8(ascii: "\n"))
    }

    private mutating func closeTail() {
        guard !tail.isEmpty else { return }
        pieces.append(tail)
        tail = []
    }

    /// Offers pieces to `send`, which answers how many bytes it took, until one is not taken whole.
    ///
    /// - Returns: nil when it all went out or must wait, else the error of `send`.
    mutating func flush(
        _ send: (_ bytes: ArraySlice<UInt8>, _ isMore: Bool) -> Socket.Outcome
    ) -> Int32? {
        while !isEmpty {
            let isTail = pieces.isEmpty
            // No second reference to the tail may live on, or emptying it would copy it.
            let size = pieces.first?.count ?? tail.count
            let outcome = send((pieces.first ?? tail)[offset...], !isTail)
            switch outcome {
            case .failed(let number): return number
            case .wouldBlock:
                // New commands must not make the array that is half written grow and move.
                if isTail { closeTail() }
                return nil
            case .bytes(let count):
                written += UInt64(count)
                offset += count
                guard offset == size else { continue }
                offset = 0
                if isTail {
                    emptyTail()
                } else {
                    pieces.removeFirst()
                }
            }
        }
        return nil
    }

    private mutating func emptyTail() {
        tail.removeAll(keepingCapacity: tail.capacity <= Self.keptBytes)
    }
}
