import Foundation
import Gossip
import NIOCore
import NIOPosix
import PeerExchange

/// The cluster: what this node has joined with, and the ways to the others.
package struct ClusterChecks {
    let configuration: Configuration
    let key: NodeKey?

    private var folder: ClusterFolder { ClusterFolder(DataFolder(configuration.node.dataDirectory)) }
    var isInCluster: Bool { folder.isJoined || !configuration.cluster.members.isEmpty }

    // MARK: papers

    /// Secret, certificate and revocations, as they lie on disk.
    func papers(_ wall: Date = Date()) -> [Finding] {
        guard isInCluster else {
            return [.good("cluster", "this node is in none")]
        }
        guard let key else { return [.bad("cluster", "without its key this node cannot take part")] }
        do {
            if folder.isJoined, configuration.cluster.members.isEmpty {
                return try certificate(key, wall)
            }
            let secret = try ClusterFolder.readSecret(configuration.cluster.secretFile ?? "")
            let credentials = try ClusterCredentials(
                key: key, secret: secret, members: configuration.cluster.members)
            return [.good("cluster", "\(credentials.cluster), by its list of members")]
        } catch {
            return [.bad("cluster", "\(error)")]
        }
    }

    private func certificate(_ key: NodeKey, _ wall: Date) throws -> [Finding] {
        let membership = try ClusterMembership.read(folder.membership)
        let credentials = try ClusterCredentials(
            key: key, secret: try folder.readSecret(), root: membership.root,
            certificate: membership.certificate)
        var findings = [
            Finding.good(
                "cluster",
                "\(credentials.cluster), zone \(credentials.zone), roles \(credentials.roles.names.isEmpty ? "none" : credentials.roles.names.joined(separator: ", "))"
            )
        ]
        var trust = Trust(
            anchor: credentials.anchor, cluster: credentials.cluster,
            strictExpiry: configuration.cluster.strictExpiry)
        if let list = try folder.readRevocations() { _ = try trust.merge(list) }
        let now = max(wall, TrustedClock.build)
        switch trust.admit(membership.certificate, key: key.id, now: now) {
        case .failure(let refusal):
            findings.append(
                .bad("certificate", "\(refusal)", "have this node invited again: edgenode cluster invite"))
        case .success(let admission):
            guard let end = admission.expires else { break }
            let days = Int(end.timeIntervalSince(now) / 86_400)
            let until = "good until \(TrustRefusal.day(end))"
            findings.append(
                days < 30
                    ? .warning(
                        "certificate", days < 0 ? "over since \(TrustRefusal.day(end))" : until,
                        "have this node invited again: edgenode cluster invite")
                    : .good("certificate", until))
        }
        if access(folder.rootKey, F_OK) == 0 {
            findings.append(
                .warning(
                    "root key", "\(folder.rootKey) is on this machine",
                    "when everybody is in, move it to a safe place: it is needed to invite and to revoke only"
                ))
        }
        return findings
    }

    // MARK: ways

    /// Whether seeds take a connection: all that can be tried of nodes that nobody has met.
    func seeds(except known: Set<String>) async -> [Finding] {
        var addresses = configuration.cluster.seeds.map { "\($0)" }
        if let membership = try? ClusterMembership.read(folder.membership) {
            addresses += membership.seeds.map(\.address)
        }
        addresses += configuration.cluster.members.filter { $0.key != key?.id }.compactMap(\.address)
        var findings: [Finding] = []
        for address in Set(addresses).subtracting(known).sorted().prefix(32) {
            guard let place = try? ListenAddress(parsing: address) else { continue }
            do {
                try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connectTimeout(.seconds(3)).connect(host: place.host, port: place.port).get().close()
                    .get()
                findings.append(.good("seed", "\(address) takes a TCP connection"))
            } catch {
                findings.append(
                    .warning(
                        "seed", "\(address) takes no TCP connection: \(Self.words(error))",
                        "is a node running there, and is TCP and UDP of that port let through?"))
            }
        }
        return findings
    }

    private static func words(_ error: any Error) -> String {
        guard let error = error as? NIOConnectionError else { return "\(error)" }
        return error.dnsAError.map { "\($0)" } ?? error.connectionErrors.first.map { "\($0.error)" }
            ?? "\(error)"
    }

    /// What trials of the ways to the members and back mean.
    package static func findings(_ trials: [TrialLine]) -> [Finding] {
        guard !trials.isEmpty else {
            return [
                .bad(
                    "members", "no other member was met yet",
                    "give the seeds of a node that runs (cluster.seeds), and let UDP and TCP through")
            ]
        }
        var findings = trials.flatMap(ways)
        let reached = trials.filter { $0.there.datagram != nil && $0.there.stream != nil }
        if reached.isEmpty {
            findings.append(
                .bad(
                    "members", "none of \(trials.count) members is reached",
                    "look at this machine's own network and firewall first"))
        }
        return findings + clocks(trials)
    }

    private static func ways(_ trial: TrialLine) -> [Finding] {
        let name = "\(trial.node.split(separator: ":").last?.prefix(12) ?? "") (\(trial.address))"
        let there = trial.there
        if there.datagram == nil, there.stream == nil {
            return [
                .warning(
                    "member", "\(name) is not reached, neither by UDP nor by TCP: \(there.streamFailure)",
                    "is it running, is this still its address, are both let through between the two?")
            ]
        }
        var findings: [Finding] = []
        if there.datagram == nil {
            findings.append(.bad("member", "\(name): \(lostDatagrams(trial))", "let UDP through, both ways"))
        } else if there.largestDatagram == nil {
            findings.append(
                .bad(
                    "member", "\(name): datagrams of 1,232 bytes get lost on the way there",
                    "the path is too narrow (MTU below 1,280), or a firewall drops fragments: raise the MTU of the tunnel"
                ))
        }
        if there.stream == nil {
            findings.append(
                .bad(
                    "member", "\(name): no connection: \(there.streamFailure)",
                    "let TCP to that port through; content comes that way"))
        }
        guard let back = trial.back else {
            if there.stream != nil {
                findings.append(
                    .warning("member", "\(name): the way back was not tried: \(trial.backFailure ?? "")"))
            }
            return findings
        }
        if back.stream == nil {
            findings.append(
                .bad(
                    "member", "\(name): cannot connect to this node: \(back.streamFailure)",
                    "let TCP to cluster.listen through, and see that cluster.advertise is an address that others reach"
                ))
        }
        if there.largestDatagram != nil, back.datagram != nil, back.largestDatagram == nil {
            findings.append(
                .bad(
                    "member", "\(name): datagrams of 1,232 bytes get lost on the way from there",
                    "the path is too narrow (MTU below 1,280): raise the MTU of the tunnel"))
        }
        if findings.isEmpty, let datagram = there.datagram, let stream = there.stream {
            findings.append(
                .good(
                    "member",
                    "\(name): UDP \(text(datagram)), TCP \(text(stream)), and both back"))
        }
        return findings
    }

    /// In which direction datagrams get lost.
    private static func lostDatagrams(_ trial: TrialLine) -> String {
        // Both sides have just sent some every 300 ms.
        let fresh = Duration.seconds(1)
        let arrivesThere = trial.back?.silence.map { $0 < fresh } ?? false
        let arrivesHere = trial.there.silence.map { $0 < fresh } ?? false
        guard trial.back != nil else { return "no datagram is answered" }
        switch (arrivesThere, arrivesHere) {
        case (true, _): return "datagrams get there, its answers do not get here"
        case (false, true): return "its datagrams get here, this node's do not get there"
        case (false, false): return "no datagram gets through, in either direction"
        }
    }

    private static func text(_ span: Duration) -> String {
        String(format: "%.1f ms", span / .milliseconds(1))
    }

    /// A clock is wrong if it differs from most others that agree with each other.
    private static func clocks(_ trials: [TrialLine]) -> [Finding] {
        let limit = 60.0
        let known = trials.compactMap { line in line.clockAhead.map { (line, $0) } }
        let apart = known.filter { abs($0.1) > limit }
        guard !apart.isEmpty else {
            return known.map { abs($0.1) }.max().map {
                [.good("clocks", "within \(Int($0.rounded(.up))) s of each other")]
            } ?? []
        }
        func agreeing(_ ahead: Double) -> Int { known.count { abs($0.1 - ahead) <= limit } }
        let own = 1 + agreeing(0)
        let others = apart.map(\.1).sorted().max { agreeing($0) < agreeing($1) } ?? 0
        if agreeing(others) >= max(2, own) {
            return [
                .bad(
                    "clocks",
                    "this node's is \(span(others)) \(others > 0 ? "behind" : "ahead of") most others'",
                    "set this machine's clock (systemd-timesyncd, chrony)")
            ]
        }
        let remedy = "set that machine's clock"
        return apart.map { line, ahead in
            own > 1
                ? .warning(
                    "clocks", "that of \(line.address) is \(span(ahead)) \(ahead > 0 ? "ahead" : "behind")",
                    remedy)
                : .bad(
                    "clocks",
                    "that of \(line.address) is \(span(ahead)) \(ahead > 0 ? "ahead of" : "behind") this node's, and no "
                        + "third one says which of the two is right",
                    "set the one that is wrong (systemd-timesyncd, chrony)")
        }
    }

    private static func span(_ seconds: Double) -> String { "\(Int(abs(seconds))) s" }
}
