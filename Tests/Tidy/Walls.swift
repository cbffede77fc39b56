/// The arrows between modules that the manifest cannot forbid, because the names are reachable.
enum Walls {
    /// Pure modules: the standard library and Collections only.
    static let cores: Set<String> = [
        "Model", "Checksums", "CChecksums", "Wire", "Filter", "HCL", "StateStore", "StateMachine",
        "LocalState", "Raft", "Autopilot", "Gossip",
    ]
    /// One port each: they import neither one another nor the shell.
    static let adapters: Set<String> = [
        "HTTPAPI", "DNSAPI", "GRPCAPI", "WebUI", "Checks", "RPC", "WriteAheadLog", "Snapshots",
    ]
    static let shells: Set<String> = ["Agent", "CLI", "muster"]
    /// What joins cores and adapters below the shell.
    static let between: Set<String> = ["Replica", "DurableLog", "Consensus", "CZlib"]
    /// Every target under `Server`.
    static let server = cores.union(adapters).union(shells).union(between)
    static let collections: Set<String> = [
        "Collections", "DequeModule", "HashTreeCollections", "OrderedCollections", "HeapModule",
        "BitCollections",
    ]

    /// Imports of `file` that point where no arrow may.
    static func forbiddenImports(_ file: SourceFile) -> [Violation] {
        guard let home = file.home, home.half != "Tests" else { return [] }
        return file.lines.enumerated().compactMap { index, line in
            guard let module = importedModule(line),
                let reason = refusal(of: module, in: home.target, half: home.half)
            else { return nil }
            return Violation(path: file.path, line: index + 1, message: reason)
        }
    }

    private static func refusal(of module: String, in target: String, half: String) -> String? {
        if half == "ClientSDK" {
            return server.contains(module) ? "the SDK imports the server's \(module)" : nil
        }
        if cores.contains(target), !cores.union(collections).contains(module) {
            return "the core \(target) imports \(module)"
        }
        if adapters.contains(target), adapters.union(shells).contains(module) {
            return "the adapter \(target) imports \(module)"
        }
        if target == "Replica", adapters.union(shells).contains(module) {
            return "\(target) imports \(module), which stands above it"
        }
        return nil
    }

    /// The top module that a line imports, whatever stands before `import`.
    static func importedModule(_ line: String) -> String? {
        let words = Rules.code(of: line).split(whereSeparator: { $0 == " " || $0 == "." })
        guard let at = words.firstIndex(of: "import"), at + 1 < words.count else { return nil }
        let before = words[..<at]
        let allowed = ["package", "public", "internal", "private", "fileprivate"]
        guard before.allSatisfy({ allowed.contains(String($0)) || $0.hasPrefix("@") }) else {
            return nil
        }
        let kinds = ["struct", "enum", "class", "func", "protocol", "typealias", "var", "let"]
        let rest = words[(at + 1)...].drop { kinds.contains(String($0)) }
        return rest.first.map(String.init)
    }
}
