internal import Content
package import Gossip

package import struct FoundationEssentials.Date

/// Which of the statements about a name is believed while one's own upstream is away (docs/trust-model.md, "Mutable
/// names"). A value without clock: what is asked is told the time.
package struct StatementRules: Sendable {
    /// How far ahead of one's clock a statement may be.
    package static let lead = 300.0

    /// What a node holds of a name.
    package struct Held: Hashable, Sendable {
        package let checked: Date
        /// Others said so; false = the node's own upstream did.
        package let isPeersWord: Bool

        package init(checked: Date, isPeersWord: Bool) {
            (self.checked, self.isPeersWord) = (checked, isPeersWord)
        }

        /// Whether others' word of that time may take its place: one's own last answer stands, and no name moves
        /// back in time.
        package func yields(to checked: Date) -> Bool { isPeersWord && checked > self.checked }
    }

    /// The answer, with those who gave it, the newest first.
    package struct Verdict: Hashable, Sendable {
        package let statement: Statement
        package let signers: [NodeID]

        package init(statement: Statement, signers: [NodeID]) {
            (self.statement, self.signers) = (statement, signers)
        }
    }

    /// - Parameters:
    ///   - statements: with good signatures, of members, at most one a signer counts.
    ///   - resolvers: members whose word alone is believed.
    ///   - held: what statements have to give way to; nil = nothing.
    ///   - now: the trusted time; nil while the machine's clock stands before the build: nothing is believed then.
    package static func verdict(
        _ statements: [Statement], resolvers: Set<NodeID>, over held: Held?, now: Date?
    ) -> Verdict? {
        guard let now else { return nil }
        var heard: Set<NodeID> = []
        // Of equal times in the order of the signers, not in that in which answers came.
        let ordered = statements.sorted {
            ($1.checked, $0.signer.description) < ($0.checked, $1.signer.description)
        }
        let fit = ordered.filter { statement in
            statement.checked <= now.addingTimeInterval(lead)
                && held?.yields(to: statement.checked) ?? true && heard.insert(statement.signer).inserted
        }
        var best: Verdict?
        for statement in fit {
            // The newest of those who agree may be a liar about the time: the second newest bounds it.
            let agreeing = fit.filter { $0.digest == statement.digest }
            let isBound = agreeing.count >= 2 && agreeing[1] == statement
            guard isBound || resolvers.contains(statement.signer) else { continue }
            // Nor may one liar raise an old agreement above a newer one.
            if best.map({ statement.checked > $0.statement.checked }) ?? true {
                best = Verdict(statement: statement, signers: agreeing.map(\.signer))
            }
        }
        return best
    }
}
