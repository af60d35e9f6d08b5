internal import Codecs
internal import FreshetModel
internal import Glibc

/// The environment a command gets: contract section 6.
enum CommandEnvironment {
    /// What is passed on from this process. Everything else, secrets of the worker among it, is not.
    private static let passedOn = ["PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"]
    static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    static func make(
        _ context: SourceContext, additions: [String: String], previousPath: String?
    ) -> [String: String] {
        var environment = ["PATH": standardPath]
        for name in passedOn {
            if let value = environmentValue(name) { environment[name] = value }
        }
        environment.merge(additions) { _, new in new }
        environment["FRESHET_KEY"] = context.key.text
        for parameter in context.key.parameters {
            environment["FRESHET_PARAM_" + variableName(parameter.name)] = parameter.value
        }
        environment["FRESHET_JOB_ID"] = context.jobID
        environment["FRESHET_ATTEMPT"] = String(context.attempt)
        environment["FRESHET_SCOPE"] = scopeText(context.scope)
        environment["FRESHET_PREVIOUS"] = previousPath
        environment["FRESHET_TRACEPARENT"] = context.traceparent
        // What tools of OpenTelemetry look for.
        environment["TRACEPARENT"] = context.traceparent
        return environment.filter { !$0.key.utf8.contains(0) && !$0.value.utf8.contains(0) }
    }

    private static func variableName(_ name: String) -> String {
        String(name.uppercased().map { $0 == "-" || $0 == "." ? "_" : $0 })
    }

    private static func scopeText(_ scope: RefreshScope) -> String {
        var text = JSONText()
        text.array { for part in scope.parts { $0.value(part) } }
        return text.string
    }

    /// Where `program` is: itself when it holds a slash, else the first match in `path`.
    static func find(_ program: String, path: String) -> String? {
        guard !program.contains("/") else { return program }
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(program)"
            if unsafe access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }
}
