internal import FreshetModel

/// That each path leads to one resource.
enum PathChecks {
    static func run(_ resources: [ResolvedResource], _ report: Report) {
        let paths = resources.compactMap { resolved in
            resolved.layer.path.map { (name: resolved.name, path: $0) }
        }
        var byShape: [Shape: [(name: ResourceName, path: Located<PathForm>)]] = [:]
        for entry in paths.sorted(by: { $0.path.place < $1.path.place }) {
            let path = entry.path.value
            // Of two that match, the one with more literal segments counts: only equals collide.
            let shape = Shape(segments: path.segments.count, literals: path.literals)
            let rivals = byShape[shape, default: []]
            if let rival = rivals.first(where: { $0.path.value.overlaps(path) }) {
                let other =
                    "`\(rival.path.value.text)` of `\(rival.name)` in line \(rival.path.place.line)"
                report.error(
                    entry.path.place,
                    rival.path.value.text == path.text
                        ? "`path`: used twice; \(other) is the first"
                        : "`path`: `\(path.text)` and \(other) match the same paths")
            }
            byShape[shape, default: []].append(entry)
        }
    }

    private struct Shape: Hashable {
        var segments: Int
        var literals: Int
    }
}
