internal import FreshetModel
internal import Runtime

/// Asks an API process whether it serves.
enum ReadyProbe {
    /// - Parameter then: Called once with what is missing, `nil` when `/ready` says 200.
    static func ask(
        _ endpoint: Endpoint, isTLS: Bool, on loop: EventLoop,
        then: @escaping (String?) -> Void
    ) {
        // Behind TLS no plain question is answered; that somebody takes it has to do.
        let request =
            isTLS ? "" : "GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        SocketExchange.ask(
            endpoint, request, within: .seconds(4), on: loop,
            completion: { outcome in
                switch outcome {
                case .answer(let bytes): then(isTLS ? nil : problem(in: bytes))
                case .failed(let reason): then(reason)
                }
            })
    }

    private static func problem(in bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        if text.hasPrefix("HTTP/1.1 200") { return nil }
        guard let end = text.firstRange(of: "\r\n\r\n"), end.upperBound < text.endIndex else {
            return "no HTTP answer from the port"
        }
        return String(text[end.upperBound...])
    }
}

extension ListenAddress {
    /// Where this machine reaches what listens on the address.
    var reachableHost: String {
        switch host {
        case "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }
}
