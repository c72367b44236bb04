import Gossip

/// A bug planted in every core from outside: what a wrong line in it would make it do. Runs with one must fail.
package struct Mutation: Sendable, CustomStringConvertible {
    package let name: String
    /// Before an input.
    let before: @Sendable (inout GossipCore) -> Void
    /// After it, with the members as they were before.
    let after: @Sendable (inout GossipCore, _ before: [Member]) -> Void
    /// What the process around the core does wrong.
    var names = NameBug.none

    init(
        _ name: String, before: @escaping @Sendable (inout GossipCore) -> Void = { _ in },
        after: @escaping @Sendable (inout GossipCore, [Member]) -> Void = { _, _ in }
    ) {
        (self.name, self.before, self.after) = (name, before, after)
    }

    package var description: String { name }

    package static let noReplayWindow = Mutation(
        "no replay window",
        before: { core in
            for position in core.roster.indices { core.roster[position].replay = ReplayWindow() }
        })

    package static let forgottenIncarnations = Mutation(
        "an older incarnation takes a newer one's place",
        after: { core, before in
            for (position, member) in before.enumerated()
            where core.roster[position].incarnation > member.incarnation && position.isMultiple(of: 2) {
                core.roster[position].incarnation = Incarnation(rawValue: member.incarnation.rawValue - 1)
            }
        })

    package static let droppedRefutations = Mutation(
        "a refutation does not undo a death",
        after: { core, before in
            for (position, member) in before.enumerated()
            where member.status == .dead && core.roster[position].incarnation > member.incarnation {
                core.roster[position].status = .dead
            }
        })

    package static let forgottenLeases = Mutation(
        "an owner forgets whom it granted a lease", before: { core in core.leases = LeaseBook() })

    package static let believedStrangers = Mutation(
        "every certificate is believed",
        before: { core in
            core.trust = Trust(anchor: .root(Population.forger.id), cluster: core.trust.cluster)
        })

    package static let returnedRevoked = Mutation(
        "a revoked member that is heard is back",
        after: { core, _ in
            for position in core.roster.indices where core.roster[position].status == .left {
                core.roster[position].status = .alive
            }
        })

    package static let all: [(mutation: Mutation, scenario: Scenario)] =
        [
            (noReplayWindow, .strangers), (forgottenIncarnations, .churn), (droppedRefutations, .churn),
            (forgottenLeases, .calm), (believedStrangers, .knocking),
            (returnedRevoked, .revocations),
        ] + names.map { ($0, .names) }
}
