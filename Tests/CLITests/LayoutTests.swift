import Testing

@testable import CLI

@Suite("Output layout")
struct LayoutTests {
    @Test("Columns stand two spaces apart and the last is not padded")
    func columns() {
        let rows = [["Node", "ID", "DC"], ["n", "", "dc1"], ["long-name", " x ", ""]]
        #expect(
            Columns.aligned(rows) == "Node       ID  DC\nn              dc1\nlong-name  x   "
        )
    }

    @Test("Pairs stand six places apart")
    func pairs() {
        #expect(Columns.tabbed([("a", "1"), ("bcd", "2")]) == "a        1\nbcd      2")
    }

    @Test("Maps are printed in the order of their keys")
    func maps() {
        #expect(["b": "2", "a": "1"].pairs(separator: ", ") == "a=1, b=2")
    }
}

@Suite("Watches")
struct WatchPositionTests {
    /// What `advance` says of each answer, and the index of the next query.
    private func run(_ answers: [(UInt64, [UInt8])]) -> [String] {
        var position = WatchPosition()
        return answers.map { index, answer in
            let isChange = position.advance(to: index, answer)
            return "\(isChange) \(position.index)"
        }
    }

    @Test("Only a new index with a new answer is a change")
    func changes() {
        #expect(
            run([(5, [1]), (5, [2]), (6, [1]), (7, [2])])
                == ["true 5", "false 5", "false 6", "true 7"]
        )
    }

    @Test("An index that goes backwards starts the watch anew")
    func restart() {
        #expect(run([(9, [1]), (3, [2]), (3, [2])]) == ["true 9", "true 0", "false 3"])
    }
}
