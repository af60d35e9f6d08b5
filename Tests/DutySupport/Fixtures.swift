package import Coordination
package import FreshetModel
package import RefreshSources

/// Values that tests of the roles are made of.
package enum Fixtures {
    package static func name(_ text: String) -> ResourceName {
        guard let name = ResourceName(text) else { preconditionFailure("not a name: \(text)") }
        return name
    }

    package static func key(_ text: String) -> Key {
        guard let key = Key(text) else { preconditionFailure("not a key: \(text)") }
        return key
    }

    package static func claim(
        _ key: String, nonce: String, lease: Duration = .seconds(10), attempt: Int = 1
    ) -> Claim {
        let at = Timestamp(milliseconds: 1_000_000)
        return Claim(
            jobID: JobID(run: 1_000_000_000, key: Self.key(key)), fence: 1, nonce: nonce,
            attempt: attempt, scope: .all, priority: .normal, lease: lease, claimedAt: at,
            readyAt: at, previous: nil, traceparent: nil)
    }

    package static func resource(
        _ name: String, _ change: (inout Resource) -> Void = { _ in }
    ) -> Resource {
        var resource = Resource(name: Self.name(name))
        change(&resource)
        return resource
    }

    package static func settings(
        _ resources: Resource..., change: (inout Settings) -> Void = { _ in }
    ) -> Settings {
        var settings = Settings()
        for resource in resources { settings.resources[resource.name] = resource }
        change(&settings)
        return settings
    }

    package static func json(_ text: String) -> SourceOutcome {
        .payload(Payload(bytes: Array(text.utf8), contentType: "application/json"))
    }
}
