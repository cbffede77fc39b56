import Model
import NIOCore
import NIOPosix

/// Passes when a TCP connection can be opened.
///
/// - Source: Consul: docs/discovery/checks "TCP + Interval".
struct TCPProbe: Probe {
    let address: String
    let timeout: TimeAmount

    func run(on eventLoop: any EventLoop, _ completion: @escaping @Sendable (Verdict) -> Void) {
        guard let endpoint = Endpoint(address) else {
            let text = "dial tcp: address \(address): missing port in address"
            return completion(Verdict(.critical, text))
        }
        let bootstrap = ClientBootstrap(group: eventLoop).connectTimeout(timeout)
        endpoint.connect(with: bootstrap).hop(to: eventLoop).whenComplete { result in
            switch result {
            case .success(let channel):
                channel.close(promise: nil)
                completion(Verdict(.passing, "TCP connect \(address): Success"))
            case .failure(let error):
                completion(Verdict(.critical, DialError.text(error, endpoint: endpoint)))
            }
        }
    }
}
