internal import FreshetModel
internal import HTTPServer

/// The memory that copies take together.
final class MemoryLedger {
    var heldBytes = 0
}

/// A payload held in this process: one version, in the codings that were asked for so far.
final class PayloadCopy {
    private(set) var metadata: PayloadMetadata
    let isJSON: Bool
    let isCompressible: Bool
    private let stored: SharedBytes
    private var variants: [PayloadEncoding: PayloadVariant] = [:]
    /// Bytes of memory it holds, answers made from it included.
    private(set) var byteCount: Int
    /// Where they are counted while a table holds it.
    var ledger: MemoryLedger? {
        didSet {
            oldValue?.heldBytes -= byteCount
            ledger?.heldBytes += byteCount
        }
    }
    private var answers: [PreparedPayload?] = Array(repeating: nil, count: PreparedPayload.count)

    init(_ metadata: PayloadMetadata, stored: [UInt8]) {
        self.metadata = metadata
        isJSON = MediaType.isJSON(metadata.contentType)
        isCompressible = PayloadCoding.isCompressible(metadata.contentType)
        self.stored = SharedBytes(stored)
        switch metadata.encoding {
        case .identity: variants[.identity] = .identity(self.stored)
        case .zstd:
            // More than one frame cannot be spliced, and is coded anew when it is asked for.
            if let splice = ZstdSplice(stored) { variants[.zstd] = .zstd(self.stored, splice) }
        case .gzip: break
        }
        byteCount = stored.count
    }

    /// Which codings were made so far: the next version will be asked for in the same.
    var codings: Set<PayloadEncoding> { Set(variants.keys) }

    /// Takes the metadata of the same version after a renewal or an expiry.
    func renew(_ metadata: PayloadMetadata) {
        precondition(metadata.version == self.metadata.version, "another version")
        self.metadata = metadata
        forgetAnswers()
    }

    /// Marks it stale from `time` on.
    func expire(at time: Timestamp) {
        guard metadata.isFresh(at: time) else { return }
        metadata.freshUntil = time
        forgetAnswers()
    }

    /// Forgets the answers made so far, because what they say has changed.
    func forgetAnswers() {
        for index in answers.indices {
            guard let answer = answers[index] else { continue }
            count(-answer.ownedBytes)
            answers[index] = nil
        }
    }

    private func count(_ bytes: Int) {
        byteCount += bytes
        ledger?.heldBytes += bytes
    }

    /// The variant in `encoding`, when it was made.
    func variant(_ encoding: PayloadEncoding) -> PayloadVariant? { variants[encoding] }

    /// Whether a missing variant is made within about a millisecond.
    var isQuick: Bool { metadata.facts.sizeBytes <= PayloadCoding.quickBytes }

    /// What it takes to make a variant, to be run on any thread.
    func recipe(_ encoding: PayloadEncoding) -> @Sendable () -> [PayloadVariant] {
        let stored = stored
        let storedEncoding = metadata.encoding
        let size = metadata.facts.sizeBytes
        var plain: SharedBytes?
        if case .identity(let bytes)? = variants[.identity] { plain = bytes }
        return { [plain] in
            do {
                let identity: SharedBytes
                if let plain {
                    identity = plain
                } else {
                    identity = SharedBytes(
                        try PayloadCoding.identity(
                            stored.bytes, storedEncoding, sizeBytes: size))
                }
                let variant = try PayloadCoding.variant(identity, encoding)
                // Identity is worth keeping only where it was asked for or is small.
                let isKept = encoding == .identity || size <= PayloadCoding.quickBytes
                return isKept ? [.identity(identity), variant] : [variant]
            } catch {
                return []
            }
        }
    }

    /// Takes variants that were made by a recipe.
    func add(_ made: [PayloadVariant]) {
        for variant in made where variants[variant.encoding] == nil {
            variants[variant.encoding] = variant
            // Stored bytes that serve as they are are not held twice.
            if variant.bytes !== stored { count(variant.bytes.count) }
        }
    }

    /// The answer made for `state` in the same `moment`.
    func answer(_ state: PreparedPayload.State, moment: Int64) -> PreparedPayload? {
        guard let answer = answers[state.index], answer.moment == moment else { return nil }
        return answer
    }

    /// Keeps an answer for who else reads in its moment.
    func keep(_ answer: PreparedPayload, for state: PreparedPayload.State) {
        count(answer.ownedBytes - (answers[state.index]?.ownedBytes ?? 0))
        answers[state.index] = answer
    }
}
