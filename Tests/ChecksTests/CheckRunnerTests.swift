import Checks
import LocalState
import Model
import NIOCore
import NIOPosix
import Testing

@Suite struct CheckRunnerTests {
    @Test func aCheckReportsUntilItIsStopped() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let first = loop.makePromise(of: Verdict.self)
        let runner = try await loop.submit {
            var limits = CheckLimits()
            limits.leastInterval = .milliseconds(20)
            limits.wheelTick = .milliseconds(5)
            var isFirst = true
            let runner = CheckRunner(
                eventLoop: loop,
                limits: limits,
                factory: ProbeFactory(limits: limits)
            ) { id, verdict in
                #expect(id == "c")
                guard isFirst else { return }
                isFirst = false
                first.succeed(verdict)
            }
            var definition = CheckRegistration()
            definition.scriptArguments = ["true"]
            definition.interval = .milliseconds(20)
            runner.start(
                CheckTask(id: "c", kind: .script, definition: definition, outputLimit: 10)
            )
            return NIOLoopBound(runner, eventLoop: loop)
        }.get()
        #expect(try await first.futureResult.get().status == .passing)
        let count = try await loop.submit {
            runner.value.stop("c")
            defer { runner.value.stopAll() }
            return runner.value.count
        }.get()
        #expect(count == 0)
    }

    @Test func checksThatOthersDriveAreNotRun() async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let count = try await loop.submit {
            let runner = CheckRunner(eventLoop: loop, factory: ProbeFactory()) { _, _ in }
            for kind in [CheckKind.ttl, .alias] {
                runner.start(
                    CheckTask(
                        id: kind.rawValue,
                        kind: kind,
                        definition: CheckRegistration(),
                        outputLimit: 10
                    )
                )
            }
            defer { runner.stopAll() }
            return runner.count
        }.get()
        #expect(count == 0)
    }
}
