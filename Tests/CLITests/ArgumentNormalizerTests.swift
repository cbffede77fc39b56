import Testing

@testable import CLI

@Suite("Arguments in Go's syntax")
struct ArgumentNormalizerTests {
    private let commands: [String: Set<String>] = ["members": [], "kv": ["get", "put"]]

    private func normalized(_ line: String) -> [String] {
        let words = line.split(separator: " ").map(String.init)
        return ArgumentNormalizer.normalize(words, commands: commands)
    }

    @Test("One dash and two dashes, with = and without, mean the same")
    func dashes() {
        for line in ["-http-addr=a:1", "--http-addr=a:1", "-http-addr a:1", "--http-addr a:1"] {
            #expect(normalized("members " + line) == ["members", "--http-addr=a:1"])
        }
    }

    @Test("Switches take true and false, and no word behind them")
    func switches() {
        #expect(normalized("members -wan -detailed") == ["members", "--wan", "--detailed"])
        #expect(normalized("members -wan=false -detailed=1") == ["members", "--detailed"])
        #expect(normalized("watch -shell=false") == ["--", "watch", "-shell=false"])
        #expect(normalized("kv get -keys d/") == ["kv", "get", "--keys", "--", "d/"])
    }

    @Test("The first argument ends the flags")
    func arguments() {
        #expect(normalized("kv put -flags=3 x -5") == ["kv", "put", "--flags=3", "--", "x", "-5"])
        #expect(normalized("kv put x -") == ["kv", "put", "--", "x", "-"])
        #expect(normalized("kv put -- -x") == ["kv", "put", "--", "-x"])
    }

    @Test("A command's name is a command only where commands stand")
    func names() {
        #expect(normalized("kv get get") == ["kv", "get", "--", "get"])
        #expect(normalized("members kv") == ["members", "--", "kv"])
    }

    @Test("An empty value stays a value; a value may look like a flag")
    func values() {
        let arguments = ["kv", "get", "-separator=", "-token", "-x"]
        #expect(
            ArgumentNormalizer.normalize(arguments, commands: commands)
                == ["kv", "get", "--separator", "", "--token=-x"]
        )
    }

    @Test("Wrong flags are refused in Go's words")
    func messages() {
        #expect(
            ArgumentNormalizer.goMessage("Error: Unknown option '--bogus'\nUsage: muster kv")
                == "flag provided but not defined: -bogus\nUsage: muster kv"
        )
        #expect(
            ArgumentNormalizer.goMessage("Error: Missing value for '--name <name>'")
                == "flag needs an argument: -name"
        )
        #expect(
            ArgumentNormalizer.goMessage("Error: The value 'zz' is invalid for '--flags <flags>'")
                == "invalid value \"zz\" for flag -flags: parse error"
        )
        #expect(
            ArgumentNormalizer.goMessage("Error: The value 'x' is invalid for '--meta <meta>'")
                == "invalid value \"x\" for flag -meta: Missing \"=\" value in argument: x"
        )
    }
}
