internal import FoundationEssentials

/// Names of workers and schedulers: `HOST-PID-RANDOM`, where to look and never the same again.
package enum ProcessName {
    /// A name for the calling process; another one with each call.
    package static func make() -> String {
        let process = ProcessInfo.processInfo
        let host = process.hostName.prefix { $0 != "." }
        let random = String(UInt32.random(in: .min ... .max), radix: 36)
        return "\(host)-\(process.processIdentifier)-\(random)"
    }
}
