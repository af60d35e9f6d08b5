/// The syntax tree of a `Pattern`.
indirect enum PatternNode {
    case empty
    case set(ScalarSet)
    case sequence([PatternNode])
    case choice([PatternNode])
    /// `maximum` is `nil` for no bound.
    case repeated(PatternNode, minimum: Int, maximum: Int?)
    /// `^`: nothing stands before.
    case start
    /// `$`: nothing follows.
    case end
}

/// A set of Unicode scalars as sorted ranges that neither touch nor overlap.
struct ScalarSet: Hashable, Sendable {
    private(set) var ranges: [ClosedRange<UInt32>]

    static let maximum: UInt32 = 0x10FFFF

    /// The union of `ranges`, in any order.
    init(_ ranges: [ClosedRange<UInt32>]) {
        var merged: [ClosedRange<UInt32>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = merged.last, range.lowerBound <= last.upperBound + 1 {
                let upper = max(last.upperBound, range.upperBound)
                merged[merged.count - 1] = last.lowerBound...upper
            } else {
                merged.append(range)
            }
        }
        self.ranges = merged
    }

    init(_ scalar: Unicode.Scalar) { ranges = [scalar.value...scalar.value] }

    /// All scalars that are not in the set.
    var inverted: ScalarSet {
        var gaps: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges {
            if next < range.lowerBound { gaps.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= Self.maximum { gaps.append(next...Self.maximum) }
        return ScalarSet(gaps)
    }

    /// With each ASCII letter also its other case.
    var ignoringCase: ScalarSet {
        var all = ranges
        for range in ranges {
            for (letters, shift) in [(UInt32(0x41)...0x5A, Int(0x20)), (0x61...0x7A, -0x20)]
            where range.overlaps(letters) {
                let both = range.clamped(to: letters)
                let lower = UInt32(Int(both.lowerBound) + shift)
                all.append(lower...UInt32(Int(both.upperBound) + shift))
            }
        }
        return ScalarSet(all)
    }

    func contains(_ value: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].contains(value)
    }

    static let digits = ScalarSet([0x30...0x39])
    static let word = ScalarSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let space = ScalarSet([0x09...0x0D, 0x20...0x20])
    static let anyButLineFeed = ScalarSet([0x0A...0x0A]).inverted
}
