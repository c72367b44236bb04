import Gossip
import PeerExchange

import struct FoundationEssentials.Date

/// How a node treats what others say of names; anything but `none` is a planted bug.
struct NameBug: Sendable {
    typealias Rule =
        @Sendable (
            _ statements: [Statement], _ resolvers: Set<NodeID>, _ held: StatementRules.Held?, _ now: Date?
        ) -> StatementRules.Verdict?

    var rule: Rule = { StatementRules.verdict($0, resolvers: $1, over: $2, now: $3) }
    /// Whether what others told is handed on as one's own word.
    var handsOn = false
    /// Whether what others told is written even if upstream has come back while they were asked.
    var overwrites = false

    static let none = NameBug()
}

extension Mutation {
    private init(_ name: String, _ change: (inout NameBug) -> Void) {
        self.init(name)
        change(&names)
    }

    static let names: [Mutation] = [
        Mutation("one member's word is believed") { bug in
            bug.rule = { statements, _, held, now in
                StatementRules.verdict(
                    statements, resolvers: Set(statements.map(\.signer)), over: held, now: now)
            }
        },
        Mutation("older words move a name back") { bug in
            bug.rule = { statements, resolvers, held, now in
                StatementRules.verdict(
                    statements, resolvers: resolvers, over: held.flatMap { $0.isPeersWord ? nil : $0 },
                    now: now)
            }
            bug.overwrites = true
        },
        Mutation("the newest of those who agree says when") { bug in
            bug.rule = { statements, resolvers, held, now in
                guard
                    let verdict = StatementRules.verdict(
                        statements, resolvers: resolvers, over: held, now: now),
                    let newest = statements.first(where: {
                        $0.signer == verdict.signers[0] && $0.digest == verdict.statement.digest
                    })
                else { return nil }
                return StatementRules.Verdict(statement: newest, signers: verdict.signers)
            }
        },
        Mutation("what is dated ahead is believed") { bug in
            bug.rule = { statements, resolvers, held, now in
                StatementRules.verdict(
                    statements, resolvers: resolvers, over: held, now: now.map { _ in .distantFuture })
            }
        },
        Mutation("what others told is handed on") { $0.handsOn = true },
        Mutation("what others told is written over upstream's word") { $0.overwrites = true },
    ]
}
