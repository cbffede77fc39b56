import MusterAPI
import MusterTesting
import Testing

@Suite("Manual clock")
struct ManualClockTests {
    @Test("It stands still until it is moved")
    func standsStill() {
        let clock = ManualClock()
        let start = clock.now
        #expect(clock.source.now() == start)
        clock.advance(by: .seconds(3))
        #expect(clock.source.now() == start + .seconds(3))
    }
}
