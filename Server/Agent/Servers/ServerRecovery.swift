import Consensus
import Model
import Raft

/// `muster operator raft recover`: a cluster of one out of one server's data directory.
package enum ServerRecovery {
    /// Recovers the server that this data directory belongs to and that is not running.
    ///
    /// Gives what to tell the operator; throws a `StartError`, and the directory is as it was.
    package static func run(dataDirectory: String) throws -> String {
        let path = "\(dataDirectory)/node-id"
        let text: String
        do throws(StorageError) {
            let bytes = try FileSystem.read(path, limit: 1024)
            text = String(decoding: bytes, as: UTF8.self)
        } catch {
            throw StartError("\(error.description): no data directory of a server?")
        }
        let id = String(text.split(whereSeparator: \.isWhitespace).first ?? "")
        guard let server = ServerID.parse(id) else {
            throw StartError("\(path): not a UUID: \(id)")
        }
        let report: ClusterRecovery.Report
        do throws(ConsensusError) {
            report = try ClusterRecovery.run(
                directory: "\(dataDirectory)/raft",
                server: server,
                now: Clocks.wall()
            )
        } catch {
            throw StartError(error.description)
        }
        return """
            Server \(id) is the only one of a new cluster, with everything up to entry \
            \(report.last.index.rawValue) of term \(report.last.term.rawValue).
            The log as it was is kept in \(report.keptDirectory).
            Start this server; let others join with empty data directories.
            """
    }
}
