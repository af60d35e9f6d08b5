import FreshetModel
import Testing

@Suite("Job id")
struct JobIDTests {
    @Test("an id names key and run and is read back")
    func roundTrip() throws {
        let key = try #require(Key("events?city=Tromsø&page=2"))
        let id = JobID(run: 1_795_226_400_000_000, key: key)
        #expect(id.text == "1795226400000000-events:city=Troms+C3+B8,page=2")
        #expect(JobID(id.text) == id)
        #expect(JobID(id.text)?.key.parameters.first?.value == "Tromsø")
        #expect(id.createdAt == Timestamp(milliseconds: 1_795_226_400_000))
        #expect(PercentEncoding.decode(id.text, plusIsSpace: false) == id.text)
    }

    @Test("a name with dashes and dots is no trouble")
    func dashes() throws {
        let id = JobID(run: 1, key: try #require(Key("process-a.list")))
        #expect(id.text == "1-process-a.list")
        #expect(JobID(id.text) == id)
    }

    @Test(
        "other spellings are no ids",
        arguments: [
            "", "-", "1", "1-", "-cinema", "0-cinema", "-1-cinema", "+1-cinema", "01-cinema",
            "x-cinema", "1-Cinema", "1-events:b=1,a=2", "1-events:a=+6F", "1-events:a=+c3+b8",
            "1-events:", "1-events?a=1", "1-events:a=%20", "1-events:a=a:b", "1-events:a=1,a=1",
            "99999999999999999999-cinema", "1-events:a=ø", " 1-cinema", "1-cinema ",
        ])
    func malformed(text: String) { #expect(JobID(text) == nil) }
}

@Suite("Job and its parts")
struct JobTests {
    @Test("priorities order and are named")
    func priorities() {
        #expect(Priority.allCases.sorted() == [.high, .normal, .low])
        for priority in Priority.allCases { #expect(Priority(name: priority.name) == priority) }
        #expect(Priority(name: "urgent") == nil)
    }

    @Test("three states are not over, three are")
    func states() {
        #expect(JobState.allCases.filter { !$0.isEnded } == [.queued, .running, .retrying])
        #expect(RefreshState.allCases.filter(\.isUnderWay) == [.queued, .running, .retrying])
    }

    @Test("percent needs a total and stays within 0 and 100")
    func percent() {
        #expect(Progress(done: 40).percent == nil)
        #expect(Progress(done: 40, total: 0).percent == nil)
        #expect(Progress(done: 40, total: 80).percent == 50)
        #expect(Progress(done: 90, total: 80).percent == 100)
        #expect(Progress(done: -1, total: 80).percent == 0)
        #expect(Progress(done: .nan, total: 80).percent == nil)
        #expect(Progress(done: 1, total: .infinity).percent == nil)
    }

    @Test("scopes are sorted, widen, and give up at their limit")
    func scopes() {
        #expect(RefreshScope([]) == .all)
        #expect(RefreshScope(["b", "a", "b"]).parts == ["a", "b"])
        #expect(RefreshScope(["a"]).union(RefreshScope(["b", "a"])).parts == ["a", "b"])
        #expect(RefreshScope(["a"]).union(.all) == .all)
        #expect(RefreshScope.all.parts == [])
        let many = (0...Limits.scopeCount).map { "d\($0)" }
        #expect(RefreshScope(many) == .all)
        #expect(RefreshScope(Array(many.dropLast())).parts.count == Limits.scopeCount)
        #expect(
            RefreshScope(Array(many.prefix(60))).union(RefreshScope(Array(many.suffix(60)))) == .all
        )
    }

    @Test("directories that look the same and are not stay two")
    func scopeBytes() {
        #expect(RefreshScope(["\u{E9}", "e\u{301}"]).parts.count == 2)
    }

    @Test("media types are JSON by their essence")
    func mediaTypes() {
        for type in [
            "application/json", "Application/JSON; charset=utf-8", "application/problem+json",
            "application/json ;x=y",
        ] {
            #expect(MediaType.isJSON(type))
        }
        for type in ["text/plain", "application/jsonl", "text/csv; note=+json", ""] {
            #expect(!MediaType.isJSON(type))
        }
    }

    @Test("metadata without bounds is fresh and kept for ever")
    func metadata() {
        let moment = Timestamp(milliseconds: 1_000)
        var metadata = PayloadMetadata(
            version: 1, contentType: "application/json", encoding: .identity, storedBytes: 0,
            facts: PayloadFacts(), refreshedAt: moment, modifiedAt: moment, freshUntil: nil,
            keptUntil: nil)
        #expect(metadata.isFresh(at: Timestamp(milliseconds: .max)))
        #expect(metadata.isKept(at: Timestamp(milliseconds: .max)))
        metadata.freshUntil = moment
        metadata.keptUntil = moment
        #expect(!metadata.isFresh(at: moment))
        #expect(!metadata.isKept(at: moment))
        #expect(metadata.isFresh(at: Timestamp(milliseconds: 999)))
    }
}

@Suite("Event id")
struct EventIDTests {
    @Test("an id is read back")
    func roundTrip() {
        let id = EventID(partition: 3, epoch: 1_795_226_400_000, sequence: 42, index: 1)
        #expect(id.description == "3-1795226400000-42-1")
        #expect(EventID(id.description) == id)
    }

    @Test(
        "malformed ids are refused",
        arguments: [
            "", "1", "1-2-3", "1-2-3-4-5", "-1-2-3-4", "1--2-3-4", "+1-2-3-4", "a-2-3-4", "1-2-3-",
            "1-2-3-99999999999999999999", "1-2-3-4 ",
        ])
    func malformed(text: String) { #expect(EventID(text) == nil) }

    @Test("ids order by partition, epoch, sequence and index")
    func order() {
        let ids = ["0-5-2-0", "0-5-10-0", "0-5-10-1", "0-6-1-0", "1-1-1-0"].compactMap {
            EventID($0)
        }
        #expect(ids.count == 5)
        #expect(ids.shuffled().sorted() == ids)
    }
}
