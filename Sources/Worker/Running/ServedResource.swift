internal import FreshetModel
internal import RefreshSources

/// A resource that this worker can refresh: its settings, its source, and what is measured of it.
struct ServedResource: Sendable {
    let resource: Resource
    let source: any RefreshSource
    /// Names its circuit breaker; `nil`: it has none.
    let breaker: String?
    let metrics: ResourceMetrics

    init(_ resource: Resource, source: any RefreshSource) {
        self.resource = resource
        self.source = source
        breaker = Breakers.name(for: resource)
        metrics = ResourceMetrics(resource.name)
    }

    /// How long a payload published now is fresh: `freshFor`, moved by up to `jitter` of it to
    /// either side, but not past its end.
    func freshFor(random: () -> Double) -> FreshFor {
        let policy = resource.freshness
        guard policy.jitter > 0, case .duration(let duration) = policy.freshFor else {
            return policy.freshFor
        }
        let spread = duration * (1 + policy.jitter * (2 * random() - 1))
        return .duration(policy.keepFor.map { min(spread, max($0, duration)) } ?? spread)
    }
}
