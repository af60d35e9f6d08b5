/// A part of Freshet that reads bytes it did not write: it must not trap, hang or break its own rules,
/// whatever they are.
enum FuzzTarget: String, CaseIterable, Sendable {
    /// Keys, parameters and job ids, as clients send them.
    case keys
    /// Configuration files.
    case configuration
    /// Header fields, queries and bodies of requests.
    case requests
    /// What a command prints on descriptor 3.
    case progress
    /// Records and events, as they come back from Redis.
    case records
    /// JSON and compressed bytes, as sources deliver them.
    case payloads

    /// Reads `bytes`; stops the process when a rule is broken.
    func read(_ bytes: [UInt8]) {
        switch self {
        case .keys: KeyFuzz.read(bytes)
        case .configuration: ConfigurationFuzz.read(bytes)
        case .requests: RequestFuzz.read(bytes)
        case .progress: ProgressFuzz.read(bytes)
        case .records: RecordFuzz.read(bytes)
        case .payloads: PayloadFuzz.read(bytes)
        }
    }
}

/// Splits an input into pieces at NUL, so that one input can fill several fields.
func pieces(_ bytes: [UInt8]) -> [[UInt8]] {
    bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
