internal import Runtime

/// The back office behind Config/resources.yaml, with made-up rows.
enum BackOffice {
    /// How long a query takes.
    static let delay = Duration.milliseconds(300)

    private static let paths = [
        "/node", "/process", "/rule", "/office", "/workflow", "/notification", "/settings",
        "/system_health", "/workflow_status",
    ]

    static func has(_ path: String) -> Bool { paths.contains(path) }

    /// - Parameters:
    ///   - query: Undecoded; its values become part of the rows.
    ///   - call: How many times the path has been asked for, this time included.
    static func json(_ path: String, query: String?, call: Int) -> String {
        // It becomes part of JSON.
        let asked = (query ?? "").filter {
            $0.isASCII && ($0.isLetter || $0.isNumber || "=&-_.%".contains($0))
        }
        let name = path.dropFirst()
        let rows = (1...3).map {
            #"{"id": \#($0), "name": "\#(name) \#($0)", "asked": "\#(asked)", "call": \#(call)}"#
        }
        return "[" + rows.joined(separator: ", ") + "]\n"
    }
}
