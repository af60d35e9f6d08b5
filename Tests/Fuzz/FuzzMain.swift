import FoundationEssentials

#if FUZZING
    import CFuzzer
#endif

/// The fuzzer, and without it a replay of its seeds.
///
///     freshet-fuzz TARGET [FILE...]       reads each file once
///
/// Built by `./dev fuzz` with -sanitize=fuzzer and FUZZING set, the further arguments are libFuzzer's.
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
        #if FUZZING
            Fuzzing.run(target)
        #else
            for path in CommandLine.arguments.dropFirst(2) {
                target.read(Array(FileManager.default.contents(atPath: path) ?? Data()))
            }
        #endif
    }
}

#if FUZZING
    enum Fuzzing {
        nonisolated(unsafe) private static var target = FuzzTarget.keys

        /// Hands over to libFuzzer, which sees its own arguments only.
        static func run(_ chosen: FuzzTarget) {
            unsafe target = chosen
            var words: [UnsafeMutablePointer<CChar>?] = unsafe CommandLine.arguments.enumerated()
                .filter { $0.offset != 1 }
                .map { word in
                    let bytes = word.element.utf8CString
                    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
                    for (index, byte) in bytes.enumerated() { unsafe copy[index] = byte }
                    return unsafe copy
                }
            unsafe words.append(nil)
            var count = Int32(words.count - 1)
            _ = unsafe words.withUnsafeMutableBufferPointer { buffer in
                var arguments = unsafe buffer.baseAddress
                return unsafe LLVMFuzzerRunDriver(&count, &arguments, tryInput)
            }
        }

        private static let tryInput: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 = {
            bytes, count in
            unsafe target.read(Array(UnsafeBufferPointer(start: bytes, count: count)))
            return 0
        }
    }
#endif
