import Foundation
import Gossip
import PeerExchange

/// What the running node found on the ways to one member and back, for `edgenode doctor`.
package struct TrialLine: Codable, Sendable {
    package var node: String
    package var address: String
    /// From this node to the member.
    package var there: PeerTrial
    /// From the member to this node, tried by the member; nil = `backFailure` says why not.
    package var back: PeerTrial?
    package var backFailure: String?
    /// Seconds by which the member's clock is ahead of this node's.
    package var clockAhead: Double?

    package init(
        node: String, address: String, there: PeerTrial, back: PeerTrial? = nil, backFailure: String? = nil,
        clockAhead: Double? = nil
    ) {
        self.node = node
        self.address = address
        self.there = there
        self.back = back
        self.backFailure = backFailure
        self.clockAhead = clockAhead
    }
}

extension ClusterLink {
    private static let trialsAtOnce = 16

    package func tryPeers() async -> [TrialLine] {
        let views = gossip.members.filter { $0.state != .left }
        return await withTaskGroup(of: TrialLine.self) { group in
            var (lines, rest): ([TrialLine], ArraySlice<MemberView>) = ([], views[...])
            for view in rest.prefix(Self.trialsAtOnce) { group.addTask { await self.tryPeer(view) } }
            rest = rest.dropFirst(Self.trialsAtOnce)
            for await line in group {
                lines.append(line)
                if let view = rest.popFirst() { group.addTask { await self.tryPeer(view) } }
            }
            return lines.sorted { $0.node < $1.node }
        }
    }

    private func tryPeer(_ view: MemberView) async -> TrialLine {
        var line = TrialLine(
            node: "\(view.node)", address: "\(view.endpoint)", there: await trials.run(view.node))
        do throws(PeerFailure) {
            let back = try await trials.runBack(view.node)
            line.back = back
            line.clockAhead = back.clock.timeIntervalSince(Date())
        } catch {
            line.backFailure = "\(error)"
        }
        // It has just sent some, if it can.
        line.there.silence = await trials.silence(of: view.node)
        return line
    }
}
