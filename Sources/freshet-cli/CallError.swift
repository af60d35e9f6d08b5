/// Why a command ends before or instead of doing what it is for, and with which exit code.
struct CallError: Error, Equatable {
    var code: ExitCode
    /// Lines for standard error, without the program's name.
    var lines: [String]

    init(_ code: ExitCode, _ line: String) {
        self.init(code, lines: [line])
    }

    init(_ code: ExitCode, lines: [String]) {
        self.code = code
        self.lines = lines
    }
}
