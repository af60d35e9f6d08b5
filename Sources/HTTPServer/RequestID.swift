/// The id of one request: the client's own, or a number of ours shown as 16 hexadecimal digits.
enum RequestID {
    case fresh(UInt64)
    case given(String)

    var text: String {
        switch self {
        case .given(let text): return text
        case .fresh(let number):
            let digits = String(number, radix: 16)
            return String(repeating: "0", count: 16 - digits.utf8.count) + digits
        }
    }

    /// Sane: 1 to 128 of `[A-Za-z0-9._-]`.
    static func isSane(_ value: Span<UInt8>) -> Bool {
        guard value.count >= 1 && value.count <= 128 else { return false }
        for index in value.indices {
            switch value[index] {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x5f, 0x2d: continue
            default: return false
            }
        }
        return true
    }
}

/// Ids that differ within a process and, by a random start, between processes (SplitMix64).
struct RequestIDSource {
    private var state = UInt64.random(in: .min ... .max)

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
