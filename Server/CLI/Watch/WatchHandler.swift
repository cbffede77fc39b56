import Glibc

/// The program that a watch runs at each change, with the answer on its standard input.
struct WatchHandler: Sendable {
    let arguments: [String]
    let usesShell: Bool

    /// Runs the program to its end; `CONSUL_INDEX` tells it the index.
    ///
    /// Blocks the calling thread: nothing else happens in this process meanwhile.
    func run(_ json: [UInt8], index: UInt64) throws {
        let command = try spawn(index: index)
        Console.write(json + [UInt8(ascii: "\n")], to: command.input)
        close(command.input)
        var status: Int32 = 0
        while waitpid(command.process, &status, 0) < 0 {
            guard errno == EINTR else {
                throw failure("executing", "wait: \(Console.errorText(errno))")
            }
        }
        let signal = status & 0x7F
        if signal != 0 {
            let name = String(cString: strsignal(signal)).lowercased()
            throw failure("executing", "signal: \(name)")
        }
        let code = status >> 8 & 0xFF
        if code != 0 { throw failure("executing", "exit status \(code)") }
    }

    private func failure(_ step: String, _ reason: String) -> CommandFailure {
        CommandFailure("Error \(step) handler: \(reason)")
    }

    /// The words of the program, behind the user's shell unless told otherwise.
    private var words: [String] {
        guard usesShell else { return arguments }
        let shell = Console.variable("SHELL") ?? "/bin/sh"
        return [shell, "-c", arguments.joined(separator: " ")]
    }

    private func spawn(index: UInt64) throws -> (process: pid_t, input: Int32) {
        // A program that does not read its input must not end this process.
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw failure("starting", Console.errorText(errno))
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)

        let words = words
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        var environment = Self.environment.map { strdup($0) }
        environment.append(strdup("CONSUL_INDEX=\(index)"))
        defer { for pointer in argv + environment { free(pointer) } }
        argv.append(nil)
        environment.append(nil)

        var process = pid_t()
        let code = posix_spawnp(&process, words[0], &actions, nil, argv, environment)
        guard code == 0 else {
            close(ends[1])
            guard code != ENOENT || words[0].contains("/") else {
                throw failure(
                    "starting",
                    "exec: \"\(words[0])\": executable file not found in $PATH"
                )
            }
            let reason = Console.errorText(code)
            throw failure("starting", "fork/exec \(words[0]): \(reason)")
        }
        return (process, ends[1])
    }

    /// The variables of this process, without an index of another watch.
    private static var environment: [String] {
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if !text.hasPrefix("CONSUL_INDEX=") { variables.append(text) }
            next += 1
        }
        return variables
    }
}
