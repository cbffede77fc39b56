/// The places where the compiler is told to trust us.
enum Unsafe {
    /// Files that may say so, each with the reason in a `// SAFETY:` line of its own.
    static let allowed: Set<String> = [
        "ClientSDK/MusterBalancing/PickTable.swift",
        "ClientSDK/MusterBalancing/Stripes.swift",
        "Server/Consensus/DiskThread.swift",
        "Server/Consensus/SnapshotKeeper.swift",
        "Server/Replica/InMemoryLog.swift",
        "Server/StateStore/Records/RecordStorage.swift",
        "Server/StateStore/Tables/Cell.swift",
        "Server/StateStore/Tree/OrderedTree.swift",
        "Tests/DNSAPITests/DNSGateTests.swift",
        "Tests/HTTPAPITests/FollowerLog.swift",
    ]

    static let markers = ["@unchecked Sendable", "nonisolated(unsafe)", "unowned"]
    /// How many lines above a marker its reason may begin.
    static let reach = 8

    /// Markers without a reason above them, or in a file that is not on the list.
    static func violations(_ file: SourceFile, allowed: Set<String> = allowed) -> [Violation] {
        var found: [Violation] = []
        for (index, line) in file.lines.enumerated() {
            guard let marker = marker(in: line) else { continue }
            let above = file.lines[max(0, index - reach)...index]
            if !above.contains(where: { $0.contains("// SAFETY:") }) {
                let message = "\(marker) without a // SAFETY: line"
                found.append(Violation(path: file.path, line: index + 1, message: message))
            }
            if !allowed.contains(file.path) {
                let message = "\(marker) in a file that Tests/Tidy/Unsafe.swift does not list"
                found.append(Violation(path: file.path, line: index + 1, message: message))
            }
        }
        return found
    }

    /// Entries of the list whose file needs them no more.
    static func stale(_ files: [SourceFile], allowed: Set<String> = allowed) -> [String] {
        let needed = Set(files.filter { $0.lines.contains { marker(in: $0) != nil } }.map(\.path))
        return allowed.subtracting(needed).sorted()
    }

    private static func marker(in line: String) -> String? {
        let code = Rules.code(of: line)
        return markers.first { marker in
            marker == "unowned"
                ? Rules.words(of: code).contains("unowned") : code.contains(marker)
        }
    }
}
