/// Code that the documentation shows must be code that is compiled somewhere.
enum Snippets {
    /// A block of Swift in a document.
    struct Block: Equatable {
        /// The number of its first line, from 1.
        let line: Int
        /// Its lines, without the space around them, and without empty ones.
        let code: [String]
    }

    /// Whether a document's code is checked: what users of the SDK read.
    static func isDocument(_ file: SourceFile) -> Bool {
        file.fileExtension == "md"
            && (file.path.hasPrefix("ClientSDK/") || file.path == "README.md")
    }

    /// Whether a file is compiled with the tests or the samples.
    static func isCompiled(_ file: SourceFile) -> Bool {
        file.fileExtension == "swift"
            && (file.path.hasPrefix("Samples/Sources/") || file.path.hasPrefix("Tests/"))
    }

    /// The blocks of Swift in a document, apart from parts of a manifest (`// Package.swift`).
    static func blocks(_ file: SourceFile) -> [Block] {
        var found: [Block] = []
        var open: Block?
        for (index, line) in file.lines.enumerated() {
            let text = trimmed(line)
            if let block = open {
                if text == "```" {
                    if block.code.first != "// Package.swift" { found.append(block) }
                    open = nil
                } else if !text.isEmpty {
                    open = Block(line: block.line, code: block.code + [text])
                }
            } else if text == "```swift" {
                open = Block(line: index + 2, code: [])
            }
        }
        return found
    }

    /// Blocks of the documents that stand, line by line, in none of the sources.
    static func violations(_ documents: [SourceFile], in sources: [SourceFile]) -> [Violation] {
        let compiled = sources.map { $0.lines.map(trimmed).filter { !$0.isEmpty } }
        return documents.flatMap { document in
            blocks(document).filter { block in
                !compiled.contains { stands(block.code, in: $0) }
            }.map { block in
                Violation(
                    path: document.path,
                    line: block.line,
                    message: "this code stands in no file that is compiled"
                )
            }
        }
    }

    private static func stands(_ code: [String], in lines: [String]) -> Bool {
        guard let first = code.first else { return true }
        return lines.indices.contains { start in
            lines[start] == first && lines[start...].starts(with: code)
        }
    }

    private static func trimmed(_ line: String) -> String {
        String(line.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
