import Glibc
import Synchronization

/// The signals that the agent heeds, taken one after the other by a thread of their own.
///
/// `block` must run on the first thread before any other starts: threads inherit what is blocked.
package enum Signals {
    private static let heeded: [CInt] = [SIGINT, SIGTERM, SIGHUP]

    /// Keeps the signals from ending the process; broken pipes are seen as write errors.
    package static func block() {
        signal(SIGPIPE, SIG_IGN)
        var set = signalSet()
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Waits for the next of the signals and gives its number.
    static func next() -> CInt {
        var set = signalSet()
        var number: CInt = 0
        while sigwait(&set, &number) != 0 {}
        return number
    }

    /// Starts a thread that calls `handle` with each signal, for as long as the process lives.
    package static func start(_ handle: @escaping @Sendable (CInt) -> Void) {
        let box = Unmanaged.passRetained(SignalHandler(handle))
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                let handler = Unmanaged<SignalHandler>.fromOpaque(context).takeRetainedValue()
                while true { handler.handle(Signals.next()) }
            },
            box.toOpaque()
        )
        precondition(result == 0, "no thread for signals: \(result)")
        pthread_detach(thread)
    }

    private static func signalSet() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in heeded { sigaddset(&set, number) }
        return set
    }
}

private final class SignalHandler: Sendable {
    let handle: @Sendable (CInt) -> Void

    init(_ handle: @escaping @Sendable (CInt) -> Void) {
        self.handle = handle
    }
}
