/// An IP address a connection is about to be made to.
package struct Address: Hashable, Sendable {
    /// Four or sixteen bytes in network order.
    let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Whether anybody on the Internet may have it, by the registries of RFC 6890: not private,
    /// loopback, link-local, shared, reserved, documentation or multicast, nor an IPv6 form that
    /// carries such an IPv4 address.
    package var isPublic: Bool {
        switch bytes.count {
        case 4: Self.isPublic4(bytes[...])
        case 16: isPublic6
        default: false
        }
    }

    private static func isPublic4(_ bytes: ArraySlice<UInt8>) -> Bool {
        let address = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return !closed4.contains { network, length in
            address >> (32 - length) == network >> (32 - length)
        }
    }

    private static let closed4: [(network: UInt32, length: UInt32)] = [
        (0x0000_0000, 8),  // this network
        (0x0A00_0000, 8),  // private
        (0x6440_0000, 10),  // shared between carriers
        (0x7F00_0000, 8),  // loopback
        (0xA9FE_0000, 16),  // link-local, metadata services
        (0xAC10_0000, 12),  // private
        (0xC000_0000, 24),  // protocol assignments
        (0xC000_0200, 24),  // documentation
        (0xC058_6300, 24),  // 6to4 relays
        (0xC0A8_0000, 16),  // private
        (0xC612_0000, 15),  // benchmarks
        (0xC633_6400, 24),  // documentation
        (0xCB00_7100, 24),  // documentation
        (0xE000_0000, 4),  // multicast
        (0xF000_0000, 4),  // reserved, broadcast
    ]

    private var isPublic6: Bool {
        // Forms that carry an IPv4 address are as public as that.
        if begins([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) { return embedded(12) }
        if begins([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) { return isPublicCompatible }
        if begins([0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]) { return embedded(12) }
        if begins([0x00, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0]) { return embedded(12) }
        if begins([0x20, 0x02]) { return embedded(2) }
        // ISATAP interface identifiers, RFC 5214.
        if bytes[8] & 0xFD == 0, bytes[9...11].elementsEqual([0, 0x5E, 0xFE]), !embedded(12) {
            return false
        }
        // Only global unicast, 2000::/3, is public; within it these are not.
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        if begins([0x20, 0x01]), bytes[2] < 0x02 { return false }  // assignments, Teredo
        if begins([0x20, 0x01, 0x0D, 0xB8]) { return false }  // documentation
        if begins([0x3F, 0xFF]), bytes[2] < 0x10 { return false }  // documentation
        return true
    }

    /// `::a.b.c.d`; `::` and `::1` among them.
    private var isPublicCompatible: Bool { embedded(12) && bytes[12] != 0 }

    private func embedded(_ offset: Int) -> Bool { Self.isPublic4(bytes[offset..<(offset + 4)]) }

    private func begins(_ prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }
}

/// What a request may connect to. One for all hops of a request.
///
/// The configured host may be anywhere: whoever configures it knows. Where a redirect leads is the
/// server's word, so another host has to have a public address, or one that the configured host was
/// reached at.
struct AddressPolicy {
    private let allowsPrivate: Bool
    private var known: Set<Address> = []

    /// - Parameter allowsPrivate: Whoever configures it lets redirects go anywhere.
    init(allowsPrivate: Bool) { self.allowsPrivate = allowsPrivate }

    /// Whether `address` may be connected to on a hop to the configured host, or to another.
    mutating func allows(_ address: Address, isConfiguredHost: Bool) -> Bool {
        if isConfiguredHost {
            known.insert(address)
            return true
        }
        return allowsPrivate || address.isPublic || known.contains(address)
    }
}
