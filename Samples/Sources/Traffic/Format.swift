import MusterBalancing

/// Turns values into coloured text.
enum Format {
    static func bold(_ text: String) -> String { "\u{1b}[1m\(text)\u{1b}[0m" }
    static func dim(_ text: String) -> String { "\u{1b}[2m\(text)\u{1b}[0m" }
    static func green(_ text: String) -> String { "\u{1b}[32m\(text)\u{1b}[0m" }
    static func yellow(_ text: String) -> String { "\u{1b}[33m\(text)\u{1b}[0m" }
    static func red(_ text: String) -> String { "\u{1b}[31m\(text)\u{1b}[0m" }

    static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    static func padLeft(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    /// Minutes and seconds.
    static func clock(_ duration: Duration) -> String {
        let seconds = Int(duration / .seconds(1))
        return padLeft("\(seconds / 60)", 2) + ":" + (seconds % 60 < 10 ? "0" : "")
            + "\(seconds % 60)"
    }

    static func milliseconds(_ duration: Duration) -> String {
        let tenths = Int((duration / .milliseconds(0.1)).rounded())
        return "\(tenths / 10).\(tenths % 10) ms"
    }

    /// A coloured mark and word for a state, eleven characters wide.
    static func state(_ health: Health?) -> (mark: String, word: String) {
        switch health {
        case .passing: (green("●"), green(pad("passing", 11)))
        case .warning: (yellow("●"), yellow(pad("warning", 11)))
        case .critical: (red("●"), red(pad("critical", 11)))
        case .maintenance: (yellow("◐"), yellow(pad("maintenance", 11)))
        case nil: (dim("○"), dim(pad("gone", 11)))
        }
    }

    /// A bar whose length is a share of `width`, in eighths of a character.
    static func bar(_ share: Double, width: Int) -> String {
        let eighths = Int((max(0, min(1, share)) * Double(width * 8)).rounded())
        let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
        let text = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
        return "\u{1b}[36m" + pad(text, width) + "\u{1b}[0m"
    }

    /// The last values as a row of small columns.
    static func spark(_ values: some Sequence<Double>, top: Double) -> String {
        let steps = Array(" ▁▂▃▄▅▆▇█")
        return String(
            values.map { steps[max(0, min(8, Int(($0 / top * 8).rounded(.up))))] }
        )
    }
}
