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
