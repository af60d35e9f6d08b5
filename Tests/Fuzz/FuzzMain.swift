import FoundationEssentials

#if FUZZING
    /// What libFuzzer calls with each input; its own `main` takes the place of ours.
    ///
    /// FRESHET_FUZZ_TARGET in the environment names the target.
    @_cdecl("LLVMFuzzerTestOneInput")
    public func tryInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
        unsafe chosen.read(Array(UnsafeBufferPointer(start: bytes, count: count)))
        return 0
    }

    private let chosen: FuzzTarget = {
        let name = ProcessInfo.processInfo.environment["FRESHET_FUZZ_TARGET"] ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            preconditionFailure("FRESHET_FUZZ_TARGET names no target")
        }
        return target
    }()
#else
    /// The seeds once more, without the fuzzer: freshet-fuzz TARGET [FILE...]
    @main
    enum FuzzMain {
        static func main() {
            guard let name = CommandLine.arguments.dropFirst().first,
                let target = FuzzTarget(rawValue: name)
            else {
                let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
                print("usage: freshet-fuzz TARGET [FILE...], TARGET one of \(names)")
                return
            }
            for path in CommandLine.arguments.dropFirst(2) {
                target.read(Array(FileManager.default.contents(atPath: path) ?? Data()))
            }
        }
    }
#endif
