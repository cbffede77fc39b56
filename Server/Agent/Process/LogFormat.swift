import Glibc
package import Logging
import Synchronization

/// Writes log lines in Consul's layout: `2020-01-02T15:04:05.000Z [INFO]  agent: text`.
///
/// - Source: Consul: docs/agent/options `log_level`, `log_json`.
package struct AgentLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level {
        get { sink.level }
        set { sink.level = newValue }
    }

    private let label: String
    private let sink: LogSink

    package init(label: String, sink: LogSink) {
        self.label = label
        self.sink = sink
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var text = event.message.description
        let fields = metadata.merging(event.metadata ?? [:]) { $1 }
        if !fields.isEmpty {
            text += fields.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        }
        sink.write(level: event.level, label: label, text: text)
    }
}

/// Where all log lines of the process go, and from which level on.
package final class LogSink: Sendable {
    private struct State {
        var level: Logger.Level
        var isJSON = false
        /// Open for as long as the process lives.
        var file: CInt?
    }

    private let state: Mutex<State>
    private let console: CInt

    /// Makes a sink that writes to an open file (1 is the standard output).
    package init(level: Logger.Level, console: CInt = 1) {
        state = Mutex(State(level: level))
        self.console = console
    }

    package var level: Logger.Level {
        get { state.withLock { $0.level } }
        set { state.withLock { $0.level = newValue } }
    }

    package func setJSON(_ isJSON: Bool) {
        state.withLock { $0.isJSON = isJSON }
    }

    /// Writes every line to a new file as well; its name is `prefix` with the moment.
    ///
    /// - Source: Consul: docs/agent/options `log_file`.
    func open(prefix: String) throws(StorageError) {
        var prefix = prefix.hasSuffix("/") ? prefix + "consul" : prefix
        var ending = ".log"
        if let dot = prefix.lastIndex(of: "."), !prefix[dot...].contains("/") {
            ending = String(prefix[dot...])
            prefix = String(prefix[..<dot])
        }
        let path = "\(prefix)-\(Clocks.wall().seconds)\(ending)"
        let file = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw StorageError("create", path, code: errno) }
        state.withLock { $0.file = file }
    }

    /// Writes one line; what cannot be written is lost.
    func write(level: Logger.Level, label: String, text: String) {
        let isJSON = state.withLock { $0.isJSON }
        let time = Self.time()
        if isJSON {
            var line = "{\"@level\":\"\(level.consulName.lowercased())\",\"@message\":\""
            line += Self.escaped(text) + "\",\"@module\":\"\(label)\","
            line += "\"@timestamp\":\"\(time)\"}\n"
            put(line)
        } else {
            let name = "[\(level.consulName)]"
            let padding = String(repeating: " ", count: max(0, 7 - name.utf8.count))
            put("    \(time) \(name)\(padding) \(label): \(text)\n")
        }
    }

    /// Writes text as it is, for the greeting and for complaints before there is a log.
    package func put(_ text: String) {
        let file = state.withLock { $0.file }
        Self.put(text, to: console)
        if let file { Self.put(text, to: file) }
    }

    private static func put(_ text: String, to file: CInt) {
        var text = text
        text.withUTF8 { bytes in
            var position = 0
            while position < bytes.count {
                let rest = UnsafeRawBufferPointer(
                    rebasing: UnsafeRawBufferPointer(bytes)[position...]
                )
                let count = Glibc.write(file, rest.baseAddress, rest.count)
                guard count > 0 || errno == EINTR else { return }
                position += max(0, count)
            }
        }
    }

    /// The moment as RFC 3339 with milliseconds, in UTC.
    private static func time() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        var seconds = now.tv_sec
        gmtime_r(&seconds, &parts)
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        let clock = "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
        let fraction = String(now.tv_nsec / 1_000_000 + 1000).dropFirst()
        return "\(date)T\(clock).\(fraction)Z"
    }

    private static func two(_ number: CInt) -> String {
        number < 10 ? "0\(number)" : String(number)
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case let other where other.value < 0x20: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension Logger.Level {
    var consulName: String {
        switch self {
        case .trace: "TRACE"
        case .debug: "DEBUG"
        case .info, .notice: "INFO"
        case .warning: "WARN"
        case .error, .critical: "ERROR"
        }
    }

    /// The level of one of Consul's names, or nil.
    package init?(consulName name: String) {
        switch name.uppercased() {
        case "TRACE": self = .trace
        case "DEBUG": self = .debug
        case "INFO": self = .info
        case "WARN", "WARNING": self = .warning
        case "ERR", "ERROR": self = .error
        default: return nil
        }
    }
}
