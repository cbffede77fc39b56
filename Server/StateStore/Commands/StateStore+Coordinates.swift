import Model

extension StateStore {
    /// Stores the coordinates of known nodes; those of unknown nodes and broken ones are dropped.
    ///
    /// - Source: Consul: PUT /v1/coordinate/update
    mutating func updateCoordinates(
        _ updates: [NodeCoordinate],
        _ context: inout WriteContext
    ) {
        for update in updates {
            guard update.coordinate.isFinite, nodeTable.name(update.node.folded) != nil else {
                continue
            }
            let record = CoordinateRecord(update)
            let key = CoordinateKey(node: record.foldedNode, segment: record.foldedSegment)
            guard coordinateTree.find(key)?.coordinate != update else { continue }
            coordinateTree.insert(record, at: key)
            noteCoordinate(of: record.foldedNode, &context)
        }
    }

    mutating func deleteCoordinates(node: String, _ context: inout WriteContext) {
        for record in coordinates(node: node).value {
            let key = CoordinateKey(node: node, segment: record.foldedSegment)
            coordinateTree.remove(key)
            noteCoordinate(of: node, &context)
        }
    }

    private mutating func noteCoordinate(of node: String, _ context: inout WriteContext) {
        indexes.coordinates = context.index
        context.changes.touch(Topic.Kind.coordinate)
        context.changes.touch(.coordinate(node))
    }

    /// - Source: Consul: PUT /v1/operator/autopilot/configuration?cas=
    mutating func applyAutopilot(
        _ command: AutopilotCommand,
        _ context: inout WriteContext
    ) -> CommandResult {
        if let expected = command.casIndex {
            guard let autopilot, autopilot.indexes.modify == expected else {
                return .condition(false)
            }
        }
        var configuration = command.configuration
        configuration.indexes = RecordIndexes(
            create: autopilot?.indexes.create ?? context.index,
            modify: context.index
        )
        autopilot = configuration
        context.changes.touch(Topic.Kind.autopilot)
        return command.casIndex == nil ? .done : .condition(true)
    }
}

extension Coordinate {
    /// False when any component is infinite or not a number.
    var isFinite: Bool {
        vector.allSatisfy(\.isFinite) && error.isFinite && adjustment.isFinite && height.isFinite
    }
}
