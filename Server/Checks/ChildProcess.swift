import Glibc

/// A program that runs in its own process group, its output and errors in one pipe.
struct ChildProcess: Sendable {
    enum Exit: Hashable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    struct SpawnError: Error {
        var text: String
    }

    let identifier: pid_t
    /// The reading end of the pipe; whoever takes it closes it.
    let output: CInt

    /// Starts `arguments[0]`, looked up in `PATH`, with the agent's environment.
    static func spawn(_ arguments: [String]) throws(SpawnError) -> ChildProcess {
        guard let name = arguments.first, !name.isEmpty else {
            throw SpawnError(text: "need an executable to run")
        }
        var ends: [CInt] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw SpawnError(text: "pipe: \(reason(errno))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
            close(ends[1])
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
        // A group of its own, so that a time-out ends what the program started too; the signals
        // that the agent blocks or handles have their usual meaning there.
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))
        var copies = arguments.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        var identifier: pid_t = 0
        let result = posix_spawnp(&identifier, name, &actions, &attributes, &copies, environ)
        guard result == 0 else {
            close(ends[0])
            let text =
                name.contains("/")
                ? "fork/exec \(name): \(reason(result))"
                : "exec: \"\(name)\": executable file not found in $PATH"
            throw SpawnError(text: text)
        }
        return ChildProcess(identifier: identifier, output: ends[0])
    }

    /// How it ended, or nil while it runs; the answer is given once.
    func exit() -> Exit? {
        var status: CInt = 0
        let result = waitpid(identifier, &status, WNOHANG)
        guard result != 0 else { return nil }
        guard result == identifier else { return .code(-1) }
        let signal = status & 0x7f
        return signal == 0 ? .code((status >> 8) & 0xff) : .signal(signal)
    }

    /// Ends the program and what it started.
    func kill() {
        _ = Glibc.kill(-identifier, SIGKILL)
    }

    private static func reason(_ code: CInt) -> String {
        switch code {
        case ENOENT: "no such file or directory"
        case EACCES: "permission denied"
        case ENOEXEC: "exec format error"
        case EMFILE: "too many open files"
        default: "errno \(code)"
        }
    }
}
