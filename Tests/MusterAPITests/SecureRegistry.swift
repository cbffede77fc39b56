import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A registry on the loopback that speaks TLS and names its leader to whoever is let in.
struct SecureRegistry {
    let port: Int
    private let channel: any Channel

    /// Starts one; `wantsClientCertificate` lets only those in who have one of its authority.
    static func start(wantsClientCertificate: Bool = false) async throws -> SecureRegistry {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.server.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificates.serverKey.utf8), format: .pem)
        var settings = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(key)
        )
        if wantsClientCertificate {
            let roots = try NIOSSLCertificate.fromPEMBytes(Array(TestCertificates.authority.utf8))
            settings.trustRoots = .certificates(roots)
            settings.certificateVerification = .noHostnameVerification
        }
        let context = try NIOSSLContext(configuration: settings)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLServerHandler(context: context))
                    try pipeline.configureHTTPServerPipeline(withPipeliningAssistance: false)
                    try pipeline.addHandler(LeaderHandler())
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return SecureRegistry(port: channel.localAddress?.port ?? 0, channel: channel)
    }

    func stop() async throws { try await channel.close() }
}

private final class LeaderHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = unwrapInboundIn(data) else { return }
        let body = ByteBuffer(string: "\"10.0.0.1:8300\"")
        let headers: HTTPHeaders = ["Content-Length": String(body.readableBytes)]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}

/// A fresh directory with files, which goes with `remove()`.
struct TemporaryFiles {
    let directory: String

    init(_ files: [String: String] = [:]) throws {
        directory = "/tmp/muster-api-\(UInt64.random(in: 0...UInt64.max))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: false
        )
        for (name, text) in files { try write(name, text) }
    }

    func path(_ name: String) -> String { directory + "/" + name }

    func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
    }

    func remove() {
        // What stays behind in /tmp harms no test.
        try? FileManager.default.removeItem(atPath: directory)
    }
}
