/// Where a key lives in a Redis Cluster: CRC-16 (XMODEM) of the key, or of what stands between its
/// first `{` and the next `}` when that is not empty, modulo 16,384.
package enum HashSlot {
    package static let count = 16_384

    package static func of(_ key: String) -> Int {
        of(Array(key.utf8))
    }

    package static func of(_ key: [UInt8]) -> Int {
        var hashed = key[...]
        if let open = key.firstIndex(of: UInt8(ascii: "{")) {
            let after = key[(open + 1)...]
            if let close = after.firstIndex(of: UInt8(ascii: "}")), close > after.startIndex {
                hashed = after[..<close]
            }
        }
        var crc: UInt16 = 0
        for byte in hashed {
            crc = crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)]
        }
        return Int(crc) % count
    }

    private static let table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index) << 8
        for _ in 0..<8 { crc = crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
        return crc
    }
}
