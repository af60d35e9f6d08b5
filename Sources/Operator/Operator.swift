internal import Codecs
package import Coordination
package import FreshetModel
internal import Representation

/// The operators' commands, straight on the store: no API process needs to run.
///
/// Each method is one command; it prints its result and throws what went wrong.
package struct Operator: Sendable {
    let store: any RefreshStore
    /// The configuration; `nil` when none is at hand. Keys are then taken as they are given.
    let settings: Settings?
    let console: Console
    /// How durable a queued job is, for JSON; `nil`: not known, and left out.
    let durability: Durability?

    /// Commands on `store` that print to `console`.
    package init(
        store: any RefreshStore, settings: Settings?, console: Console,
        durability: Durability? = nil
    ) {
        self.store = store
        self.settings = settings
        self.console = console
        self.durability = durability
    }

    /// How long ended jobs are kept.
    var keepJobs: Duration { (settings?.refresh ?? RefreshSettings()).keepJobs }

    /// A call on the store, its failure as an operator's.
    func call<Value>(
        _ body: (any RefreshStore) async throws(RefreshError) -> Value
    ) async throws(OperatorError) -> Value {
        do {
            return try await body(store)
        } catch {
            throw .store(error)
        }
    }

    func printJSON(_ body: (inout JSONText) -> Void) {
        var json = JSONText()
        body(&json)
        console.write(json.bytes + [UInt8(ascii: "\n")])
    }

    func maximumAttempts(of job: Job) -> Int? {
        settings?.resources[job.id.key.resource]?.retry.maximumAttempts
    }

    // MARK: what was given

    /// The key that `text` means: parameters checked and defaults filled in by the configuration.
    func key(_ text: String) throws(OperatorError) -> (key: Key, resource: Resource?) {
        guard let given = Key(text) else {
            throw .malformed("`\(text)` is not a key; a key is `name` or `name?parameter=value`")
        }
        guard let settings else { return (given, nil) }
        guard let resource = settings.resources[given.resource] else {
            let names = settings.resources.keys.sorted().map(\.text)
            let list = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", …" : "")
            throw .failed("no resource `\(given.resource)` is configured, only \(list)")
        }
        do throws(Resource.KeyError) {
            return (try resource.key(parameters: given.parameters), resource)
        } catch {
            switch error {
            case .undeclared(let name):
                throw .malformed("`\(resource.name)` has no parameter `\(name)`")
            case .repeated(let name): throw .malformed("`\(name)` is given twice")
            case .missing(let name): throw .malformed("`\(resource.name)` needs `\(name)`")
            case .mismatch(let name, let pattern):
                throw .malformed("`\(name)` does not match `\(pattern)`")
            case .tooLong: throw .malformed("the key is longer than \(Key.maximumLength) bytes")
            }
        }
    }

    func jobID(_ text: String) throws(OperatorError) -> JobID {
        guard let id = JobID(text) else {
            throw .failed("no job `\(text)`: that is no id of one; `freshet jobs` lists them")
        }
        return id
    }
}
