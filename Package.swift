// swift-tools-version: 6.2
import PackageDescription

/// What every target is built with: the module walls and the language rules of the project.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// A server library: `Server/<name>`.
func server(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Server/\(name)", swiftSettings: strict)
}

/// A library for applications: `ClientSDK/<name>`.
func sdk(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "ClientSDK/\(name)",
        swiftSettings: strict
    )
}

/// A test target: `Tests/<name>`.
func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies,
        path: "Tests/\(name)",
        resources: resources,
        swiftSettings: strict
    )
}

// Cores: the standard library and Collections only.
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")
let heap: Target.Dependency = .product(name: "HeapModule", package: "swift-collections")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioLocks: Target.Dependency = .product(
    name: "NIOConcurrencyHelpers",
    package: "swift-nio"
)
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let httpClient: Target.Dependency = .product(
    name: "AsyncHTTPClient",
    package: "async-http-client"
)
let lifecycle: Target.Dependency = .product(
    name: "ServiceLifecycle",
    package: "swift-service-lifecycle"
)
let lifecycleTesting: Target.Dependency = .product(
    name: "ServiceLifecycleTestKit",
    package: "swift-service-lifecycle"
)
let metrics: Target.Dependency = .product(name: "Metrics", package: "swift-metrics")
let metricsTesting: Target.Dependency = .product(
    name: "MetricsTestKit",
    package: "swift-metrics"
)
let tracing: Target.Dependency = .product(
    name: "Tracing",
    package: "swift-distributed-tracing"
)
let tracingTesting: Target.Dependency = .product(
    name: "InMemoryTracing",
    package: "swift-distributed-tracing"
)
let configuration: Target.Dependency = .product(
    name: "Configuration",
    package: "swift-configuration"
)
// gRPC is large: who wants it switches the trait on.
let grpc: Target.Dependency = .product(
    name: "GRPCCore",
    package: "grpc-swift-2",
    condition: .when(traits: ["GRPC"])
)
let grpcTransport: Target.Dependency = .product(
    name: "GRPCNIOTransportHTTP2Posix",
    package: "grpc-swift-nio-transport",
    condition: .when(traits: ["GRPC"])
)
let arguments: Target.Dependency = .product(
    name: "ArgumentParser",
    package: "swift-argument-parser"
)

let package = Package(
    name: "muster",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "muster", targets: ["muster"]),
        .library(name: "MusterAPI", targets: ["MusterAPI"]),
        .library(name: "MusterBalancing", targets: ["MusterBalancing"]),
        .library(name: "MusterConfiguration", targets: ["MusterConfiguration"]),
        .library(name: "MusterCoordination", targets: ["MusterCoordination"]),
        .library(name: "MusterDiscovery", targets: ["MusterDiscovery"]),
        .library(name: "MusterGRPC", targets: ["MusterGRPC"]),
        .library(name: "MusterHTTP", targets: ["MusterHTTP"]),
        .library(name: "MusterTesting", targets: ["MusterTesting"]),
    ],
    traits: [
        .trait(name: "GRPC", description: "MusterGRPC, and with it grpc-swift-2."),
        .default(enabledTraits: []),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // Cores: they decide and do no I/O.
        server("Model", []),
        .target(name: "CChecksums", path: "Server/CChecksums"),
        server("Checksums", ["CChecksums"]),
        server("Wire", ["Model"]),
        server("Filter", []),
        server("StateStore", ["Model", "Wire"]),
        server("LocalState", ["Model", "Wire", heap]),
        server("Raft", ["Model", deque]),
        server("Autopilot", ["Model"]),
        server("StateMachine", ["Model", "Wire", "StateStore"]),
        // The write path: proposals in, applied snapshots and wake-ups out.
        server(
            "Replica",
            ["Model", "Wire", "StateStore", "StateMachine", heap, deque, nioCore, nioPosix]
        ),
        // Adapters: one port each.
        server("WriteAheadLog", ["Model", "Raft", "Checksums"]),
        server("DurableLog", ["Model", "Raft", "WriteAheadLog", "Checksums"]),
        server("RPC", ["Model", "Raft", "Checksums", nioCore, nioPosix, nioTLS, logging]),
        .systemLibrary(name: "CZlib", path: "Server/CZlib", pkgConfig: "zlib"),
        server("Snapshots", ["Model", "Wire", "Raft", "StateStore", "CZlib", crypto]),
        server(
            "HTTPAPI",
            [
                "Model", "Wire", "Filter", "StateStore", "LocalState", "Replica", "CZlib",
                nioCore, nioPosix, nioHTTP1, nioTLS, logging,
            ]
        ),
        server(
            "DNSAPI",
            ["Model", "Wire", "StateStore", "Replica", nioCore, nioPosix, logging]
        ),
        server(
            "Checks",
            ["Model", "Wire", "LocalState", deque, nioCore, nioPosix, nioHTTP1, nioTLS]
        ),
        server(
            "Consensus",
            [
                "Model", "Wire", "StateStore", "StateMachine", "Raft", "Replica", "WriteAheadLog",
                "DurableLog", "RPC", "Snapshots", "Autopilot", deque, nioCore, nioLocks, nioPosix,
                logging,
            ]
        ),
        // The shell: owns the cores, runs their effects, starts and stops everything.
        server(
            "Agent",
            [
                "Model", "Wire", "Filter", "StateStore", "StateMachine", "LocalState", "Raft",
                "Replica", "Snapshots", "HTTPAPI", "DNSAPI", "Checks", "RPC", "Consensus", nioCore,
                nioPosix, nioTLS, logging, lifecycle,
            ]
        ),
        // The command line, a client like any other.
        server(
            "CLI",
            [
                "MusterAPI", "Model", "Wire", "Filter", "Raft", "WriteAheadLog", "StateStore",
                "Snapshots", arguments,
            ]
        ),
        .executableTarget(
            name: "muster",
            dependencies: ["Agent", "CLI", arguments, logging],
            path: "Server/muster",
            swiftSettings: strict
        ),
        // The SDK: never pulls in a server target.
        sdk("MusterAPI", [httpClient, nioCore, nioHTTP1, nioPosix, nioTLS, logging, tracing]),
        sdk("MusterBalancing", []),
        sdk(
            "MusterDiscovery",
            ["MusterAPI", "MusterBalancing", logging, metrics, tracing, lifecycle]
        ),
        sdk("MusterCoordination", ["MusterAPI", logging, metrics, lifecycle]),
        sdk(
            "MusterHTTP",
            [
                "MusterAPI", "MusterBalancing", "MusterDiscovery", httpClient, nioCore, nioHTTP1,
                nioPosix, nioTLS, logging, metrics, tracing,
            ]
        ),
        sdk(
            "MusterGRPC",
            [
                "MusterAPI", "MusterBalancing", "MusterDiscovery", grpc, grpcTransport, nioCore,
                logging, metrics,
            ]
        ),
        sdk("MusterConfiguration", ["MusterAPI", configuration, logging, metrics, lifecycle]),
        sdk(
            "MusterTesting",
            ["MusterAPI", "MusterBalancing", "MusterDiscovery", nioCore, nioPosix, nioHTTP1]
        ),
        // Tests.
        .target(name: "RandomSupport", path: "Tests/Support/Random", swiftSettings: strict),
        .target(
            name: "TLSSupport",
            dependencies: [nioTLS],
            path: "Tests/Support/TLS",
            swiftSettings: strict
        ),
        .target(
            name: "StorageSimulation",
            dependencies: ["WriteAheadLog"],
            path: "Tests/Simulation/Storage",
            swiftSettings: strict
        ),
        .target(
            name: "Simulation",
            dependencies: [
                "Model", "Raft", "Wire", "StateStore", "StateMachine", "WriteAheadLog",
                "DurableLog", "StorageSimulation", heap,
            ],
            path: "Tests/Simulation/Library",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "simulate",
            dependencies: ["Raft", "Simulation"],
            path: "Tests/Simulation/Runner",
            swiftSettings: strict
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Simulation", "Model", "Raft"],
            path: "Tests/Simulation/Tests",
            swiftSettings: strict
        ),
        tests(
            "ConsensusTests",
            [
                "Consensus", "Replica", "Snapshots", "StateStore", "Model", "Raft", nioCore,
                nioPosix, logging,
            ]
        ),
        tests("RaftTests", ["Raft", "Simulation", "Model"]),
        tests("AutopilotTests", ["Autopilot", "Model"]),
        tests("RaftPaperTests", ["Raft", "Simulation", "Model"]),
        tests("ChecksumsTests", ["Checksums"]),
        tests(
            "WriteAheadLogTests",
            ["WriteAheadLog", "StorageSimulation", "Checksums", "Model", "Raft"]
        ),
        tests(
            "DurableLogTests",
            ["DurableLog", "WriteAheadLog", "StorageSimulation", "Model", "Raft"]
        ),
        tests(
            "RPCTests",
            [
                "RPC", "Raft", "Model", "Checksums", "RandomSupport", "TLSSupport", nioCore,
                nioPosix, nioTLS, logging,
            ]
        ),
        tests("StateMachineTests", ["StateMachine", "StateStore", "Model", "Wire"]),
        tests(
            "SnapshotsTests",
            ["Snapshots", "StateStore", "Raft", "Model", "Wire", "CZlib", "RandomSupport", crypto],
            resources: [.copy("Golden")]
        ),
        tests("WireTests", ["Wire", "Model", "RandomSupport"]),
        tests(
            "CLITests",
            ["CLI", "Model", "MusterAPI", "Raft", "Wire", "WriteAheadLog", arguments]
        ),
        tests("FilterTests", ["Filter", "RandomSupport"], resources: [.copy("Golden")]),
        tests("StateStoreTests", ["StateStore", "Model", "Wire", "RandomSupport"]),
        tests("LocalStateTests", ["LocalState", "Model"]),
        tests("ReplicaTests", ["Replica", "StateStore", "Model", nioCore, nioEmbedded, nioPosix]),
        tests("ChecksTests", ["Checks", "LocalState", "Model", nioCore, nioPosix]),
        tests(
            "HTTPAPITests",
            [
                "HTTPAPI", "Replica", "StateMachine", "StateStore", "LocalState", "Model", "Wire",
                "RandomSupport", "TLSSupport", nioCore, nioPosix, nioHTTP1, nioEmbedded, nioTLS,
                logging,
            ]
        ),
        tests(
            "DNSAPITests",
            [
                "DNSAPI", "Replica", "StateMachine", "StateStore", "Model", "Wire",
                "RandomSupport", nioCore, nioEmbedded, nioPosix,
            ],
            resources: [.copy("Golden")]
        ),
        tests(
            "AgentTests",
            [
                "Agent", "Model", "LocalState", "HTTPAPI", "DNSAPI", "Replica", "StateStore",
                "RPC", "TLSSupport", nioCore, nioPosix, logging,
            ]
        ),
        // The SDK against a real agent: skipped unless `Tests/EndToEnd/live.py` names one.
        tests(
            "LiveTests",
            [
                "MusterAPI", "MusterBalancing", "MusterConfiguration", "MusterCoordination",
                "MusterDiscovery", "MusterHTTP", "MusterTesting", configuration, httpClient,
                lifecycle, logging, nioCore,
            ]
        ),
        tests(
            "MusterAPITests",
            [
                "MusterAPI", "MusterBalancing", "MusterTesting", nioCore, nioPosix, nioHTTP1,
                nioTLS,
                tracing, tracingTesting,
            ]
        ),
        tests("MusterBalancingTests", ["MusterBalancing"]),
        tests(
            "MusterDiscoveryTests",
            [
                "MusterDiscovery", "MusterAPI", "MusterBalancing", "MusterTesting", logging,
                metrics, metricsTesting, tracing, tracingTesting, lifecycle, lifecycleTesting,
            ]
        ),
        tests(
            "MusterCoordinationTests",
            [
                "MusterCoordination", "MusterAPI", "MusterTesting", logging, metrics,
                metricsTesting, lifecycle, lifecycleTesting,
            ]
        ),
        tests(
            "MusterHTTPTests",
            [
                "MusterHTTP", "MusterAPI", "MusterBalancing", "MusterDiscovery", "MusterTesting",
                "TLSSupport", httpClient, nioCore, nioHTTP1, nioPosix, nioTLS, logging, metrics,
                metricsTesting,
                tracing, tracingTesting,
            ]
        ),
        tests(
            "MusterGRPCTests",
            [
                "MusterGRPC", "MusterAPI", "MusterBalancing", "MusterDiscovery", "MusterTesting",
                grpc, grpcTransport, logging, nioCore,
            ]
        ),
        tests(
            "MusterConfigurationTests",
            ["MusterConfiguration", "MusterAPI", "MusterTesting", configuration, logging]
        ),
        tests(
            "MusterTestingTests",
            ["MusterTesting", "MusterAPI", "MusterBalancing", "MusterDiscovery"]
        ),
        tests("Tidy", []),
    ]
)
