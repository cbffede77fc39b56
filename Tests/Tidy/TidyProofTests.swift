import Testing

/// Each rule catches the sample that breaks it, and lets the one that keeps it pass.
@Suite
struct TidyProofTests {
    private func file(_ text: String, path: String = "Server/Raft/Sample.swift") -> SourceFile {
        SourceFile(path: path, text: text)
    }

    private func lines(_ count: Int, of line: String) -> String {
        Array(repeating: line, count: count).joined(separator: "\n")
    }

    @Test
    func `a file of 601 lines is too long, one of 600 is not`() {
        #expect(Rules.fileLength(file(lines(601, of: "x"))).count == 1)
        #expect(Rules.fileLength(file(lines(600, of: "x"))).isEmpty)
        let generated = file(lines(601, of: "x"), path: "Server/RPC/agent.pb.swift")
        #expect(Rules.fileLength(generated).isEmpty)
    }

    @Test
    func `a line of 101 columns is too long, one of 100 is not`() {
        let long = String(repeating: "x", count: 101)
        #expect(Rules.lineLength(file("a\n" + long)).map(\.line) == [2])
        #expect(Rules.lineLength(file(String(long.dropLast()))).isEmpty)
        #expect(Rules.lineLength(file(long, path: "README.md")).isEmpty)
    }

    @Test
    func `code in a document must stand in a source, line by line and in that order`() {
        let document = { (code: String) in
            file("Text\n```swift\n\(code)\n```\n", path: "ClientSDK/A/B.docc/C.md")
        }
        let source = file("func f() {\n    a()\n\n    b()\n}", path: "Samples/Sources/S/S.swift")
        #expect(Snippets.violations([document("a()\nb()")], in: [source]).isEmpty)
        #expect(Snippets.violations([document("b()\na()")], in: [source]).map(\.line) == [3])
        #expect(Snippets.violations([document("a()\nc()")], in: [source]).count == 1)
        #expect(Snippets.violations([document("// Package.swift\nx")], in: [source]).isEmpty)
        #expect(!Snippets.isCompiled(file("", path: "ClientSDK/A/B.swift")))
    }

    @Test
    func `words for unfinished work are found, parts of words are not`() {
        for word in Rules.bannedWords {
            #expect(Rules.unfinishedWork(file("// \(word): later")).count == 1)
            #expect(Rules.unfinishedWork(file("let a\(word)b = 1")).isEmpty)
        }
    }

    @Test
    func `a function of 61 lines is too long, one of 60 is not`() {
        func sample(_ body: Int) -> SourceFile {
            let inner = lines(body, of: "        step()")
            let signature = "    static func long(\n        a: Int\n    ) -> Int {\n"
            return file("struct S {\n\(signature)\(inner)\n    }\n}")
        }
        #expect(Rules.functionLength(sample(57)).map(\.line) == [2])
        #expect(Rules.functionLength(sample(56)).isEmpty)
    }

    @Test
    func `an initializer is a function, a protocol requirement has no length`() {
        let body = lines(70, of: "        step()")
        #expect(Rules.functionLength(file("    package init() {\n\(body)\n    }")).count == 1)
        let requirement = "protocol P {\n    func a()\n\(lines(70, of: "    func b()"))\n}"
        #expect(Rules.functionLength(file(requirement)).isEmpty)
    }

    @Test
    func `try? needs a reason beside it`() {
        #expect(Rules.unexplainedTry(file("a()\nlet x = try? f()\nb()")).map(\.line) == [2])
        #expect(Rules.unexplainedTry(file("// It may be gone already.\ntry? f()\nb()")).isEmpty)
        #expect(Rules.unexplainedTry(file("a()\ntry? f()  // It may be gone.\nb()")).isEmpty)
        #expect(Rules.unexplainedTry(file("let x = \"try?\"\nb()")).isEmpty)
        #expect(Rules.unexplainedTry(file("a()\nentry?.value()\nb()")).isEmpty)
    }

    @Test(arguments: [
        ("Server/Raft/A.swift", "import Foundation"), ("Server/Raft/A.swift", "import NIOCore"),
        ("Server/StateStore/A.swift", "package import Logging"),
        ("Server/Wire/A.swift", "import struct Foundation.Data"),
        ("Server/Model/A.swift", "import Glibc"), ("Server/Gossip/A.swift", "import Dispatch"),
        ("Server/Filter/A.swift", "import HTTPAPI"), ("Server/HTTPAPI/A.swift", "import DNSAPI"),
        ("Server/DNSAPI/A.swift", "import Agent"), ("Server/Replica/A.swift", "import HTTPAPI"),
        ("ClientSDK/MusterAPI/A.swift", "import Model"),
        ("ClientSDK/MusterAPI/A.swift", "@testable import StateStore"),
    ])
    func `an arrow that points the wrong way is found`(path: String, line: String) {
        #expect(Walls.forbiddenImports(file("// Text.\n" + line, path: path)).map(\.line) == [2])
    }

    @Test(arguments: [
        ("Server/StateStore/A.swift", "import HashTreeCollections"),
        ("Server/StateStore/A.swift", "package import Model"),
        ("Server/HTTPAPI/A.swift", "import NIOCore"), ("Server/Agent/A.swift", "import HTTPAPI"),
        ("Server/Raft/A.swift", "// import Foundation"), ("Tests/WireTests/A.swift", "import Wire"),
        ("ClientSDK/MusterAPI/A.swift", "public import NIOCore"),
        ("Server/Raft/A.swift", "let important = 1"),
    ])
    func `an arrow that points down is allowed`(path: String, line: String) {
        #expect(Walls.forbiddenImports(file(line, path: path)).isEmpty)
    }

    @Test(arguments: [
        "final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1",
        "unowned let owner: A",
    ])
    func `trust in our word needs a reason and a place on the list`(line: String) {
        let path = "Server/Raft/Sample.swift"
        #expect(Unsafe.violations(file(line), allowed: []).count == 2)
        #expect(Unsafe.violations(file(line), allowed: [path]).count == 1)
        let explained = "// SAFETY: only the loop touches it.\n" + line
        #expect(Unsafe.violations(file(explained), allowed: [path]).isEmpty)
        #expect(Unsafe.stale([file(explained)], allowed: [path]).isEmpty)
        #expect(Unsafe.stale([file("let a = 1")], allowed: [path]) == [path])
    }

    @Test
    func `a new name at the top level is found`() {
        let paths = ["Package.swift", "Server/A/a.swift", ".ci/run", "README.md"]
        #expect(Layout.unexpectedTopLevel(paths) == [])
        #expect(Layout.unexpectedTopLevel(paths + ["Notes/a.md"]) == ["Notes"])
    }

    @Test
    func `a tracked lock file is found`() {
        let paths = ["Package.resolved", "Samples/Package.resolved", "Package.swift"]
        #expect(Layout.lockFiles(paths).count == 2)
    }

    @Test
    func `a script must be executable, portable and strict`() {
        let good = file("#!/usr/bin/env bash\nset -euo pipefail\n", path: "Tests/run.sh")
        #expect(Layout.scriptProblems(good, isExecutable: true).isEmpty)
        #expect(Layout.scriptProblems(good, isExecutable: false).count == 1)
        let careless = file("#!/bin/bash\necho\n", path: "Tests/run.sh")
        #expect(Layout.scriptProblems(careless, isExecutable: true).count == 2)
        let module = file("import os\n", path: "Tests/module.py")
        #expect(Layout.scriptProblems(module, isExecutable: false).isEmpty)
    }
}
