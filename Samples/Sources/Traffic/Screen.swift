import MusterBalancing

/// Where a picture is shown.
enum Screen {
    /// A terminal that understands colours and cursor movement.
    case terminal
    /// Anything else: a line per second.
    case lines

    static func current() -> Screen { isTerminal(1) ? .terminal : .lines }

    func open() {
        if case .terminal = self { write("\u{1b}[?25l\u{1b}[2J") }
    }

    func close() {
        if case .terminal = self { write("\u{1b}[?25h\n") }
    }

    func show(_ picture: Picture) {
        switch self {
        case .terminal:
            // From the top left, each line cleared to its end, then all below.
            let lines = draw(picture).map { $0 + "\u{1b}[K\n" }
            write("\u{1b}[H" + lines.joined() + "\u{1b}[J")
        case .lines:
            let half = Int(picture.elapsed / .milliseconds(500))
            if half % 2 == 0 { write(line(picture) + "\n") }
        }
    }

    private func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { systemWrite(1, $0.baseAddress, $0.count) }
            // A reader that went away is no reason to stop calling the service.
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }

    private func line(_ picture: Picture) -> String {
        let instances = picture.rows.sorted { $0.key < $1.key }.map { name, row in
            "\(name) \(row.health.map { "\($0)" } ?? "gone") \(Int(row.rate.rounded()))/s"
        }
        return "\(Format.clock(picture.elapsed))  "
            + (instances + ["lost \(picture.lost)"]).joined(separator: "  ")
    }

    private func draw(_ picture: Picture) -> [String] {
        var lines = [
            "",
            "  \(Format.bold("Muster"))  calls to \(Format.bold("greeter"))"
                + Format.dim("  registry \(picture.registry)  \(Format.clock(picture.elapsed))"),
            "  \(Format.bold("\(Int(picture.rate.rounded())) calls/s"))"
                + "  \(picture.total) answered"
                + "  in \(Format.milliseconds(picture.latency))  "
                + (picture.lost == 0
                    ? Format.green("none lost") : Format.red("\(picture.lost) lost"))
                + (picture.isStale ? Format.yellow("  (registry silent)") : ""),
            "",
        ]
        let rows = picture.rows.sorted { $0.key < $1.key }
        let top = max(1, rows.map(\.value.rate).max() ?? 1)
        let width = max(9, rows.map(\.key.count).max() ?? 9)
        for (name, row) in rows {
            let (mark, state) = Format.state(row.health)
            lines.append(
                "  \(mark) " + Format.pad(name, width) + " " + state
                    + " " + Format.bar(row.rate / top, width: 30)
                    + Format.padLeft("\(Int(row.rate.rounded()))", 5) + "/s  "
                    + Format.dim(Format.spark(row.history.suffix(30), top: top))
                    + (row.failed > 0 ? Format.yellow("  \(row.failed) re-sent") : "")
            )
        }
        if rows.isEmpty { lines.append("  waiting for the first instance …") }
        lines.append("")
        lines += picture.events.map { event in
            event.contains("▶") ? "  " + Format.bold(event) : Format.dim("  " + event)
        }
        lines += ["", Format.dim("  Ctrl-C ends it.")]
        return lines
    }
}
