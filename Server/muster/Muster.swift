import Agent
import CLI
import Glibc

/// The program: a registry, and the commands that talk to one.
@main
struct Muster {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        exit(await CommandLineTool.run(arguments) { await AgentCommand.run($0) })
    }
}
