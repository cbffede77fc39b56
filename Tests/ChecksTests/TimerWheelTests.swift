import Checks
import Testing

@Suite struct TimerWheelTests {
    @Test func entriesComeAtTheirTickAndNotBefore() {
        var wheel = TimerWheel<Int>(sizeBits: 3, startingAt: 100)
        wheel.add(1, at: 103)
        wheel.add(2, at: 111)
        wheel.add(3, at: 103)
        #expect(wheel.advance(to: 102).isEmpty)
        #expect(wheel.advance(to: 103) == [1, 3])
        // 111 shares a slot with 103, one turn later.
        #expect(wheel.advance(to: 110).isEmpty)
        #expect(wheel.advance(to: 111) == [2])
        #expect(wheel.count == 0)
    }

    @Test func whatIsOverdueComesAtTheNextTick() {
        var wheel = TimerWheel<String>(startingAt: 50)
        wheel.add("late", at: 10)
        #expect(wheel.advance(to: 50).isEmpty)
        #expect(wheel.advance(to: 51) == ["late"])
    }

    @Test func aLongPauseLosesNothingAndKeepsTheOrder() {
        var wheel = TimerWheel<UInt64>(sizeBits: 4, startingAt: 0)
        for tick in stride(from: UInt64(200), through: 1, by: -1) { wheel.add(tick, at: tick) }
        #expect(wheel.advance(to: 1_000) == Array(1...200))
    }

    @Test func aMillionTicksOfManyEntriesAgreeWithASortedList() {
        var wheel = TimerWheel<UInt64>(sizeBits: 6, startingAt: 0)
        var generator = SystemRandomNumberGenerator()
        let due = (0..<2_000).map { _ in UInt64.random(in: 1...100_000, using: &generator) }
        for tick in due { wheel.add(tick, at: tick) }
        var taken: [UInt64] = []
        for tick in stride(from: UInt64(97), through: 100_097, by: 97) {
            taken += wheel.advance(to: tick)
        }
        #expect(taken == due.sorted())
    }
}
