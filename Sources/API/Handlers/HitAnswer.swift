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

    /// The coding `copy` is answered in, and the variant that needs.
    func choose(
        _ copy: PayloadCopy, _ form: ResponseForm, _ accepted: AcceptedEncodings
    ) -> (encoding: PayloadEncoding, variant: PayloadEncoding) {
        let encoding = renderer.encoding(copy.metadata, form, accepted)
        return (encoding, renderer.neededVariant(copy.metadata, form, encoding))
    }

    /// The answer, when the variant it needs is there or quickly made; `nil` when it is not.
    func quick(
        _ plan: ReadPlan, _ entry: KeyEntry, _ copy: PayloadCopy, _ facts: ReadFacts,
        _ circumstances: Circumstances, now: Timestamp
    ) -> HTTPReply? {
        let form = plan.form(copy.metadata.contentType)
        let range = form == .raw && !facts.isHead ? facts.range : nil
        let accepted = range == nil ? facts.accepted : .identity
        let chosen = choose(copy, form, accepted)
        guard let variant = loader.quickVariant(chosen.variant, of: copy, in: entry) else {
            return nil
        }
        return answer(
            plan, entry, copy, facts, circumstances, now: now, form, chosen.encoding, variant)
    }

    /// The answer, after its variant was made. A client that would wait long for a coding gets the
    /// payload without one.
    func whenCoded(
        _ plan: ReadPlan, _ entry: KeyEntry, _ copy: PayloadCopy, _ facts: ReadFacts,
        _ circumstances: Circumstances, now: Timestamp
    ) async -> HTTPReply? {
        let form = plan.form(copy.metadata.contentType)
        let range = form == .raw && !facts.isHead ? facts.range : nil
        var chosen = choose(copy, form, range == nil ? facts.accepted : .identity)
        let isHuge = copy.metadata.facts.sizeBytes > PayloadCoding.hugeBytes
        var variant = await loader.variant(
            chosen.variant, of: copy, in: entry,
            atMost: isHuge && chosen.variant != .identity ? .milliseconds(100) : .seconds(10))
        if variant == nil, chosen.encoding != .identity {
            chosen = (.identity, .identity)
            variant = await loader.variant(
                .identity, of: copy, in: entry, atMost: .seconds(10))
        }
        guard let variant else { return nil }
        return answer(
            plan, entry, copy, facts, circumstances, now: now, form, chosen.encoding, variant)
    }

    private func answer(
        _ plan: ReadPlan, _ entry: KeyEntry, _ copy: PayloadCopy, _ facts: ReadFacts,
        _ circumstances: Circumstances, now: Timestamp, _ form: ResponseForm,
        _ encoding: PayloadEncoding, _ variant: PayloadVariant
    ) -> HTTPReply {
        let fields = PayloadFields(metadata: copy.metadata, now: now)
        let state = PreparedPayload.State(
            form: form, encoding: encoding, isFresh: fields.isFresh,
            isRefreshing: circumstances.isRefreshing, hasTriggered: circumstances.hasTriggered)
        let subject = PayloadRenderer.Subject(
            fields: fields, kind: circumstances.kind,
            job: circumstances.job ?? (circumstances.isRefreshing ? entry.refresh.job : nil),
            maximumAttempts: plan.resource.retry.maximumAttempts,
            applied: circumstances.applied)
        // Raw answers show whole seconds only.
        let moment = form == .raw ? now.milliseconds / 1000 : now.milliseconds / 100
        let make = {
            renderer.make(state, subject, variant: variant, moment: moment)
        }
        let prepared =
            circumstances.isShared ? copy.answer(state, moment: moment, make: make) : make()
        if let field = facts.ifNoneMatch, prepared.tag.isNamed(byIfNoneMatch: field) {
            return .prepared(prepared.notModified)
        }
        if form == .raw, !facts.isHead, let range = facts.range,
            facts.ifRange.map(prepared.tag.isNamed(byIfRange:)) ?? true,
            let part = self.part(range, of: variant, state, subject, prepared.tag, facts.requestID)
        {
            return part
        }
        return .prepared(prepared.full)
    }

    /// 206 or 416; `nil` when the whole is to be sent.
    private func part(
        _ range: String, of variant: PayloadVariant, _ state: PreparedPayload.State,
        _ subject: PayloadRenderer.Subject, _ tag: EntityTag, _ requestID: String
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
            return .response(problem.response(requestID: requestID))
        }
    }
}
