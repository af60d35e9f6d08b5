/// Something that runs for as long as the process has it: an HTTP server, a worker, a reaper.
///
/// Two different ends reach it. A **graceful shutdown** (see `gracefulShutdown()`) asks it to finish
/// what it holds and to return; **cancellation** of its task tells it to give up now. Returning from
/// `run` means "I stopped", and ends the group it runs in.
package protocol Service: Sendable {
    /// Runs until shut down. Every task it needs is a child of this call.
    func run() async throws
}
