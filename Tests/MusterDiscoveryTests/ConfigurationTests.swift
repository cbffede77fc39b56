import MusterAPI
import Testing

@testable import MusterDiscovery

@Suite struct DiscoveryConfigurationTests {
    @Test func howRarelyAListIsRefreshedUnderChurnIsASetting() {
        var configuration = Discovery.Configuration()
        let usual = configuration.watchSettings(delay: .zero).source.asking
        #expect(usual.slowest == .seconds(12))
        configuration.slowestRefresh = .seconds(2)
        #expect(configuration.watchSettings(delay: .zero).source.asking.slowest == .seconds(2))
    }
}
