import Foundation

/// The child processes of the demonstration, by name.
final class Processes {
    struct NotStarted: Error, CustomStringConvertible {
        let name: String
        let log: String
        var description: String { "\(name) ended at once:\n\(log)" }
    }

    private let directory: String
    private let environment: [String: String]
    private var running: [String: Process] = [:]

    init(directory: String, environment: [String: String]) {
        self.directory = directory
        self.environment = environment
    }

    /// Starts a program whose output goes to `NAME.log`.
    func start(_ name: String, _ program: String, _ arguments: [String]) throws {
        let path = "\(directory)/\(name).log"
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        let log = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try log.seekToEnd()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = environment
        process.standardOutput = log
        process.standardError = log
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try log.close()
        running[name] = process
    }

    /// Ends a process as a crash would and waits until it is gone.
    func kill(_ name: String) {
        guard let process = running.removeValue(forKey: name) else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Asks a process to end; ``sweep()`` forgets it when it has.
    func end(_ name: String) {
        running[name]?.terminate()
    }

    func isRunning(_ name: String) -> Bool { running[name]?.isRunning ?? false }

    /// Asks all whose name begins with `prefix` to end, waits a little, and kills the rest.
    func endAll(_ prefix: String = "") async {
        let names = running.keys.filter { $0.hasPrefix(prefix) }
        for name in names { end(name) }
        for _ in 0..<50 where names.contains(where: isRunning) {
            // The sleep only throws when cancelled: then the rest is killed earlier.
            try? await Task.sleep(for: .milliseconds(100))
        }
        for name in names { kill(name) }
    }

    /// The end of what a process has said.
    func log(of name: String) -> String {
        // A log that cannot be read is as good as an empty one here.
        let text = (try? String(contentsOfFile: "\(directory)/\(name).log", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(12).joined(separator: "\n")
    }
}
