/// A compiled pattern: a machine that follows all alternatives at the same time.
///
/// - Source: R. Cox, "Regular Expression Matching: the Virtual Machine Approach" (Pike's machine).
struct RegularExpressionProgram: Sendable {
    private enum Instruction: Sendable {
        case scalar(UInt32)
        case set(Int)
        case assertion(RegularExpressionNode.Assertion)
        case jump(Int)
        case split(Int, Int)
        case accept
    }

    private var instructions: [Instruction] = []
    private var sets: [ScalarSet] = []

    init(_ node: RegularExpressionNode) throws(RegularExpressionError) {
        try emit(node)
        try emit(.accept)
    }

    // MARK: Compiling

    private mutating func emit(_ instruction: Instruction) throws(RegularExpressionError) {
        guard instructions.count < FilterLimits.regularExpressionInstructions else {
            throw RegularExpressionError("expression too large", [])
        }
        instructions.append(instruction)
    }

    private mutating func emit(_ node: RegularExpressionNode) throws(RegularExpressionError) {
        switch node {
        case .empty: break
        case .scalar(let value): try emit(Instruction.scalar(value))
        case .set(let set):
            sets.append(set)
            try emit(Instruction.set(sets.count - 1))
        case .assertion(let assertion): try emit(Instruction.assertion(assertion))
        case .sequence(let nodes):
            for node in nodes { try emit(node) }
        case .choice(let nodes): try emit(choice: nodes)
        case .repetition(let node, let minimum, let maximum):
            for _ in 0..<minimum { try emit(node) }
            guard let maximum else { return try emit(star: node) }
            // x{2,4} is xx(x(x)?)?, and leaving any of them leaves them all.
            var splits: [Int] = []
            for _ in minimum..<max(minimum, maximum) {
                splits.append(instructions.count)
                try emit(.accept)
                try emit(node)
            }
            for split in splits { instructions[split] = .split(split + 1, instructions.count) }
        }
    }

    private mutating func emit(
        star node: RegularExpressionNode
    ) throws(RegularExpressionError) {
        let split = instructions.count
        try emit(.accept)
        try emit(node)
        try emit(.jump(split))
        instructions[split] = .split(split + 1, instructions.count)
    }

    private mutating func emit(
        choice nodes: [RegularExpressionNode]
    ) throws(RegularExpressionError) {
        var jumps: [Int] = []
        for node in nodes.dropLast() {
            let split = instructions.count
            try emit(.accept)
            try emit(node)
            jumps.append(instructions.count)
            try emit(.accept)
            instructions[split] = .split(split + 1, instructions.count)
        }
        if let last = nodes.last { try emit(last) }
        for jump in jumps { instructions[jump] = .jump(instructions.count) }
    }

    // MARK: Matching

    /// The places where the machine is, each once.
    private struct Threads {
        var list: [Int] = []
        /// The step in which each instruction was last added.
        var addedAt: [Int]
        var step = 0

        init(count: Int) {
            addedAt = Array(repeating: -1, count: count)
        }
    }

    func matches(_ text: String) -> Bool {
        var current = Threads(count: instructions.count)
        var next = current
        var stack: [Int] = []
        var previous: UInt32?
        var scalars = text.unicodeScalars.makeIterator()
        var scalar = scalars.next()?.value
        var step = 0
        while true {
            current.step = step
            // A match may begin anywhere.
            if add(0, to: &current, &stack, previous, scalar) { return true }
            guard let value = scalar else { return false }
            let following = scalars.next()?.value
            step += 1
            next.step = step
            next.list.removeAll(keepingCapacity: true)
            for index in current.list {
                let accepts =
                    switch instructions[index] {
                    case .scalar(let wanted): wanted == value
                    case .set(let set): sets[set].contains(value)
                    case .assertion, .jump, .split, .accept: false
                    }
                if accepts, add(index + 1, to: &next, &stack, value, following) { return true }
            }
            swap(&current, &next)
            previous = value
            scalar = following
        }
    }

    /// Follows everything that needs no scalar; true when that ends the pattern.
    private func add(
        _ start: Int,
        to threads: inout Threads,
        _ stack: inout [Int],
        _ previous: UInt32?,
        _ following: UInt32?
    ) -> Bool {
        stack.removeAll(keepingCapacity: true)
        stack.append(start)
        while let index = stack.popLast() {
            guard threads.addedAt[index] != threads.step else { continue }
            threads.addedAt[index] = threads.step
            switch instructions[index] {
            case .accept: return true
            case .jump(let target): stack.append(target)
            case .split(let first, let second):
                stack.append(second)
                stack.append(first)
            case .assertion(let assertion):
                if assertion.holds(between: previous, and: following) { stack.append(index + 1) }
            case .scalar, .set: threads.list.append(index)
            }
        }
        return false
    }
}

extension RegularExpressionNode.Assertion {
    fileprivate func holds(between previous: UInt32?, and following: UInt32?) -> Bool {
        switch self {
        case .textStart: previous == nil
        case .textEnd: following == nil
        case .lineStart: previous == nil || previous == 0x0A
        case .lineEnd: following == nil || following == 0x0A
        case .wordBoundary: isWord(previous) != isWord(following)
        case .notWordBoundary: isWord(previous) == isWord(following)
        }
    }

    private func isWord(_ scalar: UInt32?) -> Bool {
        guard let scalar else { return false }
        return ScalarSet.word.contains { $0.contains(scalar) }
    }
}
