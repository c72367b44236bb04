package import Gossip

/// Against which digests the pieces of a body are held, and whose fault it is when one differs, as a value
/// (docs/trust-model.md, "Content").
///
/// One peer at a time supplies the signed list. Whoever else sends other bytes than the list says is set aside, until
/// the bytes of somebody else decide: the right ones convict it, the same wrong ones convict those who vouched for the
/// digest.
package struct PieceJudge: Sendable {
    /// What a part of a list is worth.
    package enum Reading: Hashable, Sendable {
        /// It is not the supplier's, or does not follow what it gave before.
        case ignored
        /// - Parameter isNews: it has digests that were not known.
        case taken(isNews: Bool)
        /// It is not signed so, or differs from another's list. Which of the two is wrong only the whole body can tell;
        /// its supplier is not to be asked any more.
        case refused
        /// It differs from what was written by another's list: the two cannot be one body.
        case contradicts
    }

    /// What follows when bytes differ from the digest that they were asked by.
    package enum Ruling: Hashable, Sendable {
        /// The digest is no one's word any more.
        case moot
        /// The sender's word stands against the list's: it is not asked until somebody else's bytes decide.
        case accused
        /// The list, or its supplier, is wrong: another supplier is needed.
        case withdrawn(Withdrawal)
    }

    package struct Withdrawal: Hashable, Sendable {
        /// Whose fault it is: they are not asked any more.
        package let liars: [NodeID]
        /// Those of them that had not been convicted before.
        package let convicted: [NodeID]
        /// Whose fault it was not: they may be asked again.
        package let cleared: [NodeID]

        package init(liars: [NodeID], convicted: [NodeID], cleared: [NodeID]) {
            (self.liars, self.convicted, self.cleared) = (liars, convicted, cleared)
        }
    }

    private struct Known: Sendable {
        let digest: [UInt8]
        /// Who named it first.
        let giver: NodeID
    }

    private struct Accused: Sendable {
        let piece: Int
        let node: NodeID
        /// Of the bytes that it sent.
        let digest: [UInt8]
    }

    private let transfer: TransferKey
    private let size: Int64
    private let cluster: ClusterID
    private var known: [Known] = []
    /// The list of the present supplier, as far as it was read.
    private var list: PieceList?
    private var written: [Int: [UInt8]] = [:]
    private var accused: [Accused] = []
    private var convicted: Set<NodeID> = []
    /// Who is asked for the list.
    package private(set) var supplier: NodeID?

    package init(transfer: TransferKey, size: Int64, cluster: ClusterID, supplier: NodeID?) {
        (self.transfer, self.size, self.cluster) = (transfer, size, cluster)
        self.supplier = supplier
    }

    /// Digests that pieces can be asked by.
    package var digestCount: Int { known.count }
    /// Digests that the present supplier has given.
    package var readCount: Int { list?.digests.count ?? 0 }

    package func digest(of piece: Int) -> [UInt8]? {
        known.indices.contains(piece) ? known[piece].digest : nil
    }

    // MARK: the list

    /// The list comes from another one now, from its beginning; what is known of it holds until it is contradicted.
    package mutating func turn(to supplier: NodeID?) {
        self.supplier = supplier
        list = nil
    }

    package mutating func read(_ part: PieceList.Part, from node: NodeID) -> Reading {
        guard node == supplier else { return .ignored }
        var next = list ?? PieceList(transfer: transfer, size: size, signer: part.signer)
        guard part.first == next.digests.count else { return .ignored }
        guard next.extend(with: part, in: cluster),
            zip(next.digests, known).allSatisfy({ $0 == $1.digest })
        else { return .refused }
        guard written.allSatisfy({ next.digests.count <= $0 || next.digests[$0] == $1 }) else {
            return .contradicts
        }
        list = next
        let fresh = next.digests.dropFirst(known.count)
        known += fresh.map { Known(digest: $0, giver: node) }
        return .taken(isNews: !fresh.isEmpty)
    }

    // MARK: pieces

    /// A piece is there whose bytes have the digest that they were asked by.
    /// - Returns: who sent other bytes, and is convicted by these.
    package mutating func wrote(_ piece: Int, by digest: [UInt8]) -> [NodeID] {
        written[piece] = digest
        guard digest == self.digest(of: piece) else { return [] }
        let liars = accused.filter { $0.piece == piece }.map(\.node)
        accused.removeAll { $0.piece == piece }
        return liars.filter { convicted.insert($0).inserted }
    }

    /// A peer sent other bytes than those of the digest that they were asked by.
    /// - Parameter actual: the digest of what it sent.
    package mutating func differs(
        _ piece: Int, from node: NodeID, by digest: [UInt8], actual: [UInt8]
    ) -> Ruling {
        guard digest == self.digest(of: piece) else { return .moot }
        let isVouched = readCount > piece
        // Its bytes are not those of its own list.
        if node == supplier, isVouched { return withdraw(by: [node], clearing: accused.map(\.node)) }
        guard accused.contains(where: { $0.piece == piece && $0.node != node && $0.digest == actual }) else {
            accused.append(Accused(piece: piece, node: node, digest: actual))
            return .accused
        }
        // Two agree that it is not what the list says.
        let giver = known[piece].giver
        var liars = [giver]
        if isVouched, let supplier, supplier != giver { liars.append(supplier) }
        return withdraw(by: liars, clearing: accused.map(\.node) + [node])
    }

    private mutating func withdraw(by liars: [NodeID], clearing nodes: [NodeID]) -> Ruling {
        var cleared: [NodeID] = []
        for node in nodes where !liars.contains(node) && !cleared.contains(node) { cleared.append(node) }
        (known, list, accused) = ([], nil, [])
        let convicted = liars.filter { self.convicted.insert($0).inserted }
        return .withdrawn(Withdrawal(liars: liars, convicted: convicted, cleared: cleared))
    }
}
