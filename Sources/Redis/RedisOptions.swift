/// How a connection behaves; the defaults suit a server next door.
package struct RedisOptions: Sendable {
    /// How long one attempt may take from the look-up of the name to the first greeting reply, and
    /// from each of them to the next; ten times as long for all of it.
    ///
    /// Default: 1 s.
    package var connectTimeout: Duration = .seconds(1)

    /// How long a command may wait for a connection after an attempt has failed; zero fails it at
    /// once. While no attempt has failed, a command waits as long as its own deadline lets it.
    ///
    /// Default: 0.
    package var connectGrace: Duration = .zero

    /// A socket on which the oldest reply is overdue by so much, and on which nothing has moved for
    /// as long, is given up for a new one. Zero, for blocking commands, gives it up at the deadline.
    ///
    /// Default: 1 s.
    package var overdueGrace: Duration = .seconds(1)

    /// Commands that may wait for a connection or a reply; past it they fail as overloaded.
    ///
    /// Default: 65,536.
    package var maxCommands = 65_536

    /// Bytes that may wait to be written; one command may pass it when nothing else waits.
    ///
    /// Default: 256 MiB.
    package var maxQueuedBytes = 256 * 1024 * 1024

    /// The longest pause between two attempts; the real one is a random part of it.
    ///
    /// Default: 1 s.
    package var maxBackoff: Duration = .seconds(1)

    package init() {}

    /// For a connection that runs blocking commands: a reply that is late ends the socket.
    package static var blocking: RedisOptions {
        var options = RedisOptions()
        options.overdueGrace = .zero
        return options
    }
}
