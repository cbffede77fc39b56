import Agent
import Glibc

/// The program: a registry, and the commands that talk to one.
@main
struct Muster {
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.first == "agent" else { return }
        exit(await AgentCommand.run(Array(arguments.dropFirst())))
    }
}
