/// The checksum of RFC 1952 section 8, with sums of parts put together.
///
/// Sums are polynomials over GF(2), bits reflected: the sum of `a` followed by `b` is
/// sum(a) · x^(8·|b|) + sum(b) modulo the generator, so the payload's bytes are not looked at again.
enum CRC32 {
    private static let generator: UInt32 = 0xEDB8_8320

    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ generator : value >> 1 }
        return value
    }

    /// The sum of `bytes`.
    static func sum(_ bytes: [UInt8]) -> UInt32 {
        var value: UInt32 = 0xFFFF_FFFF
        for byte in bytes { value = value >> 8 ^ table[Int((value ^ UInt32(byte)) & 0xFF)] }
        return ~value
    }

    /// The sum of bytes with the sum `first` followed by `count` bytes with the sum `second`.
    static func combine(_ first: UInt32, _ second: UInt32, count: Int) -> UInt32 {
        multiply(power(8 * count), first) ^ second
    }

    /// The product of two polynomials modulo the generator.
    private static func multiply(_ left: UInt32, _ right: UInt32) -> UInt32 {
        var product: UInt32 = 0
        var right = right
        var bit: UInt32 = 0x8000_0000
        while bit != 0 {
            if left & bit != 0 { product ^= right }
            right = right & 1 == 1 ? right >> 1 ^ generator : right >> 1
            bit >>= 1
        }
        return product
    }

    /// x^`exponent` modulo the generator, by repeated squaring.
    private static func power(_ exponent: Int) -> UInt32 {
        var result: UInt32 = 0x8000_0000
        var square: UInt32 = 0x4000_0000
        var exponent = exponent
        while exponent > 0 {
            if exponent & 1 == 1 { result = multiply(result, square) }
            square = multiply(square, square)
            exponent >>= 1
        }
        return result
    }
}
