/// Makes Go's flag syntax the parser's: one dash or two, `-flag=value`, and no flags behind arguments.
///
/// - Source: Consul: every command's flags are Go's `flag` package.
enum ArgumentNormalizer {
    /// The flags that take no value, of all commands; `agent`'s too.
    private static let switches: Set<String> = [
        "acquire", "base64", "bootstrap", "cas", "detailed", "dev", "disable",
        "disable-host-node-id", "disable-keyring-file", "enable", "enable-local-script-checks",
        "enable-script-checks", "h", "help", "keys", "log-json", "non-voting-server", "prune",
        "recurse", "rejoin", "release", "server", "shell", "stale", "syslog", "tags", "ui", "wan",
    ]

    /// Rewrites the arguments behind the names of commands.
    static func normalize(_ arguments: [String], commands: Set<String>) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let word = rest.first, isCommand(word, depth: result.count, commands) {
            result.append(word)
            rest.removeFirst()
        }
        while let word = rest.popFirst() {
            guard word.hasPrefix("-"), word != "-", word != "--" else {
                // The first argument ends the flags, whatever follows looks like.
                if word != "--" { rest.insert(word, at: rest.startIndex) }
                return result + ["--"] + rest
            }
            var flag = word.drop { $0 == "-" }
            let value = flag.firstIndex(of: "=").map { String(flag[flag.index(after: $0)...]) }
            if let mark = flag.firstIndex(of: "=") { flag = flag[..<mark] }
            if switches.contains(String(flag)) {
                result += normalized(switch: String(flag), value)
            } else if let value {
                result.append("--\(flag)=\(value)")
            } else if let next = rest.popFirst() {
                result.append("--\(flag)=\(next)")
            } else {
                result.append("--\(flag)")
            }
        }
        return result
    }

    /// The groups of commands are two words deep.
    private static func isCommand(
        _ word: String,
        depth: Int,
        _ commands: Set<String>
    ) -> Bool {
        guard !word.hasPrefix("-") else { return false }
        if depth == 0 { return commands.contains(word) }
        return depth == 1 && second.contains(word)
    }

    /// The second words, of `catalog`, `kv` and `services`.
    private static let second: Set<String> = [
        "datacenters", "nodes", "services", "get", "put", "delete", "export", "import",
        "register", "deregister",
    ]

    private static func normalized(switch flag: String, _ value: String?) -> [String] {
        switch value {
        case "0", "f", "F", "false", "FALSE", "False":
            return flag == "shell" ? ["--no-shell"] : []
        case nil, "1", "t", "T", "true", "TRUE", "True":
            return [flag == "h" ? "--help" : "--\(flag)"]
        case let value?:
            return ["--\(flag)=\(value)"]
        }
    }

    /// The parser's text about an unknown flag in Go's words, with its usage below.
    static func goMessage(_ text: String) -> String {
        let start = "Error: Unknown option '--"
        guard text.hasPrefix(start) else {
            return text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
        }
        let rest = text.dropFirst(start.count)
        let flag = rest.prefix { $0 != "'" }
        let lines = rest.drop { $0 != "\n" }
        return "flag provided but not defined: -\(flag.prefix { $0 != "=" })\(lines)"
    }
}
