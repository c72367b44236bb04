import EdgeNode
import Foundation
import Gossip
import PeerExchange
import Testing

@Suite("edgenode doctor")
struct DoctorTests {
    private static let well = PeerTrial(
        datagram: .milliseconds(1), largestDatagram: .milliseconds(1), stream: .milliseconds(3),
        silence: .seconds(1), clock: Date(timeIntervalSince1970: 1_800_000_000))

    /// A member, with what differs from one to which all ways are open.
    private func member(
        _ number: Int = 1, there: (inout PeerTrial) -> Void = { _ in },
        back: (inout PeerTrial) -> Void = { _ in },
        clockAhead: Double = 0.1
    ) -> TrialLine {
        var (one, other) = (Self.well, Self.well)
        there(&one)
        back(&other)
        return TrialLine(
            node: "edgenode-ed25519:member\(number)", address: "192.0.2.\(number):4891", there: one,
            back: other,
            clockAhead: clockAhead)
    }

    private func found(_ trials: TrialLine..., sourceLocation: SourceLocation = #_sourceLocation) -> [String]
    {
        ClusterChecks.findings(trials).filter { $0.verdict != .good }.map {
            "\($0.verdict.rawValue) \($0.subject): \($0.text)"
        }
    }

    @Test("says nothing bad of a network that is whole")
    func whole() {
        #expect(found(member(1), member(2)) == [])
        #expect(ClusterChecks.findings([member()]).count == 2)
    }

    @Test("tells in which direction datagrams get lost")
    func oneWay() {
        let lost: (inout PeerTrial) -> Void = { $0.datagram = nil }
        func both(_ there: Duration?, _ back: Duration?) -> String {
            found(
                member(
                    there: {
                        lost(&$0)
                        $0.silence = there
                    },
                    back: {
                        lost(&$0)
                        $0.silence = back
                    })
            ).joined()
        }
        #expect(both(.seconds(100), .milliseconds(300)).contains("its answers do not get here"))
        #expect(both(.milliseconds(300), .seconds(100)).contains("this node's do not get there"))
        #expect(both(.seconds(100), nil).contains("in either direction"))
    }

    @Test("tells a narrow path from a closed one")
    func narrow() {
        #expect(found(member(there: { $0.largestDatagram = nil })).joined().contains("on the way there"))
        #expect(found(member(back: { $0.largestDatagram = nil })).joined().contains("on the way from there"))
    }

    @Test("tells which side cannot connect")
    func streams() {
        let closed: (inout PeerTrial) -> Void = {
            $0.stream = nil
            $0.streamFailure = "refused"
        }
        let there = found(member(there: closed), member(2))
        #expect(there == ["PROBLEM member: member1 (192.0.2.1:4891): no connection: refused"])
        #expect(found(member(back: closed)).joined().contains("cannot connect to this node: refused"))
    }

    @Test("does not blame this node for one that is away, but for all")
    func away() {
        let gone: (inout PeerTrial) -> Void = { $0 = PeerTrial(streamFailure: "timed out", clock: Date()) }
        var line = member(2, there: gone)
        line = TrialLine(node: line.node, address: line.address, there: line.there, backFailure: "timed out")
        let one = ClusterChecks.findings([member(1), line])
        #expect(one.filter { $0.verdict == .warning }.count == 1)
        #expect(!one.contains { $0.verdict == .bad })
        #expect(ClusterChecks.findings([line]).contains { $0.verdict == .bad })
        #expect(ClusterChecks.findings([]).contains { $0.verdict == .bad })
    }

    @Test("finds the clock that is wrong among many")
    func clocks() {
        let other = found(member(1), member(2), member(3, clockAhead: 4000))
        #expect(other == ["warning clocks: that of 192.0.2.3:4891 is 4000 s ahead"])
        let own = found(member(1, clockAhead: 4000), member(2, clockAhead: 4001), member(3))
        #expect(own == ["PROBLEM clocks: this node's is 4000 s behind most others'"])
        let two = found(member(1), member(2, clockAhead: -4000), member(3, clockAhead: 9000))
        #expect(
            two == [
                "warning clocks: that of 192.0.2.2:4891 is 4000 s behind",
                "warning clocks: that of 192.0.2.3:4891 is 9000 s ahead",
            ])
        #expect(found(member(1, clockAhead: 4000)).joined().contains("no third one says which"))
    }

    @Test("a trial travels whole, and what is none is refused")
    func wire() throws {
        var trial = Self.well
        trial.silence = nil
        trial.streamFailure = "no route to host"
        #expect(try PeerTrial(parsing: trial.encoded) == trial)
        for count in 0..<trial.encoded.count {
            #expect(throws: (any Error).self) { try PeerTrial(parsing: Array(trial.encoded.prefix(count))) }
        }
    }

    @Test("looks at folder, key and clock without changing them")
    func machine() throws {
        let folder = try TemporaryFolder()
        var configuration = try Configuration.parse("", environment: ["HOME": folder.path]).configuration
        configuration.node.dataDirectory = folder.path + "/data"
        var machine = MachineChecks(configuration: configuration)
        #expect(machine.disk().map(\.verdict) == [.warning])
        #expect(machine.key().1.map(\.verdict) == [.warning])
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/data"))

        configuration.node.dataDirectory = folder.path
        machine = MachineChecks(configuration: configuration)
        let key = try NodeKeyFile.loadOrCreate(at: folder.path + "/node.key")
        #expect(machine.key().0?.id == key.id)
        chmod(folder.path + "/node.key", 0o644)
        #expect(machine.key().1.map(\.verdict) == [.bad])
        #expect(machine.clock(Date(timeIntervalSince1970: 0)).map(\.verdict) == [.bad])
        #expect(machine.clock(TrustedClock.build.addingTimeInterval(86_400)).map(\.verdict) == [.good])
    }
}
