import Gossip

/// A bug planted in every core from outside: what a wrong line in it would make it do. Runs with one must fail.
package struct Mutation: Sendable {
    package let name: String
    /// Before an input.
    let before: @Sendable (inout GossipCore?) -> Void
    /// After it.
    let after: @Sendable (inout GossipCore?, inout [GossipEffect]) -> Void

    package init(
        _ name: String, before: @escaping @Sendable (inout GossipCore?) -> Void = { _ in },
        after: @escaping @Sendable (inout GossipCore?, inout [GossipEffect]) -> Void = { _, _ in }
    ) {
        (self.name, self.before, self.after) = (name, before, after)
    }
}
