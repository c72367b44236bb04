import Gossip
import Testing

@Suite("Owners of an object") struct RendezvousTests {
    private let members = (1...20).map { NodeTag(rawValue: UInt64($0) &* 0x1234_5678_9abc_def1) }
    private let ids = (0..<4000).map { InventoryID(rawValue: UInt64($0) &* 0x0fed_cba9_8765_4321) }

    private func owners(_ id: InventoryID, _ members: [NodeTag], count: Int = 2) -> [NodeTag] {
        Rendezvous.owners(of: id, among: members, count: count)
    }

    @Test(
        "every version names the same owners",
        arguments: [
            (0, [5, 3]), (1, [3, 1]), (2, [1, 2]), (3, [3, 2]), (4, [5, 6]), (5, [4, 5]),
        ] as [(UInt64, [UInt64])])
    func stable(id: UInt64, expected: [UInt64]) {
        // Worked out with another implementation.
        let members = (1...7).map { NodeTag(rawValue: $0) }
        #expect(owners(InventoryID(rawValue: id), members).map(\.rawValue) == expected)
    }

    @Test("the order in which members are known does not matter")
    func order() {
        var rng = GossipRandom(seed: [UInt8](repeating: 2, count: 32))
        for id in ids.prefix(200) {
            let expected = owners(id, members, count: 3)
            #expect(owners(id, members.shuffled(using: &rng), count: 3) == expected)
        }
    }

    @Test("a member that goes moves only what was its own: the next one steps up, the others stay")
    func leaving() {
        for id in ids.prefix(1000) {
            let before = owners(id, members, count: 3)
            for gone in [members[3], members[17]] {
                let after = owners(id, members.filter { $0 != gone })
                #expect(after == Array(before.filter { $0 != gone }.prefix(2)))
            }
        }
    }

    @Test("all own about as much")
    func share() {
        var first: [NodeTag: Int] = [:]
        for id in ids { first[owners(id, members)[0], default: 0] += 1 }
        // 200 each, with a standard deviation of 14.
        for member in members { #expect((130...270).contains(first[member] ?? 0), "\(member)") }
    }

    @Test("where there are fewer members than owners, all own it; where there is none, nobody")
    func few() {
        #expect(owners(ids[1], []).isEmpty)
        #expect(owners(ids[1], [members[0]]) == [members[0]])
        #expect(Set(owners(ids[1], Array(members.prefix(2)), count: 5)) == Set(members.prefix(2)))
    }
}
