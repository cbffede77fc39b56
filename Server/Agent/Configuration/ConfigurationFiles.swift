/// The files that `-config-file` and `-config-dir` name.
enum ConfigurationFiles {
    private static let limits = AgentLimits()

    /// The file itself, or the configuration files of the directory in byte order of their names.
    ///
    /// - Source: Consul: docs/agent/options `-config-dir` (subdirectories are not entered).
    static func expand(_ path: String, format: String) throws(StartError) -> [String] {
        guard FileSystem.isDirectory(path) else { return [path] }
        do throws(StorageError) {
            let names = try FileSystem.list(path)
            guard names.count <= limits.configurationFiles else {
                throw StorageError("\(path): more than \(limits.configurationFiles) files")
            }
            return
                names
                .filter { $0.hasSuffix(".json") || $0.hasSuffix(".hcl") || !format.isEmpty }
                .map { "\(path)/\($0)" }
                .filter { !FileSystem.isDirectory($0) }
        } catch {
            throw StartError("config: \(error.description)")
        }
    }

    static func read(_ path: String) throws(StartError) -> ConfigurationLayer {
        guard !path.hasSuffix(".hcl") else {
            throw StartError("config: \(path): HCL is not read by this version, only JSON is")
        }
        let bytes: [UInt8]
        do throws(StorageError) {
            bytes = try FileSystem.read(path, limit: limits.configurationFileBytes)
        } catch {
            throw StartError("config: Open failed on \(path). \(error.description)")
        }
        // Empty files do no harm.
        guard bytes.contains(where: { $0 > 0x20 }) else { return ConfigurationLayer() }
        return try ConfigurationLayer(json: bytes, source: path)
    }
}
