internal import CMicrohttpd
internal import Runtime

/// Where connections wait until the head of their first request is complete.
///
/// A client that connects and says nothing, or drips, costs a descriptor and this record here, and no
/// memory in libmicrohttpd. The bytes stay in the socket: they are looked at, not taken.
@safe
final class HeadGate {
    private final class Waiting {
        let descriptor: Int32
        let address: PeerAddress
        let since: UInt64
        var index = 0
        var hasSpoken = false
        var isWatched = false

        init(_ descriptor: Int32, _ address: PeerAddress, since: UInt64) {
            self.descriptor = descriptor
            self.address = address
            self.since = since
        }
    }

    private unowned let core: ServerCore
    private let inspector: HeadInspector
    private var waiting: [Waiting] = []
    /// What was last looked at; one byte more than a head may have.
    private var seen: [UInt8]

    init(core: ServerCore) {
        self.core = core
        inspector = HeadInspector(core.limits)
        seen = [UInt8](repeating: 0, count: core.limits.headerBytes + 1)
    }

    var count: Int { waiting.count }

    /// Takes over a socket just accepted.
    func take(_ descriptor: Int32, _ address: PeerAddress) {
        guard core.addressCame(address) else {
            core.metrics.refused.with("connections_per_address").increment()
            return closeSocket(descriptor)
        }
        // Under TLS there is nothing to see before libmicrohttpd has it.
        if core.isTLS { return core.adopt(descriptor, address) }
        let entry = Waiting(descriptor, address, since: core.loop.now)
        entry.index = waiting.count
        waiting.append(entry)
        core.metrics.connections.set(core.connectionCount)
        look(at: entry, isEnded: false)
    }

    /// Closes those who have waited too long; called by the sweep.
    func sweep(_ now: UInt64, timeout: UInt64) {
        for entry in waiting where now > entry.since &+ timeout {
            if entry.hasSpoken {
                refuse(entry, .timeout)
            } else {
                drop(entry)
                closeSocket(entry.descriptor)
            }
        }
    }

    func closeAll() { close(olderThan: .zero) }

    /// Closes those who came longer ago than `age`.
    func close(olderThan age: Duration) {
        let limit = core.loop.now &- age.nanoseconds
        for entry in waiting where entry.since <= limit {
            drop(entry)
            closeSocket(entry.descriptor)
        }
    }

    private func look(at entry: Waiting, isEnded: Bool) {
        let count = unsafe seen.withUnsafeMutableBytes { buffer in
            unsafe recv(
                entry.descriptor, buffer.baseAddress, buffer.count,
                Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        }
        if count < 0 {
            let error = freshet_errno()
            if error == EAGAIN || error == EINTR { return watch(entry) }
        }
        guard count > 0 else {
            drop(entry)
            return closeSocket(entry.descriptor)
        }
        entry.hasSpoken = true
        switch inspector.inspect(seen.span.extracting(0..<count)) {
        case .incomplete:
            if isEnded {
                drop(entry)
                closeSocket(entry.descriptor)
            } else {
                watch(entry)
            }
        case .complete:
            drop(entry, keepingAddress: true)
            core.adopt(entry.descriptor, entry.address)
        case .refused(let refusal): refuse(entry, refusal)
        }
    }

    private func watch(_ entry: Waiting) {
        guard !entry.isWatched else { return }
        // Edge-triggered: what was looked at is still there.
        entry.isWatched = core.loop.add(entry.descriptor, [.read], edgeTriggered: true) {
            ready in
            self.look(at: entry, isEnded: ready.contains(.hangUp) || ready.contains(.closed))
        }
        if !entry.isWatched {
            drop(entry)
            closeSocket(entry.descriptor)
        }
    }

    private func refuse(_ entry: Waiting, _ refusal: Refusal) {
        drop(entry)
        core.sendRaw(refusal, to: entry.descriptor)
        core.lingering.take(entry.descriptor)
    }

    private func drop(_ entry: Waiting, keepingAddress: Bool = false) {
        if entry.isWatched { core.loop.remove(entry.descriptor) }
        entry.isWatched = false
        let last = waiting.removeLast()
        if last !== entry {
            waiting[entry.index] = last
            last.index = entry.index
        }
        if !keepingAddress {
            core.addressLeft(entry.address)
            core.roomMade()
            core.checkDrained()
        }
    }
}
