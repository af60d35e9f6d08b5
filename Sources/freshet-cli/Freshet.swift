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
        switch invocation.command {
        case CommandTable.completion:
            let completion = Completion(commands: CommandTable.all)
            StandardStream.output.write(completion.script(for: invocation.operand ?? "bash"))
            return .done
        default:
            return .failed
        }
    }
}
