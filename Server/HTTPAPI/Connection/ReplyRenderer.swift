import NIOCore
import Wire

/// How one request wants its reply written.
struct ReplyVariant: Hashable {
    var isHTTP10 = false
    var closes = false
    /// A reply to HEAD: the head alone.
    var omitsBody = false
    var compresses = false
    var indents = false
}

/// A reply as the bytes of one buffer, with the place of its date.
struct RenderedReply {
    var buffer: ByteBuffer
    /// Where the 29 bytes of the date start, counted from the buffer's reader index.
    var dateOffset: Int
    /// The second that is written there.
    var second: Int
    /// Where the digits of the last contact are, counted likewise.
    var contactDigits: Range<Int>?
    /// What they say.
    var contact = 0

    /// Writes the current date into the buffer.
    mutating func refresh(_ date: HTTPDate) {
        guard date.second != second else { return }
        second = date.second
        buffer.setBytes(date.text, at: buffer.readerIndex + dateOffset)
    }

    /// Writes how many milliseconds ago the leader was heard.
    ///
    /// Complexity: the length of the reply when the number of digits is another.
    mutating func setContact(_ milliseconds: Int) {
        guard let digits = contactDigits, contact != milliseconds else { return }
        contact = milliseconds
        let text = String(milliseconds)
        let start = buffer.readerIndex
        let growth = text.utf8.count - digits.count
        if growth == 0 {
            buffer.setString(text, at: start + digits.lowerBound)
            return
        }
        let tail = buffer.readableBytesView[(start + digits.upperBound)...]
        var longer = ByteBuffer()
        longer.reserveCapacity(buffer.readableBytes + growth)
        longer.writeBytes(buffer.readableBytesView.prefix(digits.lowerBound))
        longer.writeString(text)
        longer.writeBytes(tail)
        buffer = longer
        contactDigits = digits.lowerBound..<digits.upperBound + growth
        // The date follows the fields that handlers set.
        dateOffset += growth
    }
}

/// Writes replies as HTTP/1.1, field order included, as Consul's server does.
///
/// The fields a handler set come first, sorted by name; then Date, Content-Length, a sniffed
/// Content-Type, and Connection.
/// - Source: Go net/http (extraHeader.Write), observed on Consul 1.8.7.
struct ReplyRenderer {
    /// The field that tells how long ago the leader was heard, in milliseconds.
    static let contactField = "X-Consul-Lastcontact"

    let settings: HTTPSettings
    let allocator: ByteBufferAllocator
    private let compressor = GzipCompressor()

    init(settings: HTTPSettings, allocator: ByteBufferAllocator) {
        self.settings = settings
        self.allocator = allocator
    }

    func render(_ reply: Reply, _ variant: ReplyVariant, date: HTTPDate) -> RenderedReply {
        var body = reply.body
        if reply.kind == .json {
            if variant.indents { body = JSON.pretty(body) + [UInt8(ascii: "\n")] }
        }
        var fields = reply.headers
        if reply.varies { fields.append(contentsOf: settings.responseHeaders) }
        if reply.varies { fields.append(("Vary", "Accept-Encoding")) }
        if reply.varies, settings.translatesWANAddresses {
            fields.append(("X-Consul-Translate-Addresses", "true"))
        }
        if reply.kind == .json { fields.append(("Content-Type", "application/json")) }
        if variant.compresses, reply.varies, !body.isEmpty, let smaller = compressor.compress(body)
        {
            body = smaller
            fields.removeAll { $0.name == "Content-Length" }
            fields.append(("Content-Encoding", "gzip"))
        }
        fields.sort { $0.name < $1.name }
        return write(reply, fields, body, variant, date)
    }

    private func write(
        _ reply: Reply,
        _ fields: [(name: String, value: String)],
        _ body: [UInt8],
        _ variant: ReplyVariant,
        _ date: HTTPDate
    ) -> RenderedReply {
        var buffer = allocator.buffer(capacity: 320 + body.count)
        buffer.writeString(variant.isHTTP10 ? "HTTP/1.0 " : "HTTP/1.1 ")
        buffer.writeString("\(reply.status.rawValue) \(reply.status.reason)\r\n")
        var namesLength = false
        var contact: (digits: Range<Int>, value: Int)?
        for field in fields {
            if field.name == "Content-Length" { namesLength = true }
            buffer.writeField(field.name, field.value)
            if field.name == ReplyRenderer.contactField, let value = Int(field.value) {
                let end = buffer.readableBytes - 2
                contact = (end - field.value.utf8.count..<end, value)
            }
        }
        buffer.writeString("Date: ")
        let dateOffset = buffer.readableBytes
        buffer.writeBytes(date.text)
        buffer.writeString("\r\n")
        if !namesLength { buffer.writeField("Content-Length", String(body.count)) }
        if reply.kind == .text, !body.isEmpty {
            buffer.writeField("Content-Type", "text/plain; charset=utf-8")
        }
        if variant.closes {
            if !variant.isHTTP10 { buffer.writeField("Connection", "close") }
        } else if variant.isHTTP10 {
            buffer.writeField("Connection", "keep-alive")
        }
        buffer.writeString("\r\n")
        if !variant.omitsBody { buffer.writeBytes(body) }
        return RenderedReply(
            buffer: buffer,
            dateOffset: dateOffset,
            second: date.second,
            contactDigits: contact?.digits,
            contact: contact?.value ?? 0
        )
    }

    /// The head of a reply whose body follows in pieces: chunks, or up to the connection's end.
    func renderHead(
        of reply: StreamedReply,
        _ variant: ReplyVariant,
        date: HTTPDate
    ) -> ByteBuffer {
        var fields = reply.head.headers
        fields.append(contentsOf: settings.responseHeaders)
        fields.append(("Vary", "Accept-Encoding"))
        fields.sort { $0.name < $1.name }
        let status = reply.head.status
        var buffer = allocator.buffer(capacity: 512)
        buffer.writeString(variant.isHTTP10 ? "HTTP/1.0 " : "HTTP/1.1 ")
        buffer.writeString("\(status.rawValue) \(status.reason)\r\n")
        for field in fields { buffer.writeField(field.name, field.value) }
        buffer.writeString("Date: ")
        buffer.writeBytes(date.text)
        buffer.writeString("\r\n")
        buffer.writeField("Content-Type", reply.contentType)
        if !variant.isHTTP10 { buffer.writeField("Transfer-Encoding", "chunked") }
        if variant.closes, !variant.isHTTP10 { buffer.writeField("Connection", "close") }
        buffer.writeString("\r\n")
        return buffer
    }

    /// What goes out for a request that could not be parsed; the connection ends after it.
    static func protocolError(_ status: Status, _ text: String, reason: String? = nil) -> String {
        "HTTP/1.1 \(status.rawValue) \(reason ?? status.reason)\r\n"
            + "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" + text
    }
}

extension ByteBuffer {
    /// Writes one header field; line breaks in the value become spaces.
    fileprivate mutating func writeField(_ name: String, _ value: String) {
        writeString(name)
        writeString(": ")
        if value.utf8.contains(where: { $0 == 0x0A || $0 == 0x0D }) {
            writeBytes(value.utf8.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        } else {
            writeString(value)
        }
        writeString("\r\n")
    }
}
