import FreshetModel
import Testing

@testable import Coordination

extension StoreConformance {
    @Suite("listings")
    struct Listings {
        /// All pages of at most `limit`, and the sum of them.
        private func walk<Element>(
            _ limit: Int, _ page: (String?) async throws -> Page<Element>
        ) async throws -> [Element] {
            var all: [Element] = []
            var cursor: String?
            for _ in 0..<2000 {
                let found = try await page(cursor)
                #expect(found.items.count <= limit)
                all += found.items
                guard let next = found.nextCursor else { return all }
                #expect(next != cursor, "a cursor that does not move")
                #expect(
                    next.allSatisfy {
                        $0.isASCII && ($0.isLetter || $0.isNumber || "-._~%".contains($0))
                    })
                cursor = next
            }
            throw Scene.Unexpected("pages without end")
        }

        @Test("keys are listed once, whatever the page", arguments: StoreKind.available)
        func keys(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["kept", "kept.busy?x=a%26b"])
                try await scene.ask("kept.busy?x=a%26b")
                try await scene.ask("cold.waiting")
                try await scene.ask("cold.delayed") { $0.delay = .seconds(50) }
                try await scene.ask("cold.running") { $0.priority = .high }
                _ = try await scene.claim()
                try await scene.ask("gone") { $0.priority = .high }
                try await scene.fail(scene.claim(), retryAfter: nil)
                let expected = [
                    "cold.delayed", "cold.running", "cold.waiting", "kept", "kept.busy?x=a%26b",
                ]
                for limit in 1...6 {
                    let keys = try await walk(limit) {
                        try await scene.store.keys(cursor: $0, limit: limit)
                    }
                    #expect(keys.map(\.text).sorted() == expected, "limit \(limit)")
                }
            }
        }

        @Test("keys that come and go do not disturb the others", arguments: StoreKind.available)
        func changing(_ kind: StoreKind) async throws {
            try await Scene.run(kind, partitions: 3) { scene in
                var expected: Set<String> = []
                for index in 0..<30 {
                    let key = try makeKey("k?n=\(100 + index)")
                    try await scene.ask(key.text)
                    let request = ClaimRequest(worker: "w", partition: key.partition(of: 3))
                    try await scene.publish(#require(await scene.store.claim(request).claims.first))
                    if index % 3 == 0 { expected.insert(key.text) }
                }
                var seen: [String] = []
                var cursor: String?
                var purged = 0
                repeat {
                    let page = try await scene.store.keys(cursor: cursor, limit: 4)
                    seen += page.items.map(\.text)
                    cursor = page.nextCursor
                    for _ in 0..<4 where purged < 30 {
                        if purged % 3 != 0 { try await scene.purge("k?n=\(100 + purged)") }
                        purged += 1
                    }
                    try await scene.ask("new?n=\(seen.count)")
                } while cursor != nil
                #expect(Set(seen).isSuperset(of: expected))
                #expect(Set(seen).count == seen.count)
            }
        }

        @Test("a rerun is listed behind the job it follows", arguments: StoreKind.available)
        func reruns(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                var expected: [JobID] = []
                for key in ["a", "b", "c"] {
                    let running = try await scene.ask(key).job.id
                    _ = try await scene.claim()
                    scene.advance(.milliseconds(1))
                    expected.append(running)
                    guard key != "b" else { continue }
                    expected.append(try await scene.ask(key) { $0.force = true }.job.id)
                }
                let waiting = try await scene.ask("d").job.id
                for limit in 1...7 {
                    for (states, ids) in [
                        ([], expected + [waiting]), ([.running], [0, 2, 3].map { expected[$0] }),
                        ([.queued], [expected[1], expected[4], waiting]),
                    ] as [(Set<JobState>, [JobID])] {
                        let jobs = try await walk(limit) {
                            try await scene.store.jobs(states: states, cursor: $0, limit: limit)
                        }
                        #expect(jobs.map(\.id) == ids, "\(states), limit \(limit)")
                        #expect(
                            jobs.allSatisfy {
                                $0.isRerun == ($0.id == expected[1] || $0.id == expected[4])
                            })
                    }
                }
            }
        }

        @Test("jobs are listed by state, in their orders", arguments: StoreKind.available)
        func jobs(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["done1", "done2"])
                for key in ["dead1", "dead2"] {
                    try await scene.ask(key)
                    try await scene.fail(scene.claim(), retryAfter: nil)
                    scene.advance(.milliseconds(1))
                }
                _ = try await scene.cancel(scene.ask("off").job.id)
                for key in ["run1", "run2"] {
                    try await scene.ask(key)
                    _ = try await scene.claim()
                    scene.advance(.milliseconds(1))
                }
                for (key, delay) in [("retry1", 20), ("retry2", 90)] {
                    try await scene.ask(key) { $0.priority = .high }
                    try await scene.fail(scene.claim(), retryAfter: .seconds(delay))
                }
                try await scene.ask("late") { $0.delay = .seconds(30) }
                try await scene.ask("wait1") { $0.priority = .low }
                try await scene.ask("wait2")

                let cases: [(Set<JobState>, [String])] = [
                    ([.running], ["run1", "run2"]), ([.queued], ["wait2", "wait1", "late"]),
                    ([.retrying], ["retry1", "retry2"]), ([.succeeded], ["done2", "done1"]),
                    ([.dead], ["dead2", "dead1"]), ([.cancelled], ["off"]),
                    (
                        [.dead, .cancelled, .succeeded],
                        ["off", "dead2", "dead1", "done2", "done1"]
                    ),
                    (
                        [],
                        [
                            "run1", "run2", "wait2", "wait1", "retry1", "late", "retry2", "off",
                            "dead2", "dead1", "done2", "done1",
                        ]
                    ),
                ]
                for (states, expected) in cases {
                    for limit in 1...13 {
                        let jobs = try await walk(limit) {
                            try await scene.store.jobs(states: states, cursor: $0, limit: limit)
                        }
                        #expect(jobs.map(\.id.key.text) == expected, "\(states), limit \(limit)")
                        if !states.isEmpty {
                            #expect(jobs.allSatisfy { states.contains($0.state) })
                        }
                    }
                }
            }
        }

        @Test("dead letters outlive the record of the ended job", arguments: StoreKind.available)
        func deadLetters(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.ask("a")
                var failure = AttemptFailure(
                    claim: try await scene.claim(), error: "x", retryAfter: nil)
                failure.keepJobs = .zero
                _ = try await scene.store.fail(failure)
                let page = try await scene.store.jobs(states: [.dead], cursor: nil, limit: 5)
                #expect(page.items.map(\.id) == [failure.claim.jobID])
                #expect(page.items.first?.error == "x")
                #expect(try await scene.store.job(failure.claim.jobID)?.state == .dead)
                #expect(try await scene.cancel(failure.claim.jobID) == .alreadyEnded(.dead))
            }
        }

        @Test("many jobs of one moment are all listed", arguments: StoreKind.available)
        func ties(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                let requests = try (0..<450).map { index in
                    var request = RefreshRequest(key: try makeKey("k?n=\(1000 + index)"))
                    request.delay = .seconds(5)
                    return request
                }
                _ = try await scene.store.requestMany(requests)
                for limit in [7, 100, 1000] {
                    let jobs = try await walk(limit) {
                        try await scene.store.jobs(states: [.queued], cursor: $0, limit: limit)
                    }
                    #expect(Set(jobs.map(\.id)).count == 450, "limit \(limit)")
                    #expect(jobs.count == 450)
                    let keys = try await walk(limit) {
                        try await scene.store.keys(cursor: $0, limit: limit)
                    }
                    #expect(Set(keys).count == 450)
                }
            }
        }

        @Test("a cursor that is none begins at the beginning", arguments: StoreKind.available)
        func badCursor(_ kind: StoreKind) async throws {
            try await Scene.run(kind) { scene in
                try await scene.fill(["a", "b"])
                for cursor in ["", "x", "0.0.!!", "~~~~", "-1.5.W10", "9.9.9"] {
                    _ = try await scene.store.keys(cursor: cursor, limit: 10)
                    _ = try await scene.store.jobs(states: [], cursor: cursor, limit: 10)
                }
                #expect(try await scene.store.keys(cursor: "x", limit: 10).items.count == 2)
            }
        }
    }
}
