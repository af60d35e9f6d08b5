internal import FreshetModel

extension SourceReading {
    private enum Hash: String, CaseIterable {
        case none
        case sha256
    }

    mutating func readDirectory(_ fields: Fields) -> Bool {
        guard let root = fields.require("root", Values.text) else { return false }
        note(root, .path)
        var directory = DirectorySource(root: root.value)
        if let include = fields.list("include", of: "patterns such as `**/*.tif`", Self.glob) {
            directory.include = include.map(\.value)
            if fields["include"]?.value.isEmptyList == true {
                fields.report.error(
                    fields.place(of: "include"), "`include` is empty: no file could be taken")
            }
        }
        if let exclude = fields.list("exclude", of: "patterns such as `**/*.tmp`", Self.glob) {
            directory.exclude = exclude.map(\.value)
        }
        fields.read(
            "collections", into: &directory.collections,
            Values.word(DirectorySource.Collections.self))
        if let hash = fields.read("hash", Values.word(Hash.self)) {
            directory.hashesSHA256 = hash.value == .sha256
        }
        fields.read("watch", into: &directory.watch, Values.bool)
        if directory.watch, let name = Placeholders.names(in: root.value).first {
            fields.report.error(
                fields.place(of: "watch"), "`watch` needs a `root` without `{\(name)}`")
        }
        fields.read("max_files", into: &directory.maximumFiles, Values.integer(1...100_000_000))
        definition = .directory(directory)
        return true
    }

    private static func glob(_ node: Node) throws(ValueError) -> String {
        let glob = try Values.text(node)
        guard !glob.hasPrefix("/") else {
            throw ValueError("a pattern is relative to `root`, found \(node.kind)")
        }
        guard !glob.split(separator: "/").contains("..") else {
            throw ValueError("a pattern does not leave `root`, found \(node.kind)")
        }
        guard isBalanced(glob) else {
            throw ValueError("\(node.kind) leaves a bracket or a brace open")
        }
        return glob
    }

    private static func isBalanced(_ glob: String) -> Bool {
        var braces = 0
        var isInBrackets = false
        for byte in glob.utf8 {
            switch byte {
            case UInt8(ascii: "["): isInBrackets = true
            case UInt8(ascii: "]"): isInBrackets = false
            case UInt8(ascii: "{") where !isInBrackets: braces += 1
            case UInt8(ascii: "}") where !isInBrackets: braces -= 1
            default: break
            }
        }
        return braces == 0 && !isInBrackets
    }

    mutating func readCSV(_ fields: Fields) -> Bool {
        var csv = CSVSource()
        let file = fields.read("file", Values.text)
        let url = fields.read("url", Self.httpURL)
        switch (fields["file"], fields["url"]) {
        case (nil, nil):
            fields.report.error(fields.place, "`source.csv` needs `file` or `url`")
            return false
        case (_?, let second?):
            fields.report.error(
                second.keyPlace, "`source.csv` has both `file` and `url`; one of them counts")
            return false
        default: break
        }
        if let file { note(file, .path) }
        if let url { note(url, .url) }
        guard file != nil || url != nil else { return false }
        csv.file = file?.value
        csv.url = url?.value
        fields.read("delimiter", into: &csv.delimiter) { node throws(ValueError) in
            let text = try Values.anyText(node)
            guard text.utf8.count == 1, let delimiter = text.first,
                !["\"", "\n", "\r"].contains(delimiter)
            else {
                throw ValueError(
                    "expected one character such as `;` or \"\\t\", found \(node.kind)")
            }
            return delimiter
        }
        fields.read("types", into: &csv.types, Values.word(CSVSource.Types.self))
        definition = .csv(csv)
        return true
    }
}
