import ArgumentParser

/// A gRPC service and a client that balances over its instances.
@main
struct Forecast: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "A weather service over gRPC: instances that register, and a client.",
        subcommands: [Serve.self, Ask.self]
    )
}
