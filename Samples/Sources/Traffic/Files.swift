#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A file that another program reads while it grows.
///
/// Each line is `milliseconds instance state answered failed`, separated by tabs, the counts since
/// the start; the line whose instance is `-` has the calls answered and lost by all together.
final class CountsFile: Sendable {
    private let descriptor: Int32

    struct Unwritable: Error, CustomStringConvertible {
        let path: String
        var description: String { "the counts file \(path) cannot be written" }
    }

    init(path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        if descriptor < 0 { throw Unwritable(path: path) }
    }

    deinit { close(descriptor) }

    func append(_ picture: Picture) throws {
        let time = Int(picture.elapsed / .milliseconds(1))
        var text = ""
        for (name, row) in picture.rows.sorted(by: { $0.key < $1.key }) {
            let state = row.health.map { "\($0)" } ?? "gone"
            text += "\(time)\t\(name)\t\(state)\t\(row.answered)\t\(row.failed)\n"
        }
        text += "\(time)\t-\tall\t\(picture.total)\t\(picture.lost)\n"
        let bytes = Array(text.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            throw Unwritable(path: "(open)")
        }
    }
}

/// Writes bytes to a descriptor.
func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}

/// Whether a descriptor leads to a terminal.
func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

/// The last line of a small text file that is not empty; nil when there is none.
func lastLine(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: 16_384)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer.prefix(count), as: UTF8.self)
        .split(separator: "\n").last.map(String.init)
}
