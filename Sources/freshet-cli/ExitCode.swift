/// What `freshet` tells its caller by its exit code.
enum ExitCode: Int32, Sendable {
    case done = 0
    /// Failed, or there is no such key or job.
    case failed = 1
    /// Called in a way that the help does not know.
    case usage = 64
    /// Redis cannot be reached.
    case unavailable = 69
    /// The configuration has errors.
    case configuration = 78
}
