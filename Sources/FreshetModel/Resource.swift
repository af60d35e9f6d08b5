/// What a cold read does: nothing is kept yet.
public enum ColdPolicy: String, Sendable, CaseIterable {
    /// Wait up to `waitTimeout` for the first payload.
    case wait
    /// Answer 503 at once.
    case unavailable
}

/// The form of an answer to a payload read.
public enum ResponseForm: String, Sendable, CaseIterable {
    /// JSON with the payload under `items` and metadata beside it.
    case envelope
    /// The payload itself, metadata in header fields.
    case raw
}

/// A declared parameter of a resource.
public struct ParameterRule: Hashable, Sendable {
    /// The declared name.
    public var name: String
    /// Regular expression that the whole value must match; see `Pattern` for what it may hold.
    public var pattern: String {
        didSet { compiled = try? Pattern(pattern) }
    }
    /// Filled in when the parameter is absent; `nil`: required.
    public var defaultValue: String?
    /// `nil` for a pattern that is none; then nothing matches.
    private var compiled: Pattern?

    /// What a parameter without a `pattern` may be: 1 to 256 characters, none of them a control.
    public static let standardPattern = #"[^\x00-\x1F\x7F]{1,256}"#

    /// A rule for the parameter `name`. A `pattern` that is no regular expression matches nothing.
    public init(
        name: String, pattern: String = Self.standardPattern, defaultValue: String? = nil
    ) {
        self.name = name
        self.pattern = pattern
        self.defaultValue = defaultValue
        compiled = try? Pattern(pattern)
    }

    /// A rule for the parameter `name` whose pattern has been compiled before.
    public init(name: String, pattern: Pattern, defaultValue: String? = nil) {
        self.name = name
        self.pattern = pattern.text
        self.defaultValue = defaultValue
        compiled = pattern
    }

    /// Whether all of `value` matches the pattern; takes time linear in `value`.
    public func matches(_ value: String) -> Bool { compiled?.matches(value) ?? false }
}

/// A named thing kept fresh, inheritance and defaults resolved.
public struct Resource: Hashable, Sendable {
    /// The name.
    public var name: ResourceName
    /// GET alias such as `/api/cinema`; `{name}` segments are parameters.
    public var path: String?
    /// How long payloads are fresh and kept.
    public var freshness = FreshnessPolicy()
    /// What a read does while nothing is kept. Default: wait.
    public var cold = ColdPolicy.wait
    /// How long a cold read waits. Default: 10 s.
    public var waitTimeout: Duration = .seconds(10)
    /// The form of an answer. Default: envelope.
    public var response = ResponseForm.envelope
    /// The class of its jobs. Default: normal.
    public var priority = Priority.normal
    /// How long one attempt may take. Default: 5 min.
    public var timeout: Duration = .seconds(300)
    /// Time without a heartbeat until a job counts as stalled. Default: 10 s.
    public var lease: Duration = .seconds(10)
    /// When failed attempts are repeated.
    public var retry = RetryPolicy()
    /// Refreshes without being asked.
    public var schedule: Schedule?
    /// Declared parameters, sorted by name.
    public var parameters: [ParameterRule] = []
    /// Keys it may have; beyond it the least recently read go. Default: 10,000.
    public var maximumVariants = 10_000
    /// How payloads are produced; `nil` for a closure registered in Swift.
    public var source: SourceDefinition?

    /// A resource with the defaults of the configuration.
    public init(name: ResourceName, source: SourceDefinition? = nil) {
        self.name = name
        self.source = source
    }
}

extension Resource {
    /// Why parameters do not make a key of a resource.
    public enum KeyError: Error, Hashable {
        /// The resource declares no such parameter.
        case undeclared(String)
        /// The parameter was given more than once.
        case repeated(String)
        /// The parameter has no default and was not given.
        case missing(String)
        /// The value does not match the pattern.
        case mismatch(name: String, pattern: String)
        /// The key's text would pass `Key.maximumLength`.
        case tooLong
    }

    /// The key for `given` parameters: declared ones only, defaults filled in, values matched whole.
    /// - Throws: `KeyError`, which is the caller's 400.
    public func key(parameters given: [Key.Parameter]) throws(KeyError) -> Key {
        for (index, parameter) in given.enumerated() {
            guard parameters.contains(where: { $0.name == parameter.name }) else {
                throw .undeclared(parameter.name)
            }
            guard !given[..<index].contains(where: { $0.name == parameter.name }) else {
                throw .repeated(parameter.name)
            }
        }
        var complete: [Key.Parameter] = []
        complete.reserveCapacity(parameters.count)
        for rule in parameters {
            let known = given.first { $0.name == rule.name }?.value
            guard let value = known ?? rule.defaultValue else { throw .missing(rule.name) }
            guard value.utf8.count <= Key.maximumLength else { throw .tooLong }
            guard rule.matches(value) else {
                throw .mismatch(name: rule.name, pattern: rule.pattern)
            }
            complete.append(Key.Parameter(name: rule.name, value: value))
        }
        guard let key = Key(resource: name, parameters: complete) else { throw .tooLong }
        return key
    }
}
