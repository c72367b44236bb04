import ChunkStore
import Content
import ProxyFront
import Testing

/// One version, two upstreams, two builders: zips of different bytes and one h1 (Go 1.27 packs otherwise
/// than 1.26 did). What was begun with the one must never be finished with the other.
@Suite struct FailoverTests {
    private static let first = TestModule(filler: 100_000)
    private static let second = TestModule(filler: 100_000, stored: true)

    @Test func theTwoZipsAreOneModule() {
        #expect(Self.first.h1 == Self.second.h1)
        #expect(Self.first.zip != Self.second.zip)
    }

    @Test(arguments: [
        0, 1, 40, 100, 200, 500, 1000, 16_384, 16_385, 50_000, 83_000, 99_000, 100_000, 100_400,
    ])
    func aCutNeverMixesTwoZips(offset: Int) async throws {
        let cut = min(offset, Self.first.zip.count - 1)
        try await FaultUpstream.serving { _ in
            [
                .send(.head(200, ["Content-Length: \(Self.first.zip.count)"]) + Self.first.zip.prefix(cut)),
                .reset,
            ]
        } _: { broken in
            try await FaultUpstream.serving { _ in
                [.send(.answer(200, Self.second.zip))]
            } _: { good in
                var settings = TestNode.Settings("\(broken.url)|\(good.url)")
                settings.authority = ScriptedAuthority(.sums(try Self.first.sums))
                try await TestNode.running(settings) { node in
                    let got = await node.get(Self.first.zipPath)
                    if got.isComplete, got.status == 200 {
                        #expect(got.body == Self.second.zip || got.body == Self.first.zip)
                    } else {
                        #expect(Self.first.zip.starts(with: got.body))
                    }
                    try await node.waitUntilQuiet()
                    if let (reference, object) = try await held(node) {
                        #expect(reference.h1 == Self.first.h1)
                        #expect(object == Self.second.zip)
                    }
                }
            }
        }
    }

    private func held(_ node: TestNode) async throws -> (Reference, [UInt8])? {
        guard try await node.store.reference(try ReferenceName(Self.first.zipName)) != nil else { return nil }
        let got = await node.get(Self.first.zipPath)
        let reference = try #require(try await node.store.reference(try ReferenceName(Self.first.zipName)))
        return (reference, got.body)
    }

    /// No answer of the only upstream brings more than a fortieth of the body.
    @Test func aWireThatBreaksAgainAndAgainBringsALargeBody() async throws {
        let module = TestModule(filler: 4_000_000, stored: true)
        try await FaultUpstream.serving { asked in
            let part = asked.part(of: module.zip, etag: "\"v\"").prefix(100_000)
            return [
                .send(Array(part.dropLast(3))), .trickle(Array(part.suffix(3)), every: .milliseconds(2)),
                .close,
            ]
        } _: { broken in
            var settings = TestNode.Settings(broken.url)
            settings.authority = ScriptedAuthority(.sums(try module.sums))
            try await TestNode.running(settings) { node in
                let got = await node.get(module.zipPath)
                #expect(got.isComplete && got.body == module.zip)
                #expect(broken.asked.count >= 40)
            }
        }
    }

    @Test func equalBytesFromAnotherUpstreamContinue() async throws {
        let zip = Self.first.zip
        try await FaultUpstream.serving { _ in
            [.send(.head(200, ["Content-Length: \(zip.count)"]) + zip.prefix(50_000)), .close]
        } _: { broken in
            try await FaultUpstream.serving { _ in
                [.send(.answer(200, zip))]
            } _: { good in
                try await TestNode.running(TestNode.Settings("\(broken.url)|\(good.url)")) { node in
                    let got = await node.get(Self.first.zipPath)
                    #expect(got.isComplete)
                    #expect(got.body == zip)
                    #expect(good.asked.count == 1)
                }
            }
        }
    }

    @Test func aCommaKeepsTheSecondUpstreamOutOfAnotherOnesBody() async throws {
        let zip = Self.first.zip
        try await FaultUpstream.serving { _ in
            [.send(.head(200, ["Content-Length: \(zip.count)"]) + zip.prefix(50_000)), .close]
        } _: { broken in
            try await FaultUpstream.serving { _ in
                [.send(.answer(200, zip))]
            } _: { other in
                try await TestNode.running(TestNode.Settings("\(broken.url),\(other.url)")) { node in
                    #expect(await !node.get(Self.first.zipPath).isComplete)
                    #expect(other.asked.isEmpty)
                }
            }
        }
    }

    /// Its second answer, to the resumption, and its third, to the comparison, bring nothing.
    @Test func anUpstreamThatIsAwayForAMomentIsAskedAgainForTheRest() async throws {
        let zip = Self.first.zip
        try await FaultUpstream.serving { asked in
            switch asked.count {
            case 1: [.send(Array(asked.part(of: zip, etag: "\"v\"").prefix(50_000))), .close]
            case 2, 3: [.close]
            default: [.send(asked.part(of: zip, etag: "\"v\""))]
            }
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.policy.retryPauses = [.milliseconds(1), .milliseconds(1)]
            try await TestNode.running(settings) { node in
                let got = await node.get(Self.first.zipPath)
                #expect(got.isComplete && got.body == zip)
                #expect(upstream.asked.last?.headers["if-range"] == "\"v\"")
            }
        }
    }

    /// The second upstream, asked for everything when the first is away, has nothing.
    @Test func anotherUpstreamsMissDoesNotSpeakForOneThatIsAway() async throws {
        let zip = Self.first.zip
        try await FaultUpstream.serving { asked in
            switch asked.count {
            case 1: [.send(Array(asked.part(of: zip, etag: "\"v\"").prefix(50_000))), .close]
            case 2...4: [.close]
            default: [.send(asked.part(of: zip, etag: "\"v\""))]
            }
        } _: { away in
            try await FaultUpstream.serving { _ in
                [.send(.answer(404, "not found"))]
            } _: { lacking in
                var settings = TestNode.Settings("\(away.url)|\(lacking.url)")
                settings.policy.retryPauses = [.milliseconds(1), .milliseconds(1)]
                try await TestNode.running(settings) { node in
                    let got = await node.get(Self.first.zipPath)
                    #expect(got.isComplete && got.body == zip)
                    #expect(lacking.asked.count >= 1)
                }
            }
        }
    }

    /// A server that takes no notice of If-Range, and has another build of the same size meanwhile.
    @Test func aPartOfAnotherBuildIsNotPutBehind() async throws {
        let zip = Self.first.zip
        let other = zip.map { $0 ^ 0x55 }
        try await FaultUpstream.serving { asked in
            guard let start = asked.rangeStart else {
                return asked.count == 1
                    ? [.send(Array(asked.part(of: zip, etag: "\"a\"").prefix(50_000))), .close]
                    : [.send(.answer(200, other, ["ETag: \"b\""]))]
            }
            let range = "\(start)-\(other.count - 1)/\(other.count)"
            return [
                .send(.answer(206, Array(other[start...]), ["ETag: \"b\"", "Content-Range: bytes \(range)"]))
            ]
        } _: { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                let got = await node.get(Self.first.zipPath)
                #expect(!got.isComplete)
                #expect(zip.starts(with: got.body))
            }
        }
    }

    @Test func theRestIsAskedForOnlyUnderAStrongValidator() async throws {
        let zip = Self.first.zip
        try await FaultUpstream.serving { asked in
            asked.count == 1
                ? [
                    .send(.head(200, ["Content-Length: \(zip.count)", "ETag: \"v\""]) + zip.prefix(50_000)),
                    .close,
                ]
                : [.send(asked.part(of: zip, etag: "\"v\""))]
        } _: { upstream in
            try await TestNode.running(TestNode.Settings(upstream.url)) { node in
                #expect(await node.get(Self.first.zipPath).body == zip)
                let again = try #require(upstream.asked.last)
                #expect(again.headers["if-range"] == "\"v\"")
                #expect((again.rangeStart ?? 0) > 0)
                #expect(upstream.asked.count == 2)
            }
        }
    }
}
