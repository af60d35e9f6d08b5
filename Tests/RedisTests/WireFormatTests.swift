import Testing

@testable import Redis

@Suite("Wire format")
struct WireFormatTests {
    private func drain(_ queue: inout OutputQueue, _ atMost: Int = .max) -> [UInt8] {
        var all: [UInt8] = []
        _ = queue.flush { bytes, _ in
            let count = min(bytes.count, atMost)
            all.append(contentsOf: bytes.prefix(count))
            return .bytes(count)
        }
        return all
    }

    @Test("a command is an array of bulk strings")
    func encoding() {
        var queue = OutputQueue()
        let end = queue.append(["SET", .bytes([0, 255]), -120, "é"])
        let expected =
            Array("*4\r\n$3\r\nSET\r\n$2\r\n".utf8) + [0, 255]
            + Array("\r\n$4\r\n-120\r\n$2\r\né\r\n".utf8)
        #expect(end == UInt64(expected.count))
        #expect(drain(&queue) == expected)
        #expect(queue.isEmpty)
    }

    @Test("large arguments keep their place among small ones, however few bytes go at a time")
    func largeArguments() {
        let large = (0..<40_000).map { UInt8(truncatingIfNeeded: $0) }
        var whole = OutputQueue()
        var pieces = OutputQueue()
        for queue in 0..<3 {
            whole.append(["SET", "k\(queue)", .bytes(large)])
            pieces.append(["SET", "k\(queue)", .bytes(large)])
        }
        #expect(whole.appended == pieces.appended)
        let expected = drain(&whole)
        #expect(UInt64(expected.count) == whole.appended)
        #expect(drain(&pieces, 777) == expected)
    }

    @Test("a socket that is full is asked again from where it stopped")
    func fullSocket() {
        var queue = OutputQueue()
        queue.append(["PING"])
        var sent: [UInt8] = []
        var room = 5
        func send(_ bytes: ArraySlice<UInt8>, _ isMore: Bool) -> Socket.Outcome {
            guard room > 0 else { return .wouldBlock }
            let count = min(room, bytes.count)
            sent.append(contentsOf: bytes.prefix(count))
            room -= count
            return .bytes(count)
        }
        #expect(queue.flush(send) == nil)
        #expect(queue.written == 5)
        queue.append(["PONG"])
        room = 1000
        #expect(queue.flush(send) == nil)
        #expect(sent == Array("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPONG\r\n".utf8))
        #expect(queue.written == queue.appended)
    }

    @Test("a reply may arrive in any pieces")
    func parsing() {
        let text =
            "*3\r\n:1\r\n*2\r\n$-1\r\n$3\r\na\r\n\r\n-ERR no\r\n*0\r\n*-1\r\n+OK\r\n$0\r\n\r\n"
        let expected: [RedisValue] = [
            .array([
                .integer(1), .array([.null, .string(Array("a\r\n".utf8))]), .error("ERR no"),
            ]),
            .array([]), .null, .status("OK"), .string([]),
        ]
        for size in 1...text.utf8.count {
            let reader = ReplyReader()
            var values: [RedisValue] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(size))
                rest = rest.dropFirst(size)
                #expect(unsafe piece.withUnsafeBytes { unsafe reader.feed($0) })
                while case .value(let value) = reader.next() { values.append(value) }
            }
            #expect(values == expected)
        }
    }

    @Test("what is not the protocol is said to be so", arguments: ["HTTP/1.1 400\r\n", "!x\r\n"])
    func garbage(text: String) {
        let reader = ReplyReader()
        _ = unsafe Array(text.utf8).withUnsafeBytes { unsafe reader.feed($0) }
        guard case .broken = reader.next() else { return #expect(Bool(false)) }
    }

    @Test("arrays may be nested seven deep, as hiredis allows")
    func nesting() {
        let reader = ReplyReader()
        let text = String(repeating: "*1\r\n", count: 7) + ":5\r\n"
        _ = unsafe Array(text.utf8).withUnsafeBytes { unsafe reader.feed($0) }
        guard case .value(var value) = reader.next() else { return #expect(Bool(false)) }
        for _ in 0..<7 { value = value.array?.first ?? .null }
        #expect(value == .integer(5))
    }

    @Test("integers of 64 bits are read and written")
    func decimals() {
        for value in [0, 7, 10, -1, 1_000_000, Int64.max, Int64.min] {
            var bytes: [UInt8] = []
            Decimal.append(value, to: &bytes)
            #expect(String(decoding: bytes, as: UTF8.self) == String(value))
            #expect(Decimal.width(value) == bytes.count)
            #expect(Decimal.integer(bytes) == value)
        }
        for text in ["", "-", "9223372036854775808", "1x", "+1", "1.5"] {
            #expect(Decimal.integer(Array(text.utf8)) == nil)
        }
    }

    @Test("a queue grows around its ring and keeps its order")
    func fifo() {
        var queue = Fifo<Int>()
        var expected: [Int] = []
        for number in 0..<100 {
            queue.append(number)
            expected.append(number)
            if number % 3 == 0 { #expect(queue.removeFirst() == expected.removeFirst()) }
        }
        #expect((0..<queue.count).map { queue[$0] } == expected)
        #expect(queue.removeAll { $0 % 2 == 0 } == expected.filter { $0 % 2 == 1 })
        #expect(queue.removeAll() == expected.filter { $0 % 2 == 0 })
    }
}
