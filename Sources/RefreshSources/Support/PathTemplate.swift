internal import FreshetModel

/// A path in whose names parameters may stand, none of which can lead elsewhere.
enum PathTemplate {
    /// Expands `template` for the file system: values may hold no slash or NUL, and no name that a
    /// parameter is part of may become empty, `.` or `..`.
    static func expand(_ template: Template, _ key: Key) throws(SourceError) -> String {
        let path = try template.expand(key) { value throws(SourceError) in
            guard !value.utf8.contains(0), !value.utf8.contains(UInt8(ascii: "/")) else {
                throw .permanent("a parameter in a path holds a slash or a NUL character")
            }
            return value
        }
        for name in try namesWithParameters(template, key) where name.isEmpty || isDots(name) {
            throw .permanent("a parameter makes a path lead elsewhere")
        }
        return path
    }

    /// Whether `name` is `.` or `..`, which file systems and URLs take for directories.
    static func isDots(_ name: String) -> Bool { name == "." || name == ".." }

    /// The names between slashes that parameters are part of, expanded as they are.
    static func namesWithParameters(
        _ template: Template, _ key: Key
    ) throws(SourceError) -> [String] {
        var names: [String] = []
        var name = ""
        var hasParameter = false
        for piece in template.pieces {
            switch piece {
            case .parameter(let parameter):
                name += try key.value(of: parameter)
                hasParameter = true
            case .literal(let text):
                for (index, part) in text.split(
                    separator: "/", omittingEmptySubsequences: false
                ).enumerated() {
                    if index > 0 {
                        if hasParameter { names.append(name) }
                        name = ""
                        hasParameter = false
                    }
                    name += part
                }
            }
        }
        if hasParameter { names.append(name) }
        return names
    }
}
