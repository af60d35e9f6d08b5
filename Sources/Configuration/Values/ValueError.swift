/// Why a value is not what its field wants; the reader adds field and place.
struct ValueError: Error {
    var message: String
    init(_ message: String) { self.message = message }

    /// What is wrong has been reported by whoever saw it first.
    static let reported = ValueError("")
    var isReported: Bool { message.isEmpty }
}
