/// Why bytes could not be encoded or decoded.
package enum CodecError: Error, Hashable, CustomStringConvertible {
    /// The input is not of the encoding, or ends too early.
    case malformed(String)
    /// The output would pass the caller's bound.
    case tooLarge(maximumBytes: Int)
    /// The output is out of all proportion to the input: a decompression bomb.
    case ratio(maximum: Int)
    /// The library has no memory for its state.
    case outOfMemory

    package var description: String {
        switch self {
        case .malformed(let what): "malformed \(what) data"
        case .tooLarge(let maximumBytes): "more than \(maximumBytes) bytes after decompression"
        case .ratio(let maximum): "expands to more than \(maximum) times its size"
        case .outOfMemory: "no memory for the codec"
        }
    }
}
