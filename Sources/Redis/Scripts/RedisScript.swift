internal import Synchronization

/// A Lua script, run by its digest.
///
/// The digest is Redis' own answer to SCRIPT LOAD, so nothing here computes one; until the first
/// connection has loaded the script, or where the user may not load, it is sent in full.
package final class RedisScript: Sendable {
    package let name: String
    package let source: String
    private let known = Mutex<[UInt8]?>(nil)

    package init(name: String, source: String) {
        self.name = name
        self.source = source
    }

    /// SHA-1 of the source in hexadecimal; nil before it was loaded once.
    package var digest: [UInt8]? { known.withLock { $0 } }

    func remember(digest: [UInt8]) { known.withLock { $0 = digest } }

    /// EVALSHA, or EVAL when the digest is not known or must not be relied on.
    func command(keys: [String], arguments: [RedisArgument], inFull: Bool) -> [RedisArgument] {
        var command: [RedisArgument] = []
        command.reserveCapacity(3 + keys.count + arguments.count)
        if let digest, !inFull {
            command.append("EVALSHA")
            command.append(.bytes(digest))
        } else {
            command.append("EVAL")
            command.append(.text(source))
        }
        command.append(RedisArgument(keys.count))
        for key in keys { command.append(.text(key)) }
        command.append(contentsOf: arguments)
        return command
    }
}

/// The scripts of a connection: all are loaded when it connects, and again when one is missing.
package struct RedisScripts: Sendable {
    package let all: [RedisScript]

    package init(_ all: [RedisScript]) { self.all = all }

    /// The script called so.
    package subscript(name: String) -> RedisScript? { all.first { $0.name == name } }
}
