internal import FreshetModel
internal import HTTPServer
internal import Runtime

/// Answers from copies: negotiation, conditions, ranges and the prepared responses themselves.
struct HitAnswer {
    let renderer: PayloadRenderer
    let loader: PayloadLoader

    /// How an answer differs from that of a plain hit.
    struct Circumstances {
        var kind = ReadKind.kept
        var hasTriggered = false
        var isRefreshing = false
        /// The job of a refresh this very request asked for.
        var job: Job?
        var applied: String?

        /// Whether the answer is the same for all who read now.
        var isShared: Bool { kind == .kept && job == nil && applied == nil }
    }

    /// One answer to be given.
    private struct Wanted {
        let form: ResponseForm
        let encoding: PayloadEncoding
        let state: PreparedPayload.State
        let moment: Int64
    }

    private func wanted(
        _ plan: ReadPlan, _ copy: PayloadCopy, _ facts: ReadFacts,
        _ circumstances: Circumstances, now: Timestamp, withoutCoding: Bool = false
    ) -> Wanted {
        let form = plan.form(copy)
        // Ranges are of the payload itself, whatever coding else is taken.
        let isPlain = withoutCoding || (form == .raw && facts.range != nil)
        let encoding =
            isPlain ? .identity : renderer.encoding(copy, form, facts.accepted)
        return Wanted(
            form: form, encoding: encoding,
            state: PreparedPayload.State(
                form: form, encoding: encoding, isFresh: copy.metadata.isFresh(at: now),
                isRefreshing: circumstances.isRefreshing,
                hasTriggered: circumstances.hasTriggered),
            // Raw answers show whole seconds only.
            moment: form == .raw ? now.milliseconds / 1000 : now.milliseconds / 100)
    }

    /// The answer, when the variant it needs is there or quickly made; `nil` when it is not.
    func quick(
        _ plan: ReadPlan, _ entry: KeyEntry, _ copy: PayloadCopy, _ facts: ReadFacts,
        _ circumstances: Circumstances, now: Timestamp
    ) -> HTTPReply? {
        let wanted = wanted(plan, copy, facts, circumstances, now: now)
        if circumstances.isShared, facts.range == nil,
            let prepared = copy.answer(wanted.state, moment: wanted.moment)
        {
            return reply(prepared, facts)
        }
        let needed = renderer.neededVariant(copy, wanted.form, wanted.encoding)
        guard let variant = loader.quickVariant(needed, of: copy, in: entry) else { return nil }
        return answer(wanted, plan, entry, copy, facts, circumstances, now: now, variant)
    }

    /// The answer, after its variant was made. A client that would wait long for a coding gets the
    /// payload without one.
    func whenCoded(
        _ plan: ReadPlan, _ entry: KeyEntry, _ copy: PayloadCopy, _ facts: ReadFacts,
        _ circumstances: Circumstances, now: Timestamp
    ) async -> HTTPReply? {
        var wanted = wanted(plan, copy, facts, circumstances, now: now)
        let needed = renderer.neededVariant(copy, wanted.form, wanted.encoding)
        let isHuge = copy.metadata.facts.sizeBytes > PayloadCoding.hugeBytes
        var variant = await loader.variant(
            needed, of: copy, in: entry,
            atMost: isHuge && needed != .identity ? .milliseconds(100) : .seconds(10))
        if variant == nil, needed != .identity {
            wanted = self.wanted(
                plan, copy, facts, circumstances, now: now, withoutCoding: true)
            variant = await loader.variant(
                .identity, of: copy, in: entry, atMost: .seconds(10))
        }
        guard let variant else { return nil }
        return answer(wanted, plan, entry, copy, facts, circumstances, now: now, variant)
    }

    private func answer(
        _ wanted: Wanted, _ plan: ReadPlan, _ entry: KeyEntry, _ copy: PayloadCopy,
        _ facts: ReadFacts, _ circumstances: Circumstances, now: Timestamp,
        _ variant: PayloadVariant
    ) -> HTTPReply {
        let subject = PayloadRenderer.Subject(
            fields: PayloadFields(metadata: copy.metadata, now: now), kind: circumstances.kind,
            job: circumstances.job ?? (circumstances.isRefreshing ? entry.refresh.job : nil),
            maximumAttempts: plan.resource.retry.maximumAttempts,
            applied: circumstances.applied)
        let prepared = renderer.make(
            wanted.state, subject, variant: variant, moment: wanted.moment)
        if circumstances.isShared { copy.keep(prepared, for: wanted.state) }
        if wanted.form == .raw, let range = facts.range, !isUnchanged(prepared, facts),
            facts.ifRange.map(prepared.tag.isNamed(byIfRange:)) ?? true,
            let part = part(range, of: variant, wanted.state, subject, prepared.tag, facts)
        {
            return part
        }
        return reply(prepared, facts)
    }

    private func isUnchanged(_ prepared: PreparedPayload, _ facts: ReadFacts) -> Bool {
        facts.ifNoneMatch.map(prepared.isNamed(byIfNoneMatch:)) ?? false
    }

    private func reply(_ prepared: PreparedPayload, _ facts: ReadFacts) -> HTTPReply {
        .prepared(isUnchanged(prepared, facts) ? prepared.notModified : prepared.full)
    }

    /// 206 or 416; `nil` when the whole is to be sent.
    private func part(
        _ range: String, of variant: PayloadVariant, _ state: PreparedPayload.State,
        _ subject: PayloadRenderer.Subject, _ tag: EntityTag, _ facts: ReadFacts
    ) -> HTTPReply? {
        guard case .identity(let bytes) = variant else { return nil }
        var headers = renderer.commonHeaders(state, subject, tag)
        headers.append(("Accept-Ranges", "bytes"))
        switch ByteRange(range, length: bytes.count) {
        case .whole: return nil
        case .part(let part):
            headers.append(("Content-Type", subject.fields.metadata.contentType))
            headers.append(
                (
                    "Content-Range",
                    "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(bytes.count)"
                ))
            return .prepared(
                PreparedResponse(
                    status: 206, headers: headers, body: [.slice(bytes, part)]))
        case .unsatisfiable:
            var problem = Problem(
                416, "range_not_satisfiable", "The payload has \(bytes.count) bytes.")
            problem.fields = [("Content-Range", "bytes */\(bytes.count)"), ("ETag", tag.text)]
            return .response(problem.response(requestID: facts.requestID))
        }
    }
}
