internal import FreshetModel

/// What must hold between the fields of one resource, after inheritance.
struct ResourceChecks {
    let resolved: ResolvedResource
    let report: Report

    private var name: ResourceName { resolved.name }
    private var layer: ResourceLayer { resolved.layer }
    private var declared: DeclaredParameters { layer.parameters ?? DeclaredParameters() }

    func run(isParentThere: Bool) {
        checkSource(isParentThere: isParentThere)
        checkTemplates()
        checkPath()
        checkSchedule()
        checkVariableNames()
    }

    private func checkSource(isParentThere: Bool) {
        guard layer.source == nil, !layer.hasBrokenSource else { return }
        guard let parent = name.parent else {
            report.error(resolved.place, "the resource `\(name)` has no `source`")
            return
        }
        report.error(
            resolved.place,
            isParentThere
                ? "`\(name)` inherits from `\(parent)`, which has no `source`"
                : "`\(name)` has no `source`, and there is no `\(parent)` to inherit one from")
    }

    private func checkTemplates() {
        guard let source = layer.source else { return }
        for template in source.templates {
            for parameter in Placeholders.names(in: template.text)
            where declared.places[parameter] == nil {
                guard resolved.sourceOwner == name else {
                    report.error(
                        resolved.place,
                        "`\(name)` inherits the source of `\(resolved.sourceOwner)`, which has "
                            + "`{\(parameter)}`, and does not declare it in its `params`")
                    continue
                }
                report.error(
                    template.place,
                    "`{\(parameter)}` is not declared in `params`"
                        + Suggestion.ending(for: parameter, among: declared.places.keys.sorted()))
            }
        }
        guard let query = source.query, resolved.sourceOwner == name else { return }
        for parameter in Placeholders.names(in: query.value)
        where declared.places[parameter] != nil {
            report.error(
                query.place,
                "`{\(parameter)}` is not replaced in a query; write `$1` and list it in `parameters`"
            )
        }
    }

    private func checkPath() {
        guard let path = layer.path else { return }
        for parameter in path.value.parameters where declared.places[parameter] == nil {
            report.error(
                path.place,
                "`path`: `{\(parameter)}` is not declared in `params`"
                    + Suggestion.ending(for: parameter, among: declared.places.keys.sorted()))
        }
        if let taken = path.value.takenBy {
            report.error(
                path.place,
                taken == "/v1"
                    ? "`path`: everything below `/v1` belongs to the API"
                    : "`path`: `\(taken)` belongs to the API")
        }
    }

    private func checkSchedule() {
        guard let schedule = layer.schedule else { return }
        let required = declared.rules.filter { $0.defaultValue == nil }.map { "`\($0.name)`" }
        guard !required.isEmpty else { return }
        report.error(
            schedule.place,
            "`schedule` refreshes the key made of defaults, and "
                + "\(required.joined(separator: ", ")) \(required.count == 1 ? "has" : "have") none"
        )
    }

    /// `FRESHET_PARAM_<NAME>` has `_` for `-` and `.`, so two names may come to one.
    private func checkVariableNames() {
        guard case .command? = layer.source?.definition else { return }
        var known: [String: String] = [:]
        for rule in declared.rules {
            let variable = rule.name.uppercased().replacing("-", with: "_").replacing(
                ".", with: "_")
            if let other = known[variable] {
                report.error(
                    declared.places[rule.name] ?? resolved.place,
                    "`\(rule.name)` and `\(other)` are both FRESHET_PARAM_\(variable) to a command")
            }
            known[variable] = rule.name
        }
    }
}
