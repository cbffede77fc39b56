import Testing

@testable import MusterAPI

/// Rule 11 of the watch engine: a query that hangs looks like a quiet one until its deadline.
@Suite struct WatchDeadlineTests {
    private func request(_ options: QueryOptions) -> RegistryRequest {
        var request = RegistryRequest("/v1/health/service/web")
        request.apply(options)
        return request
    }

    @Test func aBlockingQueryMayTakeItsWaitASixteenthMoreAndTenSeconds() {
        let blocking = request(QueryOptions(index: 7, wait: .seconds(160)))
        #expect(blocking.timeout == .seconds(160 + 10 + 10))
        #expect(blocking.isWatch)
    }

    @Test func theFirstQueryOfALoopHasTheLoopsConnectionsAndAnOrdinaryDeadline() {
        let first = request(QueryOptions(wait: .seconds(160)))
        #expect(first.timeout == nil)
        #expect(first.isWatch)
        #expect(first.target == "/v1/health/service/web")
    }

    @Test func aPlainQueryIsNoWatch() {
        let plain = request(QueryOptions())
        #expect(plain.timeout == nil)
        #expect(!plain.isWatch)
    }
}
