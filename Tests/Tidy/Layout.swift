/// Rules on which files there are, and on scripts.
enum Layout {
    static let topLevel: Set<String> = [
        "Package.swift", "Server", "ClientSDK", "Tests", "Samples", "README.md",
    ]

    /// Top-level names that are not part of the fixed layout; dotfiles are free.
    static func unexpectedTopLevel(_ paths: [String]) -> [String] {
        let names = Set(paths.compactMap { $0.split(separator: "/").first.map(String.init) })
        return names.subtracting(topLevel).filter { !$0.hasPrefix(".") }.sorted()
    }

    /// Lock files: a library must build with what its users resolve.
    static func lockFiles(_ paths: [String]) -> [String] {
        paths.filter { $0.split(separator: "/").last == "Package.resolved" }
    }

    /// Whether a file is meant to be run: a shell script, or anything with a shebang.
    static func isScript(_ file: SourceFile) -> Bool {
        file.fileExtension == "sh" || (file.lines.first?.hasPrefix("#!") ?? false)
    }

    /// What is wrong with a script, given whether its executable bit is set.
    static func scriptProblems(_ file: SourceFile, isExecutable: Bool) -> [Violation] {
        guard isScript(file) else { return [] }
        var found: [String] = []
        if !isExecutable { found.append("a script that is not executable") }
        let first = file.lines.first ?? ""
        if !first.hasPrefix("#!/usr/bin/env ") {
            found.append("a script whose first line is not #!/usr/bin/env")
        }
        if first.hasSuffix("bash"), !file.lines.contains("set -euo pipefail") {
            found.append("a bash script without set -euo pipefail")
        }
        return found.map { Violation(path: file.path, line: 1, message: $0) }
    }
}
