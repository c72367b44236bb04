internal import Content
package import Gossip

package import struct FoundationEssentials.Date

/// Which of the statements about a name is believed while one's own upstream is away (docs/trust-model.md, "Mutable
/// names"). A value without clock: what is asked is told the time.
package struct StatementRules: Sendable {
    /// How far ahead of one's clock a statement may be.
    package static let lead = 300.0

    /// The answer, with those who gave it, the newest first.
    package struct Verdict: Hashable, Sendable {
        package let statement: Statement
        package let signers: [NodeID]
    }

    /// - Parameters:
    ///   - statements: with good signatures, of members, at most one a signer counts.
    ///   - resolvers: members whose word alone is believed.
    ///   - last: when one's own upstream last said something of the name; older statements do not move it back.
    ///   - now: the trusted time; nil while the machine's clock stands before the build: nothing is believed then.
    package static func verdict(
        _ statements: [Statement], resolvers: Set<NodeID>, last: Date?, now: Date?
    ) -> Verdict? {
        guard let now else { return nil }
        var heard: Set<NodeID> = []
        // Of equal times in the order of the signers, not in that in which answers came.
        let ordered = statements.sorted {
            ($1.checked, $0.signer.description) < ($0.checked, $1.signer.description)
        }
        let fit = ordered.filter { statement in
            statement.checked <= now.addingTimeInterval(lead)
                && last.map { statement.checked > $0 } ?? true && heard.insert(statement.signer).inserted
        }
        for statement in fit {
            let agreeing = fit.filter { $0.digest == statement.digest }
            let isResolved = resolvers.contains(statement.signer)
            guard isResolved || agreeing.count >= 2 else { continue }
            // The newest of those who agree may be a liar about the time: the second newest bounds it.
            let bound = isResolved ? statement : agreeing[1]
            return Verdict(statement: bound, signers: agreeing.map(\.signer))
        }
        return nil
    }
}
