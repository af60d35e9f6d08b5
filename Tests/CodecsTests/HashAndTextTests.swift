import Codecs
import Testing

@Suite("SHA-256, hexadecimal, base 64, random bytes")
struct HashAndTextTests {
    @Test("digests are those of FIPS 180-4")
    func vectors() {
        #expect(
            Hexadecimal.encode(SHA256.hash(""))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Hexadecimal.encode(SHA256.hash("abc"))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        var hasher = SHA256()
        for _ in 0..<1000 { hasher.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
        #expect(
            Hexadecimal.encode(hasher.digest())
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }

    @Test("a digest in between does not disturb the hash")
    func peek() {
        var hasher = SHA256()
        hasher.update(Array("ab".utf8))
        _ = hasher.digest()
        hasher.update(Array("c".utf8))
        #expect(hasher.digest() == SHA256.hash("abc"))
        #expect(SHA256.contentTag(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223")
    }

    @Test("comparison sees every difference")
    func comparison() {
        let secret = RandomBytes.make(32)
        #expect(ConstantTime.areEqual(secret, secret))
        #expect(!ConstantTime.areEqual(secret, Array(secret.dropLast())))
        #expect(ConstantTime.areEqual([], []))
        for index in secret.indices {
            var other = secret
            other[index] ^= 1
            #expect(!ConstantTime.areEqual(secret, other))
        }
    }

    @Test("random bytes have the length asked for and do not repeat")
    func random() {
        #expect(RandomBytes.make(0).isEmpty)
        #expect(RandomBytes.make(1000).count == 1000)
        #expect(RandomBytes.make(32) != RandomBytes.make(32))
    }

    @Test("hexadecimal reads both cases and nothing else")
    func hexadecimal() {
        #expect(Hexadecimal.encode([0, 0x0F, 0xFF]) == "000fff")
        #expect(Hexadecimal.decode("000FfF") == [0, 0x0F, 0xFF])
        #expect(Hexadecimal.decode("0") == nil)
        #expect(Hexadecimal.decode("0g") == nil)
        #expect(Hexadecimal.decode("") == [])
    }

    @Test("base 64 comes back and has one text per value")
    func base64() {
        #expect(Base64URL.encode(Array("foobar".utf8)) == "Zm9vYmFy")
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        for count in 0..<70 {
            let bytes = RandomBytes.make(count)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        for wrong in ["A", "AB", "A+AA", "AA==", "ab c", "Zm9vYmFyA"] {
            #expect(Base64URL.decode(wrong) == nil, "\(wrong)")
        }
    }
}
