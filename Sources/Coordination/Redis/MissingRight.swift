internal import Redis

/// What a user of Redis was refused: who lacks which right, so that an operator can grant it.
///
/// Redis names the command it refuses to a client (`NOPERM … the 'set' command`). What it refuses a
/// script it does not name; the line it tells does (`… on @user_script:41`), unless the script caught
/// the refusal to tell it from a broken key, and then only the script is named.
enum MissingRight {
    /// - Parameters:
    ///   - user: Who the connection is to Redis.
    ///   - script: What was run; `nil`: a plain command.
    /// - Returns: `nil` when `error` is something else.
    static func error(
        _ error: RedisError, user: String, script: RedisScript?
    ) -> RefreshError? {
        guard error.code == .denied || isFromScript(error) else { return nil }
        var what = error.message
        if let command = quoted(error.message) ?? script.flatMap({ called(in: $0, error.message) })
        {
            what = "lacks the right to run \(command.uppercased())"
        } else if error.message.contains("key") || error.message.contains("channel") {
            let kind = error.message.contains("key") ? "keys" : "channels"
            what = "may not touch the \(kind) of this namespace"
        }
        if what == error.message { what = "lacks the right to run a command" }
        let place = script.map { " (script \($0.name))" } ?? ""
        return RefreshError(
            .redisDenied, "Redis' user `\(user)` \(what)\(place)", effect: .init(error.effect))
    }

    private static func isFromScript(_ error: RedisError) -> Bool {
        error.message.contains("user executing the script can't")
    }

    /// The command Redis names, between quotes.
    private static func quoted(_ message: String) -> Substring? {
        guard let start = message.firstRange(of: "run the '")?.upperBound,
            let end = message[start...].firstIndex(of: "'")
        else { return nil }
        return message[start..<end]
    }

    /// The command of the line that Redis names.
    private static func called(in script: RedisScript, _ message: String) -> Substring? {
        guard message.contains("can't run"),
            let mark = message.firstRange(of: "@user_script:")?.upperBound,
            let number = Int(message[mark...].prefix { $0.isNumber })
        else { return nil }
        let lines = script.source.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.indices.contains(number - 1),
            let start = lines[number - 1].firstRange(of: "call('")?.upperBound
        else { return nil }
        return lines[number - 1][start...].prefix { $0.isLetter }
    }
}

extension RedisClient {
    /// What a failed call of `script`, or of a plain command, means.
    func failure(_ error: RedisError, _ script: RedisScript? = nil) -> RefreshError {
        MissingRight.error(error, user: user, script: script) ?? RefreshError(error)
    }
}
