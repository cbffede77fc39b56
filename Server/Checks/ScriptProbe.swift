import Glibc
import Model
import NIOCore
import NIOPosix
import Wire

/// Runs a program: exit code 0 passes, 1 warns, everything else is critical.
///
/// - Source: Consul: docs/discovery/checks "Script + Interval".
struct ScriptProbe: Probe {
    let arguments: [String]
    let timeout: Nanoseconds
    let outputLimit: Int

    func run(on eventLoop: any EventLoop, _ completion: @escaping @Sendable (Verdict) -> Void) {
        let process: ChildProcess
        do throws(ChildProcess.SpawnError) {
            process = try ChildProcess.spawn(arguments)
        } catch {
            return completion(Verdict(.critical, error.text))
        }
        ScriptRun(probe: self, process: process, eventLoop: eventLoop, completion: completion)
            .begin()
    }

    func verdict(exit: ChildProcess.Exit, output: TailBuffer) -> Verdict {
        var text = output.text
        if output.isCut {
            text = "Captured \(output.limit) of \(output.total) bytes\n...\n\(text)"
        }
        switch exit {
        case .code(0): return Verdict(.passing, text)
        case .code(1): return Verdict(.warning, text)
        default: return Verdict(.critical, text)
        }
    }
}

/// One run of a script: waits for its end, or kills it when the time is over.
private final class ScriptRun {
    /// How often the end of the program is looked for.
    private static let poll = TimeAmount.milliseconds(20)
    /// Polls after the end during which output of orphaned children is still taken.
    private static let graceRounds = 5

    private let probe: ScriptProbe
    private let process: ChildProcess
    private let eventLoop: any EventLoop
    private let completion: (Verdict) -> Void
    private let deadline: NIODeadline
    private var output: TailBuffer
    private var channel: (any Channel)?
    private var outputEnded = false
    private var exit: ChildProcess.Exit?
    private var graceLeft = ScriptRun.graceRounds
    private var timedOut = false

    init(
        probe: ScriptProbe,
        process: ChildProcess,
        eventLoop: any EventLoop,
        completion: @escaping (Verdict) -> Void
    ) {
        self.probe = probe
        self.process = process
        self.eventLoop = eventLoop
        self.completion = completion
        deadline = .now() + .nanoseconds(probe.timeout.rawValue)
        output = TailBuffer(limit: probe.outputLimit)
    }

    func begin() {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        NIOPipeBootstrap(group: eventLoop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        OutputHandler { bound.value.take($0) }
                    )
                }
            }
            .takingOwnershipOfDescriptor(input: process.output)
            .hop(to: eventLoop)
            .whenComplete { result in
                switch result {
                case .success(let channel): bound.value.channel = channel
                case .failure: bound.value.outputEnded = true
                }
            }
        look()
    }

    private func take(_ bytes: ByteBuffer?) {
        guard let bytes else {
            outputEnded = true
            return
        }
        output.append(bytes.readableBytesView)
    }

    private func look() {
        if exit == nil { exit = process.exit() }
        if let exit {
            if outputEnded || graceLeft == 0 { return finish(exit) }
            graceLeft -= 1
        } else if !timedOut, NIODeadline.now() >= deadline {
            timedOut = true
            process.kill()
        }
        eventLoop.assumeIsolated().scheduleTask(in: Self.poll) { self.look() }
    }

    private func finish(_ exit: ChildProcess.Exit) {
        channel?.close(promise: nil)
        guard !timedOut else {
            let text = "Timed out (\(GoDuration.format(probe.timeout))) running check"
            return completion(Verdict(.critical, text))
        }
        completion(probe.verdict(exit: exit, output: output))
    }
}

/// Hands on what a program writes; nil at its end.
private final class OutputHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let take: (ByteBuffer?) -> Void

    init(take: @escaping (ByteBuffer?) -> Void) {
        self.take = take
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        take(unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) {
        take(nil)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
