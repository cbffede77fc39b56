import AsyncHTTPClient
import MusterBalancing
import MusterDiscovery
import MusterHTTP
import NIOCore

/// The HTTP article.
func charge(_ discovery: Discovery) async throws -> ByteBuffer {
    let http = HTTPClient(configuration: .services())
    let services = ServiceHTTPClient(discovery: discovery, client: http)
    let answer = try await services.collect(
        HTTPClientRequest(url: "http://payments/v1/charges"),
        upTo: 1 << 20,
        timeout: .seconds(2)
    )
    try await http.shutdown()
    return answer.body
}

/// The same with a balancer of one's own.
func chargeWithBalancer(_ discovery: Discovery, _ http: HTTPClient) async throws {
    let payments = discovery.service("payments").balancer(.peakEWMA())
    let answer = try await http.execute(
        HTTPClientRequest(url: "http://payments/v1/charges"),
        using: payments,
        timeout: .seconds(2),
        retry: .nextInstance(attempts: 2)
    )
    for try await part in answer.body { print(part.readableBytes) }
}

/// Settings by service.
func clientWithSettings(_ discovery: Discovery, _ http: HTTPClient) -> ServiceHTTPClient {
    ServiceHTTPClient(discovery: discovery, client: http) { name in
        var settings = HTTPServiceSettings(ServiceQuery(name))
        if name == "search" {
            settings.hedging = HedgingPolicy(
                delay: .quantile(0.95, atLeast: .milliseconds(5))
            )
            settings.timeout = .milliseconds(300)
        }
        return settings
    }
}
