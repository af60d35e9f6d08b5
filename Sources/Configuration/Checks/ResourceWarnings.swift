internal import FreshetModel

/// What is allowed and still looks like a mistake.
struct ResourceWarnings {
    let resolved: ResolvedResource
    let report: Report

    private var resource: Resource { resolved.resource }
    private var layer: ResourceLayer { resolved.layer }

    func run() {
        warnAboutTimes()
        warnAboutPath()
        warnAboutParameters()
    }

    private func warnAboutTimes() {
        let freshness = resource.freshness
        if let lease = layer.lease, resource.lease > resource.timeout {
            report.warn(lease.place, "`lease` is longer than `timeout`, so no attempt outlives it")
        }
        if let timeout = layer.source?.timeout, timeout.value > resource.timeout {
            report.warn(
                timeout.place,
                "longer than the `timeout` of `\(resource.name)`, "
                    + "\(DurationText.describe(resource.timeout)), which ends the attempt before")
        }
        if case .duration(let freshFor) = freshness.freshFor {
            if let keepFor = layer.keepFor, keepFor.value < freshFor {
                report.warn(
                    keepFor.place,
                    "shorter than the `fresh_for` of `\(resource.name)`, "
                        + "\(DurationText.describe(freshFor)): payloads go while they are fresh")
            }
            return
        }
        if let refreshAhead = layer.refreshAhead {
            report.warn(
                refreshAhead.place,
                "`refresh_ahead` does nothing for `\(resource.name)`, which has no time to be ahead of"
            )
        }
    }

    private func warnAboutPath() {
        guard let path = layer.path, path.value.takenBy == nil else { return }
        for taken in path.value.shadowedBy {
            report.warn(path.place, "`path` also matches `\(taken)`, which the API answers itself")
        }
        if case .parameter = path.value.segments.first, path.value.segments.count > 1 {
            report.warn(path.place, "`path` does not get what begins with `/v1/`, the API does")
        }
    }

    private func warnAboutParameters() {
        guard let source = layer.source, let declared = layer.parameters else { return }
        var used: Set<String> = []
        for template in source.templates {
            for name in Placeholders.names(in: template.text) {
                used.insert(name)
                guard let pattern = declared.patterns[name] else { continue }
                warn(about: name, pattern, in: template)
            }
        }
        // A command is told all parameters by its environment.
        if case .command = source.definition { return }
        guard resolved.sourceOwner == resource.name || used.isEmpty else { return }
        for rule in declared.rules where !used.contains(rule.name) {
            report.warn(
                declared.places[rule.name] ?? resolved.place,
                "`\(rule.name)` is in no template of the source: its keys have equal payloads")
        }
    }

    private func warn(
        about name: String, _ pattern: Pattern, in template: SourceReading.Template
    ) {
        switch template.use {
        case .argument where template.text.hasPrefix("{\(name)}") && pattern.mayBegin(with: "-"):
            report.warn(
                template.place,
                "`{\(name)}` may begin with `-`, which is refused lest it be an option; "
                    + "its `pattern` can say so"
            )
        case .path where pattern.mayContain("/") || pattern.matches(".."):
            report.warn(
                template.place,
                "`{\(name)}` may hold `/` or be `..`, which is refused in a path; its `pattern` can say so"
            )
        default: break
        }
    }
}
