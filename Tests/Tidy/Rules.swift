/// Rules on the shape and the words of one file.
enum Rules {
    static let longestFile = 600
    static let longestFunction = 60
    static let longestLine = 100
    /// Words that mark unfinished work, written apart so that this file does not contain them.
    static let bannedWords = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]

    static func fileLength(_ file: SourceFile) -> [Violation] {
        guard !file.isGenerated, file.lines.count > longestFile else { return [] }
        let message = "\(file.lines.count) lines, more than \(longestFile)"
        return [Violation(path: file.path, line: 0, message: message)]
    }

    static func lineLength(_ file: SourceFile) -> [Violation] {
        guard !file.isGenerated, file.fileExtension != "md" else { return [] }
        return violations(in: file) { line in
            line.count > longestLine ? "\(line.count) columns, more than \(longestLine)" : nil
        }
    }

    static func unfinishedWork(_ file: SourceFile) -> [Violation] {
        violations(in: file) { line in
            words(of: line).first { bannedWords.contains(String($0)) }.map { "says \($0)" }
        }
    }

    /// Finds functions that are too long, by the indentation that the formatter guarantees.
    static func functionLength(_ file: SourceFile) -> [Violation] {
        guard !file.isGenerated else { return [] }
        var found: [Violation] = []
        for (start, line) in file.lines.enumerated() where declaresFunction(line) {
            guard let end = endOfBody(from: start, in: file.lines) else { continue }
            let length = end - start + 1
            if length > longestFunction {
                let message = "a function of \(length) lines, more than \(longestFunction)"
                found.append(Violation(path: file.path, line: start + 1, message: message))
            }
        }
        return found
    }

    /// `try?` throws a reason away, so it must give one itself.
    static func unexplainedTry(_ file: SourceFile) -> [Violation] {
        var found: [Violation] = []
        for (index, line) in file.lines.enumerated() where dropsErrors(line) {
            let nearby = file.lines[max(0, index - 1)...min(index + 1, file.lines.count - 1)]
            guard !nearby.contains(where: { $0.contains("//") }) else { continue }
            let message = "try? without its reason beside it"
            found.append(Violation(path: file.path, line: index + 1, message: message))
        }
        return found
    }

    private static func dropsErrors(_ line: String) -> Bool {
        let code = code(of: line)
        return code.hasPrefix("try?") || code.contains(/[^\w]try\?/)
    }

    /// The line without what follows `//`, and without simple string literals and quoted names.
    static func code(of line: String) -> String {
        var result = ""
        var quote: Character?
        var previous: Character = " "
        for character in line {
            if character == quote, previous != "\\" {
                quote = nil
            } else if quote == nil, character == "\"" || character == "`" {
                quote = character
            }
            if quote == nil, character == "/", previous == "/" {
                result.removeLast()
                break
            }
            if quote == nil { result.append(character) }
            previous = character
        }
        return result
    }

    static func indentation(of line: String) -> Int {
        line.prefix { $0 == " " }.count
    }

    private static func violations(
        in file: SourceFile,
        where message: (String) -> String?
    ) -> [Violation] {
        file.lines.enumerated().compactMap { index, line in
            message(line).map { Violation(path: file.path, line: index + 1, message: $0) }
        }
    }

    static func words(of line: String) -> [Substring] {
        line.split { !($0.isLetter || $0.isNumber || $0 == "_") }
    }

    private static func declaresFunction(_ line: String) -> Bool {
        let code = code(of: line)
        let words = words(of: code)
        guard !code.contains("}") else { return false }
        let declared = words.first { !modifiers.contains(String($0)) }
        return ["func", "init", "deinit", "subscript"].contains(declared.map(String.init) ?? "")
    }

    private static let modifiers: Set<String> = [
        "package", "public", "private", "fileprivate", "internal", "static", "class", "final",
        "mutating", "nonmutating", "consuming", "borrowing", "override", "convenience", "required",
        "nonisolated", "isolated", "inlinable", "inline", "__always", "never", "discardableResult",
        "Sendable", "usableFromInline", "concurrent", "Test", "MainActor", "open", "indirect",
    ]

    /// The index of the line that closes the body of the declaration at `start`, if it has one.
    private static func endOfBody(from start: Int, in lines: [String]) -> Int? {
        let depth = indentation(of: lines[start])
        for index in lines.indices.dropFirst(start + 1) {
            let line = lines[index]
            if line.allSatisfy(\.isWhitespace) { continue }
            if indentation(of: line) < depth { return nil }
            if indentation(of: line) > depth { continue }
            let rest = line.dropFirst(depth)
            if rest.hasPrefix("}") { return index }
            let continues = [")", "where ", "->", "{", "async ", "throws ", "#"]
            guard continues.contains(where: rest.hasPrefix) else { return nil }
        }
        return nil
    }
}
