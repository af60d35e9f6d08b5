internal import FreshetModel

/// From a key's place in path and query to the key.
struct KeyResolver {
    private let resources: [ResourceName: Resource]
    private let standard: ResourceName?

    init(_ settings: Settings) {
        resources = settings.resources
        standard = settings.defaultResource
    }

    /// All resources, by name.
    var names: [ResourceName] { resources.keys.sorted() }

    /// The key of a resource without parameters, or with the defaults of all; `nil` when it needs
    /// some.
    func standardKey(of name: ResourceName) -> Key? {
        do {
            return try resources[name]?.key(parameters: [])
        } catch {
            return nil
        }
    }

    /// The resource named `name`.
    /// - Throws: 404 when none is configured.
    func resource(_ name: ResourceName) throws(Problem) -> Resource {
        guard let resource = resources[name] else {
            throw .notFound("unknown_resource", "No resource `\(name)` is configured.")
        }
        return resource
    }

    /// The key that `target` and what is left of `query` name. Takes all that is left.
    /// - Throws: 404 for an unknown resource, 400 for parameters that do not make a key of it.
    func resolve(
        _ target: KeyTarget, _ query: inout StrictQuery
    ) throws(Problem) -> (resource: Resource, key: Key) {
        switch target.name {
        case .resource(let name):
            query.append(target.parameters)
            return try complete(try resource(name), query.remaining)
        case .key(let text):
            return try resolve(text: text, and: query.remaining)
        case .standard:
            if let text = try query.take("resource") {
                return try resolve(text: text, and: query.remaining)
            }
            guard let standard else {
                throw .notFound("no_default_resource", "No `default_resource` is configured.")
            }
            return try complete(try resource(standard), query.remaining)
        }
    }

    /// The key that `text` names, with further `parameters`.
    func resolve(
        text: String, and parameters: [Key.Parameter] = []
    ) throws(Problem) -> (resource: Resource, key: Key) {
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = ResourceName(String(parts[0])) else {
            throw .notFound(
                "unknown_resource", "`\(String(parts[0]).shortened)` is no name of a resource.")
        }
        let resource = try resource(name)
        guard parts.count == 2 else { return try complete(resource, parameters) }
        guard let own = PercentEncoding.decodeQuery(String(parts[1])) else {
            throw .badRequest("invalid_key", "The key holds a malformed escape.")
        }
        return try complete(resource, own + parameters)
    }

    private func complete(
        _ resource: Resource, _ parameters: [Key.Parameter]
    ) throws(Problem) -> (resource: Resource, key: Key) {
        do {
            return (resource, try resource.key(parameters: parameters))
        } catch {
            throw Problem(error, resource: resource.name)
        }
    }
}
