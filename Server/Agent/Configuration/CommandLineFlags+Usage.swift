/// What `muster agent -help` prints.
extension CommandLineFlags {
    /// Whether the arguments ask how to use the command.
    static func asksForHelp(_ arguments: [String]) -> Bool {
        arguments.contains { ["-h", "-help", "--h", "--help"].contains($0) }
    }

    /// The flags that do something, with what they do; then those that are taken and wait for what
    /// comes later.
    static var usage: String {
        let described = Set(groups.flatMap { $0.flags.map(\.name) })
        var text = "Usage: muster agent [options]\n\n"
        text += "  Runs a registry until it is interrupted. Start with: muster agent -dev\n"
        for group in groups {
            text += "\n\(group.title)\n\n"
            for flag in group.flags {
                text += "  -\(flag.name)\(takesValue(flag.name) ? "=<value>" : "")\n"
                text += "     \(flag.does)\n"
            }
        }
        let waiting = flags.keys.filter { !described.contains($0) }.sorted()
        text += "\nAccepted for Consul's sake, without effect in this version\n\n"
        return text + wrapped(waiting.map { "-\($0)" })
    }

    private static func takesValue(_ name: String) -> Bool {
        flags[name]?.kind != .switching && name != "dev"
    }

    /// The words in lines of at most 80 columns.
    private static func wrapped(_ words: [String]) -> String {
        var lines: [String] = []
        var line = " "
        for word in words {
            if line.utf8.count + word.utf8.count + 1 > 80 {
                lines.append(line)
                line = " "
            }
            line += " " + word
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }

    private static let groups: [(title: String, flags: [(name: String, does: String)])] = [
        (
            "Start",
            [
                ("dev", "A server that keeps everything in memory, on loopback, logging much."),
                ("config-file", "A JSON file of options. May be given again; later files win."),
                ("config-dir", "A directory of such files, read in the order of their names."),
                ("config-format", "Read every file as this format whatever its name: json."),
                ("hcl", "Options as text, in JSON. May be given again."),
                ("data-dir", "Where registrations and the node's id are kept."),
                ("server", "Keep the registry; the only mode of this version."),
                ("bootstrap", "Be the first server of a new cluster."),
                ("bootstrap-expect", "How many servers form a new cluster together."),
                ("retry-join", "Address of another server, host or host:port. May be given again."),
                ("retry-interval", "How long to wait between attempts to join; 30s."),
                ("retry-max", "How often to try to join; 0, for ever, unless given."),
                ("pid-file", "Write the number of the process to this file."),
            ]
        ),
        (
            "Identity",
            [
                ("node", "The node's name; the host's name unless given."),
                ("node-id", "The node's id, a UUID; kept in the data directory."),
                ("node-meta", "A key:value pair of the node's metadata. May be given again."),
                ("datacenter", "The datacenter's name; dc1 unless given."),
            ]
        ),
        (
            "Listeners",
            [
                ("client", "Addresses of HTTP and DNS, separated by spaces; 127.0.0.1."),
                ("http-port", "Port of the HTTP API; 8500, -1 for none."),
                ("https-port", "Port of the HTTP API over TLS; none unless given."),
                ("dns-port", "Port of DNS; 8600, -1 for none."),
                ("bind", "The address that the node is known by in the cluster."),
                ("advertise", "The address that others are told, if it is another."),
                ("advertise-wan", "The same for other datacenters."),
                ("server-port", "The port that servers speak to one another on; 8300."),
                ("serf-lan-port", "The port shown in the list of members; 8301."),
            ]
        ),
        (
            "Service",
            [
                ("domain", "The domain that DNS answers for; consul. unless given."),
                ("alt-domain", "A second such domain."),
                ("default-query-time", "How long a blocking query waits unless it says; 300s."),
                ("max-query-time", "How long a blocking query waits at most; 600s."),
                ("enable-script-checks", "Let checks run programs, however registered."),
                ("enable-local-script-checks", "Let checks of configuration files run programs."),
                ("check_output_max_size", "Bytes kept of what a check says; 4096."),
            ]
        ),
        (
            "Log",
            [
                ("log-level", "TRACE, DEBUG, INFO, WARN or ERR."),
                ("log-json", "One JSON object per line."),
                ("log-file", "Write the log to this file as well."),
            ]
        ),
    ]
}
