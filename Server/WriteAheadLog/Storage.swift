/// One directory of files, as the log needs it; every call blocks until it is done.
///
/// The contract is that of a POSIX file system: a write may be lost, or kept in part, until `sync`
/// of that file returns; names made, changed or deleted may be lost until `syncDirectory` returns.
/// After a call has thrown, nothing is known about what was not yet synced, and the owner ends.
/// - Source: "Can Applications Recover from fsync Failures?", USENIX ATC 2020.
package protocol Storage: AnyObject {
    /// The names of the files, in any order.
    func list() throws(StorageFailure) -> [String]
    /// Opens a file that exists; without `forWriting` no byte of it can change.
    func open(_ name: String, forWriting: Bool) throws(StorageFailure) -> StorageFile
    /// Makes a file that reads as zeros, with its space set aside; the name must be free.
    func create(_ name: String, sizeBytes: Int) throws(StorageFailure) -> StorageFile
    /// The length of a file in bytes.
    func size(of file: StorageFile) throws(StorageFailure) -> Int
    /// The bytes from `offset` on: fewer than `count` only where the file ends.
    func read(_ file: StorageFile, at offset: Int, count: Int) throws(StorageFailure) -> [UInt8]
    func write(_ bytes: [UInt8], to file: StorageFile, at offset: Int) throws(StorageFailure)
    /// Returns when everything written to the file would survive a loss of power.
    func sync(_ file: StorageFile) throws(StorageFailure)
    /// Cuts a file off.
    func truncate(_ file: StorageFile, toBytes sizeBytes: Int) throws(StorageFailure)
    func close(_ file: StorageFile)
    func rename(_ name: String, to newName: String) throws(StorageFailure)
    func delete(_ name: String) throws(StorageFailure)
    /// Returns when every change of names would survive a loss of power.
    func syncDirectory() throws(StorageFailure)
    /// The space left for this process, in bytes.
    func freeBytes() throws(StorageFailure) -> UInt64
}

/// An open file of a `Storage`; worth nothing after `close`.
package struct StorageFile: RawRepresentable, Hashable, Sendable {
    package var rawValue: Int32

    package init(rawValue: Int32) {
        self.rawValue = rawValue
    }
}

/// A call that the operating system did not carry out.
package struct StorageFailure: Error, Hashable, Sendable {
    /// What was tried, as one verb.
    package var operation: String
    /// The name within the directory, or the directory itself.
    package var file: String
    /// The number that the system gave, as in `errno`.
    package var code: Int32
    /// The system's words for it.
    package var reason: String
    /// Whether the disk or a quota was full.
    package var isOutOfSpace: Bool

    package init(
        operation: String,
        file: String,
        code: Int32,
        reason: String,
        isOutOfSpace: Bool = false
    ) {
        self.operation = operation
        self.file = file
        self.code = code
        self.reason = reason
        self.isOutOfSpace = isOutOfSpace
    }
}
