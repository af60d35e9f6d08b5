internal import FreshetModel

/// What one place, a resource or `defaults`, says about a resource. Resolving lays one over the
/// other: the resource, the names it inherits from, `defaults`, the built-in values.
struct ResourceLayer {
    var freshFor: Located<FreshFor>?
    var keepFor: Located<Duration>?
    var cold: Located<ColdPolicy>?
    var waitTimeout: Located<Duration>?
    var response: Located<ResponseForm>?
    var priority: Located<Priority>?
    var timeout: Located<Duration>?
    var lease: Located<Duration>?
    var refreshAhead: Located<Double>?
    var jitter: Located<Double>?
    var maximumVariants: Located<Int>?
    var retry = RetryLayer()
    var parameters: DeclaredParameters?
    var source: SourceReading?
    /// Not inherited.
    var path: Located<PathForm>?
    /// Not inherited.
    var schedule: Located<Schedule>?
    /// A source was written and is wrong, so that its absence is no second error.
    var hasBrokenSource = false

    init() {}

    /// Reads the fields that a resource and `defaults` share.
    init(shared fields: Fields) {
        let day = Duration.seconds(86_400)
        freshFor = fields.read("fresh_for", Self.freshFor)
        keepFor = fields.read("keep_for", Values.duration(.positive))
        cold = fields.read("cold", Values.word(ColdPolicy.self))
        waitTimeout = fields.read("wait_timeout", Values.duration(.zero ... .seconds(3600)))
        response = fields.read("response", Values.word(ResponseForm.self))
        priority = fields.read("priority") { node throws(ValueError) in
            try Values.word(PriorityWord.self)(node).priority
        }
        timeout = fields.read("timeout", Values.duration(.milliseconds(1)...day * 30))
        lease = fields.read("lease", Values.duration(.milliseconds(100) ... .seconds(3600)))
        refreshAhead = fields.read(
            "refresh_ahead", Values.number("a share between 0 and 1") { $0 > 0 && $0 < 1 })
        jitter = fields.read(
            "jitter", Values.number("a share in 0 ... 0.5") { (0...0.5).contains($0) })
        maximumVariants = fields.read("max_variants", Values.integer(1...100_000_000))
        if let entry = fields["retry"] { retry = RetryLayer(entry.value, fields.report) }
    }

    /// Reads all fields of a resource.
    init(resource node: Node, named name: String, _ report: Report) {
        let fields = Fields(
            node, of: "the resource `\(name)`", known: FieldNames.resource, report)
        self.init(shared: fields)
        hasBrokenSource = !fields.isMapping
        path = fields.read("path") { node throws(ValueError) in
            try PathForm(parsing: try Values.text(node))
        }
        if let entry = fields["schedule"] { schedule = Self.schedule(entry.value, report) }
        if let entry = fields["params"] {
            parameters = DeclaredParameters(entry.value, report)
        }
        if let entry = fields["source"] {
            source = SourceReading(entry.value, resource: name, report)
            hasBrokenSource = source == nil
        } else if fields.isMisspelled("source") {
            hasBrokenSource = true
        }
    }

    private static func freshFor(_ node: Node) throws(ValueError) -> FreshFor {
        let wanted = "a duration, `never` or `always`"
        let scalar = try Values.scalar(node, wanted: wanted)
        guard !scalar.isNull else { throw ValueError("has no value; it is \(wanted)") }
        switch scalar.text {
        case "never": return .never
        case "always": return .always
        case "0", "0s": throw ValueError("\(scalar.quotation) is said as `always`")
        default:
            let suggestion = Suggestion.ending(for: scalar.text, among: ["never", "always"])
            guard suggestion.isEmpty || DurationText.parse(scalar.text) != nil else {
                throw ValueError(
                    "expected \(wanted), found \(scalar.quotation)"
                        + suggestion)
            }
            return .duration(try Values.duration(.positive)(node))
        }
    }

    private static func schedule(_ node: Node, _ report: Report) -> Located<Schedule>? {
        let fields = Fields(node, of: "`schedule`", known: FieldNames.schedule, report)
        let every = fields.read("every", Values.duration(.milliseconds(100) ... .century))
        let cron = fields.read("cron") { node throws(ValueError) in
            let text = try Values.text(node)
            do throws(CronExpression.ParseError) {
                return try CronExpression(text)
            } catch {
                throw ValueError(error.message)
            }
        }
        switch (fields["every"], fields["cron"]) {
        case (nil, nil):
            if case .mapping = node.content {
                report.error(node.place, "`schedule` needs `every` or `cron`")
            } else if node.isNull {
                report.error(node.place, "`schedule` has no value; it has `every` or `cron`")
            }
            return nil
        case (_?, let second?):
            report.error(
                second.keyPlace, "`schedule` has both `every` and `cron`; one of them counts")
            return nil
        default:
            if let every { return Located(value: .every(every.value), place: every.place) }
            return cron.map { Located(value: .cron($0.value), place: $0.place) }
        }
    }

    /// Fills in what is not said from `other`.
    mutating func fill(from other: ResourceLayer) {
        freshFor = freshFor ?? other.freshFor
        keepFor = keepFor ?? other.keepFor
        cold = cold ?? other.cold
        waitTimeout = waitTimeout ?? other.waitTimeout
        response = response ?? other.response
        priority = priority ?? other.priority
        timeout = timeout ?? other.timeout
        lease = lease ?? other.lease
        refreshAhead = refreshAhead ?? other.refreshAhead
        jitter = jitter ?? other.jitter
        maximumVariants = maximumVariants ?? other.maximumVariants
        retry.fill(from: other.retry)
        parameters = parameters ?? other.parameters
    }

    /// Inherits from the name before the last dot: all but `path`, `schedule` and `watch`.
    mutating func inherit(from parent: ResourceLayer) {
        fill(from: parent)
        guard source == nil, !hasBrokenSource else { return }
        source = parent.source
        hasBrokenSource = parent.hasBrokenSource
        if case .directory(var directory)? = source?.definition {
            directory.watch = false
            source?.definition = .directory(directory)
        }
    }
}

/// The names of priorities, which are ordered by number in the model.
private enum PriorityWord: String, CaseIterable {
    case high
    case normal
    case low

    var priority: Priority {
        switch self {
        case .high: .high
        case .normal: .normal
        case .low: .low
        }
    }
}
