import ChunkStore
import Content
import NIOCore
import ProxyFront
import Testing

@Suite struct FlightTests {
    private static let module = TestModule(filler: 400_000)

    /// Sends the first bytes, then the rest when the gate opens.
    private static func gated(_ gate: FaultUpstream.Gate, after count: Int) -> FaultUpstream.Script {
        { asked in
            let zip = module.zip
            if asked.rangeStart != nil { return [.send(asked.part(of: zip, etag: "\"v\""))] }
            return [
                .send(.head(200, ["Content-Length: \(zip.count)", "ETag: \"v\""]) + zip.prefix(count)),
                .wait(gate), .send(Array(zip.dropFirst(count))),
            ]
        }
    }

    private func producer(_ response: Response) throws -> any BodyProducer {
        guard case .stream(_, let producer) = response.body else { throw NotAStream() }
        return producer
    }

    private struct NotAStream: Error {}

    @Test func aCancelledReaderStopsNobody() async throws {
        let gate = FaultUpstream.Gate()
        try await FaultUpstream.serving(Self.gated(gate, after: 50_000)) { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                let first = try producer(await node.response(Self.module.zipPath).0)
                let second = await node.response(Self.module.zipPath).0
                _ = try await first.next()
                first.cancelled()
                gate.open()
                #expect(await Got.reading(second).body == Self.module.zip)
                #expect(upstream.asked.count == 1)
            }
        }
    }

    @Test func aReaderWhoseTaskIsCancelledWhileWaitingStopsNobody() async throws {
        let gate = FaultUpstream.Gate()
        try await FaultUpstream.serving(Self.gated(gate, after: 50_000)) { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                let reading = Task { await node.get(Self.module.zipPath) }
                try await waitUntil { upstream.asked.count == 1 }
                reading.cancel()
                #expect(await reading.value.body != Self.module.zip)
                gate.open()
                try await node.waitUntilHeld(Self.module.zipName)
                #expect(await node.get(Self.module.zipPath).body == Self.module.zip)
                #expect(upstream.asked.count == 1)
            }
        }
    }

    @Test func aReaderThatReadsNothingDoesNotHoldUpstreamBack() async throws {
        let gate = FaultUpstream.Gate()
        gate.open()
        try await FaultUpstream.serving(Self.gated(gate, after: 50_000)) { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                let slow = await node.response(Self.module.zipPath).0
                try await node.waitUntilHeld(Self.module.zipName)
                #expect(await Got.reading(slow).body == Self.module.zip)
            }
        }
    }

    @Test func theLastBytesWaitForTheProof() async throws {
        let gate = FaultUpstream.Gate()
        let zip = Self.module.zip
        try await FaultUpstream.serving { _ in
            [
                .send(.head(200, ["Content-Length: \(zip.count)"]) + zip.dropLast(1)), .wait(gate),
                .send([zip[zip.count - 1]]),
            ]
        } _: { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                let body = try producer(await node.response(Self.module.zipPath).0)
                var received = 0
                while received < zip.count - Int(Holdback.limit) {
                    received += Got.bytes(of: try #require(try await body.next())).count
                }
                #expect(received == zip.count - Int(Holdback.limit))
                let last = Task { try await body.next() }
                #expect(node.delivery.inFlight.count == 1)
                gate.open()
                let part = try #require(try await last.value)
                #expect(Got.bytes(of: part) == Array(zip.suffix(Int(Holdback.limit))))
                #expect(try await body.next() == nil)
            }
        }
    }

    @Test func withoutReadersAnEarlyTransferIsParkedAndResumedUnderItsValidator() async throws {
        let gate = FaultUpstream.Gate()
        try await FaultUpstream.serving(Self.gated(gate, after: 50_000)) { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.policy.finishLimit = 1000
            settings.client = { $0.stallTimeout = .seconds(30) }
            try await TestNode.running(settings) { node in
                let first = try producer(await node.response(Self.module.zipPath).0)
                _ = try await first.next()
                first.cancelled()
                // The next bytes find nobody reading: upstream is let go, what came is kept.
                gate.open()
                try await waitUntil { node.delivery.parkedCount == 1 }
                let got = await node.get(Self.module.zipPath)
                #expect(got.body == Self.module.zip)
                #expect(upstream.asked.count == 2)
                #expect((upstream.asked.last?.rangeStart ?? 0) > 0)
            }
        }
    }

    @Test func withoutReadersALateTransferGoesOn() async throws {
        let gate = FaultUpstream.Gate()
        try await FaultUpstream.serving(Self.gated(gate, after: 250_000)) { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.policy.finishLimit = 1000
            try await TestNode.running(settings) { node in
                let first = try producer(await node.response(Self.module.zipPath).0)
                var received = 0
                while received < 250_000 {
                    received += Got.bytes(of: try #require(try await first.next())).count
                }
                first.cancelled()
                gate.open()
                try await node.waitUntilHeld(Self.module.zipName)
                #expect(upstream.asked.count == 1)
            }
        }
    }

    @Test(arguments: [(0, 10), (100, 200), (390_000, 400_100), (400_000, nil), (0, nil)] as [(Int, Int?)])
    func aRangeOfAColdZipIsAnswered(start: Int, last: Int?) async throws {
        let gate = FaultUpstream.Gate()
        gate.open()
        try await FaultUpstream.serving(Self.gated(gate, after: 1)) { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                let zip = Self.module.zip
                let range: Headers = ["Range": "bytes=\(start)-\(last.map(String.init) ?? "")"]
                let got = await node.get(Self.module.zipPath, headers: range)
                let end = last.map { $0 + 1 } ?? zip.count
                #expect(got.status == 206)
                #expect(got.headers["Content-Range"] == "bytes \(start)-\(end - 1)/\(zip.count)")
                #expect(got.body == Array(zip[start..<end]))
                #expect(got.isComplete)
            }
        }
    }

    @Test func aFarRangeOfALargeColdBodyIsFetchedByItselfAndNothingElse() async throws {
        let gate = FaultUpstream.Gate()
        try await FaultUpstream.serving(Self.gated(gate, after: 1)) { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.policy.fillLimit = 100_000
            try await TestNode.running(settings) { node in
                let got = await node.get(Self.module.zipPath, headers: ["Range": "bytes=300000-310000"])
                #expect(got.status == 206)
                #expect(got.body == Array(Self.module.zip[300_000...310_000]))
                #expect(upstream.asked.count == 2)
                #expect(upstream.asked.last?.headers["range"] == "bytes=300000-310000")
                #expect(upstream.asked.last?.headers["if-range"] == "\"v\"")
                // With this a quarter was asked for: now the whole of it is fetched.
                gate.open()
                let more = await node.get(Self.module.zipPath, headers: ["Range": "bytes=200000-299999"])
                #expect(more.body == Array(Self.module.zip[200_000..<300_000]))
                try await node.waitUntilHeld(Self.module.zipName)
                #expect(await node.get(Self.module.zipPath).body == Self.module.zip)
            }
        }
    }
}
