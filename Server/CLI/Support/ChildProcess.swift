import Glibc

/// A program that a command runs.
struct ChildProcess: Sendable {
    /// Why a program could not be started or did not end well; the words are Go's.
    struct Failure: Error {
        var reason: String
    }

    let id: pid_t

    /// The words of a command line, behind the user's shell when `usesShell`.
    static func words(_ arguments: [String], usesShell: Bool) -> [String] {
        guard usesShell else { return arguments }
        return [Console.variable("SHELL") ?? "/bin/sh", "-c", arguments.joined(separator: " ")]
    }

    /// Starts a program with the variables of this process and `variable`, and feeds it `input`.
    ///
    /// - Precondition: `words` is not empty.
    init(_ words: [String], variable: (name: String, value: String), input: [UInt8]) throws(Failure)
    {
        precondition(!words.isEmpty, "a program has a name")
        // A program that does not read its input must not end this process.
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure(reason: Console.errorText(errno)) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        let (code, id) = Self.spawn(words, variable, ends[0])
        // Only the program may hold this end: writing must fail when it has ended.
        close(ends[0])
        guard code == 0 else {
            guard code != ENOENT || words[0].contains("/") else {
                throw Failure(reason: "exec: \"\(words[0])\": executable file not found in $PATH")
            }
            throw Failure(reason: "fork/exec \(words[0]): \(Console.errorText(code))")
        }
        self.id = id
        Console.write(input, to: ends[1])
    }

    private static func spawn(
        _ words: [String],
        _ variable: (name: String, value: String),
        _ input: Int32
    ) -> (code: Int32, id: pid_t) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))

        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        var environment = variables(except: variable.name).map { strdup($0) }
        environment.append(strdup("\(variable.name)=\(variable.value)"))
        defer { for pointer in argv + environment { free(pointer) } }
        argv.append(nil)
        environment.append(nil)
        var id = pid_t()
        let code = posix_spawnp(&id, words[0], &actions, &attributes, argv, environment)
        return (code, id)
    }

    /// Blocks until the program has ended; anything but exit status 0 is a failure.
    func wait() throws(Failure) {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 {
            guard errno == EINTR else {
                throw Failure(reason: "wait: \(Console.errorText(errno))")
            }
        }
        let signal = status & 0x7F
        if signal != 0 {
            throw Failure(reason: "signal: \(String(cString: strsignal(signal)).lowercased())")
        }
        let code = status >> 8 & 0xFF
        if code != 0 { throw Failure(reason: "exit status \(code)") }
    }

    /// The variables of this process but one.
    private static func variables(except name: String) -> [String] {
        var variables: [String] = []
        var next = environ
        while let variable = next.pointee {
            let text = String(cString: variable)
            if !text.hasPrefix(name + "=") { variables.append(text) }
            next += 1
        }
        return variables
    }
}
