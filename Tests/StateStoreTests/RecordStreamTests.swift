import Model
import RandomSupport
import Testing
import Wire

@testable import StateStore

/// A state that was written as records and built from them again is the same state.
@Suite struct RecordStreamTests {
    /// A store after random commands, with what goes on from there.
    private struct World {
        var generator: CommandGenerator
        var store = StateStore()
        var index: UInt64 = 10

        init(seed: UInt64) {
            generator = CommandGenerator(seed: seed)
        }

        mutating func next() -> (command: Command, index: LogIndex, stamp: Timestamp) {
            index += UInt64.random(in: 1...3, using: &generator.random)
            let command = generator.next(at: index)
            let stamp = Timestamp(nanosecondsSinceEpoch: index * 1_000_000_000)
            return (command, LogIndex(rawValue: index), stamp)
        }
    }

    private static func difference(_ left: StateStore, _ right: StateStore) -> String? {
        guard left.lastApplied == right.lastApplied else { return "lastApplied" }
        for query in Query.all {
            let (one, two) = (query.run(left), query.run(right))
            guard one == two else {
                return "\(query.name): \(one.text) at \(one.index) and \(two.text) at \(two.index)"
            }
        }
        guard left.carriedState == right.carriedState else { return "carried state" }
        return left.recordBytes() == right.recordBytes() ? nil : "records"
    }

    @Test(arguments: (1...8).map { UInt64($0) })
    func `a restored store answers and goes on like the original`(seed: UInt64) throws {
        var world = World(seed: seed &* 6151)
        for round in 0..<6 {
            for _ in 0..<50 {
                let (command, index, stamp) = world.next()
                var changes = ChangeSet()
                _ = world.store.apply(command, at: index, stamped: stamp, into: &changes)
            }
            var restored = try world.store.restoredCopy()
            #expect(Self.difference(world.store, restored) == nil, "round \(round)")
            for step in 0..<40 {
                let (command, index, stamp) = world.next()
                var changes = (ChangeSet(), ChangeSet())
                let result = world.store.apply(
                    command,
                    at: index,
                    stamped: stamp,
                    into: &changes.0
                )
                let other = restored.apply(command, at: index, stamped: stamp, into: &changes.1)
                #expect(result == other, "round \(round), step \(step): \(command)")
                #expect(changes.0.topics == changes.1.topics)
                #expect(changes.0.keys == changes.1.keys)
                if let difference = Self.difference(world.store, restored) {
                    Issue.record("round \(round), step \(step), \(command): \(difference)")
                    return
                }
            }
        }
    }

    @Test(arguments: [1, 2, 7, 64, 4096])
    func `pieces may be cut anywhere`(size: Int) throws {
        var world = World(seed: 99)
        for _ in 0..<200 {
            let (command, index, stamp) = world.next()
            var changes = ChangeSet()
            _ = world.store.apply(command, at: index, stamped: stamp, into: &changes)
        }
        let restored = try StateStore.restored(
            from: world.store.recordBytes(),
            carried: world.store.carriedState,
            pieceBytes: size
        )
        #expect(Self.difference(world.store, restored) == nil)
    }

    @Test func `a stream that is cut anywhere but behind a record is refused`() throws {
        var world = World(seed: 5)
        for _ in 0..<60 {
            let (command, index, stamp) = world.next()
            var changes = ChangeSet()
            _ = world.store.apply(command, at: index, stamped: stamp, into: &changes)
        }
        let bytes = world.store.recordBytes()
        let ends = try StateStore.recordEnds(of: bytes)
        #expect(ends.count > 10)
        for length in bytes.indices {
            let isWhole = ends.contains(length)
            var code: StateStreamError.Code?
            do {
                _ = try StateStore.recordTypes(of: Array(bytes[..<length]))
            } catch let error as StateStreamError {
                code = error.code
            }
            #expect(code == (isWhole ? nil : .truncated))
        }
    }

    @Test(arguments: (1...8).map { UInt64($0) })
    func `damaged streams are refused or give a store, and never trap`(seed: UInt64) throws {
        var world = World(seed: seed)
        for _ in 0..<60 {
            let (command, index, stamp) = world.next()
            var changes = ChangeSet()
            _ = world.store.apply(command, at: index, stamped: stamp, into: &changes)
        }
        let bytes = world.store.recordBytes()
        let carried = world.store.carriedState
        for _ in 0..<300 {
            var damaged = bytes
            var carriedDamaged = carried
            for _ in 0..<Int.random(in: 1...3, using: &world.generator.random) {
                let place = Int.random(in: 0..<damaged.count, using: &world.generator.random)
                damaged[place] = UInt8.random(in: 0...255, using: &world.generator.random)
            }
            if world.generator.random.oneIn(3) {
                let place = Int.random(in: 0..<carried.count, using: &world.generator.random)
                carriedDamaged[place] = UInt8.random(in: 0...255, using: &world.generator.random)
            }
            do {
                var store = try StateStore.restored(from: damaged, carried: carriedDamaged)
                // Whatever came out must bear further commands and questions.
                let (command, index, stamp) = world.next()
                var changes = ChangeSet()
                _ = store.apply(command, at: index, stamped: stamp, into: &changes)
                for query in Query.all { _ = query.run(store) }
                _ = store.recordBytes()
            } catch let error as StateStreamError {
                #expect(!error.message.isEmpty)
            }
        }
    }

    @Test func `records that are not served here are written back in their place`() throws {
        var registry = TestStore()
        registry.register(node: "n1", service: "web")
        registry.put("a", "1")
        let store = registry.store
        // A prepared query, a token, an intention, a chunking record, and indexes of their tables.
        let extra: [(UInt8, [UInt8])] = [
            (29, [0x81, 0xA1, 0x58, 0x80]), (12, [0x81, 0xA1, 0x49, 0x03]), (7, [0x80]),
            (17, [0xC0]), (7, [0x81, 0xA1, 0x51, 0x02]),
            (
                16,
                [0x82, 0xA3] + "Key".utf8 + [0xAA] + "acl-tokens".utf8 + [0xA5] + "Value".utf8
                    + [0x07]
            ),
        ]
        var bytes = store.recordBytes()
        bytes.removeLast(RecordOutput.chunkingBytes)
        for (type, record) in extra { bytes += [type] + record }
        let restored = try StateStore.restored(from: bytes, carried: store.carriedState)
        let types = try StateStore.recordTypes(of: restored.recordBytes())
        #expect(types == [0, 0, 17, 2, 7, 7, 12, 16, 16, 16, 16, 16, 16, 29])
        let again = try restored.restoredCopy()
        #expect(again.recordBytes() == restored.recordBytes())
    }

    @Test func `types that no snapshot has are refused with their name`() throws {
        for (type, name) in [(1, "Deregister"), (10, "Area"), (42, "ResourceOperation")] {
            let bytes = StateStore().headerBytes + [UInt8(type), 0x80]
            let error = #expect(throws: StateStreamError.self) {
                try StateStore.restored(from: bytes, carried: [])
            }
            #expect(error?.code == .unknownType)
            #expect(error?.message.contains(name) == true)
        }
    }

    @Test func `a record that declares more than the limit is refused at once`() {
        let bytes = StateStore().headerBytes + [2, 0xDB, 0xFF, 0xFF, 0xFF, 0xFF, 0]
        let error = #expect(throws: StateStreamError.self) {
            try StateStore.restored(from: bytes, carried: [])
        }
        #expect(error?.code == .limit)
    }
}

extension RecordOutput {
    /// The length of the record that ends a stream without partial operations.
    static let chunkingBytes: Int = {
        var output = RecordOutput(pieceBytes: 1)
        output.emptyChunking()
        return output.writer.count
    }()
}

extension StateStore {
    func recordBytes() -> [UInt8] {
        var bytes: [UInt8] = []
        writeRecords(pieceBytes: 1000) { bytes.append(contentsOf: $0) }
        return bytes
    }

    var headerBytes: [UInt8] {
        var output = RecordOutput(pieceBytes: 1)
        output.header(lastIndex: lastApplied)
        return output.writer.bytes
    }

    func restoredCopy() throws -> StateStore {
        try StateStore.restored(from: recordBytes(), carried: carriedState)
    }

    static func restored(
        from bytes: [UInt8],
        carried: [UInt8],
        pieceBytes: Int = 1 << 16
    ) throws -> StateStore {
        var framer = RecordFramer()
        var restorer = try StateRestorer(carried: carried)
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            let piece = Array(bytes[start..<min(start + pieceBytes, bytes.count)])
            try piece.withUnsafeBytes { piece in
                try framer.consume(piece) { (frame) throws(StateStreamError) in
                    try restorer.add(frame)
                }
            }
        }
        try framer.finish { (frame) throws(StateStreamError) in try restorer.add(frame) }
        return try restorer.finish(lastIndex: framer.lastIndex ?? .zero)
    }

    static func recordTypes(of bytes: [UInt8]) throws -> [UInt8] {
        var framer = RecordFramer()
        var types: [UInt8] = []
        try bytes.withUnsafeBytes { piece in
            try framer.consume(piece) { types.append($0.type.rawValue) }
        }
        try framer.finish { types.append($0.type.rawValue) }
        return types
    }

    /// Where records end, the header's end first.
    static func recordEnds(of bytes: [UInt8]) throws -> Set<Int> {
        var framer = RecordFramer()
        var ends: Set<Int> = []
        try bytes.withUnsafeBytes { piece in
            try framer.consume(piece) { frame in
                ends.insert(frame.offset)
                ends.insert(frame.offset + 1 + frame.value.count)
            }
        }
        return ends
    }
}
