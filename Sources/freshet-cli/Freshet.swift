internal import FoundationEssentials
internal import Glibc
internal import Runtime

/// The command `freshet`: reads its arguments and hands over to one command. It holds no logic of
/// its own.
@main
enum Freshet {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(run(arguments).rawValue)
    }

    static func run(_ arguments: [String]) -> ExitCode {
        do throws(UsageError) {
            switch try ArgumentParser(commands: CommandTable.all).parse(arguments) {
            case .version:
                StandardStream.output.write("freshet \(Build.version)\n")
                return .done
            case .help(let command):
                StandardStream.output.write(Help(commands: CommandTable.all).text(for: command))
                return .done
            case .run(let invocation):
                return dispatch(invocation)
            }
        } catch {
            let topic = error.command.map { " \($0)" } ?? ""
            StandardStream.error.write(
                "freshet: \(error.message)\nTry `freshet help\(topic)`.\n")
            return .usage
        }
    }

    private static func dispatch(_ invocation: Invocation) -> ExitCode {
        let context = CallContext(
            invocation, environment: ProcessInfo.processInfo.environment)
        do throws(CallError) {
            switch invocation.command {
            case CommandTable.up: return try UpCommand.run(context)
            case CommandTable.api: return try RoleCommands.api(context)
            case CommandTable.worker: return try RoleCommands.worker(context)
            case CommandTable.scheduler: return try RoleCommands.scheduler(context)
            case CommandTable.configCheck: return try ToolCommands.checkConfiguration(context)
            case CommandTable.keyNew: return try ToolCommands.newKey(context)
            case CommandTable.ready: return try ReadyCommand.run(context)
            case CommandTable.completion:
                let completion = Completion(commands: CommandTable.all)
                let script = completion.script(for: invocation.operand ?? "bash")
                StandardStream.output.write(script)
                return .done
            default: return try OperatorCommands.run(context)
            }
        } catch {
            // Errors in a configuration begin with the file's name, as editors expect them.
            let prefix = error.code == .configuration && error.lines.count > 0 ? "" : "freshet: "
            for line in error.lines { StandardStream.error.write("\(prefix)\(line)\n") }
            return error.code
        }
    }
}
