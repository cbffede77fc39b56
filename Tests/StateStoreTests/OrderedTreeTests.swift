import RandomSupport
import Testing

@testable import StateStore

@Suite struct OrderedTreeTests {
    private struct Pair: TreeElement, Equatable {
        let key: Int
        var value: Int

        static func order(_ key: Int, _ element: Pair) -> Int {
            key - element.key
        }
    }

    /// The tree and a dictionary that got the same writes.
    private struct Twin {
        var tree = OrderedTree<Pair>()
        var model: [Int: Int] = [:]

        mutating func step(_ random: inout SeededGenerator, keys: Int) {
            let key = Int.random(in: 0..<keys, using: &random)
            let value = Int.random(in: 0..<1000, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0...3:
                let old = tree.insert(Pair(key: key, value: value), at: key)
                #expect(old?.value == model.updateValue(value, forKey: key))
            case 4:
                let old = tree.update(key) { element in
                    defer { element.value = value }
                    return element.value
                }
                #expect(old == model[key])
                if model[key] != nil { model[key] = value }
            default:
                #expect(tree.remove(key)?.value == model.removeValue(forKey: key))
            }
        }

        func check(_ random: inout SeededGenerator, keys: Int) {
            let sorted = model.sorted { $0.key < $1.key }.map { Pair(key: $0.key, value: $0.value) }
            #expect(Array(tree) == sorted)
            #expect(tree.count == sorted.count)
            #expect(tree.first == sorted.first)
            let start = Int.random(in: -1...keys, using: &random)
            #expect(Array(tree.elements(notBefore: start)) == sorted.filter { $0.key >= start })
            let key = Int.random(in: 0..<keys, using: &random)
            #expect(tree.find(key)?.value == model[key])
        }
    }

    @Test(arguments: [UInt64(1), 2, 3, 4, 5])
    func `behaves like a sorted dictionary`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let keys = random.pick([10, 100, 3000])
        var twin = Twin()
        for step in 0..<6000 {
            twin.step(&random, keys: keys)
            if step % 97 == 0 { twin.check(&random, keys: keys) }
        }
        twin.check(&random, keys: keys)
    }

    @Test(arguments: [UInt64(11), 12, 13])
    func `a copy never changes when the original does`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var twin = Twin()
        var copies: [Twin] = []
        for step in 0..<4000 {
            twin.step(&random, keys: 500)
            if step % 131 == 0 { copies.append(twin) }
        }
        for copy in copies { copy.check(&random, keys: 500) }
    }

    @Test func `a change of a copy leaves the original alone`() {
        var random = SeededGenerator(seed: 21)
        var original = Twin()
        for _ in 0..<2000 { original.step(&random, keys: 400) }
        var copy = original
        for _ in 0..<2000 { copy.step(&random, keys: 400) }
        original.check(&random, keys: 400)
        copy.check(&random, keys: 400)
    }

    @Test func `ascending and descending insertions and removals keep the order`() {
        var tree = OrderedTree<Pair>()
        for key in 0..<5000 { tree.insert(Pair(key: key, value: 0), at: key) }
        for key in (-5000..<0).reversed() { tree.insert(Pair(key: key, value: 0), at: key) }
        #expect(tree.map(\.key) == Array(-5000..<5000))
        for key in -5000..<4990 { tree.remove(key) }
        #expect(tree.map(\.key) == Array(4990..<5000))
        for key in (4990..<5000).reversed() { tree.remove(key) }
        #expect(tree.isEmpty && tree.root == nil && tree.first == nil)
    }

    @Test func `keys are compared byte by byte`() {
        #expect(Bytes.order("\u{E9}", "e\u{301}") != 0)
        #expect(Bytes.order("a", "a\0") < 0)
        #expect(Bytes.order("Z", "a") < 0)
        #expect(Bytes.order("abcdefgh1", "abcdefgh2") < 0)
        #expect(Bytes.order("abcdefgz", "abcdefhaaaa") < 0)
        #expect(Bytes.order("", "") == 0)
        #expect(Bytes.hasPrefix("abc", "") && Bytes.hasPrefix("abc", "abc"))
        #expect(!Bytes.hasPrefix("ab", "abc"))
    }

    @Test func `upper case is noticed at every place of a name`() {
        for length in 1...20 {
            for place in 0..<length {
                for byte in UInt8(0)...0x7F {
                    var bytes = [UInt8](repeating: UInt8(ascii: "z"), count: length)
                    bytes[place] = byte
                    let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    #expect(bytes.withUnsafeBytes { Bytes.isFolded($0) } == !isUpper)
                }
            }
        }
        #expect("ABCDEFGHIJKLMNOPQRSTUVWXYZ-0".folded == "abcdefghijklmnopqrstuvwxyz-0")
    }

    @Test func `names are folded rune by rune`() {
        #expect("WeB-1".folded == "web-1")
        #expect("\u{130}X".folded == "ix")
        #expect("ÄÖ".folded == "äö")
        #expect("".folded.isEmpty)
    }

    @Test func `a slot table gives numbers out, takes them back and keeps copies apart`() {
        var table = SlotTable<Cell<Int>>()
        let slots = (0..<200).map { number in table.add { _ in Cell(number) } }
        #expect(slots == Array(0..<200))
        let copy = table
        table.remove(7)
        table.update(8) { cell in Cell.mutate(&cell) { $0 = 80 } }
        #expect(table[7] == nil && table[8]?.value == 80 && table[9]?.value == 9)
        #expect(copy[7]?.value == 7 && copy[8]?.value == 8)
        #expect(table.add { _ in Cell(1000) } == 7)
        #expect(table.update(500) { _ in 1 } == nil && table[-1] == nil && table[500] == nil)
    }
}
