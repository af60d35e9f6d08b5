internal import FoundationEssentials
internal import HTTPServer
internal import Runtime

/// A slow server with real answers, for the demo and the examples to have something worth caching
/// without internet.
///
///     GET /machine   load, memory and uptime of this machine, after 3 s
///     GET /prices?city=NAME
///                    made-up prices that change every minute, after 2 s; 304 while they do not
///     GET /flaky     as /machine, but only every third call; 503 otherwise
///     GET /cinema /events /google_trend
///                    listings as a scraper finds them, after 3, 4 and 5 s
///     GET /node /process /rule /office /workflow /notification /settings /system_health
///         /workflow_status
///                    rows of a back office, after 0.3 s
///     GET /calls     how often each of these was asked for, and how many at once at most
///
/// With `DEMO_SOURCE_PACE=0.1` in the environment all of that takes a tenth of the time.
@main
enum DemoSource {
    static func main() {
        // demo-source [PORT [ADDRESS]]
        let arguments = CommandLine.arguments.dropFirst()
        let loop = EventLoop(name: "demo-source")
        ProcessBond.endWithParent()
        var configuration = HTTPServer.Configuration()
        configuration.port = arguments.first.flatMap { Int($0) } ?? 8181
        configuration.host = arguments.dropFirst().first ?? "127.0.0.1"
        let host = configuration.host
        configuration.sharesPort = false
        let server = HTTPServer(configuration, loop: loop, handler: { DemoHandler(loop: loop) })
        let signals = SignalSource(loop: loop)
        Task(executorPreference: loop) {
            do {
                let bound = try await server.start()
                StandardStream.error.write("demo-source listens on http://\(host):\(bound)\n")
                try await ServiceGroup([server], gracePeriod: .seconds(1), signals: signals).run()
            } catch {
                StandardStream.error.write("demo-source: \(error)\n")
            }
            loop.stop()
        }
        loop.run()
    }
}

/// Answers the demo's requests; lives on the server's loop.
final class DemoHandler: HTTPHandler {
    private let loop: EventLoop
    private let pace: Double
    private var calls = Calls()

    init(loop: EventLoop) {
        self.loop = loop
        let share = ProcessInfo.processInfo.environment["DEMO_SOURCE_PACE"].flatMap(Double.init)
        pace = share.map { max(0, min($0, 100)) } ?? 1
    }

    func handle(_ request: HTTPRequest) -> HTTPReply {
        let path = request.path
        if path == "/calls" { return json(calls.json()) }
        let count = calls.begin(request.target)
        switch path {
        case "/machine": return answer(after: .seconds(3)) { Machine.json() }
        case "/flaky":
            guard count.isMultiple(of: 3) else { return refuse(503, "try again\n") }
            return answer(after: .seconds(1)) { Machine.json() }
        case "/prices":
            let city = request.query?.split(separator: "&").first { $0.hasPrefix("city=") }
            let prices = Prices(city: city.map { String($0.dropFirst(5)) } ?? "oslo")
            if request.header("If-None-Match") == prices.tag {
                calls.end()
                return .response(HTTPResponse(status: 304, headers: [("ETag", prices.tag)]))
            }
            return answer(after: .seconds(2), tag: prices.tag) { prices.json() }
        case _ where BackOffice.has(path):
            let query = request.query
            return answer(after: BackOffice.delay) {
                BackOffice.json(path, query: query, call: count)
            }
        default:
            guard let delay = Listings.delay(path) else { return refuse(404, "no such path\n") }
            return answer(after: delay) { Listings.json(path, scrape: count) }
        }
    }

    private func answer(
        after delay: Duration, tag: String? = nil, _ body: @escaping () -> String
    ) -> HTTPReply {
        .task { [self] _ in
            await loop.sleep(for: delay * pace)
            calls.end()
            return json(body(), tag: tag)
        }
    }

    private func json(_ text: String, tag: String? = nil) -> HTTPReply {
        var headers = [("Content-Type", "application/json")]
        if let tag { headers.append(("ETag", tag)) }
        return .response(HTTPResponse(status: 200, headers: headers, body: Array(text.utf8)))
    }

    private func refuse(_ status: Int, _ text: String) -> HTTPReply {
        calls.end()
        return .response(HTTPResponse(status: status, body: Array(text.utf8)))
    }
}

/// What Linux tells about the machine, as JSON.
enum Machine {
    static func json() -> String {
        let load = words("/proc/loadavg")
        let memory = fields("/proc/meminfo")
        let uptime = words("/proc/uptime").first.flatMap { Double($0) } ?? 0
        let loads = load.prefix(3).joined(separator: ", ")
        let process = load.count > 3 ? load[3] : "0/0"
        return """
            {"load": [\(loads)], "threads": \(process.split(separator: "/").last ?? "0"), \
            "memory_total_kib": \(memory["MemTotal"] ?? 0), \
            "memory_available_kib": \(memory["MemAvailable"] ?? 0), "uptime_seconds": \(uptime)}

            """
    }

    private static func words(_ path: String) -> [String] {
        text(path).split { $0 == " " || $0 == "\n" }.map(String.init)
    }

    /// `MemTotal:       24600000 kB` by name.
    private static func fields(_ path: String) -> [String: Int] {
        var fields: [String: Int] = [:]
        for line in text(path).split(separator: "\n") {
            let parts = line.split { $0 == ":" || $0 == " " }
            if parts.count >= 2, let value = Int(parts[1]) { fields[String(parts[0])] = value }
        }
        return fields
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}

/// Prices of a city in the present minute: the same for everyone who asks within it.
struct Prices {
    let city: String
    private let minute: Int64

    init(city: String) {
        // It becomes part of a header field and of JSON.
        self.city = String(city.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") })
        minute = WallClock.milliseconds() / 60_000
    }

    var tag: String { "\"\(city)-\(minute)\"" }

    func json() -> String {
        var state = UInt64(bitPattern: minute)
        for byte in city.utf8 { state = state &* 31 &+ UInt64(byte) }
        let goods = ["bread", "coffee", "milk", "newspaper", "tram ticket"]
        let items = goods.map { name in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let cents = 100 + Int(state >> 33) % 900
            let fraction = cents % 100 < 10 ? "0\(cents % 100)" : "\(cents % 100)"
            return
                #"{"city": "\#(city)", "name": "\#(name)", "price": \#(cents / 100).\#(fraction)}"#
        }
        return "[" + items.joined(separator: ", ") + "]\n"
    }
}
