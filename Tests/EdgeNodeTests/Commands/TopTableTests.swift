import EdgeNode
import Foundation
import ProxyFront
import Testing

@Suite("edgenode top")
struct TopTableTests {
    private func report(uptime: Int, answers: Int, bytes: Int, peerBytes: UInt64 = 0) throws -> StatusReport {
        var node = NodeStatus(version: "1", uptimeSeconds: uptime)
        node.peers = [
            NodeStatus.Peer(
                node: "edgenode-ed25519:abc", zone: "z", state: "alive", address: "192.0.2.1:4891",
                receivedBytes: peerBytes)
        ]
        node.inFlight = [
            NodeStatus.InFlight(name: "big", receivedBytes: Int64(bytes), totalBytes: 10 << 20, readers: 2)
        ]
        let traffic = """
            {"bySource": [{"source": "store", "answers": \(answers), "bytes": \(bytes)}], "connections": 3,
             "requestsInFlight": 1, "unverified": 0, "bytesSaved": \(bytes)}
            """
        let status = String(decoding: try JSONEncoder().encode(node), as: UTF8.self)
        return try JSONDecoder().decode(
            StatusReport.self, from: Data("{\"node\": \(status), \"traffic\": \(traffic)}".utf8))
    }

    @Test("shows what moved between two looks")
    func rates() throws {
        let before = try report(uptime: 10, answers: 100, bytes: 1 << 20)
        let now = try report(uptime: 12, answers: 150, bytes: 5 << 20, peerBytes: 1 << 20)
        let lines = TopTable.lines(now, before: before, seconds: 2)
        #expect(
            lines.contains { $0.hasPrefix("store  150") && $0.contains("25.0") && $0.contains("2 MiB/s") })
        #expect(lines.contains { $0.hasPrefix("abc") && $0.contains("512 KiB/s") })
        #expect(lines.contains { $0.hasPrefix("big") && $0.contains("of") == false && $0.contains("10 MiB") })
    }

    @Test("shows no rates at first, and none across a restart")
    func none() throws {
        let now = try report(uptime: 1, answers: 3, bytes: 100)
        #expect(!TopTable.lines(now, before: nil, seconds: nil).joined().contains("/s "))
        let before = try report(uptime: 100, answers: 1, bytes: 1)
        #expect(
            TopTable.lines(now, before: before, seconds: 2) == TopTable.lines(now, before: nil, seconds: 2))
    }
}
