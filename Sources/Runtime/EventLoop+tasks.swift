internal import Synchronization

// What Swift tasks want of a loop.
extension EventLoop {
    /// Runs `body`, and all it calls that is bound to no actor, on the loop.
    ///
    /// As a child task, which begins there. `withTaskExecutorPreference` would leave it where it is
    /// until something suspends: in optimized builds of Swift 6.3 the change of thread is lost.
    package func perform<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withTaskGroup(of: Result<Value, Failure>.self) { group in
            group.addTask(executorPreference: self) {
                do throws(Failure) {
                    return .success(try await body())
                } catch {
                    return .failure(error)
                }
            }
            for await result in group { return result }
            preconditionFailure("a task group lost its child")
        }
        return try result.get()
    }

    /// Suspends the calling task for `delay` or until it is cancelled.
    package func sleep(for delay: Duration) async {
        let sleeper = Sleeper()
        await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
                guard sleeper.begin(continuation) else { return continuation.resume() }
                onLoop {
                    sleeper.keep(self.schedule(after: delay) { sleeper.end() })
                }
            }
        } onCancel: {
            sleeper.end()
            onLoop {
                if let timer = sleeper.timer { self.cancel(timer) }
            }
        }
    }

    private func onLoop(_ body: @escaping @Sendable () -> Void) {
        if isCurrent { body() } else { execute(body) }
    }
}

/// Resumes one sleeping task once, whoever comes first: the timer or the cancellation.
private final class Sleeper: Sendable {
    private enum State {
        case awake
        case sleeping(CheckedContinuation<Void, Never>)
        case over
    }

    private let state = Mutex(State.awake)
    private let kept = Mutex<EventLoop.Timer?>(nil)

    var timer: EventLoop.Timer? { kept.withLock { $0 } }

    func keep(_ timer: EventLoop.Timer) { kept.withLock { $0 = timer } }

    func begin(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        state.withLock { state in
            guard case .awake = state else { return false }
            state = .sleeping(continuation)
            return true
        }
    }

    func end() {
        let continuation: CheckedContinuation<Void, Never>? = state.withLock { state in
            defer { state = .over }
            if case .sleeping(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume()
    }
}
