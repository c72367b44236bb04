import ChunkStore
import Content

extension AuditEvent {
    /// An object that came into the store, with how far it was checked.
    static func stored(_ reference: Reference, digest: Digest) -> AuditEvent {
        AuditEvent(
            .import, reference.name.text, reason: "\(reference.verified)", origin: reference.origin,
            digest: reference.h1 ?? "\(digest)")
    }
}
