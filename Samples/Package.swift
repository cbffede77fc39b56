// swift-tools-version: 6.2
import PackageDescription

/// The samples, as a user would write them: a package that depends on the SDK.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "samples",
    platforms: [.macOS(.v15)],
    dependencies: [
        // An application gives the repository's URL here, and traits only when it uses gRPC.
        .package(name: "muster", path: "..", traits: ["GRPC"]),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // An HTTP service that registers itself.
        .executableTarget(
            name: "Greeter",
            dependencies: [
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterDiscovery", package: "muster"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // A consumer that balances over its instances and shows where the calls go.
        .executableTarget(
            name: "Traffic",
            dependencies: [
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterBalancing", package: "muster"),
                .product(name: "MusterDiscovery", package: "muster"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // A web server whose middleware calls services by name.
        .executableTarget(
            name: "Gateway",
            dependencies: [
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterBalancing", package: "muster"),
                .product(name: "MusterDiscovery", package: "muster"),
                .product(name: "MusterHTTP", package: "muster"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // Settings in the registry that may change while the program runs.
        .executableTarget(
            name: "Ticker",
            dependencies: [
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterConfiguration", package: "muster"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // A gRPC service and a client that balances over its instances.
        .executableTarget(
            name: "Forecast",
            dependencies: [
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterDiscovery", package: "muster"),
                .product(name: "MusterGRPC", package: "muster"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // Work that only one of many instances may do at a time.
        .executableTarget(
            name: "Indexer",
            dependencies: [
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterCoordination", package: "muster"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // The code that the documentation shows, so that it is compiled.
        .target(
            name: "Snippets",
            dependencies: [
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterBalancing", package: "muster"),
                .product(name: "MusterCoordination", package: "muster"),
                .product(name: "MusterDiscovery", package: "muster"),
                .product(name: "MusterHTTP", package: "muster"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // Kills instances and restarts the registry under load; see `chaos.sh`.
        .executableTarget(
            name: "Chaos",
            dependencies: [
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterBalancing", package: "muster"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict
        ),
        // What reading an answer costs; run it with `swift run -c release DecodeBenchmark`.
        .executableTarget(
            name: "DecodeBenchmark",
            dependencies: [
                "CAllocations",
                .product(name: "MusterAPI", package: "muster"),
            ],
            swiftSettings: strict
        ),
        // What lookups cost against a real registry; see Tests/Benchmarks/run.sh.
        .executableTarget(
            name: "DiscoveryBenchmark",
            dependencies: [
                "CAllocations",
                .product(name: "MusterAPI", package: "muster"),
                .product(name: "MusterBalancing", package: "muster"),
                .product(name: "MusterDiscovery", package: "muster"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict
        ),
        // What a pick costs; run it with `swift run -c release PickBenchmark`.
        .target(name: "CAllocations"),
        .executableTarget(
            name: "PickBenchmark",
            dependencies: [
                "CAllocations",
                .product(name: "MusterBalancing", package: "muster"),
            ],
            swiftSettings: strict
        ),
    ]
)
