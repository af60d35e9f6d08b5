internal import Codecs
package import FreshetModel

/// Reads what a command writes to descriptor 3: JSON objects, one a line.
///
///     {"done":40,"total":100,"message":"page 4"}
///     {"not_modified":true}
///
/// A line that is neither is passed over: a command is not failed for how it tells its progress.
package struct ProgressLines {
    /// Longer lines are passed over, so that no command can fill memory with one.
    private static let longestLine = 16 << 10

    private let report: @Sendable (Progress) -> Void
    private var line: [UInt8] = []
    private var isTooLong = false
    private var last = Progress(done: 0)
    /// The command said that the kept payload is still right.
    package private(set) var isNotModified = false

    package init(report: @escaping @Sendable (Progress) -> Void) { self.report = report }

    /// Takes the next bytes; lines may be cut anywhere.
    package mutating func take(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            add(rest[..<end])
            finishLine()
            rest = rest[(end + 1)...]
        }
        add(rest)
    }

    /// Takes a last line that has no end.
    package mutating func finish() { finishLine() }

    private mutating func add(_ piece: ArraySlice<UInt8>) {
        guard line.count + piece.count <= Self.longestLine else {
            isTooLong = true
            line.removeAll(keepingCapacity: true)
            return
        }
        if !isTooLong { line.append(contentsOf: piece) }
    }

    private mutating func finishLine() {
        defer {
            line.removeAll(keepingCapacity: true)
            isTooLong = false
        }
        guard !isTooLong, !line.isEmpty else { return }
        var isProgress = false
        var next = Progress(done: last.done, total: last.total)
        do throws(JSONError) {
            var reader = try JSONReader(line)
            try reader.forEachMember { name, reader throws(JSONError) in
                switch name {
                case "done":
                    guard let done = try reader.readDouble(), Self.isAmount(done) else { return }
                    next.done = done
                    isProgress = true
                case "total":
                    guard let total = try reader.readDouble(), Self.isAmount(total) else { return }
                    next.total = total
                    isProgress = true
                case "message":
                    guard let message = try reader.readString() else { return }
                    next.message = Self.cut(message)
                    isProgress = true
                case "not_modified":
                    if let flag = try reader.readBoolean() { isNotModified = flag }
                default: try reader.skip()
                }
            }
        } catch {
            return
        }
        guard isProgress else { return }
        last = next
        report(next)
    }

    private static func isAmount(_ number: Double) -> Bool { number.isFinite && number >= 0 }

    private static func cut(_ message: String) -> String {
        guard message.utf8.count > Limits.progressMessageLength else { return message }
        var cut = message.prefix(Limits.progressMessageLength)
        while cut.utf8.count > Limits.progressMessageLength { cut.removeLast() }
        return String(cut)
    }
}
