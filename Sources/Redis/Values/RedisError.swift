/// Why a command has no reply, and whether it may have happened all the same.
package struct RedisError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        // This side.
        /// No connection, and the last attempt to get one failed.
        case unreachable
        /// No reply within the deadline.
        case timeout
        /// The connection broke or was closed while the command was under way.
        case closed
        /// The calling task was cancelled.
        case cancelled
        /// Too many commands or bytes wait on the connection already.
        case overloaded
        /// What the server sent is not the Redis protocol, or not the shape of reply asked for.
        case protocolViolation

        // The server refused before it ran anything.
        /// User or password missing or wrong.
        case authentication
        /// The user may not run this command or touch this key.
        case denied
        case invalidDatabase
        /// It still reads its data from disk.
        case loading
        /// A script runs for too long.
        case busy
        /// Past `maxmemory`.
        case oom
        /// It cannot save to disk and so takes no writes.
        case misconf
        /// A replica; the master is elsewhere.
        case readonly
        /// Too few replicas for a write.
        case noReplicas
        case noScript
        /// A replica that lost its master.
        case masterDown
        case clusterDown
        /// Cluster: the slot lives elsewhere; the message says where.
        case moved
        /// Cluster: the slot is on its way elsewhere, and this key with it.
        case ask
        /// Cluster: the keys of one command are on both sides of a moving slot.
        case tryAgain
        /// Cluster: the keys of one command are in several slots.
        case crossSlot

        /// Any other error of the server, by its first word (`ERR`, `WRONGTYPE`, …).
        case server(String)
    }

    /// Whether the command was run.
    package enum Effect: Hashable, Sendable {
        /// It was not; it can be sent again safely.
        case none
        /// It was; only what should follow failed.
        case applied
        /// It may have been; only an idempotent command may be sent again.
        case unknown
    }

    package let code: Code
    package let message: String
    package let effect: Effect

    package init(_ code: Code, _ message: String, effect: Effect = .none) {
        self.code = code
        self.message = message
        self.effect = effect
    }

    package var description: String {
        switch effect {
        case .none: message
        case .applied: "\(message) (the command took effect)"
        case .unknown: "\(message) (the command may have taken effect)"
        }
    }

    /// The same error of a command with another fate.
    package func with(effect: Effect) -> RedisError { RedisError(code, message, effect: effect) }
}

extension RedisError {
    /// An error reply of the server. A refusal and a plain command's error leave no effect; an error
    /// raised in the middle of a script, which Redis marks, may leave half of one.
    package init(reply text: String) {
        let word = text.prefix { $0 != " " && $0 != "\r" && $0 != "\n" }
        let isWord = !word.isEmpty && word.allSatisfy { $0.isUppercase || $0.isNumber || $0 == "_" }
        let name = isWord ? String(word) : "ERR"
        let isFromScript = text.contains("@user_script") || text.contains(" script: ")
        let code = Self.code(name, text)
        self.init(code, "Redis: \(text)", effect: isFromScript ? .unknown : .none)
    }

    private static func code(_ name: String, _ text: String) -> Code {
        switch name {
        case "NOAUTH", "WRONGPASS": .authentication
        case "NOPERM": .denied
        case "LOADING": .loading
        case "BUSY": .busy
        case "OOM": .oom
        case "MISCONF": .misconf
        case "READONLY": .readonly
        case "NOREPLICAS": .noReplicas
        case "NOSCRIPT": .noScript
        case "MASTERDOWN": .masterDown
        case "CLUSTERDOWN": .clusterDown
        case "MOVED": .moved
        case "ASK": .ask
        case "TRYAGAIN": .tryAgain
        case "CROSSSLOT": .crossSlot
        default: .server(name)
        }
    }
}
