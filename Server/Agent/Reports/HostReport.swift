import Glibc
import Model
import NIOCore
import Wire

/// What the machine says of itself: memory, processors, system and disk.
///
/// - Source: Consul: GET /v1/agent/host; Linux: proc(5).
enum HostReport {
    private static let fileLimit = 4 << 20

    static func json() -> [UInt8] {
        var writer = JSONWriter(capacity: 16 * 1024)
        writer.beginObject()
        writer.key("Memory")
        writeMemory(into: &writer)
        writer.key("CPU")
        writeProcessors(into: &writer)
        writer.key("Host")
        writeSystem(into: &writer)
        writer.key("Disk")
        writeDisk(into: &writer)
        writer.key("CollectionTime")
        writer.unsigned(Clocks.wall().nanosecondsSinceEpoch)
        writer.key("Errors")
        writer.null()
        writer.endObject()
        return writer.bytes
    }

    /// The processor family as Go names it.
    static var architecture: String {
        #if arch(x86_64)
        "amd64"
        #elseif arch(arm64)
        "arm64"
        #else
        "other"
        #endif
    }

    /// Bytes of memory that the process has resident.
    static func residentBytes() -> UInt64 {
        let fields = text("/proc/self/statm").split(separator: " ")
        guard fields.count > 1, let pages = UInt64(fields[1]) else { return 0 }
        return pages * UInt64(sysconf(CInt(_SC_PAGESIZE)))
    }

    /// A moment in the layout of `agent/metrics`: the interval it falls in, in UTC.
    static func timestamp(_ moment: Timestamp) -> String {
        var seconds = time_t(moment.seconds / 10 * 10)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ number: CInt) -> String { number < 10 ? "0\(number)" : String(number) }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)) +0000 UTC"
    }

    private static func text(_ path: String) -> String {
        do throws(StorageError) {
            return String(decoding: try FileSystem.read(path, limit: fileLimit), as: UTF8.self)
        } catch {
            return ""
        }
    }

    /// `name: value` lines, values without their unit.
    private static func pairs(_ path: String) -> [(name: String, value: String)] {
        text(path).split(separator: "\n").compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].trimmed, line[line.index(after: colon)...].trimmed
            )
        }
    }

    // MARK: Memory

    private static func writeMemory(into writer: inout JSONWriter) {
        var known: [String: UInt64] = [:]
        for (name, value) in pairs("/proc/meminfo") {
            guard let number = UInt64(value.split(separator: " ").first ?? "") else { continue }
            known[name] = value.hasSuffix("kB") ? number * 1024 : number
        }
        func size(_ name: String) -> UInt64 { known[name] ?? 0 }
        let total = size("MemTotal")
        let cached = size("Cached") + size("SReclaimable")
        let kept = size("MemFree") + size("Buffers") + cached
        let used = total > kept ? total - kept : 0
        writer.beginObject()
        let first: [(StaticString, UInt64)] = [
            ("total", total), ("available", size("MemAvailable")), ("used", used),
        ]
        for (name, value) in first { write(name, value, into: &writer) }
        writer.key("usedPercent")
        writer.double(total == 0 ? 0 : Double(used) / Double(total) * 100)
        let rest: [(StaticString, UInt64)] = [
            ("free", size("MemFree")), ("active", size("Active")),
            ("inactive", size("Inactive")), ("wired", 0), ("laundry", 0),
            ("buffers", size("Buffers")), ("cached", cached),
            ("writeback", size("Writeback")), ("dirty", size("Dirty")),
            ("writebacktmp", size("WritebackTmp")), ("shared", size("Shmem")),
            ("slab", size("Slab")), ("sreclaimable", size("SReclaimable")),
            ("sunreclaim", size("SUnreclaim")), ("pagetables", size("PageTables")),
            ("swapcached", size("SwapCached")), ("commitlimit", size("CommitLimit")),
            ("committedas", size("Committed_AS")), ("hightotal", size("HighTotal")),
            ("highfree", size("HighFree")), ("lowtotal", size("LowTotal")),
            ("lowfree", size("LowFree")), ("swaptotal", size("SwapTotal")),
            ("swapfree", size("SwapFree")), ("mapped", size("Mapped")),
            ("vmalloctotal", size("VmallocTotal")), ("vmallocused", size("VmallocUsed")),
            ("vmallocchunk", size("VmallocChunk")),
            ("hugepagestotal", size("HugePages_Total")),
            ("hugepagesfree", size("HugePages_Free")), ("hugepagesize", size("Hugepagesize")),
        ]
        for (name, value) in rest { write(name, value, into: &writer) }
        writer.endObject()
    }

    private static func write(
        _ name: StaticString,
        _ value: UInt64,
        into writer: inout JSONWriter
    ) {
        writer.key(name)
        writer.unsigned(value)
    }

    // MARK: Processors

    private static func writeProcessors(into writer: inout JSONWriter) {
        writer.beginArray()
        var current: [String: String] = [:]
        for (name, value) in pairs("/proc/cpuinfo") {
            if name == "processor", !current.isEmpty {
                writeProcessor(current, into: &writer)
                current = [:]
            }
            current[name] = value
        }
        if !current.isEmpty { writeProcessor(current, into: &writer) }
        writer.endArray()
    }

    private static func writeProcessor(
        _ fields: [String: String],
        into writer: inout JSONWriter
    ) {
        func text(_ name: String) -> String { fields[name] ?? "" }
        func number(_ name: String) -> Int {
            Int(text(name).prefix { $0.isASCII && $0.isNumber }) ?? 0
        }
        writer.beginObject()
        writer.key("cpu")
        writer.integer(number("processor"))
        writer.key("vendorId")
        writer.string(text("vendor_id"))
        writer.key("family")
        writer.string(text("cpu family"))
        writer.key("model")
        writer.string(text("model"))
        writer.key("stepping")
        writer.integer(number("stepping"))
        writer.key("physicalId")
        writer.string(text("physical id"))
        writer.key("coreId")
        writer.string(text("core id"))
        writer.key("cores")
        writer.integer(1)
        writer.key("modelName")
        writer.string(text("model name"))
        writer.key("mhz")
        writer.integer(number("cpu MHz"))
        writer.key("cacheSize")
        writer.integer(number("cache size"))
        writer.key("flags")
        writer.value(text("flags").split(separator: " ").map(String.init))
        writer.key("microcode")
        writer.string(text("microcode"))
        writer.endObject()
    }

    // MARK: System and disk

    private static func writeSystem(into writer: inout JSONWriter) {
        var release: [String: String] = [:]
        for line in text("/etc/os-release").split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            release[String(parts[0])] = String(parts[1].filter { $0 != "\"" })
        }
        let uptime = text("/proc/uptime").split(separator: ".").first.flatMap { UInt64($0) } ?? 0
        let platform = release["ID"] ?? ""
        let processes = text("/proc/loadavg").split(separator: " ")
        let count = processes.count > 3 ? processes[3].split(separator: "/").last : nil
        writer.beginObject()
        writer.key("hostname")
        writer.string(text("/proc/sys/kernel/hostname").trimmed)
        writer.key("uptime")
        writer.unsigned(uptime)
        writer.key("bootTime")
        let now = Clocks.wall().seconds
        writer.unsigned(now > uptime ? now - uptime : 0)
        writer.key("procs")
        writer.unsigned(count.flatMap { UInt64($0) } ?? 0)
        let texts: [(StaticString, String)] = [
            ("os", "linux"), ("platform", platform),
            ("platformFamily", release["ID_LIKE"] ?? platform),
            ("platformVersion", release["VERSION_ID"] ?? ""),
            ("kernelVersion", text("/proc/sys/kernel/osrelease").trimmed),
            ("kernelArch", architecture == "amd64" ? "x86_64" : "aarch64"),
            ("virtualizationSystem", ""), ("virtualizationRole", ""),
            ("hostid", text("/etc/machine-id").trimmed),
        ]
        for (name, value) in texts {
            writer.key(name)
            writer.string(value)
        }
        writer.endObject()
    }

    private static func writeDisk(into writer: inout JSONWriter) {
        var status = statvfs()
        statvfs("/", &status)
        let block = UInt64(status.f_frsize)
        let total = UInt64(status.f_blocks) * block
        let free = UInt64(status.f_bavail) * block
        let used =
            (UInt64(status.f_blocks) - min(UInt64(status.f_bfree), UInt64(status.f_blocks))) * block
        let nodes = UInt64(status.f_files)
        let freeNodes = min(UInt64(status.f_ffree), nodes)
        writer.beginObject()
        writer.key("path")
        writer.string("/")
        writer.key("fstype")
        writer.string("")
        write("total", total, into: &writer)
        write("free", free, into: &writer)
        write("used", used, into: &writer)
        writer.key("usedPercent")
        writer.double(used + free == 0 ? 0 : Double(used) / Double(used + free) * 100)
        write("inodesTotal", nodes, into: &writer)
        write("inodesUsed", nodes - freeNodes, into: &writer)
        write("inodesFree", freeNodes, into: &writer)
        writer.key("inodesUsedPercent")
        writer.double(nodes == 0 ? 0 : Double(nodes - freeNodes) / Double(nodes) * 100)
        writer.endObject()
    }
}

extension Substring {
    fileprivate var trimmed: String {
        let start = drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}

extension String {
    fileprivate var trimmed: String { self[...].trimmed }
}
