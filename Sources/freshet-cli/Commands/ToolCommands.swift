internal import Codecs
internal import Configuration
internal import FoundationEssentials
internal import FreshetModel
internal import Runtime

/// `freshet config check`, `key new` and `completion`: commands that need no Redis.
enum ToolCommands {
    static func checkConfiguration(_ context: CallContext) throws(CallError) -> ExitCode {
        let path = context.invocation.operand ?? CallContext.defaultConfiguration
        let file = try SettingsFile.load(
            path, environment: context.environment, overrides: Overrides())
        for warning in file.warningLines { StandardStream.error.write(warning + "\n") }
        StandardStream.output.write(file.summary + "\n")
        return .done
    }

    /// 256 random bits; the configuration gets their hash only.
    static func newKey(_ context: CallContext) throws(CallError) -> ExitCode {
        let name = context.invocation.operand ?? ""
        guard name.utf8.count <= 64, name.utf8.allSatisfy(Self.isNameByte) else {
            throw CallError(
                .usage, "a key's name has 1 to 64 letters, digits, `_` or `-`, not `\(name)`")
        }
        var scopes = context.invocation.all("scope").flatMap { $0.split(separator: ",") }
            .compactMap { Scope(rawValue: String($0)) }
        if scopes.isEmpty { scopes = [.read] }
        let names = Set(scopes).sorted().map(\.rawValue).joined(separator: ", ")
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let secret = "\(name).\(Self.base64URL(bytes))"
        let hash = SHA256.hash(Array(secret.utf8)).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        StandardStream.output.write(
            """
            The secret, shown this once; callers send it as `X-API-Key` or `Authorization: Bearer`:

              \(secret)

            Add to the configuration, under api.keys:

              - {name: "\(name)", sha256: "\(hash.joined())", scopes: [\(names)]}

            """)
        return .done
    }

    private static func base64URL(_ bytes: [UInt8]) -> String {
        let text = Data(bytes).base64EncodedString()
        return String(
            text.filter { $0 != "=" }.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
