extension ServiceInstance {
    /// Writes the entry that `catalog/service` shows, piece by piece, from prepared fragments.
    ///
    /// The same bytes as `CatalogJSON.serviceNode` makes of the records, several times faster.
    /// - Source: Consul: GET /v1/catalog/service/:service
    package func writeCatalogJSON(_ write: (UnsafeRawBufferPointer) -> Void) {
        func put(_ text: StaticString) { write(UnsafeRawBufferPointer(text)) }
        put("{")
        node.json.withUnsafeBytes { Self.writeNodeFields(of: $0, put, write) }
        service.withJSON { Self.writeServiceFields(of: $0, put, write) }
        put("}")
    }

    private static func writeNodeFields(
        of object: UnsafeRawBufferPointer,
        _ put: (StaticString) -> Void,
        _ write: (UnsafeRawBufferPointer) -> Void
    ) {
        for field in FragmentFields(object) {
            // The indexes that follow are the node's own.
            if field.isNamed("CreateIndex") { return }
            put(field.isNamed("Meta") ? "\"Node" : "\"")
            write(field.key)
            put("\":")
            write(field.value)
            put(",")
        }
    }

    private static func writeServiceFields(
        of object: UnsafeRawBufferPointer,
        _ put: (StaticString) -> Void,
        _ write: (UnsafeRawBufferPointer) -> Void
    ) {
        // Here the weights come before the metadata and the port.
        var delayed: (meta: FragmentFields.Field?, port: FragmentFields.Field?) = (nil, nil)
        var isFirst = true
        for field in FragmentFields(object) {
            if isFirst {
                put("\"ServiceKind\":")
                isFirst = false
                guard !field.isNamed("Kind") else {
                    write(field.value)
                    continue
                }
                put("\"\"")
            }
            if field.isNamed("Meta") {
                delayed.meta = field
            } else if field.isNamed("Port") {
                delayed.port = field
            } else if field.isNamed("CreateIndex") || field.isNamed("ModifyIndex") {
                writeField(field, prefix: ",\"", put, write)
            } else {
                writeField(field, prefix: ",\"Service", put, write)
                guard field.isNamed("Weights") else { continue }
                delayed.meta.map { writeField($0, prefix: ",\"Service", put, write) }
                delayed.port.map { writeField($0, prefix: ",\"Service", put, write) }
            }
        }
    }

    private static func writeField(
        _ field: FragmentFields.Field,
        prefix: StaticString,
        _ put: (StaticString) -> Void,
        _ write: (UnsafeRawBufferPointer) -> Void
    ) {
        put(prefix)
        if field.isNamed("Service") {
            put("Name")
        } else {
            write(field.key)
        }
        put("\":")
        // Neither null nor absent: an empty object.
        if field.isNamed("Meta"), field.value.first == UInt8(ascii: "n") {
            put("{}")
        } else {
            write(field.value)
        }
    }

    /// The whole `catalog/service` reply, without a final newline.
    package static func catalogJSON(_ instances: [ServiceInstance]) -> [UInt8] {
        // Each entry is shorter than its parts and what the longer names add.
        let size = instances.reduce(2) { size, instance in
            size + instance.node.json.count + instance.service.withJSON { $0.count } + 256
        }
        return Array(unsafeUninitializedCapacity: size) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            func write(_ piece: UnsafeRawBufferPointer) {
                precondition(piece.count <= size - count, "entry longer than \(size) bytes")
                UnsafeMutableRawBufferPointer(rebasing: bytes[count...]).copyMemory(from: piece)
                count += piece.count
            }
            write(UnsafeRawBufferPointer("["))
            for (position, instance) in instances.enumerated() {
                if position > 0 { write(UnsafeRawBufferPointer(",")) }
                instance.writeCatalogJSON(write)
            }
            write(UnsafeRawBufferPointer("]"))
        }
    }
}
