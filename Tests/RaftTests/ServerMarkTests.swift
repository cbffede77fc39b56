import Model
import Raft
import Testing

/// What a server remembers of another one's disk, against every kind of old image.
@Suite struct ServerMarkTests {
    /// A disk that is opened again and again, as far as greetings show it.
    private struct Disk {
        var openings = Openings()
        var term = Term.zero
        var last = LogIndex.zero

        /// What the server says of itself after a start.
        mutating func start(as number: UInt128) -> ServerStart {
            openings.open(as: number)
            return ServerStart(openings: openings, term: term, last: last)
        }
    }

    private func index(_ number: UInt64) -> LogIndex { LogIndex(rawValue: number) }
    private func term(_ number: UInt64) -> Term { Term(rawValue: number) }

    @Test func `A server that goes on from where it stopped is always believed`() {
        var disk = Disk()
        var mark = ServerMark(disk.start(as: 1))
        for round in UInt64(1)...60 {
            disk.term = term(round)
            disk.last = index(10 * round)
            mark.raise(term: disk.term, acknowledged: disk.last, kept: index(10 * round - 3))
            let start = disk.start(as: UInt128(round) + 1)
            #expect(mark.objection(to: start) == nil)
            // Some starts are never seen, more than are kept as well.
            if round.isMultiple(of: 20) { mark.follow(start) }
        }
    }

    @Test func `An image of an earlier start is known by the number it did not draw`() throws {
        var disk = Disk()
        _ = disk.start(as: 1)
        let image = disk
        var mark = ServerMark(disk.start(as: 2))
        var old = image
        // As many openings as were seen, and more.
        for number in UInt128(100)...110 {
            let start = old.start(as: number)
            let text = try #require(mark.objection(to: start))
            #expect(text.contains("another number"))
        }
        mark.follow(disk.start(as: 3))
        old = image
        let restarted = old.start(as: 100)
        let text = try #require(mark.objection(to: restarted))
        #expect(text.contains("opened 2 times"))
        #expect(text.contains("opened 3 times"))
    }

    @Test func `An image of the present start is known by what was acknowledged since`() throws {
        var disk = Disk()
        var mark = ServerMark(disk.start(as: 1))
        (disk.term, disk.last) = (term(3), index(20))
        let image = disk
        mark.raise(term: term(3), acknowledged: index(25), kept: index(18))
        /// What is held against the image, started in a term or the one it is of.
        func objection(in term: Term? = nil) -> String? {
            var old = image
            old.term = term ?? old.term
            return mark.objection(to: old.start(as: 9))
        }
        #expect(try #require(objection()).contains("have entry 25"))
        mark.raise(term: term(4), acknowledged: .zero, kept: index(20))
        #expect(try #require(objection()).contains("in term 4"))
        // A later leader may have had it drop what was not committed.
        #expect(objection(in: term(4)) == nil)
        mark.raise(term: term(4), acknowledged: .zero, kept: index(21))
        #expect(try #require(objection(in: term(5))).contains("have entry 21"))
    }

    @Test func `What came after a start is not held against that start`() {
        var disk = Disk()
        let start = disk.start(as: 1)
        var mark = ServerMark(start)
        mark.raise(term: term(7), acknowledged: index(100), kept: index(100))
        #expect(mark.objection(to: start) == nil)
        let isNews = mark.follow(start)
        #expect(!isNews)
    }

    @Test func `Less than is known changes nothing`() {
        var disk = Disk()
        var mark = ServerMark(disk.start(as: 1))
        mark.raise(term: term(7), acknowledged: index(100), kept: index(90))
        let before = mark
        mark.raise(term: term(6), acknowledged: index(200), kept: index(50))
        #expect(mark == before)
    }

    @Test func `The openings keep the first number and the last sixteen`() throws {
        var openings = Openings()
        for number in UInt128(1)...40 { openings.open(as: number) }
        #expect(openings.birth == 1)
        #expect(openings.number == 40)
        #expect(openings.recent == (25...40).reversed())
        let (count, recent) = (openings.count, openings.recent)
        #expect(Openings(count: count, birth: 1, recent: recent) == openings)
        #expect(Openings(count: 3, birth: 1, recent: recent) == nil)
        #expect(Openings(count: 2, birth: 7, recent: [9, 8]) == nil)
    }
}
