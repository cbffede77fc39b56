#if GRPC
import GRPCCore

/// Finds the configuration of a method: its own, its service's, or that of all.
struct MethodConfigTable: Sendable {
    private var configs: [MethodConfig.Name: MethodConfig] = [:]

    init(_ config: ServiceConfig) {
        for method in config.methodConfig {
            for name in method.names { configs[name] = method }
        }
    }

    func config(for descriptor: MethodDescriptor) -> MethodConfig? {
        let service = descriptor.service.fullyQualifiedService
        return configs[MethodConfig.Name(service: service, method: descriptor.method)]
            ?? configs[MethodConfig.Name(service: service, method: "")]
            ?? configs[MethodConfig.Name(service: "", method: "")]
    }
}

extension CallOptions {
    /// The options with what the method's configuration adds.
    func merged(with config: MethodConfig?) -> CallOptions {
        guard let config else { return self }
        var options = self
        options.timeout = timeout ?? config.timeout
        options.waitForReady = waitForReady ?? config.waitForReady
        options.maxRequestMessageBytes = maxRequestMessageBytes ?? config.maxRequestMessageBytes
        options.maxResponseMessageBytes = maxResponseMessageBytes ?? config.maxResponseMessageBytes
        options.executionPolicy = executionPolicy ?? config.executionPolicy
        return options
    }
}
#endif
