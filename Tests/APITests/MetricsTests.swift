import Coordination
import FreshetModel
import TestSupport
import Testing

/// What `promtool check metrics` looks for, so that no tool is needed to know.
@Suite("metrics keep Prometheus' conventions")
struct MetricsTests {
    private struct Family {
        var kind = ""
        var hasHelp = false
        var samples: [(name: String, labels: String, value: String)] = []
    }

    private static func families(_ text: String) throws -> [String: Family] {
        var families: [String: Family] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                #expect(families[words[2]] == nil, "\(words[2]) twice")
                families[words[2], default: Family()].hasHelp = words.count > 3
            } else if line.hasPrefix("# TYPE ") {
                families[words[2], default: Family()].kind = words[3]
            } else {
                let end = try #require(line.lastIndex(of: " "))
                let name = line.prefix { $0 != "{" && $0 != " " }
                let labels = line[name.endIndex..<end]
                let value = String(line[line.index(after: end)...])
                var family = String(name)
                for suffix in ["_bucket", "_sum", "_count"]
                where families[String(name.dropLast(suffix.count))]?.kind == "histogram"
                    && name.hasSuffix(suffix)
                {
                    family = String(name.dropLast(suffix.count))
                }
                families[family, default: Family()].samples.append(
                    (String(name), String(labels), value))
            }
        }
        return families
    }

    @Test("each has HELP and TYPE, a counter ends in _total, times are in seconds")
    func conventions() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]", freshFor: .duration(.milliseconds(1)))
            _ = try await api.get("/api/cinema")
            let text = try await api.get("/metrics").text
            let families = try Self.families(text)
            #expect(families.count > 20)
            for (name, family) in families {
                #expect(family.hasHelp && !family.kind.isEmpty, "\(name)")
                #expect(!family.samples.isEmpty, "\(name)")
                #expect(name.hasPrefix("freshet_"), "\(name)")
                #expect((family.kind == "counter") == name.hasSuffix("_total"), "\(name)")
                for unit in ["_ms", "_milliseconds", "_minutes", "_kib", "_mib", "_percent"] {
                    #expect(!name.hasSuffix(unit) && !name.contains(unit + "_"), "\(name)")
                }
                let series = family.samples.map { $0.name + $0.labels }
                #expect(Set(series).count == series.count, "\(name) has a series twice")
                #expect(family.samples.allSatisfy { Double($0.value) != nil }, "\(name)")
            }
        }
    }

    @Test("a histogram for each stage, and how stale the stalest key is")
    func stages() async throws {
        try await APIFixture.run { api in
            try await api.keep("cinema", "[1]", freshFor: .duration(.milliseconds(1)))
            let families = try Self.families(try await api.get("/metrics").text)
            for stage in ["queue_wait", "source", "publish", "http_request"] {
                let family = try #require(families["freshet_\(stage)_seconds"])
                #expect(family.kind == "histogram")
                #expect(family.samples.contains { $0.labels.contains("le=\"+Inf\"") })
            }
            func stale() async throws -> Double {
                let families = try Self.families(try await api.get("/metrics").text)
                let sample = families["freshet_stale_seconds"]?.samples
                    .first { $0.labels == "{resource=\"cinema\"}" }
                return try #require(Double(sample?.value ?? ""))
            }
            try await eventually("it is stale") { try await stale() > 0 }
            _ = try await api.store.base.request(
                RefreshRequest(key: APIFixture.key("cinema")))
            #expect(try await stale() == 0)
        }
    }
}
