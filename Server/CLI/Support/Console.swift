import Glibc

/// Standard output and standard error.
enum Console {
    /// Writes `text` and a line break to standard output.
    static func output(_ text: String) {
        write(Array(text.utf8) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    /// Writes bytes as they are, and a line break, to standard output.
    static func output(_ bytes: [UInt8]) {
        write(bytes + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    /// Writes `text` and a line break to standard error.
    static func error(_ text: String) {
        write(Array(text.utf8) + [UInt8(ascii: "\n")], to: STDERR_FILENO)
    }

    /// Writes all of `bytes`; gives up when the other end is gone.
    static func write(_ bytes: [UInt8], to descriptor: Int32) {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while let base = UnsafeRawBufferPointer(rebasing: rest).baseAddress, !rest.isEmpty {
                let count = Glibc.write(descriptor, base, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }

    /// Everything that `descriptor` has, up to `limit` bytes.
    static func readAll(_ descriptor: Int32, limit: Int) throws(InputError) -> [UInt8] {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0 { throw InputError(reason: errorText(errno)) }
            if count == 0 { return content }
            content += chunk[..<count]
            guard content.count <= limit else { throw InputError(reason: "file too large") }
        }
    }

    /// The bytes of the file at `path`.
    static func readFile(_ path: String) throws(InputError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw InputError(reason: "open \(path): \(errorText(errno))")
        }
        defer { close(descriptor) }
        return try readAll(descriptor, limit: CommandLimits.inputBytes)
    }

    /// The system's text for an error, in lower case as Go has it.
    static func errorText(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }

    /// The value of an environment variable, nil when it is missing or empty.
    static func variable(_ name: String) -> String? {
        guard let value = getenv(name) else { return nil }
        let text = String(cString: value)
        return text.isEmpty ? nil : text
    }
}

/// Input that cannot be read.
struct InputError: Error {
    var reason: String
}

/// The bounds of what commands read.
enum CommandLimits {
    /// The largest file or standard input; more is an error.
    static let inputBytes = 64 << 20
}
