import Glibc
import RefreshSources
import Testing

@Suite("Public addresses")
struct AddressTests {
    private func address(_ text: String) throws -> Address {
        var bytes = [UInt8](repeating: 0, count: 16)
        let isSix = text.contains(":")
        try #require(unsafe inet_pton(isSix ? AF_INET6 : AF_INET, text, &bytes) == 1)
        return Address(Array(bytes.prefix(isSix ? 16 : 4)))
    }

    @Test(
        "addresses that lead into a network of one's own are not public",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
            "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255",
            "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
            "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
            "239.255.255.255", "240.0.0.1", "255.255.255.255",
            "::", "::1", "::2", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd12:3456::1",
            "ff02::1",
            "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
            "::10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1",
            "64:ff9b:1::1", "64:ff9b:1::8.8.8.8", "2002:7f00:1::1", "2002:a00:1::1", "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2001:10::1", "2001:20::1",
            "100::1", "3fff:1::1", "4000::1", "2a00:1450::5efe:10.0.0.1",
            "2a00:1450::200:5efe:192.168.0.1",
        ])
    func closed(text: String) throws {
        #expect(try !address(text).isPublic)
    }

    @Test(
        "all others are",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
            "126.255.255.255", "128.0.0.1", "169.253.0.1", "172.15.255.255", "172.32.0.0",
            "192.0.1.1", "192.167.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255",
            "2a00:1450:4001::1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
            "2002:808:808::1", "2001:200::1", "2001:4860:4860::8888",
        ])
    func open(text: String) throws {
        #expect(try address(text).isPublic)
    }

    @Test("bytes of another length are not public")
    func lengths() {
        #expect(!Address([]).isPublic)
        #expect(!Address([8, 8, 8]).isPublic)
    }
}
