internal import Codecs
internal import HTTPServer
internal import Representation

/// Answers in JSON that nobody may keep.
enum JSONAnswer {
    /// An object.
    static func object(
        status: Int = 200, _ body: (inout JSONText) -> Void
    ) -> HTTPReply {
        text(status: status, JSONText.object(body))
    }

    /// What `body` writes.
    static func value(status: Int = 200, _ body: (inout JSONText) -> Void) -> HTTPReply {
        var json = JSONText()
        body(&json)
        return text(status: status, json.bytes)
    }

    /// A list with a cursor.
    static func page<Elements: Sequence>(
        status: Int = 200, _ items: Elements, nextCursor: String?,
        _ body: (inout JSONText, Elements.Element) -> Void
    ) -> HTTPReply {
        object(status: status) {
            $0.member("items", items, body)
            $0.member("next_cursor", nextCursor)
        }
    }

    /// JSON text.
    static func text(status: Int = 200, _ body: [UInt8]) -> HTTPReply {
        .response(
            HTTPResponse(
                status: status,
                headers: [("Content-Type", "application/json"), ("Cache-Control", "no-store")],
                body: body))
    }
}
