import GRPCCore

/// The service's definition, as a generator would write it from a `.proto` file.
///
/// Messages are texts here, to keep the sample small; with `grpc-swift-protobuf` they are the
/// generated messages, and nothing else changes.
enum ForecastService {
    static let name = ServiceDescriptor(fullyQualifiedService: "samples.Forecast")
    static let tomorrow = MethodDescriptor(service: name, method: "Tomorrow")

    struct Text: MessageSerializer, MessageDeserializer {
        func serialize<Bytes: GRPCContiguousBytes>(_ message: String) throws -> Bytes {
            Bytes(message.utf8)
        }

        func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> String {
            bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The server's side: answers with what `answer` says.
    struct Server: RegistrableRPCService {
        let answer: @Sendable (_ place: String) async throws -> String

        func registerMethods<Transport: ServerTransport>(
            with router: inout RPCRouter<Transport>
        ) {
            router.registerHandler(
                forMethod: tomorrow,
                deserializer: Text(),
                serializer: Text()
            ) { [answer] request, _ in
                let place = try await ServerRequest(stream: request).message
                let text = try await answer(place)
                return StreamingServerResponse(single: ServerResponse(message: text))
            }
        }
    }

    /// The client's side.
    struct Client<Transport: ClientTransport>: Sendable {
        let client: GRPCClient<Transport>

        func tomorrow(in place: String, options: CallOptions = .defaults) async throws -> String {
            try await client.unary(
                request: ClientRequest(message: place),
                descriptor: ForecastService.tomorrow,
                serializer: Text(),
                deserializer: Text(),
                options: options
            ) { try $0.message }
        }
    }
}
