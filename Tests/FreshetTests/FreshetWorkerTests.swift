import Freshet
import TestSupport
import Testing

@Suite("Freshet in a Swift program", .timeLimit(.minutes(1)))
struct FreshetWorkerTests {
    private struct Film: Encodable {
        var title: String
        var year: Int
    }

    /// Runs `worker` around `body`, then cancels it and waits for its end.
    private func running(
        _ worker: FreshetWorker, _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run(stopsOnSignals: false) }
            do {
                try await body()
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    @Test("a closure is a source, its schedule runs, and its payload is there for others")
    func closure() async throws {
        let redis = try await PrivateRedis.start()
        var films = Resource(name: "films")
        films.schedule = .every(.seconds(3600))
        let worker = FreshetWorker(
            redisURL: redis.url,
            resources: [
                films: ClosureSource { context in
                    context.report(Progress(done: 1, total: 1))
                    return try .json([Film(title: "Persona", year: 1966)])
                }
            ],
            servingOn: "127.0.0.1:\(try LoopbackPort.free())")
        let key = try #require(Key("films"))
        do {
            try await running(worker) {
                try await withFreshetStore(redisURL: redis.url) { store in
                    let read = try await eventualValue("a payload") {
                        let read = try await store.read(key, held: nil)
                        return read.bytes == nil ? nil : read
                    }
                    #expect(
                        read.bytes == Array("[{\"title\":\"Persona\",\"year\":1966}]".utf8))
                    #expect(read.status.payload?.facts.itemCount == 1)
                    #expect(try await store.queue().workers.count == 1)
                }
            }
            try await withFreshetStore(redisURL: redis.url) { store in
                let workers = try await store.queue().workers
                #expect(workers.isEmpty)
            }
        } catch {
            await redis.stop()
            throw error
        }
        await redis.stop()
    }

    @Test("an API that everybody could reach is refused without keys")
    func exposure() async throws {
        let redis = try await PrivateRedis.start()
        let api = FreshetAPI(
            redisURL: redis.url, resources: [], listen: "0.0.0.0:\(try LoopbackPort.free())")
        await #expect(throws: (any Error).self) { try await api.run(stopsOnSignals: false) }
        await redis.stop()
    }

    @Test("a URL that is none is told at once")
    func badURL() async throws {
        let worker = FreshetWorker(redisURL: "http://nowhere")
        await #expect(throws: (any Error).self) { try await worker.run(stopsOnSignals: false) }
    }

    @Test("what a definition cannot become is told before anything runs")
    func badSource() {
        var settings = Settings()
        settings.resources["r"] = Resource(
            name: "r", source: .command(CommandSource(argv: [])))
        #expect(throws: SourceError.self) { try FreshetWorker(settings: settings) }
    }
}
