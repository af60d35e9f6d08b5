internal import FreshetModel

/// The whole file, from its tree to settings.
struct FileReader {
    let report: Report
    let overrides: Overrides

    func read(_ root: Node?) -> Settings {
        var settings = Settings()
        let empty = Node(
            place: .beginning,
            content: .scalar(Scalar(text: "", written: "")))
        let fields = Fields(
            root ?? empty, of: "the file", known: FieldNames.file, report)
        if let entry = fields["redis"] { settings.redis = RedisSection.read(entry.value, report) }
        let api = fields["api"].map { APISection($0.value, report) } ?? APISection()
        settings.api = api.settings
        if let entry = fields["worker"] {
            settings.worker = WorkerSection.read(entry.value, report)
        }
        let refresh = fields["refresh"].map { RefreshSection($0.value, report) } ?? RefreshSection()
        settings.refresh = refresh.settings
        var defaults = ResourceLayer()
        if let entry = fields["defaults"] {
            defaults = ResourceLayer(
                shared: Fields(
                    entry.value, of: "`defaults`", known: FieldNames.defaults, report))
        }
        let written = resources(fields)
        let resolver = ResourceResolver(
            written: written, defaults: defaults, retry: refresh.retry)
        let resolved = resolver.resolve()
        for one in resolved {
            settings.resources[one.name] = one.resource
            ResourceChecks(resolved: one, report: report).run(
                isParentThere: one.name.parent.map { written[$0] != nil } ?? false)
            ResourceWarnings(resolved: one, report: report).run()
        }
        PathChecks.run(resolved, report)
        settings.defaultResource = defaultResource(fields, among: written)
        checkListening(&settings, api, fields)
        warnAboutKeys(api, settings)
        return settings
    }

    private func resources(_ fields: Fields) -> [ResourceName: ResourceResolver.Written] {
        guard let node = fields["resources"]?.value, !node.isNull else {
            report.warn(fields.place(of: "resources"), "there are no `resources` to keep fresh")
            return [:]
        }
        guard case .mapping(let entries) = node.content else {
            if !node.isBroken {
                report.error(
                    node.place, "`resources`: expected names with their fields, found \(node.kind)"
                )
            }
            return [:]
        }
        if entries.isEmpty { report.warn(node.place, "there are no `resources` to keep fresh") }
        var written: [ResourceName: ResourceResolver.Written] = [:]
        for entry in entries {
            let layer = ResourceLayer(resource: entry.value, named: entry.key, report)
            guard let name = ResourceName(entry.key) else {
                report.error(
                    entry.keyPlace,
                    "\(Fields.quoted(entry.key)) is no name of a resource: a lower-case letter or "
                        + "digit, then those, `_`, `.` and `-`, 64 in all"
                        + (ResourceName(entry.key.lowercased()) == nil
                            ? "" : "; did you mean `\(entry.key.lowercased())`?"))
                continue
            }
            written[name] = ResourceResolver.Written(place: entry.keyPlace, layer: layer)
        }
        return written
    }

    private func defaultResource(
        _ fields: Fields, among written: [ResourceName: ResourceResolver.Written]
    ) -> ResourceName? {
        fields.read("default_resource") { node throws(ValueError) in
            let text = try Values.text(node)
            guard let name = ResourceName(text), written[name] != nil else {
                let names = written.keys.sorted().map(\.text)
                throw ValueError(
                    "there is no resource \(Fields.quoted(text))"
                        + Suggestion.ending(for: text, among: names))
            }
            return name
        }?.value
    }

    private func checkListening(_ settings: inout Settings, _ api: APISection, _ fields: Fields) {
        let place = api.listenPlace ?? fields.place(of: "api")
        for problem in settings.store(overrides) { report.error(.beginning, problem) }
        // What is wrong with the keys has been reported, and so has an `api` that is no mapping.
        let isExcused =
            settings.api.keys.isEmpty && (api.hasKeys || fields["api"]?.value.isBroken == true)
        if !isExcused, let problem = ListenCheck.problem(of: settings.api) {
            let origin = overrides.listen?.origin
            report.error(
                origin == nil ? place : .beginning, "`\(origin ?? "listen")`: \(problem)")
        }
        ListenCheck.warn(settings.api, place, report)
    }

    private func warnAboutKeys(_ api: APISection, _ settings: Settings) {
        for pattern in api.patterns
        where !settings.resources.keys.contains(where: {
            Wildcard.matches(pattern.value, $0.text)
        }) {
            report.warn(pattern.place, "no resource is called \(Fields.quoted(pattern.value))")
        }
    }
}
