/// A flag of a command, as the table declares it: parsing, help and completion are made from this.
struct FlagSpec: Sendable, Hashable {
    /// What the flag's value must be; a flag that takes none is a switch.
    enum Kind: Sendable, Hashable {
        case toggle
        case text
        case file
        case directory
        case number(ClosedRange<Int>)
        case choice([String])
        case choices([String])
    }

    /// Without the dashes.
    var name: String
    var kind: Kind
    /// What stands for the value in help.
    var placeholder = ""
    var help: String
    /// May be given more than once.
    var repeats = false
    /// The environment variable that it beats.
    var environment: String?

    static func toggle(_ name: String, _ help: String) -> FlagSpec {
        FlagSpec(name: name, kind: .toggle, help: help)
    }

    static func text(
        _ name: String, _ placeholder: String, _ help: String, repeats: Bool = false,
        environment: String? = nil
    ) -> FlagSpec {
        FlagSpec(
            name: name, kind: .text, placeholder: placeholder, help: help, repeats: repeats,
            environment: environment)
    }

    static func number(_ name: String, _ range: ClosedRange<Int>, _ help: String) -> FlagSpec {
        FlagSpec(name: name, kind: .number(range), placeholder: "N", help: help)
    }

    var takesValue: Bool { kind != .toggle }

    /// `--name VALUE`, as help and usage lines show it.
    var signature: String { takesValue ? "--\(name) \(placeholder)" : "--\(name)" }
}

/// What a command takes besides flags.
struct OperandSpec: Sendable, Hashable {
    /// What completion offers for it.
    enum Kind: Sendable, Hashable {
        case text
        case file
        case command
        case choice([String])
    }

    var name: String
    var help: String
    var isRequired = true
    var kind = Kind.text
}

/// A command of `freshet`.
struct CommandSpec: Sendable, Hashable {
    /// An example call and what it is for.
    struct Example: Sendable, Hashable {
        var call: String
        var what: String
    }

    /// The words that name it, such as `config check`.
    var name: String
    /// One line for the list of commands.
    var summary: String
    /// Further paragraphs of its help.
    var details: [String] = []
    var operands: [OperandSpec] = []
    var flags: [FlagSpec] = []
    /// Names of flags of which only one may be given.
    var exclusive: [String] = []
    var examples: [Example] = []

    /// The flags with `--help`, which every command has.
    var allFlags: [FlagSpec] { flags + [.toggle("help", "show this text")] }

    func flag(named name: String) -> FlagSpec? { allFlags.first { $0.name == name } }
}
