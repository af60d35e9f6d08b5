import Coordination
import Redis
import Testing

/// The users of docker/redis.conf may do what their role does, and nothing else.
@Suite("Redis' users fit their roles")
struct AccessTests {
    /// The scripts of each role, and what it sends beside them.
    private static let roles: [String: (scripts: [RedisScript], commands: String)] = [
        "api": (
            [
                RefreshScripts.request, RefreshScripts.cancel, RefreshScripts.purge,
                RefreshScripts.pause, RefreshScripts.recordReads, RefreshScripts.read,
                RefreshScripts.queue, RefreshScripts.list, RefreshScripts.observe,
            ], "get getrange hgetall xrange xrevrange zcard subscribe unsubscribe wait"
        ),
        "worker": (
            [
                RefreshScripts.claim, RefreshScripts.heartbeat, RefreshScripts.publish,
                RefreshScripts.fail, RefreshScripts.handBack, RefreshScripts.release,
                RefreshScripts.slots, RefreshScripts.announce,
                RefreshScripts.maintain, RefreshScripts.read, RefreshScripts.request,
                RefreshScripts.queue, RefreshScripts.recordTimes,
            ], "get getrange set blpop subscribe unsubscribe wait"
        ),
        "scheduler": (
            [
                RefreshScripts.lead, RefreshScripts.fire, RefreshScripts.staleKeys,
                RefreshScripts.request, RefreshScripts.maintain,
            ], "hget subscribe unsubscribe wait"
        ),
        "operator": (
            RefreshScripts.all,
            "get getrange hget hgetall xrange xrevrange zcard subscribe unsubscribe wait"
        ),
    ]

    /// What every connection does.
    private static let common =
        "auth ping select client|setname info config|get eval evalsha script|load time"

    @Test("each may run its scripts and send its commands", arguments: roles.keys.sorted())
    func commands(role: String) throws {
        let line = try #require(
            Repository.file("docker/redis.conf").lines.first { $0.hasPrefix("user \(role) ") })
        let allowed = Set(
            line.split(separator: " ").filter { $0.hasPrefix("+") }.map { $0.dropFirst() })
        let (scripts, commands) = try #require(Self.roles[role])
        var needed = Set((commands + " " + Self.common).split(separator: " "))
        for script in scripts { needed.formUnion(Self.calls(of: script)) }
        for command in needed.subtracting(allowed).sorted() {
            Issue.record("docker/redis.conf: user \(role) needs +\(command)")
        }
        for command in allowed.subtracting(needed).sorted() {
            Issue.record("docker/redis.conf: user \(role) has +\(command), which nothing uses")
        }
        #expect(line.contains(" resetchannels ") && line.contains(" -@all "))
    }

    private static func calls(of script: RedisScript) -> Set<Substring> {
        var names: Set<Substring> = []
        for piece in script.source.split(separator: "call('").dropFirst() {
            let name = piece.prefix { $0.isLetter && $0.isUppercase }
            if !name.isEmpty { names.insert(Substring(name.lowercased())) }
        }
        return names
    }
}
