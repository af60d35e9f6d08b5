import FreshetModel

@testable import Coordination

/// A generator with a seed, so that a run can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// One thing done to two stores. Keys, jobs and claims are named by number, which is taken modulo
/// what there is, so that any subset of a trace is a trace.
enum Step: Sendable {
    case advance(Duration)
    case request(Ask)
    case requestMany([Ask])
    case expire(Ask)
    case purge(key: Int)
    case cancel(job: Int)
    case pause(Bool)
    case claim(limit: Int, maximum: Int?, lease: Int)
    case heartbeat(claims: [Int], done: Double?)
    case publish(claim: Int, content: Int?, fresh: Int, keep: Int?, variants: Int, next: Bool)
    case fail(claim: Int, retryAfter: Int?, online: Bool)
    case handBack(claim: Int, delay: Int)
    case release(claim: Int)
    case slots(names: [Int], maximum: Int, back: Bool)
    case maintain(guarded: Bool)
    case staleKeys(limit: Int, window: Int, coolDown: Int)
    case recordReads(keys: [Int])
    case announce(worker: Int, capacity: Int)
    case withdraw(worker: Int)
    case lead(Int)
    case fire(slot: Int)

    /// A request with a key by number and a version to be found stale relative to the kept one.
    struct Ask: Sendable {
        var key: Int
        var origin: RefreshRequest.Origin
        var priority: Priority
        var delay: Int
        var force: Bool
        var scope: [String]
        var seenBehind: Int64?
        var coolDown: Int
        var maximumQueue: Int
    }

    static let keys = ["a", "b", "c.d", "e?n=1", "e?n=2", "e?n=3", "e?n=4", "e?n=5"]

    /// A step, the common ones more often.
    static func random(_ random: inout SeededGenerator) -> Step {
        func pick<Value>(_ values: [Value]) -> Value {
            values[Int.random(in: 0..<values.count, using: &random)]
        }
        func number() -> Int { Int.random(in: 0..<1000, using: &random) }
        /// Claims made last, which are mostly live, or any.
        func claim() -> Int { pick([-1, -1, -2, -3, number()]) }
        func ask() -> Ask {
            Ask(
                key: number(), origin: pick([.ask, .ask, .read, .monitor, .schedule]),
                priority: pick(Priority.allCases), delay: pick([0, 0, 0, 1, 5, 20]),
                force: pick([true, false]), scope: pick([[], [], ["x"], ["y"], ["x", "z"]]),
                seenBehind: pick([nil, 0, 1, 2, -3]), coolDown: pick([0, 5, 30]),
                maximumQueue: pick([1_000_000, 1_000_000, 3]))
        }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<24: return .request(ask())
        case 24..<27: return .requestMany((0..<pick([2, 5])).map { _ in ask() })
        case 27..<29: return .expire(ask())
        case 29..<30: return .purge(key: number())
        case 30..<35: return .cancel(job: claim())
        case 35..<36: return .pause(pick([true, false, false]))
        case 36..<52:
            return .claim(
                limit: pick([1, 1, 2, 5]), maximum: pick([nil, nil, 2]), lease: pick([10, 3]))
        case 52..<57:
            return .heartbeat(
                claims: (0..<pick([1, 3])).map { _ in claim() }, done: pick([nil, 1, 30]))
        case 57..<73:
            return .publish(
                claim: claim(), content: pick([nil, 1, 1, 2, 3]), fresh: pick([-1, 0, 5, 30]),
                keep: pick([nil, 60, 600]), variants: pick([1000, 3]),
                next: pick([true, false]))
        case 73..<81:
            return .fail(
                claim: claim(), retryAfter: pick([nil, 0, 1, 5]), online: pick([true, false]))
        case 81..<83: return .handBack(claim: claim(), delay: pick([0, 0, 3]))
        case 83..<85: return .release(claim: claim())
        case 85..<86:
            return .slots(
                names: Set((0..<pick([1, 3])).map { _ in number() % 6 }).sorted(),
                maximum: pick([2, 3]),
                back: pick([true, false, false]))
        case 86..<88: return .maintain(guarded: pick([true, false]))
        case 88..<91:
            return .staleKeys(
                limit: pick([1, 3, 100]), window: pick([0, 20]), coolDown: pick([0, 10]))
        case 91..<93: return .recordReads(keys: [number(), number()])
        case 93..<95: return .announce(worker: number() % 2, capacity: pick([1, 4]))
        case 95..<96: return .withdraw(worker: number() % 2)
        case 96..<97: return .lead(number() % 2)
        case 97..<98: return .fire(slot: number() % 5)
        default: return .advance(.seconds(pick([3, 12, 45, -20])))
        }
    }
}
