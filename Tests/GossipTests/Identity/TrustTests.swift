import Content
import Foundation
import Gossip
import Testing

@Suite struct TrustTests {
    let cluster: TestCluster

    init() throws { cluster = try TestCluster() }

    @Test("A certificate that root and invitation signed is read as it was written, and admitted")
    func admitted() throws {
        let (key, certificate) = try cluster.member(zone: try Zone("oslo"), roles: [.private])
        var reader = WireReader(certificate.encoded)
        let read = try NodeCertificate(from: &reader)
        try reader.expectEnd()
        #expect(read == certificate)
        var trust = cluster.trust()
        let admission = try trust.admit(read, key: key.id, now: cluster.start).get()
        #expect(admission.zone.text == "oslo")
        #expect(admission.roles == [.private])
        #expect(certificate.encoded.count <= NodeCertificate.byteLimit)
    }

    @Test("A certificate with any bit changed is not admitted") func bitFlips() throws {
        let (key, certificate) = try cluster.member()
        for index in certificate.encoded.indices {
            var changed = certificate.encoded
            changed[index] ^= 1 << (index % 8)
            var reader = WireReader(changed)
            guard let read = try? NodeCertificate(from: &reader) else { continue }
            var trust = cluster.trust()
            #expect(throws: TrustRefusal.self, "byte \(index)") {
                try trust.admit(read, key: key.id, now: cluster.start).get()
            }
        }
        for count in certificate.encoded.indices {
            var reader = WireReader(certificate.encoded[..<count])
            #expect(throws: WireError.self) { try NodeCertificate(from: &reader) }
        }
    }

    @Test("Each way of not belonging is told by its name") func refusals() throws {
        let (node, invitationKey, stranger) = (
            try NodeKey.generate(), try NodeKey.generate(), try NodeKey.generate()
        )
        func refusal(
            _ invitation: InvitationCertificate, joined: Date? = nil, by key: NodeKey? = nil,
            shownBy shower: NodeKey? = nil, strict: Bool = false, later: TimeInterval = 0
        ) -> TrustRefusal? {
            let certificate = NodeCertificate(
                invitation: invitation, node: node.id, joined: joined ?? cluster.start,
                key: key ?? invitationKey)
            var trust = cluster.trust(strictExpiry: strict)
            return trust.admit(
                certificate, key: (shower ?? node).id, now: cluster.start.addingTimeInterval(later)
            ).failure
        }
        let good = cluster.invitation(key: invitationKey)
        #expect(refusal(good) == nil)
        #expect(refusal(cluster.invitation(key: invitationKey, root: stranger)) == .notSignedByRoot)
        #expect(refusal(good, by: stranger) == .notSignedByInvitation)
        #expect(refusal(good, shownBy: stranger) == .otherNode)
        let other = ClusterID(root: stranger.id)
        #expect(refusal(cluster.invitation(key: invitationKey, cluster: other)) == .otherCluster(other))
        #expect(
            refusal(good, joined: good.joinBy.addingTimeInterval(1)) == .joinedTooLate(good.joinBy))
        let short = cluster.invitation(key: invitationKey, expires: 10)
        #expect(refusal(short, later: 11) == nil, "expiry warns")
        #expect(refusal(short, strict: true, later: 11) == .expired(short.expires))
        var trust = cluster.trust()
        #expect(trust.admit(nil, key: node.id, now: cluster.start).failure == .noCertificate)
    }

    @Test("The first key of an invitation wins, and two that were let in apart are both held back")
    func serials() throws {
        let serial = Serial.random()
        let (first, second) = (try cluster.member(serial: serial), try cluster.member(serial: serial))
        var trust = cluster.trust()
        #expect(trust.admit(first.certificate, key: first.key.id, now: cluster.start).success != nil)
        #expect(
            trust.admit(second.certificate, key: second.key.id, now: cluster.start).failure
                == .invitationUsed(serial))
        #expect(trust.admit(first.certificate, key: first.key.id, now: cluster.start).success != nil)
        let heldBack = trust.conflict(second.certificate)
        #expect(heldBack)
        let again = trust.conflict(second.certificate)
        #expect(!again, "an alarm is raised once")
        for member in [first, second] {
            #expect(
                trust.admit(member.certificate, key: member.key.id, now: cluster.start).failure
                    == .heldBack(serial))
        }
    }

    @Test("A revocation list is taken over only from the root and only when newer, and survives a restart")
    func revocation() throws {
        let (key, certificate) = try cluster.member()
        var trust = cluster.trust()
        func list(_ number: UInt64, serials: Set<Serial> = [], keys: Set<NodeID> = [], by root: NodeKey)
            -> RevocationList
        {
            RevocationList(
                cluster: cluster.id, number: number, issued: cluster.start, serials: serials, keys: keys,
                root: root)
        }
        let second = list(2, serials: [certificate.serial], by: cluster.root)
        var reader = WireReader(second.encoded)
        #expect(try RevocationList(from: &reader) == second)
        let stranger = try NodeKey.generate()
        #expect(throws: TrustRefusal.notSignedByRoot) { try trust.merge(list(3, by: stranger)) }
        #expect(trust.admit(certificate, key: key.id, now: cluster.start).success != nil)
        #expect(try trust.merge(second))
        #expect(try !trust.merge(list(1, by: cluster.root)), "numbers only grow")
        let refused = TrustRefusal.revoked(serial: certificate.serial)
        #expect(trust.admit(certificate, key: key.id, now: cluster.start).failure == refused)

        var writer = WireWriter()
        trust.encode(into: &writer)
        var restarted = cluster.trust()
        var kept = WireReader(writer.bytes)
        try restarted.restore(from: &kept)
        try kept.expectEnd()
        #expect(restarted.admit(certificate, key: key.id, now: cluster.start).failure == refused)
        #expect(try restarted.merge(list(3, keys: [key.id], by: cluster.root)))
        #expect(
            restarted.admit(certificate, key: key.id, now: cluster.start).failure == .revoked(serial: nil))
    }

    @Test("With a list of members nobody else is admitted") func list() throws {
        let (own, other, stranger) = (
            try NodeKey.generate(), try NodeKey.generate(), try NodeKey.generate()
        )
        let members = [
            StaticMember(key: own.id), StaticMember(key: other.id, zone: try Zone("b"), roles: [.resolver]),
        ]
        let credentials = try ClusterCredentials(key: own, secret: cluster.secret, members: members)
        var trust = Trust(anchor: credentials.anchor, cluster: credentials.cluster)
        #expect(trust.admit(nil, key: other.id, now: cluster.start).success?.roles == [.resolver])
        #expect(trust.admit(nil, key: stranger.id, now: cluster.start).failure == .notListed)
        #expect(throws: TrustRefusal.notListed) {
            try ClusterCredentials(key: stranger, secret: cluster.secret, members: members)
        }
    }

    @Test("Two nodes share one secret, and no third one has it") func sharedSecret() throws {
        let (one, two, three) = (
            try NodeKey.generate(), try NodeKey.generate(), try NodeKey.generate()
        )
        let shared = try #require(one.sharedSecret(with: two.id))
        #expect(shared == two.sharedSecret(with: one.id))
        #expect(shared != three.sharedSecret(with: one.id))
    }

    @Test("The trusted time never runs before the build, and follows a clock that leapt by a day at most")
    func clock() {
        var clock = TrustedClock()
        #expect(clock.now(Date(timeIntervalSince1970: 0)) == TrustedClock.build)
        #expect(clock.isBehind(Date(timeIntervalSince1970: 0)))
        let leap = TrustedClock.build.addingTimeInterval(86_400 * 4000)
        #expect(clock.now(leap) == leap)
        #expect(clock.floor == TrustedClock.build.addingTimeInterval(86_400))
    }

    @Test("Names of zones and roles are parsed once, or refused", arguments: ["", "A", "-a", "a.", "a b"])
    func zones(_ bad: String) throws {
        #expect(throws: Zone.Malformed.self) { try Zone(bad) }
        #expect(try Zone("rack-1.oslo").text == "rack-1.oslo")
        #expect(Roles(names: ["private", "king"]) == nil)
        #expect(Roles(names: ["resolver", "private"])?.names == ["private", "resolver"])
    }
}
