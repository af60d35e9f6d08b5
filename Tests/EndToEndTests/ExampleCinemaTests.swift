import FoundationEssentials
import TestSupport
import Testing

/// docs/examples/cinema.md: three listings of a scraper, and the browsers that show them.
@Suite("The example cinema", .serialized, .timeLimit(.minutes(2)))
struct ExampleCinemaTests {
    /// `cache_date` as a browser reads it.
    private static func date(_ text: String?) -> Date? {
        text.flatMap { try? Date($0, strategy: .iso8601) }
    }

    @Test("the first request scrapes and waits, 3 s and more, once for all; later ones do not")
    func firstRequest() async throws {
        let scraper = try await Upstream.start()
        try await Example.run("cinema", environment: ["SCRAPER_URL": scraper.url]) { stack in
            let clock = ContinuousClock()
            // Three visitors at once are one scrape.
            let took = try await clock.measure {
                async let first = stack.client.json("/api/cinema")
                async let second = stack.client.json("/api/cinema")
                async let third = stack.client.json("/api/cinema")
                for page in try await [first, second, third] {
                    #expect(page["items"][0]["title"].string == "The Long Thaw")
                    #expect(page["from_cache"].bool == false)
                    #expect(page["cache_valid"].bool == true)
                    #expect(page["refreshing_in_background"].bool == false)
                    #expect(Self.date(page["cache_date"].string) != nil)
                }
            }
            #expect(took > .seconds(3) && took < .seconds(8), "\(took)")
            #expect(try await scraper.calls("/cinema") == 1)

            let later = try await stack.client.json("/api/cinema")
            #expect(later["from_cache"].bool == true)
            #expect(later["cache_valid"].bool == true)
            #expect(try await stack.client.shortest("/api/cinema") < .milliseconds(50))
            #expect(try await scraper.calls("/cinema") == 1)
        }
        await scraper.stop()
    }

    @Test("6 days, 5 days, 24 hours, each its own")
    func validity() async throws {
        let scraper = try await Upstream.start(pace: 0.01)
        try await Example.run("cinema", environment: ["SCRAPER_URL": scraper.url]) { stack in
            let ages = ["cinema": 6 * 86_400, "events": 5 * 86_400, "google_trend": 86_400]
            for (name, seconds) in ages {
                _ = try await stack.client.get("/api/\(name)")
                let page = try await stack.client.get("/api/\(name)")
                let control = page.headers["cache-control"] ?? ""
                #expect(control.contains("max-age=\(seconds)"), "\(name): \(control)")
                let state = page.headers["cache-status"] ?? ""
                let left = state.split(separator: "ttl=").last.flatMap { Int($0) } ?? 0
                #expect(left > seconds - 60 && left <= seconds, "\(name): \(state)")
                // What the browser's code reads, and no more than once from the scraper.
                #expect(try JSON(page)["items"].items?.count == 3)
                #expect(try await scraper.calls("/\(name)") == 1)
            }
        }
        await scraper.stop()
    }

    @Test(
        "a stale page is shown at once, scraped once behind, and the next visitor sees the new one")
    func staleRequest() async throws {
        let scraper = try await Upstream.start(pace: 0.15)
        // The monitor's first look is at the start, its next one after this test.
        try await Example.run(
            "cinema", environment: ["SCRAPER_URL": scraper.url],
            changes: ["fresh_for: 6d": "fresh_for: 200ms", "fresh_for: 5d": "fresh_for: 200ms"]
        ) { stack in
            for name in ["cinema", "events"] {
                let path = "/api/\(name)"
                let first = try await stack.client.json(path)
                #expect(first["items"][0]["scrape"].int == 1)
                try await eventually("\(name) is stale") {
                    try await stack.client.json("/refresh/status?resource=\(name)")["cache_valid"]
                        .bool == false
                }
                let clock = ContinuousClock()
                var stale = JSON.null
                let took = try await clock.measure { stale = try await stack.client.json(path) }
                #expect(took < .milliseconds(300), "it does not wait for the scrape: \(took)")
                #expect(stale["items"] == first["items"])
                #expect(stale["from_cache"].bool == true)
                #expect(stale["cache_valid"].bool == false)
                // The browser shows "Updating…".
                #expect(stale["refreshing_in_background"].bool == true)
                #expect(stale["cache_date"] == first["cache_date"])
                // However many come while it runs, it is one scrape.
                for _ in 0..<5 {
                    let again = try await stack.client.json(path)
                    #expect(again["items"] == first["items"])
                }
                let next = try await eventualValue("the new \(name)") {
                    let page = try await stack.client.json(path)
                    return page["items"][0]["scrape"].int == 2 ? page : nil
                }
                #expect(next["from_cache"].bool == true)
                let (old, new) = (
                    Self.date(first["cache_date"].string), Self.date(next["cache_date"].string)
                )
                if let old, let new { #expect(new > old) }
            }
        }
        await scraper.stop()
    }

    @Test("a scraper that fails keeps the old page")
    func failedScrape() async throws {
        let scraper = try await Upstream.start(pace: 0.01)
        try await Example.run("cinema", environment: ["SCRAPER_URL": scraper.url]) { stack in
            _ = try await stack.client.json("/api/cinema")
            await scraper.stop()
            let asked = try await stack.client.post("/refresh")
            #expect(asked.status == 202)
            let status = try await eventualValue("the failure is seen") {
                let status = try await stack.client.json("/refresh/status?resource=cinema")
                return status["consecutive_failures"].int == 1 ? status : nil
            }
            #expect(status["source_online"].bool == false)
            #expect(status["error"].string?.isEmpty == false)
            let page = try await stack.client.json("/api/cinema")
            #expect(page["items"][0]["scrape"].int == 1)
            #expect(page["refreshing_in_background"].bool == true)
        }
    }
}
