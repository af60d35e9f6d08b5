internal import Coordination
internal import FreshetModel

extension Operator {
    private enum TopInput: Sendable {
        case tick
        case keys([UInt8])
        case end
    }

    /// `freshet top`: redraws twice a second until `q`, or until `keys` ends.
    ///
    /// - Parameter keys: What is pressed; `nil` without a terminal: one view is printed.
    package func top(keys: AsyncStream<[UInt8]>?) async throws(OperatorError) {
        guard let keys, console.size() != nil else {
            let snapshot = try await call { store throws(RefreshError) in
                try await TopSnapshot.take(from: store)
            }
            var model = TopModel()
            model.take(snapshot)
            let view = TopView(width: 120, isColored: false)
            for line in view.lines(model, rows: nil) { console.print(line) }
            return
        }
        // A first look outside the full screen, where an unreachable Redis is told in plain words.
        _ = try await call { store throws(RefreshError) in try await store.now() }
        console.write(Array("\u{1B}[?1049h\u{1B}[?25l".utf8))
        let (inputs, input) = AsyncStream.makeStream(of: TopInput.self)
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await pressed in keys { input.yield(.keys(pressed)) }
                input.yield(.end)
            }
            group.addTask {
                while !Task.isCancelled {
                    input.yield(.tick)
                    do { try await Task.sleep(for: .milliseconds(500)) } catch { return }
                }
            }
            await runTop(inputs)
            group.cancelAll()
        }
        console.write(Array("\u{1B}[?25h\u{1B}[?1049l".utf8))
    }

    private func runTop(_ inputs: AsyncStream<TopInput>) async {
        var model = TopModel()
        for await input in inputs {
            switch input {
            case .end: return
            case .tick: break
            case .keys(let bytes):
                for command in model.press(bytes) {
                    if command == .quit { return }
                    model.message = await perform(command)
                }
            }
            do throws(RefreshError) {
                model.take(try await TopSnapshot.take(from: store))
            } catch {
                model.trouble = error.message
            }
            draw(model)
        }
    }

    private func draw(_ model: TopModel) {
        guard let size = console.size() else { return }
        let view = TopView(width: size.columns, isColored: console.isColored)
        let lines = view.lines(model, rows: size.rows)
        // Each line clears its own rest, the end clears below: nothing flickers.
        let text = lines.map { $0 + "\u{1B}[K" }.joined(separator: "\r\n")
        console.write(Array("\u{1B}[H\(text)\u{1B}[J".utf8))
    }

    /// Does what a key asked for, and says what came of it.
    private func perform(_ command: TopModel.Command) async -> String {
        do throws(RefreshError) {
            switch command {
            case .quit: return ""
            case .setPaused(let isPaused):
                try await store.setPaused(isPaused)
                return isPaused ? "paused" : "resumed"
            case .cancel(let id):
                switch try await store.cancel(id, keepJobs: keepJobs) {
                case .removed, .stopped: return "cancelled \(id.key)"
                case .alreadyEnded, .unknown: return "\(id.key) has ended already"
                }
            case .retry(let key):
                let priority = settings?.resources[key.resource]?.priority ?? .normal
                let outcome = try await store.request(RefreshRequest(key: key, priority: priority))
                return outcome.receipt == nil ? outcome.refusal : "queued \(key)"
            }
        } catch {
            return error.message
        }
    }
}
