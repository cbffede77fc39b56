import Agent
import CLI
import Glibc

/// The program: a registry, and the commands that talk to one.
@main
struct Muster {
    static func main() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        // Before the first thread starts, so that the agent hears every signal.
        if arguments.first == "agent" { Signals.block() }
        // Detached from this thread, which only waits.
        Task.detached {
            let code = await CommandLineTool.run(
                arguments,
                recover: { try ServerRecovery.run(dataDirectory: $0.dataDirectory) },
                agent: { await AgentCommand.run($0) }
            )
            exit(code)
        }
        while true { pause() }
    }
}
