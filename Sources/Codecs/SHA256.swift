internal import CNettle

/// SHA-256, FIPS 180-4, whole or piece by piece.
@safe
package struct SHA256 {
    /// Bytes of a digest.
    package static let digestLength = 32

    private var context = sha256_ctx()

    /// A hash of nothing yet.
    package init() { unsafe nettle_sha256_init(&context) }

    /// Takes the next bytes.
    package mutating func update(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { piece in
            unsafe nettle_sha256_update(&context, piece.count, piece.baseAddress)
        }
    }

    /// Takes the next bytes.
    package mutating func update(_ bytes: [UInt8]) { update(bytes.span) }

    /// The digest of all bytes taken so far; more may follow.
    package func digest() -> [UInt8] {
        var copy = context
        return unsafe [UInt8](unsafeUninitializedCapacity: Self.digestLength) { buffer, count in
            unsafe freshet_sha256_digest(&copy, buffer.baseAddress)
            count = Self.digestLength
        }
    }

    /// The digest of `bytes`.
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var hasher = SHA256()
        hasher.update(bytes.span)
        return hasher.digest()
    }

    /// The digest of the UTF-8 bytes of `text`.
    package static func hash(_ text: String) -> [UInt8] { hash(Array(text.utf8)) }

    /// The first 32 hexadecimal digits of the digest of `bytes`: the tag of a payload's content.
    package static func contentTag(_ bytes: [UInt8]) -> String {
        Hexadecimal.encode(Array(hash(bytes).prefix(16)))
    }
}

/// Comparison whose time does not tell where the difference is.
package enum ConstantTime {
    /// Whether both hold the same bytes. The length is not kept secret.
    package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                unsafe nettle_memeql_sec(left.baseAddress, right.baseAddress, left.count) != 0
            }
        }
    }
}

/// Random bytes for secrets, from the kernel.
package enum RandomBytes {
    /// `count` bytes that nobody can guess.
    package static func make(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let status = unsafe freshet_random_bytes(buffer.baseAddress, count)
            // getrandom fails only for a bad address or a kernel older than the Swift runtime wants.
            precondition(status == 0, "the kernel gives no random bytes")
            initialized = count
        }
    }
}
