internal import Codecs
internal import Coordination
internal import FreshetModel
internal import Representation

extension Operator {
    /// `freshet get`: the kept payload, or with its metadata around it.
    package func get(_ text: String, envelope: Bool) async throws(OperatorError) {
        let key = try key(text).key
        let read = try await call { store throws(RefreshError) in
            try await store.read(key, held: nil)
        }
        guard let metadata = read.status.payload, let stored = read.bytes else {
            throw .failed("nothing is kept for \(key); `freshet refresh \(key) --wait` makes it")
        }
        let bytes = try decode(stored, metadata)
        guard envelope, MediaType.isJSON(metadata.contentType) else {
            console.write(bytes)
            return
        }
        console.write(Self.envelopeHead(read.status, metadata))
        console.write(bytes)
        console.write(Array("}\n".utf8))
    }

    /// The envelope of contract section 4.1 up to the payload, which comes last here: that way a
    /// large payload is passed on and never copied into a larger text.
    private static func envelopeHead(_ status: KeyStatus, _ payload: PayloadMetadata) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("status", "success")
            if let count = payload.facts.itemCount { json.member("count", count) }
            json.member("from_cache", true)
            json.member("cache_valid", payload.isFresh(at: status.now))
            json.member("cache_date", payload.refreshedAt)
            json.member("age_seconds", max(.zero, status.now - payload.refreshedAt))
            json.member("version", payload.version)
            json.member("refreshing_in_background", status.state.isUnderWay)
            json.member(
                "refresh", nested: status.state.isUnderWay ? status.job : nil,
                maximumAttempts: nil)
            json.name("items")
        }
        return Array(json.bytes.dropLast())
    }

    /// `freshet status`: one key, or all.
    package func status(_ text: String?, json: Bool) async throws(OperatorError) {
        let statuses: [KeyStatus]
        if let text {
            let key = try key(text).key
            statuses = try await call { store throws(RefreshError) in
                try await store.statuses([key])
            }
            if json {
                for status in statuses { printJSON { $0.status(status) } }
                return
            }
            guard let status = statuses.first else { return }
            printDetails(of: status)
        } else {
            statuses = try await allStatuses()
            if json {
                printJSON { json in
                    json.page(statuses) { $0.status($1) }
                }
            } else {
                console.print(table(of: statuses), ifEmpty: "no key has a payload or a job")
            }
        }
    }

    /// `freshet purge`.
    package func purge(_ text: String) async throws(OperatorError) {
        let key = try key(text).key
        try await call { store throws(RefreshError) in
            try await store.purge(key, keepJobs: keepJobs)
        }
        console.print("purged \(key)")
    }

    private func decode(
        _ stored: [UInt8], _ metadata: PayloadMetadata
    ) throws(OperatorError) -> [UInt8] {
        guard let encoding = Compression.Encoding(rawValue: metadata.encoding.rawValue) else {
            return stored
        }
        do {
            // Compressed by a worker of ours, from what had passed the limits: no ratio to fear.
            return try Compression.decompress(
                stored, encoding, maximumBytes: max(metadata.facts.sizeBytes, stored.count),
                maximumRatio: .max)
        } catch {
            throw .failed("the payload in Redis is damaged: \(error)")
        }
    }

    private func allStatuses() async throws(OperatorError) -> [KeyStatus] {
        var statuses: [KeyStatus] = []
        var cursor: String?
        repeat {
            let after = cursor
            let page = try await call { store throws(RefreshError) in
                try await store.keys(cursor: after, limit: 1000)
            }
            statuses += try await call { store throws(RefreshError) in
                try await store.statuses(page.items)
            }
            cursor = page.nextCursor
        } while cursor != nil
        return statuses.sorted { $0.key < $1.key }
    }

    private func table(of statuses: [KeyStatus]) -> TextTable {
        var table = TextTable([
            .init(title: "KEY"), .init(title: "STATE"), .init(title: "VERSION", isNumber: true),
            .init(title: "AGE", isNumber: true), .init(title: "FRESH"),
            .init(title: "SIZE", isNumber: true), .init(title: "ITEMS", isNumber: true),
            .init(title: "ERROR"),
        ])
        for status in statuses {
            let payload = status.payload
            table.add([
                .init(status.key.text), .init(status.state.rawValue, status.state.style),
                .init(Int(status.version)),
                .init(payload.map { HumanUnits.duration(status.now - $0.refreshedAt) } ?? "-"),
                freshness(of: status),
                .init(payload.map { HumanUnits.bytes($0.facts.sizeBytes) } ?? "-"),
                .init(payload?.facts.itemCount), .init(status.error ?? ""),
            ])
        }
        return table
    }

    private func freshness(of status: KeyStatus) -> TextTable.Cell {
        guard let payload = status.payload else { return .init("-") }
        guard let until = payload.freshUntil else { return .init("always", .green) }
        return payload.isFresh(at: status.now)
            ? .init("for \(HumanUnits.duration(until - status.now))", .green)
            : .init("stale for \(HumanUnits.duration(status.now - until))", .yellow)
    }

    private func printDetails(of status: KeyStatus) {
        var rows: [(String, TextTable.Cell)] = [
            ("key", .init(status.key.text)),
            ("state", .init(status.state.rawValue, status.state.style)),
            ("version", .init(Int(status.version))),
        ]
        if let payload = status.payload {
            rows += [
                ("kept since", .init(payload.refreshedAt.rfc3339)),
                ("age", .init(HumanUnits.duration(status.now - payload.refreshedAt))),
                ("fresh", freshness(of: status)),
                ("size", .init(HumanUnits.bytes(payload.facts.sizeBytes))),
                ("content type", .init(payload.contentType)),
            ]
            if let count = payload.facts.itemCount { rows.append(("items", .init(count))) }
            if let until = payload.keptUntil { rows.append(("kept until", .init(until.rfc3339))) }
        } else {
            rows.append(("kept", .init("nothing")))
        }
        if let job = status.job {
            rows.append(("job", .init(job.id.text)))
            if let position = job.position, position > 0 {
                rows.append(("position", .init("\(position) of \(job.queueDepth)")))
            }
            if let progress = job.progress { rows.append(("progress", .init(progress.line))) }
            if status.state.isUnderWay, let remaining = job.estimatedRemaining {
                rows.append(("ends in about", .init(HumanUnits.duration(remaining))))
            }
            if let runAt = job.runAt { rows.append(("next attempt", .init(runAt.rfc3339))) }
        }
        if let duration = status.lastDuration {
            rows.append(("last took", .init(HumanUnits.duration(duration))))
        }
        if let error = status.error {
            rows.append(("failures in a row", .init(status.consecutiveFailures)))
            rows.append(("error", .init(error, .red)))
        }
        if !status.sourceOnline { rows.append(("source", .init("cannot be reached", .red))) }
        console.print(details: rows)
    }
}
