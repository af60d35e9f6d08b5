internal import CSpawn
internal import Glibc
import Synchronization

/// Runs work that blocks, on files, pipes, sockets or a C library, on a thread of its own.
///
/// The threads of Swift's global pool are as few as cores and belong to every task of the process.
/// A worker runs as many sources at once as its concurrency says, so threads are bounded by that.
enum BlockingThread {
    /// What to do when the task is cancelled.
    enum OnCancel {
        /// Return when the work does; it has something to leave in order.
        case wait
        /// Return at once; the thread ends by itself as soon as what blocks it returns.
        case abandon
    }

    /// Runs `body` on a new thread and returns what it does.
    static func run<Value: Sendable>(
        _ name: String, onCancel: OnCancel,
        _ body: @escaping @Sendable (Cancellation) throws(SourceError) -> Value
    ) async throws(SourceError) -> Value {
        let cancellation = Cancellation()
        let promise = Promise<Value>()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                promise.begin(continuation)
                let work = Work(name: name) {
                    let result: Result<Value, SourceError>
                    do throws(SourceError) {
                        try cancellation.check()
                        result = .success(try body(cancellation))
                    } catch {
                        result = .failure(error)
                    }
                    promise.end(result)
                }
                if !work.start() {
                    promise.end(.failure(SourceError("no thread left to run the source")))
                }
            }
        } onCancel: {
            cancellation.cancel()
            if case .abandon = onCancel { promise.end(.failure(.cancelled)) }
        }
        return try result.get()
    }
}

/// Resumes its waiter once, with what comes first: the result or the cancellation.
private final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case idle
        case waiting(CheckedContinuation<Result<Value, SourceError>, Never>)
        case early(Result<Value, SourceError>)
        case over
    }

    private let state = Mutex(State.idle)

    func begin(_ continuation: CheckedContinuation<Result<Value, SourceError>, Never>) {
        let early: Result<Value, SourceError>? = state.withLock { state in
            if case .early(let result) = state {
                state = .over
                return result
            }
            state = .waiting(continuation)
            return nil
        }
        if let early { continuation.resume(returning: early) }
    }

    func end(_ result: Result<Value, SourceError>) {
        let waiter: CheckedContinuation<Result<Value, SourceError>, Never>? =
            state.withLock { state in
                switch state {
                case .idle:
                    state = .early(result)
                    return nil
                case .waiting(let continuation):
                    state = .over
                    return continuation
                case .early, .over: return nil
                }
            }
        waiter?.resume(returning: result)
    }
}

/// A detached thread that runs one closure.
final class Work: Sendable {
    private let name: String
    private let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }

    /// Whether the system had a thread to give.
    func start() -> Bool {
        var thread = pthread_t()
        let held = unsafe Unmanaged.passRetained(self)
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let work = unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue()
                unsafe freshet_name_thread(String(work.name.prefix(15)))
                work.body()
                return nil
            }, held.toOpaque())
        guard status == 0 else {
            unsafe held.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
