/// The program that a watch runs at each change, with the answer on its standard input.
struct WatchHandler: Sendable {
    let arguments: [String]
    let usesShell: Bool

    /// Runs the program to its end; `CONSUL_INDEX` tells it the index.
    ///
    /// Blocks the calling thread: nothing else happens in this process meanwhile.
    func run(_ json: [UInt8], index: UInt64) throws {
        let child: ChildProcess
        do {
            child = try ChildProcess(
                ChildProcess.words(arguments, usesShell: usesShell),
                variable: ("CONSUL_INDEX", String(index)),
                input: json + [UInt8(ascii: "\n")]
            )
        } catch {
            throw CommandFailure("Error starting handler: \(error.reason)")
        }
        do {
            try child.wait()
        } catch {
            throw CommandFailure("Error executing handler: \(error.reason)")
        }
    }
}
