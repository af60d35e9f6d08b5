package import Redis

/// The library's scripts: one Lua file is one transition or view.
///
/// A script is sent as: its own `#!lua` line, the prelude, the parts it names, its body.
package enum RefreshScripts {
    package static let request = script("request", PackageResources.request_lua, [.jobs])
    package static let claim = script("claim", PackageResources.claim_lua, [.jobs])
    package static let heartbeat = script("heartbeat", PackageResources.heartbeat_lua)
    package static let publish = script("publish", PackageResources.publish_lua, [.jobs, .settle])
    package static let fail = script("fail", PackageResources.fail_lua, [.jobs, .settle])
    package static let release = script("release", PackageResources.release_lua, [.jobs])
    package static let slots = script("slots", PackageResources.slots_lua)
    package static let handBack = script("hand_back", PackageResources.hand_back_lua, [.jobs])
    package static let cancel = script("cancel", PackageResources.cancel_lua, [.jobs, .settle])
    package static let purge = script("purge", PackageResources.purge_lua, [.jobs, .settle])
    package static let maintain = script(
        "maintain", PackageResources.maintain_lua, [.jobs, .settle])
    package static let staleKeys = script("stale_keys", PackageResources.stale_keys_lua)
    package static let recordReads = script("record_reads", PackageResources.record_reads_lua)
    package static let recordTimes = script("record_times", PackageResources.record_times_lua)
    package static let observe = script("observe", PackageResources.observe_lua)
    package static let announce = script("announce", PackageResources.announce_lua)
    package static let pause = script("pause", PackageResources.pause_lua)
    package static let lead = script("lead", PackageResources.lead_lua)
    package static let fire = script("fire", PackageResources.fire_lua)
    package static let read = script("read", PackageResources.read_lua)
    package static let queue = script("queue", PackageResources.queue_lua)
    package static let list = script("list", PackageResources.list_lua)

    /// All of them, as a connection loads them.
    package static let all: [RedisScript] = [
        request, claim, heartbeat, publish, fail, handBack, release, cancel, purge, maintain,
        slots, staleKeys, recordReads, recordTimes, observe, announce, pause, lead, fire, read,
        queue, list,
    ]

    private enum Part {
        case jobs
        case settle

        var bytes: [UInt8] {
            switch self {
            case .jobs: PackageResources.jobs_lua
            case .settle: PackageResources.settle_lua
            }
        }
    }

    private static func script(_ name: String, _ body: [UInt8], _ parts: [Part] = []) -> RedisScript
    {
        let text = String(decoding: body, as: UTF8.self)
        guard let end = text.firstIndex(of: "\n"), text.hasPrefix("#!lua") else {
            preconditionFailure("\(name).lua does not begin with a #!lua line")
        }
        let libraries = ([PackageResources.prelude_lua] + parts.map(\.bytes))
            .map { String(decoding: $0, as: UTF8.self) }
        let source = text[..<end] + "\n" + libraries.joined(separator: "\n") + text[end...]
        return RedisScript(name: name, source: String(source))
    }
}
