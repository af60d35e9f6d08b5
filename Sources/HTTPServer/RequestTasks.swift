internal import Runtime

/// Runs the tasks of requests, as children of the server's `run`.
///
/// The one place where tasks are made for what arrives from outside of any task: libmicrohttpd's
/// callback puts the work into a stream, and `run` takes it out and starts a child for it. All of that
/// happens on the loop's thread.
struct RequestTasks: Sendable {
    private struct Work {
        let exchange: HTTPExchange
        let body: (HTTPRequest) async -> HTTPReply
    }

    private let loop: EventLoop
    private let arriving: AsyncStream<LoopBound<Work>>
    private let arrived: AsyncStream<LoopBound<Work>>.Continuation

    init(loop: EventLoop) {
        self.loop = loop
        (arriving, arrived) = AsyncStream.makeStream()
    }

    /// Starts `body` soon, on the loop; its reply completes `exchange`.
    func start(_ exchange: HTTPExchange, _ body: @escaping (HTTPRequest) async -> HTTPReply) {
        arrived.yield(LoopBound(Work(exchange: exchange, body: body), loop: loop))
    }

    /// No more work comes; `run` returns when all tasks have ended.
    func finish() { arrived.finish() }

    /// Runs until `finish`. Cancellation reaches all tasks.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await work in arriving {
                group.addTask(executorPreference: loop) { await Self.perform(work.value) }
            }
            if Task.isCancelled { group.cancelAll() }
        }
    }

    private static func perform(_ work: Work) async {
        let exchange = work.exchange
        guard exchange.isOpen else { return }
        // The closure holds the task beyond the call that gives it, and is dropped before the task
        // ends: by `complete`, or by the call itself.
        unsafe withUnsafeCurrentTask { task in
            exchange.onClientGone = { unsafe task?.cancel() }
        }
        var reply = await work.body(exchange.request)
        while case .task(let more) = reply { reply = await more(exchange.request) }
        exchange.complete(reply)
        exchange.onClientGone = nil
    }
}
