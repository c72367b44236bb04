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
        _ statements: [Statement], resolvers: [Int] = [], heldAgo: TimeInterval? = nil
    ) -> Answer? {
        StatementRules.verdict(
            statements, resolvers: Set(resolvers.map { members[$0].id }),
            over: heldAgo.map { .init(checked: now.addingTimeInterval(-$0), isPeersWord: true) }, now: now
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
        let agrees = try says(3, 2, ago: 105)
        #expect(verdict(old + [alone, agrees]) == Answer(agrees, signers(2, 3)))
        #expect(verdict(old + [try says(4, 3, ago: 105)], resolvers: [4])?.signers == signers(4))
        #expect(verdict(old + [try says(4, 3, ago: 115)], resolvers: [4])?.signers == signers(0, 1))
    }

    @Test("one member does not bring back what was true once by dating it anew")
    func broughtBack() throws {
        let new = [try says(0, 2, ago: 100), try says(1, 2, ago: 110)]
        let (outdated, liar) = (try says(3, 1, ago: 9_000), try says(2, 1, ago: 1))
        #expect(verdict(new + [outdated, liar]) == Answer(new[1], signers(0, 1)))
        #expect(verdict([outdated, liar]) == Answer(outdated, signers(2, 3)))
    }

    @Test("a member counts once, with the newest that it said")
    func once() throws {
        let twice = [try says(0, 1, ago: 10), try says(0, 1, ago: 20)]
        #expect(verdict(twice) == nil)
        let changed = [try says(0, 2, ago: 10), try says(0, 1, ago: 20), try says(1, 1, ago: 30)]
        #expect(verdict(changed) == nil)
    }

    @Test("what is not newer than others' word that is held moves nothing back")
    func held() throws {
        let two = [try says(0, 1, ago: 10), try says(1, 1, ago: 30)]
        #expect(verdict(two, heldAgo: 31) != nil)
        #expect(verdict(two, heldAgo: 30) == nil)
        #expect(verdict(two, heldAgo: 5) == nil)
        #expect(verdict(two, resolvers: [0], heldAgo: 30)?.signers == signers(0))
    }

    @Test("one's own upstream's last word stands, however old it is")
    func own() throws {
        let two = [try says(0, 1, ago: 10), try says(1, 1, ago: 30)]
        let own = StatementRules.Held(checked: .distantPast, isPeersWord: false)
        #expect(
            StatementRules.verdict(two, resolvers: Set(signers(0, 1)), over: own, now: now) == nil)
    }

    @Test("an answer is a statement only if it is the member's own word about that name")
    func answers() throws {
        let statement = try says(0, 1, ago: 10)
        func read(
            _ bytes: [UInt8], by member: Int = 0, about name: String = "oci/registry.example/app:1",
            in cluster: ClusterID? = nil
        ) throws -> Statement? {
            Statement(
                bytes, by: members[member].id, about: try ReferenceName(name),
                in: cluster ?? members[0].cluster)
        }
        #expect(try read(statement.encoded) == statement)
        #expect(try read(statement.encoded, by: 1) == nil)
        #expect(try read(statement.encoded, about: "oci/registry.example/app:2") == nil)
        #expect(try read(statement.encoded, in: try TestRoot().credentials().cluster) == nil)
        #expect(try read(statement.encoded.dropLast()) == nil)
        for index in statement.encoded.indices {
            var changed = statement.encoded
            changed[index] ^= 1
            #expect(try read(changed) == nil, "byte \(index)")
        }
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
            StatementRules.verdict(two, resolvers: Set(signers(0, 1)), over: nil, now: nil) == nil)
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
