import CZlib
import Crypto
import Model
import RandomSupport
import StateStore
import Testing

@testable import Snapshots

/// Whatever is wrong with an archive, it is refused with a reason, and nothing is taken from it.
@Suite struct HostileArchiveTests {
    private static func refusal(
        of archive: [UInt8],
        _ limits: SnapshotLimits = .init()
    ) -> SnapshotError? {
        do {
            _ = try readSnapshot(archive, limits: limits)
            return nil
        } catch let error as SnapshotError {
            return error
        } catch {
            Issue.record("\(error)")
            return nil
        }
    }

    private static func damage(of archive: [UInt8]) -> ArchiveDamage? {
        guard case .damaged(let damage) = refusal(of: archive) else { return nil }
        return damage
    }

    @Test func `truncated at every byte`() throws {
        for archive in [try goldenArchive(), try SampleWorld().archive()] {
            for length in archive.indices {
                let damage = Self.damage(of: Array(archive[..<length]))
                #expect(
                    damage?.isTruncation == true,
                    "\(length) bytes: \(String(describing: damage))"
                )
            }
        }
    }

    @Test func `bytes behind the end`() throws {
        let archive = try SampleWorld().archive()
        for extra in [[0], [0x1F, 0x8B], archive] as [[UInt8]] {
            #expect(Self.damage(of: archive + extra)?.place == .gzip)
        }
        // The same when they come in a piece of their own.
        let reader = try SnapshotReader()
        try reader.consume(archive)
        #expect(throws: SnapshotError.self) { try reader.consume([0]) }
    }

    @Test(arguments: (1...6).map { UInt64($0) })
    func `damaged anywhere`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let archive = seed % 2 == 0 ? try goldenArchive() : try SampleWorld().archive()
        let whole = recordBytes(of: try readSnapshot(archive).store)
        for _ in 0..<400 {
            var damaged = archive
            let place = Int.random(in: 0..<damaged.count, using: &random)
            damaged[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
            // Bits without a meaning, such as those that fill up a block's last byte.
            guard Self.refusal(of: damaged) == nil else { continue }
            #expect(recordBytes(of: try readSnapshot(damaged).store) == whole, "at \(place)")
        }
    }

    @Test(arguments: (1...4).map { UInt64($0) })
    func `damaged under a right checksum of the wrapper`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let world = SampleWorld()
        let tar = try gunzip(try world.archive())
        let intact = try readSnapshot(try world.archive()).metadata
        for _ in 0..<300 {
            var damaged = tar
            let place = Int.random(in: 0..<damaged.count, using: &random)
            damaged[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
            // What is in no checksum: how the checksums themselves are written.
            guard Self.refusal(of: gzip(damaged)) == nil else { continue }
            let read = try readSnapshot(gzip(damaged))
            #expect(recordBytes(of: read.store) == recordBytes(of: world.store), "at \(place)")
            #expect(read.metadata == intact, "at \(place)")
        }
    }

    @Test func `foreign, repeated, missing and misplaced entries`() throws {
        let parts = try Parts(of: try SampleWorld().archive())
        #expect(Self.refusal(of: parts.archive()) == nil)
        let cases: [(String, [Parts.File])] = [
            ("unexpected file \"../etc/passwd\"", parts.files + [("../etc/passwd", [1])]),
            ("comes twice", [parts.meta, parts.meta, parts.state, parts.sums]),
            ("before meta.json", [parts.state, parts.meta, parts.sums]),
            ("file missing for \"state.bin\"", [parts.meta, parts.sums]),
            ("file missing for \"SHA256SUMS\"", [parts.meta, parts.state]),
            ("file missing for \"meta.json\", \"state.bin\"", []),
        ]
        for (words, files) in cases {
            let damage = Self.damage(of: gzip(Parts.tar(files)))
            #expect(
                damage?.reason.contains(words) == true,
                "\(words): \(String(describing: damage))"
            )
        }
    }

    @Test func `what a client is told begins as Consul does and ends with what to do`() throws {
        let archive = try SampleWorld().archive()
        let parts = try Parts(of: archive)
        var flipped = parts.files
        flipped[1].bytes[5] ^= 1
        var unlisted = parts.files
        unlisted[2].bytes = Array(unlisted[2].bytes.prefix { $0 != UInt8(ascii: "\n") })
        var odd = parts.files
        odd[0].bytes = Array("{nope".utf8)
        let read = "failed to read snapshot file: "
        let cases: [([UInt8], String)] = [
            ([], "failed to decompress snapshot: EOF"),
            (Array(archive[..<5]), "failed to decompress snapshot: unexpected EOF"),
            (Array("hello, all".utf8), "failed to decompress snapshot: gzip: invalid header"),
            (Parts.tar(parts.files), "failed to decompress snapshot: gzip: invalid header"),
            (
                Array(archive.dropLast(9)),
                read + "failed to read or write snapshot data: unexpected EOF"
            ),
            (
                gzip(Parts.tar(flipped)),
                read + "failed checking integrity of snapshot: hash check failed for \"state.bin\""
            ),
            (
                gzip(Parts.tar(unlisted)),
                read + "failed checking integrity of snapshot: list missing hash for \"state.bin\""
            ),
            (
                gzip(Parts.tar(parts.files + [("extra", [1])])),
                read + "unexpected file \"extra\" in snapshot"
            ),
            (
                gzip(Parts.tar(odd)),
                read + "failed to decode snapshot metadata: invalid character 'n' looking for "
                    + "beginning of object key string"
            ),
        ]
        for (bytes, text) in cases {
            let message = text + "; take another copy of the snapshot"
            #expect(Self.refusal(of: bytes)?.message == message)
        }
    }

    @Test func `links and folders are not followed`() throws {
        let parts = try Parts(of: try SampleWorld().archive())
        for kind in "1234567LKxg".utf8 {
            var tar = Parts.tar(parts.files)
            tar[156] = kind
            Parts.fixChecksum(&tar)
            #expect(Self.damage(of: gzip(tar))?.place == .tar)
        }
    }

    @Test func `checksums that are wrong, missing, malformed or too many`() throws {
        let parts = try Parts(of: try SampleWorld().archive())
        let good = String(decoding: parts.sums.bytes, as: UTF8.self)
        let lines = good.split(separator: "\n").map(String.init)
        let bad = [
            "", lines[0] + "\n", lines[1] + "\n", good + good, "x" + good,
            good + String(repeating: "a", count: 64) + "  other\n",
            String(repeating: "0", count: 64) + "  state.bin\n" + lines[0] + "\n",
            good.replacing("  ", with: " "),
        ]
        for text in bad {
            var files = parts.files
            files[2].bytes = Array(text.utf8)
            #expect(Self.damage(of: gzip(Parts.tar(files)))?.place == .sums, "\(text)")
        }
    }

    @Test func `huge declared sizes are refused before anything is set aside`() throws {
        let parts = try Parts(of: try SampleWorld().archive())
        for name in ["meta.json", "state.bin", "SHA256SUMS"] {
            var tar: [UInt8] = []
            if name != "meta.json" { tar += Parts.entry(parts.meta) }
            tar += TarFormat.header(name: name, size: 1 << 50, seconds: 0) + TarFormat.end
            #expect(Self.refusal(of: gzip(tar)) != nil)
        }
        // A record that claims four gigabytes.
        var files = parts.files
        files[1].bytes = [0x80, 2, 0xDB, 0xFF, 0xFF, 0xFF, 0xFF]
        let meta = String(decoding: parts.meta.bytes, as: UTF8.self)
        let size = "\"Size\":\(parts.state.bytes.count)"
        files[0].bytes = Array(meta.replacing(size, with: "\"Size\":7").utf8)
        guard case .state(let error) = Self.refusal(of: Parts.archive(files)) else {
            Issue.record("accepted")
            return
        }
        #expect(error.code == .limit)
    }

    @Test func `a bomb is refused while it is still small`() throws {
        var limits = SnapshotLimits()
        limits.ratioFreeBytes = 1 << 20
        limits.ratio = 100
        let world = SampleWorld()
        var zeros = world
        zeros.put("zeros", [UInt8](repeating: 0, count: 16 << 20))
        let bomb = try zeros.archive()
        #expect(bomb.count < 200_000)
        guard case .limit = Self.refusal(of: bomb, limits) else {
            Issue.record("accepted")
            return
        }
        #expect(Self.refusal(of: try world.archive(), limits) == nil)
        limits = SnapshotLimits()
        limits.archiveBytes = 1000
        guard case .limit = Self.refusal(of: try world.archive(), limits) else {
            Issue.record("accepted")
            return
        }
    }

    @Test func `metadata of a later version, of nonsense, and of another size`() throws {
        let parts = try Parts(of: try SampleWorld().archive())
        let meta = String(decoding: parts.meta.bytes, as: UTF8.self)
        let cases = [
            meta.replacing("\"Muster\":{\"Version\":1", with: "\"Muster\":{\"Version\":2"),
            meta.replacing("\"Version\":1,\"ID\"", with: "\"Version\":9,\"ID\""),
            meta.replacing("\"Size\":", with: "\"Size\":1"),
            meta.replacing("\"Size\":", with: "\"Size\":-"),
            meta.replacing("\"State\":\"", with: "\"State\":\"gA"),
            "{", "", "null", "[]", String(repeating: "[", count: 100_000),
        ]
        for text in cases {
            var files = parts.files
            files[0].bytes = Array(text.utf8)
            #expect(Self.refusal(of: Parts.archive(files)) != nil, "\(text.prefix(60))")
        }
    }

    @Test(arguments: (1...3).map { UInt64($0) })
    func `random bytes, raw and wrapped`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<200 {
            let count = Int.random(in: 0...3000, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Self.refusal(of: bytes) != nil)
            #expect(Self.refusal(of: gzip(bytes)) != nil)
        }
    }
}
