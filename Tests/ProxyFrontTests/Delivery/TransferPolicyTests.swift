import ProxyFront
import Testing

@Suite struct TransferPolicyTests {
    private static let mebi: Int64 = 1 << 20

    @Test(
        arguments: [
            (received: 0, total: 63, goesOn: true), (0, 64, false), (0, 100, false), (40, 100, true),
            (35, 100, false),
            (500, 1000, false), (501, 1000, true), (100, 1000, false), (950, 1000, true),
        ] as [(received: Int64, total: Int64, goesOn: Bool)])
    func aTransferWithoutReadersGoesOnWhenLittleIsMissing(
        received: Int64, total: Int64, goesOn: Bool
    ) {
        let policy = TransferPolicy()
        #expect(
            policy.goesOnAlone(received: received * Self.mebi, total: total * Self.mebi) == goesOn)
    }

    @Test func aTransferOfUnknownLengthGoesOn() {
        #expect(TransferPolicy().goesOnAlone(received: 1 << 40, total: nil))
    }

    @Test(
        arguments: [(0, 64, true), (0, 65, false), (16, 65, false), (17, 65, true)] as [(Int64, Int64, Bool)])
    func theRestIsFilledWhenSmallOrOnceAQuarterWasAskedFor(asked: Int64, total: Int64, fills: Bool) {
        #expect(
            TransferPolicy().fillsWhole(asked: asked * Self.mebi, total: total * Self.mebi) == fills)
    }

    @Test(
        arguments: [
            (50, 100, 0, true), (100, 100, 0, true), (1_000_100, 100, 1_000_000, true),
            (1_000_101, 100, 1_000_000, false), (262_244, 100, 0, true), (262_245, 100, 0, false),
        ] as [(Int64, Int64, Double, Bool)])
    func aRangeNearTheFrontOrWithinASecondOfItWaits(
        offset: Int64, front: Int64, rate: Double, waits: Bool
    ) {
        #expect(TransferPolicy().reachesSoon(offset, front: front, rate: rate) == waits)
    }

    @Test func theLastBytesAreHeldBack() {
        #expect(Holdback(total: 1_000_000).limit(front: 10) == 1_000_000 - Holdback.limit)
        #expect(Holdback(total: 10).limit(front: 10) == 0)
        #expect(Holdback(total: nil).limit(front: 100_000) == 100_000 - Holdback.limit)
        #expect(Holdback(total: nil).limit(front: 5) == 0)
    }
}

@Suite struct ResumePlanTests {
    private func steps(_ plan: ResumePlan) -> [ResumePlan.Step] {
        var plan = plan
        var steps: [ResumePlan.Step] = []
        while let step = plan.next() { steps.append(step) }
        return steps
    }

    @Test func theSameSourceUnderAStrongValidatorComesFirst() {
        var plan = ResumePlan(fallsBack: [true, true, false], isDigestNamed: false)
        plan.brokeOff(at: 0, offset: 10, validator: "\"v\"")
        #expect(
            steps(plan) == [
                .resume(index: 0, validator: "\"v\""), .compare(index: 0), .compare(index: 1),
                .compare(index: 2),
            ])
    }

    @Test func withoutAValidatorOnlyEqualBytesMayFollow() {
        var plan = ResumePlan(fallsBack: [true, false], isDigestNamed: false)
        plan.brokeOff(at: 0, offset: 10, validator: nil)
        #expect(steps(plan) == [.compare(index: 0), .compare(index: 1)])
    }

    @Test func aCommaKeepsTheNextUpstreamOut() {
        var plan = ResumePlan(fallsBack: [false, false], isDigestNamed: false)
        plan.brokeOff(at: 0, offset: 10, validator: nil)
        #expect(steps(plan) == [.compare(index: 0)])
    }

    @Test func aDigestMayBeContinuedByAnySource() {
        var plan = ResumePlan(fallsBack: [true, true, false], isDigestNamed: true)
        plan.brokeOff(at: 1, offset: 10, validator: "\"v\"")
        #expect(steps(plan) == [.resume(index: 1, validator: nil), .resume(index: 2, validator: nil)])
    }

    @Test func aSourceThatCutsAtTheSameByteAgainIsNotAskedForEver() {
        var plan = ResumePlan(fallsBack: [true, false], isDigestNamed: false)
        plan.brokeOff(at: 0, offset: 10, validator: nil)
        #expect(plan.next() == .compare(index: 0))
        plan.brokeOff(at: 0, offset: 10, validator: nil)
        #expect(plan.next() == .compare(index: 1))
        plan.brokeOff(at: 1, offset: 11, validator: nil)
        #expect(plan.next() == .compare(index: 1))
    }

    @Test func aServerThatCutsForEverIsGivenUp() {
        var plan = ResumePlan(fallsBack: [false], isDigestNamed: false)
        var count = 0
        while true {
            plan.brokeOff(at: 0, offset: Int64(count + 1), validator: "\"v\"")
            guard plan.next() != nil else { break }
            count += 1
        }
        #expect(count == ResumePlan.maximumSteps)
    }

    @Test func aWireThatBreaksNowAndThenIsNot() {
        var plan = ResumePlan(fallsBack: [false], isDigestNamed: true)
        for count in 1...10_000 {
            plan.brokeOff(at: 0, offset: Int64(count) * ResumePlan.worthwhile, validator: nil)
            #expect(plan.next() == .resume(index: 0, validator: nil))
            // A pause and everybody once more costs a step too.
            plan.startOver(at: 0, validator: nil)
            #expect(plan.next() == .resume(index: 0, validator: nil))
        }
    }

    @Test func smallGainsAddUp() {
        var plan = ResumePlan(fallsBack: [false], isDigestNamed: true)
        let gain = ResumePlan.worthwhile / Int64(ResumePlan.maximumSteps) + 1
        for count in 1...10_000 {
            plan.brokeOff(at: 0, offset: Int64(count) * gain, validator: nil)
            #expect(plan.next() == .resume(index: 0, validator: nil))
        }
    }

    @Test func aBodyIsNotReadAgainForEachSmallGain() {
        var plan = ResumePlan(fallsBack: [false], isDigestNamed: false)
        var (read, offset) = (Int64(0), Int64(0))
        while offset < 1 << 30 {
            offset += ResumePlan.worthwhile
            plan.brokeOff(at: 0, offset: offset, validator: nil)
            guard plan.next() != nil else { break }
            plan.reread(offset)
            read += offset
        }
        #expect(plan.isSpent)
        #expect(read <= 24 * offset)
    }

    @Test func afterAPauseOnlyTheSameBytesMayFollow() {
        var plan = ResumePlan(fallsBack: [true, false], isDigestNamed: false)
        plan.startOver(at: 0, validator: "\"v\"")
        #expect(steps(plan) == [.resume(index: 0, validator: "\"v\"")])
        plan = ResumePlan(fallsBack: [true, false], isDigestNamed: false)
        plan.startOver(at: 0, validator: nil)
        #expect(steps(plan).isEmpty)
        plan = ResumePlan(fallsBack: [true, false], isDigestNamed: true)
        plan.startOver(at: 1, validator: "\"v\"")
        #expect(steps(plan) == [.resume(index: 1, validator: nil), .resume(index: 0, validator: nil)])
    }
}

@Suite struct SingleFlightTests {
    @Test func thirtyTwoWhoAskAtOnceCauseOnePieceOfWork() async throws {
        let flights = SingleFlight<String, Int>()
        let gate = OneShot<Void>()
        let runs = OneShot<Void>()
        let results = try await withThrowingTaskGroup(of: (Int, Bool).self) { group in
            for _ in 0..<32 {
                group.addTask {
                    try await flights.run("key") {
                        #expect(runs.fulfil(()), "the work must start once")
                        try? await gate.value()
                        return 7
                    }
                }
            }
            try await runs.value()
            gate.fulfil(())
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.allSatisfy { $0.0 == 7 })
        #expect(results.count { !$0.1 } == 1)
        #expect(flights.count == 0)
    }

    @Test func whoGoesAwayStopsNobody() async throws {
        let flights = SingleFlight<String, Int>()
        let gate = OneShot<Void>()
        let started = OneShot<Void>()
        let first = Task {
            try await flights.run("key") {
                started.fulfil(())
                try? await gate.value()
                return 7
            }.0
        }
        try await started.value()
        let second = Task { try await flights.run("key") { 8 }.0 }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        gate.fulfil(())
        // The second either joined the first's work or came after its end.
        let value = try await second.value
        #expect(value == 7 || value == 8)
    }

    @Test func waitingForAOneShotEndsInTime() async {
        let never = OneShot<Int>()
        await #expect(throws: OneShot<Int>.TimedOut.self) { try await never.value(within: .milliseconds(1)) }
        never.fulfil(1)
        #expect(!never.fulfil(2))
        #expect(never.current == 1)
    }
}
