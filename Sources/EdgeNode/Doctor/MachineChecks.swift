import Foundation
import Gossip
import NIOCore
import NIOPosix

/// What can be looked at without a running node: folder, disk, key, clock, addresses.
package struct MachineChecks {
    private let configuration: Configuration
    package init(configuration: Configuration) { self.configuration = configuration }

    private var folder: DataFolder { DataFolder(configuration.node.dataDirectory) }

    /// The folder that the node keeps everything in, and the room on its disk.
    package func disk() -> [Finding] {
        var status = stat()
        guard stat(folder.path, &status) == 0 else {
            return [
                .warning(
                    "data folder", "\(folder.path) is not there yet; the node makes it at its first start")
            ]
        }
        guard access(folder.path, R_OK | W_OK | X_OK) == 0 else {
            return [
                .bad(
                    "data folder",
                    "\(folder.path) cannot be written by this user: \(String(cString: strerror(errno)))",
                    "run this as the user that the node runs as, or set node.data_dir")
            ]
        }
        var findings: [Finding] = []
        if status.st_mode & 0o002 != 0 {
            findings.append(
                .bad(
                    "data folder", "everybody on this machine may write \(folder.path)",
                    "chmod o-w \(folder.path)"))
        }
        var space = statvfs()
        guard statvfs(folder.path, &space) == 0 else { return findings }
        let unit = Int64(space.f_frsize)
        let (free, total) = (Int64(space.f_bavail) * unit, Int64(space.f_blocks) * unit)
        let room = "\(ByteSize.rounded(free)) of \(ByteSize.rounded(total)) free for \(folder.path)"
        let reserved = configuration.store.reservedFree
        if free < reserved {
            findings.append(
                .bad(
                    "disk", "\(room): less than store.reserved_free, so nothing new is kept",
                    "make room, or lower store.capacity"))
        } else if free < reserved * 2 || free * 20 < total {
            findings.append(
                .warning("disk", room, "the store gives way to others at store.reserved_free"))
        } else {
            findings.append(.good("disk", room))
        }
        if space.f_files > 0, space.f_favail * 50 < space.f_files {
            findings.append(.bad("disk", "hardly any inodes are left", "remove small files from that disk"))
        }
        return findings
    }

    /// The node's key; nil when there is none yet or it cannot be used.
    package func key() -> (NodeKey?, [Finding]) {
        guard access(folder.key, F_OK) == 0 else {
            return (nil, [.warning("key", "there is none yet; the node makes it at its first start")])
        }
        do {
            let key = try NodeKeyFile.load(from: folder.key)
            return (key, [.good("key", "\(key.id), readable by its owner alone")])
        } catch {
            return (nil, [.bad("key", "\(error)", "edgenode key makes a new one where the file is missing")])
        }
    }

    /// The machine's clock, against this build and the time that was kept last.
    package func clock(_ wall: Date = Date()) -> [Finding] {
        let shown = wall.ISO8601Format()
        let remedy = "set the clock; certificates and tokens are judged by it (systemd-timesyncd, chrony)"
        guard wall >= TrustedClock.build else {
            return [.bad("clock", "it says \(shown), which was before this version was made", remedy)]
        }
        if let kept = keptTime(), kept.timeIntervalSince(wall) > 60 {
            return [
                .bad(
                    "clock", "it says \(shown), but this node has seen \(kept.ISO8601Format()) already",
                    remedy)
            ]
        }
        return [.good("clock", shown)]
    }

    private func keptTime() -> Date? {
        guard let file = FileHandle(forReadingAtPath: ClusterFolder(folder).state),
            let prefix = try? file.read(upToCount: GossipCore.keptTimePrefix)
        else { return nil }
        return GossipCore.keptTime(Array(prefix))
    }

    /// Whether the addresses that the node wants are free, while no node runs.
    package func addresses() async -> [Finding] {
        var findings: [Finding] = []
        for address in configuration.node.listen where address.port != 0 {
            findings.append(
                await Self.free("node.listen", "TCP \(address)") {
                    try await Self.bindTCP(address.host, address.port)
                })
        }
        let cluster = configuration.cluster.listen
        findings.append(
            await Self.free("cluster.listen", "TCP \(cluster)") {
                try await Self.bindTCP(cluster.host, cluster.port)
            })
        findings.append(
            await Self.free("cluster.listen", "UDP \(cluster)") {
                try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .bind(host: cluster.host, port: cluster.port).get().close().get()
            })
        return findings
    }

    private static func free(
        _ key: String, _ what: String, _ bind: () async throws -> Void
    ) async -> Finding {
        do {
            try await bind()
            return .good(key, "\(what) can be used")
        } catch {
            return .bad(
                key, "\(what) cannot be used: \(error)",
                "end what uses it (ss -lntup shows it), or give \(key) another address")
        }
    }

    private static func bindTCP(_ host: String, _ port: Int) async throws {
        try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .bind(host: host, port: port).get().close().get()
    }
}
