internal import Codecs
package import FreshetModel

extension Payload {
    /// A payload with its facts filled in: size, content tag, and, for JSON, the check that it is
    /// JSON and the number of its items.
    package static func checked(
        _ bytes: [UInt8], contentType: String
    ) throws(SourceError) -> Payload {
        try Payload(bytes: bytes, contentType: contentType).checked()
    }

    /// The same payload with its facts filled in.
    package func checked() throws(SourceError) -> Payload {
        var payload = self
        payload.facts.sizeBytes = bytes.count
        if isJSON {
            do throws(JSONError) {
                payload.facts.itemCount = try JSONScanner.scan(bytes).elementCount
            } catch {
                throw SourceError("the payload is \(error)")
            }
        }
        payload.facts.contentTag = SHA256.contentTag(bytes)
        return payload
    }
}
