internal import Codecs
internal import Coordination
internal import FreshetModel
internal import Representation

/// The schemas of what callers send, as strict as the reading of it: `RefreshBody`, `DeadHandler`.
enum RequestSchemas {
    static func write(to json: inout JSONText) {
        json.member("RefreshBody") { object(&$0) { members(&$0) } }
        json.member("RefreshManyBody") { json in
            object(&json) {
                texts("keys", 1...Limits.bulkKeys, &$0)
                members(&$0)
            }
            json.member("required", ["keys"]) { $0.value($1) }
        }
        json.member("DeadRetryBody") { json in
            json.name("oneOf")
            json.array { json in
                json.object { json in
                    object(&json) {
                        texts("ids", 1...Limits.bulkKeys, &$0)
                        $0.member("all") { $0.member("const", false) }
                    }
                    json.member("required", ["ids"]) { $0.value($1) }
                }
                json.object { json in
                    object(&json) { $0.member("all") { $0.member("const", true) } }
                    json.member("required", ["all"]) { $0.value($1) }
                }
            }
        }
    }

    private static func object(
        _ json: inout JSONText, _ properties: (inout JSONText) -> Void
    ) {
        json.member("type", "object")
        json.member("additionalProperties", false)
        json.member("properties") { properties(&$0) }
    }

    private static func members(_ json: inout JSONText) {
        json.member("force") { $0.member("type", "boolean") }
        json.member("scope") {
            $0.member("type", "array")
            $0.member("items") {
                $0.member("type", "string")
                $0.member("maxLength", Limits.scopePartLength)
                // Relative, and no way up.
                $0.member(
                    "pattern",
                    #"^(?!/)(?!(?:.*/)?\.\.(?:/|$))[^\u0000-\u001f\u007f]+$"#)
            }
        }
        json.member("priority") { json in
            json.member("enum", ["high", "normal", "low"]) { $0.value($1) }
        }
        json.member("delay_seconds") {
            $0.member("type", "number")
            $0.member("minimum", 0)
            $0.member("maximum", Int(RefreshBody.longestDelay))
        }
    }

    private static func texts(
        _ name: String, _ count: ClosedRange<Int>, _ json: inout JSONText
    ) {
        json.member(name) {
            $0.member("type", "array")
            $0.member("minItems", count.lowerBound)
            $0.member("maxItems", count.upperBound)
            $0.member("items") { $0.member("type", "string") }
        }
    }
}
