import ChunkStore
import Content
import ProxyFront
import Testing

/// A full disk degrades to pass-through, never to an error, and never to an unproven whole body.
@Suite struct PassThroughTests {
    private static let module = TestModule(filler: 3_000_000)

    private func onFullDisk(
        capacity: Int64, zip: [UInt8], announced: Bool = true,
        _ body: (TestNode, FaultUpstream) async throws -> Void
    ) async throws {
        try await FaultUpstream.serving { _ in
            announced ? [.send(.answer(200, zip))] : [.send(.head(200) + zip), .close]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.authority = ScriptedAuthority(.sums(try Self.module.sums))
            settings.store = {
                $0.capacity = capacity
                $0.reservedFree = 0
            }
            try await TestNode.running(settings) { try await body($0, upstream) }
        }
    }

    @Test(
        arguments: [(1, true), (200_000, true), (2_000_000, true), (1, false), (2_000_000, false)]
            as [(Int64, Bool)])
    func aBodyThatFindsNoRoomGoesThroughWhole(capacity: Int64, announced: Bool) async throws {
        try await onFullDisk(capacity: capacity, zip: Self.module.zip, announced: announced) { node, _ in
            let got = await node.get(Self.module.zipPath)
            #expect(got.status == 200)
            #expect(got.isComplete)
            #expect(got.body == Self.module.zip)
            try await node.waitUntilQuiet()
            #expect(try await node.store.reference(try ReferenceName(Self.module.zipName)) == nil)
        }
    }

    @Test(arguments: [1, 2_000_000] as [Int64])
    func aBadBodyThatFindsNoRoomNeverCompletes(capacity: Int64) async throws {
        var zip = Self.module.zip
        zip[zip.count / 3] ^= 1
        try await onFullDisk(capacity: capacity, zip: zip) { node, _ in
            let got = await node.get(Self.module.zipPath)
            #expect(!got.isComplete)
            #expect(got.body.count <= zip.count - Int(Holdback.limit))
        }
    }

    @Test func twoReadersShareOnePassThrough() async throws {
        let gate = FaultUpstream.Gate()
        let zip = Self.module.zip
        try await FaultUpstream.serving { _ in
            [
                .send(.head(200, ["Content-Length: \(zip.count)"]) + zip.prefix(1000)), .wait(gate),
                .send(Array(zip.dropFirst(1000))),
            ]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.store = {
                $0.capacity = 500_000
                $0.reservedFree = 0
            }
            try await TestNode.running(settings) { node in
                let one = await node.response(Self.module.zipPath).0
                let two = await node.response(Self.module.zipPath).0
                gate.open()
                async let first = Got.reading(one)
                async let second = Got.reading(two)
                #expect(await first.body == zip)
                #expect(await second.body == zip)
                #expect(upstream.asked.count == 1)
            }
        }
    }

    @Test func smallFilesGoThroughAFullDiskToo() async throws {
        try await FaultUpstream.serving { _ in
            [.send(.answer(200, Self.module.mod))]
        } _: { upstream in
            var settings = TestNode.Settings(upstream.url)
            settings.store = {
                $0.capacity = 1
                $0.reservedFree = 0
            }
            try await TestNode.running(settings) { node in
                #expect(await node.get(Self.module.modPath).body == Self.module.mod)
            }
        }
    }
}
