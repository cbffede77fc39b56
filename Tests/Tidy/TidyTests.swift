import Foundation
import Testing

/// The rules that the formatter cannot see, over the whole repository.
@Suite
struct TidyTests {
    @Test
    func `swift format has nothing to say`() throws {
        let present = ["Server", "ClientSDK", "Tests", "Samples", "Package.swift"].filter { name in
            FileManager.default.fileExists(atPath: Repository.root.appending(path: name).path)
        }
        let lint = try Repository.run(
            ["swift", "format", "lint", "--strict", "--recursive", "--parallel"] + present
        )
        #expect(lint.code == 0, "\(lint.output)")
    }

    @Test
    func `there are files to look at`() {
        #expect(Repository.swiftFiles.count > 20)
    }

    @Test
    func `no file is too long`() {
        expectNone(Repository.files.flatMap(Rules.fileLength))
    }

    @Test
    func `no line is too long`() {
        expectNone(Repository.files.flatMap(Rules.lineLength))
    }

    @Test
    func `no work is marked as unfinished`() {
        expectNone(Repository.files.flatMap(Rules.unfinishedWork))
    }

    @Test
    func `no function is too long`() {
        expectNone(Repository.swiftFiles.flatMap(Rules.functionLength))
    }

    @Test
    func `no error is dropped without its reason`() {
        expectNone(Repository.swiftFiles.flatMap(Rules.unexplainedTry))
    }

    @Test
    func `no import points the wrong way`() {
        expectNone(Repository.swiftFiles.flatMap(Walls.forbiddenImports))
    }

    @Test
    func `the compiler is told to trust us only where the list says so`() {
        expectNone(Repository.swiftFiles.flatMap { Unsafe.violations($0) })
    }

    @Test
    func `the list of unsafe files has no stale entry`() {
        #expect(Unsafe.stale(Repository.swiftFiles) == [])
    }

    @Test
    func `every server target is known to the walls`() {
        let targets = Set(
            Repository.paths.filter {
                $0.hasPrefix("Server/") && $0.split(separator: "/").count > 2
            }
            .map { String($0.split(separator: "/")[1]) }
        )
        #expect(targets.subtracting(Walls.server) == [])
    }

    @Test
    func `the top level is the fixed one`() {
        #expect(Layout.unexpectedTopLevel(Repository.paths) == [])
    }

    @Test
    func `no lock file is tracked`() throws {
        // Without git there is nothing that could be tracked.
        let tracked = try? Repository.run(["git", "ls-files"]).output
        let paths = (tracked ?? "").split(separator: "\n").map(String.init)
        #expect(Layout.lockFiles(paths) == [])
    }

    @Test
    func `scripts can be run`() {
        expectNone(
            Repository.files.flatMap { file in
                let path = Repository.root.appending(path: file.path).path
                let isExecutable = FileManager.default.isExecutableFile(atPath: path)
                return Layout.scriptProblems(file, isExecutable: isExecutable)
            }
        )
    }

    @Test
    func `the code that the documentation shows is compiled`() {
        let documents = Repository.files.filter(Snippets.isDocument)
        expectNone(
            Snippets.violations(documents, in: Repository.files.filter(Snippets.isCompiled))
        )
        #expect(documents.flatMap(Snippets.blocks).count > 15)
    }

    private func expectNone(_ violations: [Violation]) {
        let text = violations.map(\.description).joined(separator: "\n")
        #expect(violations.isEmpty, "\(text)")
    }
}
