internal import CLinux

/// One question and its answer over a connection of its own: connect, write, read to the end.
///
/// For asking a child process whether it is ready; not for traffic. Belongs to the loop's thread.
@safe
package final class SocketExchange {
    /// The answer, or why there is none.
    package enum Outcome: Equatable {
        case answer([UInt8])
        case failed(String)
    }

    private static let maximumAnswer = 64 << 10

    private let loop: EventLoop
    private let descriptor: Int32
    private var request: ArraySlice<UInt8>
    private let asksNothing: Bool
    private var answer: [UInt8] = []
    private let isComplete: ([UInt8]) -> Bool
    private var completion: ((Outcome) -> Void)?
    private var timer: EventLoop.Timer?
    private var keepAlive: SocketExchange?

    /// Asks; `completion` is called once, also when it cannot even connect. An empty request is
    /// answered by the connection itself.
    package static func ask(
        _ endpoint: Endpoint, _ request: String, within limit: Duration, on loop: EventLoop,
        isComplete: @escaping ([UInt8]) -> Bool = { _ in false },
        completion: @escaping (Outcome) -> Void
    ) {
        let connected: Int32? = unsafe endpoint.withAddresses { family, address, length in
            let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
            let descriptor = socket(family, Int32(kind), 0)
            guard descriptor >= 0 else { return nil }
            if unsafe connect(descriptor, address, length) == 0 || freshet_errno() == EINPROGRESS {
                return descriptor
            }
            close(descriptor)
            return nil
        }
        guard let connected else {
            completion(.failed("nothing answers at \(endpoint)"))
            return
        }
        let exchange = SocketExchange(
            connected, Array(request.utf8), on: loop, isComplete: isComplete, completion: completion
        )
        exchange.begin(limit, endpoint)
    }

    private init(
        _ descriptor: Int32, _ request: [UInt8], on loop: EventLoop,
        isComplete: @escaping ([UInt8]) -> Bool, completion: @escaping (Outcome) -> Void
    ) {
        self.descriptor = descriptor
        self.request = request[...]
        asksNothing = request.isEmpty
        self.loop = loop
        self.isComplete = isComplete
        self.completion = completion
    }

    private func begin(_ limit: Duration, _ endpoint: Endpoint) {
        keepAlive = self
        loop.add(descriptor, [.read, .write]) { [unowned self] _ in self.step(endpoint) }
        timer = loop.schedule(after: limit) { [weak self] in
            self?.end(.failed("no answer from \(endpoint) in time"))
        }
    }

    private func step(_ endpoint: Endpoint) {
        var failure: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &size)
        if failure != 0 { return end(.failed("nothing answers at \(endpoint)")) }
        if asksNothing { return end(.answer([])) }
        while !request.isEmpty {
            let count = unsafe request.withUnsafeBytes { bytes in
                unsafe send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                request = request.dropFirst(count)
                if request.isEmpty { loop.modify(descriptor, [.read]) }
            } else if freshet_errno() == EAGAIN || freshet_errno() == ENOTCONN {
                return
            } else if freshet_errno() != EINTR {
                return end(.failed("nothing answers at \(endpoint)"))
            }
        }
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0)
            }
            if count > 0 {
                answer += buffer[0..<count]
                if isComplete(answer) || answer.count > Self.maximumAnswer {
                    return end(.answer(answer))
                }
            } else if count == 0 {
                return end(.answer(answer))
            } else if freshet_errno() == EAGAIN {
                return
            } else if freshet_errno() != EINTR {
                return end(.failed("\(endpoint) broke off"))
            }
        }
    }

    private func end(_ outcome: Outcome) {
        guard let completion else { return }
        self.completion = nil
        loop.remove(descriptor)
        close(descriptor)
        if let timer { loop.cancel(timer) }
        keepAlive = nil
        completion(outcome)
    }
}
