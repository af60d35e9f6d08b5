import Testing

@testable import Redis

@Suite("Subscriber machine")
struct SubscriberMachineTests {
    private func push(_ kind: String, _ channel: String, _ last: RedisValue) -> RedisValue {
        .array([.string(Array(kind.utf8)), .string(Array(channel.utf8)), last])
    }

    @Test("a subscription is live when all its channels are confirmed, and again after a loss")
    func lifecycle() {
        var machine = SubscriberMachine()
        let (id, early) = machine.add(["a", "b"])
        #expect(early == nil)
        #expect(machine.connected() == [["SUBSCRIBE", "a", "b"]])
        #expect(machine.received(push("subscribe", "a", .integer(1))) == .nothing)
        #expect(
            machine.received(push("subscribe", "b", .integer(2)))
                == .subscribed([.init(id: id, isResubscription: false)]))
        #expect(
            machine.received(push("message", "a", .string([1])))
                == .message(listeners: [id], channel: "a", payload: [1]))
        #expect(machine.lost() == [id])
        #expect(machine.lost() == [])
        #expect(machine.connected() == [["SUBSCRIBE", "a", "b"]])
        _ = machine.received(push("subscribe", "a", .integer(1)))
        #expect(
            machine.received(push("subscribe", "b", .integer(2)))
                == .subscribed([.init(id: id, isResubscription: true)]))
    }

    @Test("a confirmation counts only for those who asked before it")
    func staleConfirmation() {
        var machine = SubscriberMachine()
        _ = machine.connected()
        let (first, ask) = machine.add(["a"])
        #expect(ask == ["SUBSCRIBE", "a"])
        #expect(machine.remove(first) == ["UNSUBSCRIBE", "a"])
        let (second, again) = machine.add(["a"])
        #expect(again == ["SUBSCRIBE", "a"])
        #expect(machine.received(push("subscribe", "a", .integer(1))) == .nothing)
        #expect(machine.received(push("unsubscribe", "a", .integer(0))) == .nothing)
        #expect(
            machine.received(push("subscribe", "a", .integer(1)))
                == .subscribed([.init(id: second, isResubscription: false)]))
    }

    @Test("listeners share a channel until the last one leaves")
    func sharing() {
        var machine = SubscriberMachine()
        _ = machine.connected()
        let (first, _) = machine.add(["a"])
        let (second, _) = machine.add(["a"])
        #expect(
            machine.received(push("message", "a", .string([])))
                == .message(listeners: [first, second], channel: "a", payload: []))
        #expect(machine.remove(first) == nil)
        #expect(machine.remove(second) == ["UNSUBSCRIBE", "a"])
        #expect(machine.received(push("message", "a", .string([]))) == .nothing)
        #expect(machine.isEmpty)
    }

    @Test("a refused SUBSCRIBE is an error, a pong is nothing")
    func others() {
        var machine = SubscriberMachine()
        let pong = RedisValue.array([.string(Array("pong".utf8)), .string([])])
        #expect(machine.received(pong) == .nothing)
        guard case .refused(let error) = machine.received(.error("NOPERM no channel")) else {
            return #expect(Bool(false))
        }
        #expect(error.code == .denied)
    }

    @Test("most sentinels decide, of equals the first")
    func majority() {
        let old = RedisEndpoint.tcp(host: "old", port: 1)
        let new = RedisEndpoint.tcp(host: "new", port: 1)
        let down = RedisError(.unreachable, "down")
        #expect(
            SentinelLocator.majority([0: .success(old), 1: .success(new), 2: .success(new)])
                == .success(new))
        #expect(
            SentinelLocator.majority([0: .success(old), 1: .success(new), 2: .failure(down)])
                == .success(old))
        #expect(SentinelLocator.majority([0: .failure(down)]) == .failure(down))
    }
}
