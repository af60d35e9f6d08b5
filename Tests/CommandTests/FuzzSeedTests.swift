import FoundationEssentials
import Testing

@testable import freshet_fuzz

/// What fuzzing found once, and what it begins with, is read again with every run of the tests.
@Suite("Fuzz seeds")
struct FuzzSeedTests {
    private static let folder: String = {
        var path = URL(filePath: #filePath)
        for _ in 0..<2 { path.deleteLastPathComponent() }
        return path.path + "/Fuzz/Seeds"
    }()

    @Test("no seed stops the process", arguments: FuzzTarget.allCases)
    func seeds(target: FuzzTarget) throws {
        let folder = Self.folder + "/" + target.rawValue
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(!names.isEmpty)
        for name in names {
            let bytes = Array(FileManager.default.contents(atPath: folder + "/" + name) ?? Data())
            target.read(bytes)
            // Cut and doubled, as the fuzzer would begin.
            for length in Set([0, 1, bytes.count / 2, max(0, bytes.count - 1)]) {
                target.read(Array(bytes.prefix(length)))
            }
            target.read(bytes + bytes)
        }
    }
}
