import Foundation
import Synchronization

/// A program that a test started, with its output line by line.
///
/// Not restarted, not shared; ``end()`` kills what still runs and must be awaited.
final class ChildProcess: Sendable {
    private let process: Mutex<Process>
    private let input: FileHandle
    private let ended: AsyncStream<Int32>
    private let text: Mutex<String>
    private let lines: AsyncStream<String>

    /// Starts a program; what it prints on both outputs counts as its output.
    init(_ program: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let (standardInput, output) = (Pipe(), Pipe())
        process.standardInput = standardInput
        process.standardOutput = output
        process.standardError = output
        let (ended, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { end.yield($0.terminationStatus) }
        let (lines, line) = AsyncStream.makeStream(of: String.self)
        try process.run()
        let reading = output.fileHandleForReading
        // Reading blocks, which no thread of the pool may.
        Thread.detachNewThread {
            var rest = LineCutter()
            while true {
                let data = reading.availableData
                for text in rest.take(data) { line.yield(text) }
                if data.isEmpty { break }
            }
            line.finish()
        }
        input = standardInput.fileHandleForWriting
        self.process = Mutex(process)
        self.ended = ended
        self.lines = lines
        text = Mutex("")
    }

    /// Waits for a line that contains `part`, reading on from the line found last.
    ///
    /// - Returns: Whether one came before the output ended.
    func says(_ part: String) async -> Bool {
        for await line in lines {
            text.withLock { $0 += line + "\n" }
            if line.contains(part) { return true }
        }
        return false
    }

    /// What was read of its output.
    var output: String { text.withLock(\.self) }

    /// Sends a line to its standard input.
    func tell(_ line: String) throws {
        try input.write(contentsOf: Data((line + "\n").utf8))
    }

    /// Sends it a signal.
    func signal(_ number: Int32) {
        let identifier = process.withLock { $0.isRunning ? $0.processIdentifier : 0 }
        if identifier > 0 { kill(identifier, number) }
    }

    /// Waits until it has ended, and returns its exit code or signal.
    @discardableResult
    func exit() async -> Int32 {
        for await status in ended { return status }
        return -1
    }

    /// Kills what still runs and waits for its end.
    func end() async {
        guard process.withLock({ $0.isRunning }) else { return }
        signal(SIGKILL)
        await exit()
    }
}

/// Cuts output into lines.
private struct LineCutter {
    private var rest = Data()

    /// Takes a piece of the output and returns the lines that it ends; an empty one ends the last.
    mutating func take(_ data: Data) -> [String] {
        rest.append(data)
        var parts = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = data.isEmpty ? Data() : Data(parts.removeLast())
        return parts.map { String(decoding: $0, as: UTF8.self) }.filter { !$0.isEmpty }
    }
}
