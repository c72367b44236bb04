import Content
import Foundation
import Gossip
import PeerExchange
import Testing

import struct ChunkStore.Reference

/// Who is believed about a name that may change.
@Suite("Believing statements") struct StatementRulesTests {
    private let members: [ClusterCredentials]
    private let now = TrustedClock.build.addingTimeInterval(1_000_000)

    init() throws {
        let root = try TestRoot()
        members = try (0..<6).map { _ in try root.credentials() }
    }

    /// A member's word that the name stood for a content, so many seconds ago.
    private func says(_ member: Int, _ content: UInt8, ago: TimeInterval) throws -> Statement {
        let time = now.addingTimeInterval(-ago)
        return Statement(
            Reference(
                name: try ReferenceName("oci/registry.example/app:1"), digest: Digest(.sha256, of: [content]),
                size: 1, learned: time, checked: time, origin: "upstream"),
            credentials: members[member])
    }

    private struct Answer: Equatable {
        let statement: Statement
        let signers: [NodeID]

        init(_ statement: Statement, _ signers: [NodeID]) {
            (self.statement, self.signers) = (statement, signers)
        }
    }

    private func verdict(
        _ statements: [Statement], resolvers: [Int] = [], lastAgo: TimeInterval? = nil
    ) -> Answer? {
        StatementRules.verdict(
            statements, resolvers: Set(resolvers.map { members[$0].id }),
            last: lastAgo.map { now.addingTimeInterval(-$0) }, now: now
        ).map { Answer($0.statement, $0.signers) }
    }

    private func signers(_ numbers: Int...) -> [NodeID] { numbers.map { members[$0].id } }

    @Test("one member's word is not believed, two that agree are; the older of them says when")
    func agreement() throws {
        let (first, second, third) = (
            try says(0, 1, ago: 10), try says(1, 1, ago: 30), try says(2, 1, ago: 20)
        )
        #expect(verdict([]) == nil)
        #expect(verdict([first]) == nil)
        #expect(verdict([first, second]) == Answer(second, signers(0, 1)))
        // Of three the second newest: the newest alone may say what it likes of the time.
        #expect(verdict([second, first, third]) == Answer(third, signers(0, 2, 1)))
    }

    @Test("a resolver is believed alone, at its own time")
    func resolver() throws {
        let (resolver, other) = (try says(0, 1, ago: 50), try says(1, 2, ago: 10))
        #expect(verdict([resolver, other]) == nil)
        #expect(
            verdict([resolver, other], resolvers: [0]) == Answer(resolver, signers(0)))
        #expect(
            verdict([resolver, other], resolvers: [0, 1]) == Answer(other, signers(1)))
        let same = try says(2, 1, ago: 5)
        #expect(
            verdict([resolver, same], resolvers: [0]) == Answer(resolver, signers(2, 0)))
    }

    @Test("the newest that is believed wins, whatever newer ones say that are not")
    func newest() throws {
        let old = [try says(0, 1, ago: 100), try says(1, 1, ago: 110)]
        let alone = try says(2, 2, ago: 10)
        #expect(verdict(old + [alone]) == Answer(old[1], signers(0, 1)))
        let agrees = try says(3, 2, ago: 500)
        #expect(verdict(old + [alone, agrees]) == Answer(agrees, signers(2, 3)))
        #expect(verdict(old + [try says(4, 3, ago: 105)], resolvers: [4])?.signers == signers(0, 1))
    }

    @Test("a member counts once, with the newest that it said")
    func once() throws {
        let twice = [try says(0, 1, ago: 10), try says(0, 1, ago: 20)]
        #expect(verdict(twice) == nil)
        let changed = [try says(0, 2, ago: 10), try says(0, 1, ago: 20), try says(1, 1, ago: 30)]
        #expect(verdict(changed) == nil)
    }

    @Test("what is not newer than one's own upstream's word moves nothing back")
    func last() throws {
        let two = [try says(0, 1, ago: 10), try says(1, 1, ago: 30)]
        #expect(verdict(two, lastAgo: 31) != nil)
        #expect(verdict(two, lastAgo: 30) == nil)
        #expect(verdict(two, lastAgo: 5) == nil)
        #expect(verdict(two, resolvers: [0], lastAgo: 30)?.signers == signers(0))
    }

    @Test("a clock may be ahead by five minutes, and no more")
    func future() throws {
        let honest = try says(0, 1, ago: 0)
        #expect(verdict([honest, try says(1, 1, ago: -StatementRules.lead)]) != nil)
        #expect(verdict([honest, try says(1, 1, ago: -StatementRules.lead - 1)]) == nil)
        let ahead = try says(2, 2, ago: -StatementRules.lead - 1)
        #expect(verdict([ahead], resolvers: [2]) == nil)
        // One member's time alone moves nothing forward.
        #expect(verdict([honest, try says(1, 1, ago: -200)])?.statement == honest)
    }

    @Test("nothing is believed while the machine's clock cannot be right")
    func noClock() throws {
        let two = [try says(0, 1, ago: 10), try says(1, 1, ago: 30)]
        #expect(
            StatementRules.verdict(two, resolvers: Set(signers(0, 1)), last: nil, now: nil) == nil)
    }

    @Test("the order in which answers come does not matter, even where times are equal", arguments: 0..<30)
    func order(seed: Int) throws {
        var rng = GossipRandom(seed: [UInt8](repeating: UInt8(seed), count: 32))
        var statements: [Statement] = []
        for member in members.indices {
            let content = UInt8.random(in: 0..<3, using: &rng)
            statements.append(
                try says(member, content, ago: TimeInterval(Int.random(in: 0..<3, using: &rng))))
        }
        let resolvers = [Int.random(in: 0..<20, using: &rng)].filter(members.indices.contains)
        let expected = verdict(statements, resolvers: resolvers)
        for _ in 0..<10 {
            #expect(
                verdict(statements.shuffled(using: &rng), resolvers: resolvers) == expected, "seed \(seed)")
        }
        guard let expected else { return }
        #expect(expected.signers.contains(expected.statement.signer), "seed \(seed)")
        #expect(Set(expected.signers).count == expected.signers.count, "seed \(seed)")
        #expect(
            expected.signers.count >= 2 || resolvers.map { members[$0].id } == expected.signers,
            "seed \(seed)")
    }
}
