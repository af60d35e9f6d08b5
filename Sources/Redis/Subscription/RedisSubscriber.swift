package import Runtime

/// A connection for SUBSCRIBE alone, which comes back by itself and subscribes again.
///
/// Redis forgets a message as soon as it is sent. What was published between `onLost` and the next
/// `onSubscribed` is lost, so a listener reads the state after each `onSubscribed`. A peer that falls
/// silent is found within 3 s.
package final class RedisSubscriber: Sendable {
    package let loop: EventLoop
    private let core: LoopBound<SubscriberCore>
    private let flag: ConnectionFlag

    /// Connects to the server, the master or a node that `url` names.
    package convenience init(
        loop: EventLoop, url: RedisURL, name: String? = nil, options: RedisOptions = RedisOptions()
    ) {
        self.init(
            loop: loop, locator: url.locator(on: loop),
            identity: .init(credentials: url.credentials, name: name), options: options)
    }

    init(
        loop: EventLoop, locator: sending any Locator, identity: ConnectionCore.Identity,
        options: RedisOptions
    ) {
        self.loop = loop
        let flag = ConnectionFlag()
        self.flag = flag
        core = LoopBound(
            SubscriberCore(
                loop: loop, locator: locator, identity: identity, options: options, flag: flag),
            on: loop)
        core.perform { $0.start() }
    }

    deinit { close() }

    /// Whether the connection is up, which does not say that channels are confirmed. From any thread.
    package var isConnected: Bool { flag.isSet }

    /// Tells `observer`, on the loop, the state now and each change.
    package func onState(_ observer: @escaping @Sendable (RedisConnection.State) -> Void) {
        core.perform { $0.observe(observer) }
    }

    /// Listens to channels until `unsubscribe` or `close`. From any thread; all handlers are called on
    /// the loop.
    ///
    /// - Parameters:
    ///   - onMessage: A message of one of the channels.
    ///   - onSubscribed: The server has confirmed all the channels; true when they were live before
    ///     and messages may have been missed.
    ///   - onLost: The connection is gone; attempts go on.
    @discardableResult
    package func subscribe(
        _ channels: [String],
        onMessage: @escaping @Sendable (_ channel: String, _ payload: [UInt8]) -> Void,
        onSubscribed: @escaping @Sendable (_ isResubscription: Bool) -> Void = { _ in },
        onLost: @escaping @Sendable (RedisError) -> Void = { _ in }
    ) -> RedisSubscription {
        precondition(!channels.isEmpty, "a subscription without channels")
        let subscription = RedisSubscription(loop: loop)
        core.perform { core in
            let handlers = SubscriberCore.Handlers(
                onMessage: onMessage, onSubscribed: onSubscribed, onLost: onLost)
            subscription.id.value = core.subscribe(channels, handlers)
        }
        return subscription
    }

    /// Ends a subscription; none of its handlers is called after this has run on the loop.
    package func unsubscribe(_ subscription: RedisSubscription) {
        core.perform { core in
            if let id = subscription.id.value { core.unsubscribe(id) }
        }
    }

    /// Closes the socket and ends all subscriptions. From any thread.
    package func close() { core.perform { $0.close() } }
}

/// Names a subscription, to end it.
package final class RedisSubscription: Sendable {
    let id: LoopBound<UInt64?>

    init(loop: EventLoop) { id = LoopBound(nil, on: loop) }
}
