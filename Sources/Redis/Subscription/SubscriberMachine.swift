/// Who listens to which channels, and what the server has confirmed; without sockets or clocks.
///
/// A subscription is live once the server has confirmed each of its channels by an answer to a
/// SUBSCRIBE that was sent after the subscription was made: an older answer may be followed by an
/// UNSUBSCRIBE that is still under way.
struct SubscriberMachine {
    struct Subscription {
        let channels: [String]
        /// Channels not yet confirmed, with the number of the answer that confirms them.
        var missing: [String: Int] = [:]
        var isLive = false
        var wasLive = false
    }

    enum Event: Equatable {
        case nothing
        case message(listeners: [UInt64], channel: String, payload: [UInt8])
        /// These have become live; the flag says that they were live before.
        case subscribed([Confirmation])
        case refused(RedisError)
    }

    struct Confirmation: Equatable {
        let id: UInt64
        let isResubscription: Bool
    }

    private var subscriptions: [UInt64: Subscription] = [:]
    private var listeners: [String: [UInt64]] = [:]
    /// SUBSCRIBEs sent and answered on this connection, by channel.
    private var asked: [String: Int] = [:]
    private var answered: [String: Int] = [:]
    private var isConnected = false
    private var nextID: UInt64 = 1

    /// Whether anybody listens.
    var isEmpty: Bool { subscriptions.isEmpty }

    /// Adds a listener; answers with its number and what must be sent now.
    mutating func add(_ channels: [String]) -> (id: UInt64, command: [RedisArgument]?) {
        let id = nextID
        nextID += 1
        subscriptions[id] = Subscription(channels: channels)
        for channel in channels { listeners[channel, default: []].append(id) }
        return (id, isConnected ? ask(id) : nil)
    }

    /// Removes a listener; answers with what must be sent now.
    mutating func remove(_ id: UInt64) -> [RedisArgument]? {
        guard let subscription = subscriptions.removeValue(forKey: id) else { return nil }
        var abandoned: [RedisArgument] = []
        for channel in subscription.channels {
            listeners[channel]?.removeAll { $0 == id }
            guard listeners[channel]?.isEmpty == true else { continue }
            listeners[channel] = nil
            abandoned.append(.text(channel))
        }
        return isConnected && !abandoned.isEmpty ? ["UNSUBSCRIBE"] + abandoned : nil
    }

    /// A new connection is up; answers with what must be sent on it.
    mutating func connected() -> [[RedisArgument]] {
        isConnected = true
        asked = [:]
        answered = [:]
        return subscriptions.keys.sorted().map { ask($0) }
    }

    /// The connection is gone; answers with those that were live.
    mutating func lost() -> [UInt64] {
        isConnected = false
        let live = subscriptions.filter(\.value.isLive).keys.sorted()
        for id in live { subscriptions[id]?.isLive = false }
        return live
    }

    /// Takes what the server sent: a message, a confirmation, a pong.
    mutating func received(_ value: RedisValue) -> Event {
        if case .error(let text) = value { return .refused(RedisError(reply: text)) }
        guard let parts = value.array, parts.count == 3, let kind = parts[0].text,
            let channel = parts[1].text
        else { return .nothing }
        switch kind {
        case "message":
            guard let payload = parts[2].bytes, let ids = listeners[channel] else {
                return .nothing
            }
            return .message(listeners: ids, channel: channel, payload: payload)
        case "subscribe": return confirm(channel)
        default: return .nothing
        }
    }

    private mutating func ask(_ id: UInt64) -> [RedisArgument] {
        guard let channels = subscriptions[id]?.channels else { return [] }
        for channel in channels {
            asked[channel, default: 0] += 1
            subscriptions[id]?.missing[channel] = asked[channel]
        }
        return ["SUBSCRIBE"] + channels.map { .text($0) }
    }

    private mutating func confirm(_ channel: String) -> Event {
        let count = answered[channel, default: 0] + 1
        answered[channel] = count
        var confirmations: [Confirmation] = []
        for id in listeners[channel] ?? [] {
            guard var subscription = subscriptions[id],
                let needed = subscription.missing[channel], needed <= count
            else { continue }
            subscription.missing[channel] = nil
            if subscription.missing.isEmpty {
                confirmations.append(
                    Confirmation(id: id, isResubscription: subscription.wasLive))
                subscription.isLive = true
                subscription.wasLive = true
            }
            subscriptions[id] = subscription
        }
        return confirmations.isEmpty ? .nothing : .subscribed(confirmations)
    }
}
