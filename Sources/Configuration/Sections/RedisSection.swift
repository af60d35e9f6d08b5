internal import FreshetModel

/// `redis:`
enum RedisSection {
    static func read(_ node: Node, _ report: Report) -> RedisSettings {
        let fields = Fields(node, of: "`redis`", known: FieldNames.redis, report)
        var redis = RedisSettings()
        fields.read("url", intoOptional: &redis.url) { node throws(ValueError) in
            let url = try Values.text(node)
            if let problem = RedisURLForm.problem(of: url) { throw ValueError(problem) }
            return url
        }
        fields.read("namespace", into: &redis.namespace) { node throws(ValueError) in
            let name = try Values.text(node)
            let isName = name.utf8.allSatisfy {
                switch $0 {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                default: "_.:-".utf8.contains($0)
                }
            }
            guard isName, name.utf8.count <= 64 else {
                throw ValueError("a namespace has 1 to 64 letters, digits, `_`, `.`, `:` and `-`")
            }
            return name
        }
        fields.read("partitions", into: &redis.partitions, Values.integer(1...256))
        fields.read("wait_replicas", into: &redis.waitReplicas, Values.integer(0...32))
        return redis
    }
}
