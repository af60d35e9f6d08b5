/// A value of a YAML file with its place, aliases and merges resolved.
struct Node {
    enum Content {
        case scalar(Scalar)
        case sequence([Node])
        case mapping([Entry])
    }

    /// A field of a mapping.
    struct Entry {
        var key: String
        var keyPlace: Place
        var value: Node
    }

    var place: Place
    var content: Content
    /// Nodes in it, itself included, each alias counted as what it stands for.
    var size = 1
    /// Levels below it.
    var height = 0

    /// `sequence`, `mapping` or what a scalar would be, for messages.
    var kind: String {
        switch content {
        case .scalar(let scalar): scalar.isNull ? "nothing" : scalar.quotation
        case .sequence(let items): items.isEmpty ? "an empty list" : "a list"
        case .mapping(let entries): entries.isEmpty ? "an empty mapping" : "a mapping"
        }
    }

    var isEmptyList: Bool {
        if case .sequence(let items) = content { items.isEmpty } else { false }
    }

    var isNull: Bool {
        if case .scalar(let scalar) = content { scalar.isNull } else { false }
    }

    /// A scalar in which something was reported already, so that its field has nothing to add.
    var isBroken: Bool {
        if case .scalar(let scalar) = content { scalar.isBroken } else { false }
    }
}

/// A scalar, as text: what type it has depends on the field it stands in.
struct Scalar: Hashable {
    /// `${NAME}` replaced.
    var text: String
    /// As written in the file.
    var written: String
    /// Quoted, a block or tagged `!!str`: text, even when it looks like a number.
    var isText = false

    /// Something in it was reported already, so that its field has nothing to add.
    var isBroken = false

    /// Whether a part of it came from the environment.
    var isFromEnvironment: Bool { text != written }

    /// YAML's null.
    var isNull: Bool { !isText && ["", "~", "null", "Null", "NULL"].contains(written) }

    /// The scalar for a message: short, on one line, and without what came from the environment.
    var quotation: String {
        guard !written.isEmpty else { return "empty text" }
        var short = ""
        for character in written.unicodeScalars.prefix(60) {
            short.unicodeScalars.append(
                character.value < 0x20 || character.value == 0x7F ? " " : character)
        }
        if written.unicodeScalars.count > 60 { short += "…" }
        return isFromEnvironment ? "the value of `\(short)`" : "`\(short)`"
    }
}
