/// Runs services side by side and ends them together.
///
///     first signal, or the first service that ends ── graceful shutdown, last service first
///     gracePeriod later, or the second signal      ── cancellation
///
/// `run` returns when all have ended, and throws what the first that failed threw.
package struct ServiceGroup: Service {
    package var services: [any Service]
    package var gracePeriod: Duration
    package var signals: SignalSource?

    /// - Parameters:
    ///   - services: In the order of dependence: the last is asked to stop first.
    ///   - gracePeriod: From the beginning of a shutdown to cancellation.
    ///   - signals: SIGTERM and SIGINT begin the shutdown; `nil`: only an outer group does.
    package init(
        _ services: [any Service], gracePeriod: Duration = .seconds(30),
        signals: SignalSource? = nil
    ) {
        self.services = services
        self.gracePeriod = gracePeriod
        self.signals = signals
    }

    package func run() async throws {
    }
}
