/// Makes Go's flag syntax the parser's: one dash or two, `-flag=value`, and no flags behind
/// arguments.
///
/// - Source: Consul: every command's flags are Go's `flag` package.
enum ArgumentNormalizer {
    /// The flags that take no value, of all commands; `agent`'s too.
    private static let switches: Set<String> = [
        "acquire", "base64", "bootstrap", "cas", "detailed", "dev", "disable",
        "disable-host-node-id", "disable-keyring-file", "enable", "enable-local-script-checks",
        "enable-script-checks", "h", "help", "keys", "log-json", "non-voting-server", "prune",
        "recurse", "rejoin", "release", "server", "shell", "stale", "syslog", "tags", "ui", "wan",
        "yes",
    ]

    /// Rewrites the arguments behind the names of commands; `commands` maps them, with the words
    /// that lead to them, to their subcommands.
    static func normalize(
        _ arguments: [String],
        commands: [String: Set<String>]
    ) -> [String] {
        var result: [String] = []
        var rest = arguments[...]
        while let word = rest.first, isCommand(word, after: result, commands) {
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
            } else if let value = value ?? rest.popFirst() {
                result += value.isEmpty ? ["--\(flag)", ""] : ["--\(flag)=\(value)"]
            } else {
                result.append("--\(flag)")
            }
        }
        return result
    }

    /// Whether the word names a command of the group that the words before it name.
    private static func isCommand(
        _ word: String,
        after words: [String],
        _ commands: [String: Set<String>]
    ) -> Bool {
        guard !words.isEmpty else { return commands[word] != nil }
        return commands[words.joined(separator: " ")]?.contains(word) ?? false
    }

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

    /// The parser's text about a flag in Go's words, with its usage below.
    static func goMessage(_ text: String) -> String {
        guard let line = text.split(separator: "\n").first else { return text }
        let quoted = line.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
        let usage = text[(text.range(of: "\nUsage:")?.lowerBound ?? text.endIndex)...]
        if line.hasPrefix("Error: Unknown option '"), quoted.count > 1 {
            return "flag provided but not defined: -\(flagName(quoted[1]))" + usage
        }
        if line.hasPrefix("Error: Missing value for '"), quoted.count > 1 {
            return "flag needs an argument: -\(flagName(quoted[1]))" + usage
        }
        if line.hasPrefix("Error: The value '"), line.contains("' is invalid for '"),
            quoted.count > 3
        {
            let (value, flag) = (quoted[1], flagName(quoted[quoted.count - 2]))
            let isPair = ["meta", "node-meta", "tagged-address"].contains(flag)
            let reason = isPair ? "Missing \"=\" value in argument: \(value)" : "parse error"
            return "invalid value \"\(value)\" for flag -\(flag): \(reason)" + usage
        }
        return text.hasPrefix("Error: ") ? String(text.dropFirst("Error: ".count)) : text
    }

    /// The bare name in `--name=value` or `--name <name>`.
    private static func flagName(_ text: String) -> Substring {
        text.drop { $0 == "-" }.prefix { $0 != "=" && $0 != " " }
    }
}

extension StringProtocol {
    /// Where `text` occurs first.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) {
                return start..<index(start, offsetBy: text.count)
            }
            start = index(after: start)
        }
        return nil
    }
}
