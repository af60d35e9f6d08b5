package import Codecs
package import FreshetModel

/// What answers are made of, beside texts and numbers.
extension JSONText {
    /// The text of one object.
    package static func object(_ body: (inout JSONText) -> Void) -> [UInt8] {
        var json = JSONText()
        json.object(body)
        return json.bytes
    }

    /// Writes a member that is an object.
    package mutating func member(_ name: String, _ body: (inout JSONText) -> Void) {
        self.name(name)
        object(body)
    }

    /// Writes a member that is an array of what `body` writes for each element.
    package mutating func member<Elements: Sequence>(
        _ name: String, _ elements: Elements,
        _ body: (inout JSONText, Elements.Element) -> Void
    ) {
        self.name(name)
        array { json in
            for element in elements { body(&json, element) }
        }
    }

    package mutating func member(_ name: String, _ value: Int64?) {
        member(name, value.map { Int($0) })
    }

    /// A duration as seconds, to the millisecond.
    package mutating func member(_ name: String, _ value: Duration?) {
        member(name, value.map { Double($0.milliseconds) / 1000 })
    }

    /// A time as RFC 3339 in UTC.
    package mutating func member(_ name: String, _ value: Timestamp?) {
        member(name, value?.rfc3339)
    }

    package mutating func null(_ name: String) { member(name, nil as String?) }
}
