/// A condition that did not come true in time.
package struct NotInTime: Error, CustomStringConvertible {
    package let what: String
    package let deadline: Duration

    package var description: String { "not within \(deadline): \(what)" }
}

/// Waits until `condition` is true, asking every few milliseconds, and throws at the deadline.
///
/// - Parameter what: The condition in words, for the failure.
package func eventually(
    _ what: String = "condition", deadline: Duration = .seconds(5),
    _ condition: () async throws -> Bool
) async throws {
    _ = try await eventualValue(what, deadline: deadline) { try await condition() ? true : nil }
}

/// Waits until `body` has a value, asking every few milliseconds, and throws at the deadline.
package func eventualValue<Value>(
    _ what: String = "value", deadline: Duration = .seconds(5),
    _ body: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let end = clock.now + deadline
    var pause = Duration.milliseconds(1)
    while true {
        if let value = try await body() { return value }
        guard clock.now < end else { throw NotInTime(what: what, deadline: deadline) }
        try await Task.sleep(for: pause)
        pause = min(pause * 2, .milliseconds(20))
    }
}
