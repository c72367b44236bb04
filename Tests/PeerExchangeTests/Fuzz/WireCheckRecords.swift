import Content
import Gossip

extension WireCheck {
    /// What is read says the same when it is written again, and nothing here is signed by a key nobody has.
    func checkRecord(_ bytes: [UInt8]) throws(WireViolation) {
        var reader = WireReader(bytes)
        if let card = try? MemberCard(from: &reader) {
            let read = bytes.count - reader.remaining
            try WireViolation.check(card.encoded == Array(bytes.prefix(read)), "\(card) changes")
            try WireViolation.check(card.encoded.count <= MemberCard.byteLimit, "a card above its limit")
            _ = card.record.isSigned
        }
        reader = WireReader(bytes)
        if let record = try? MemberRecord(from: &reader) {
            let read = bytes.count - reader.remaining
            try WireViolation.check(record.encoded == Array(bytes.prefix(read)), "\(record) changes")
            try WireViolation.check(!record.endpoints.isEmpty, "a record without an endpoint")
        }
        reader = WireReader(bytes)
        if let certificate = try? NodeCertificate(from: &reader) {
            try WireViolation.check(
                certificate.encoded.count <= NodeCertificate.byteLimit, "a certificate above its limit")
            let verdict = Result {
                try certificate.verify(root: certificate.node, cluster: certificate.cluster)
            }
            if case .success = verdict {
                throw WireViolation("a certificate that its own node signed as root")
            }
        }
        reader = WireReader(bytes)
        if let list = try? RevocationList(from: &reader) {
            let read = bytes.count - reader.remaining
            try WireViolation.check(list.encoded == Array(bytes.prefix(read)), "list \(list.number) changes")
            try WireViolation.check(
                list.serials.count + list.keys.count <= RevocationList.entryLimit * 2,
                "a list above its limit")
        }
        reader = WireReader(bytes)
        if let invitation = try? InvitationCertificate(parsing: &reader) {
            let read = bytes.count - reader.remaining
            try WireViolation.check(invitation.bytes == Array(bytes.prefix(read)), "an invitation changes")
        }
    }
}
