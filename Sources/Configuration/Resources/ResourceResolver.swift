internal import FreshetModel

/// What a resource comes to, with all that is known about where it was said.
struct ResolvedResource {
    var name: ResourceName
    /// Where its name stands.
    var place: Place
    /// Own fields over inherited ones over `defaults`.
    var layer: ResourceLayer
    /// The name whose source it has: its own or one it inherits from.
    var sourceOwner: ResourceName
    var resource: Resource
}

/// Lays what resources, the names they inherit from and `defaults` say over each other.
struct ResourceResolver {
    /// A resource as written.
    struct Written {
        var place: Place
        var layer: ResourceLayer
    }

    let written: [ResourceName: Written]
    let defaults: ResourceLayer
    /// `refresh.max_retries` and `refresh.retry_interval`.
    let retry: RetryLayer

    func resolve() -> [ResolvedResource] {
        written.sorted { $0.value.place < $1.value.place }.map { name, written in
            // `never` outlives a general `keep_for`, not one that is meant for this resource.
            let (own, owner) = inherited(name, written.layer)
            var layer = own
            layer.fill(from: defaults)
            layer.retry.fill(from: retry)
            let resource = Self.resource(name, layer, chainKeepFor: own.keepFor)
            return ResolvedResource(
                name: name, place: written.place, layer: layer, sourceOwner: owner,
                resource: resource)
        }
    }

    /// The layer of `name` with all it inherits, and whose source it has.
    private func inherited(
        _ name: ResourceName, _ layer: ResourceLayer
    ) -> (layer: ResourceLayer, sourceOwner: ResourceName) {
        guard let parent = name.parent, let above = written[parent] else { return (layer, name) }
        let (parentLayer, parentOwner) = inherited(parent, above.layer)
        var complete = layer
        complete.inherit(from: parentLayer)
        let isOwn = layer.source != nil || layer.hasBrokenSource
        return (complete, isOwn ? name : parentOwner)
    }

    private static func resource(
        _ name: ResourceName, _ layer: ResourceLayer, chainKeepFor: Located<Duration>?
    ) -> Resource {
        var resource = Resource(name: name, source: layer.source?.definition)
        resource.path = layer.path?.value.text
        if let freshFor = layer.freshFor { resource.freshness.freshFor = freshFor.value }
        if let refreshAhead = layer.refreshAhead {
            resource.freshness.refreshAhead = refreshAhead.value
        }
        if let jitter = layer.jitter { resource.freshness.jitter = jitter.value }
        if let keepFor = chainKeepFor {
            resource.freshness.keepFor = keepFor.value
        } else if case .never = resource.freshness.freshFor {
            resource.freshness.keepFor = nil
        } else if let keepFor = layer.keepFor {
            resource.freshness.keepFor = keepFor.value
        } else if case .duration(let freshFor) = resource.freshness.freshFor {
            // The built-in 7 days must not end what was asked to be fresh for longer.
            let longest = Duration.milliseconds(
                Int64((freshFor.inSeconds * (1 + resource.freshness.jitter) * 1000).rounded(.up)))
            resource.freshness.keepFor = resource.freshness.keepFor.map { max($0, longest) }
        }
        if let cold = layer.cold { resource.cold = cold.value }
        if let waitTimeout = layer.waitTimeout { resource.waitTimeout = waitTimeout.value }
        if let response = layer.response { resource.response = response.value }
        if let priority = layer.priority { resource.priority = priority.value }
        if let timeout = layer.timeout { resource.timeout = timeout.value }
        if let lease = layer.lease { resource.lease = lease.value }
        if let maximum = layer.maximumVariants { resource.maximumVariants = maximum.value }
        resource.retry = layer.retry.policy
        resource.schedule = layer.schedule?.value
        resource.parameters = layer.parameters?.rules ?? []
        return resource
    }
}
