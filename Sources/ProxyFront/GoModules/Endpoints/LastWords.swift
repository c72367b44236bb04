import ChunkStore
import Content
import Logging

/// What upstream last said of names that it has nothing of, kept in the store: while no upstream can be
/// asked, that is still the best answer there is.
///
/// A go command that looks for a package asks for every prefix of its path as a module, and goes on only
/// where all others are "not found". Without this a node that is cut off could not serve a module that it
/// holds in full. An answer that is held comes before these words, so nothing needs to take them back.
struct LastWords: Sendable {
    /// The longest error body kept, in bytes; public proxies say less than half of it.
    static let bodyLimit = 1024

    let delivery: Delivery
    let logger: Logger

    /// Keeps a 404 or 410. The same words are not written twice.
    func keep(_ refusal: UpstreamRefusal, for resource: GoResource) async {
        guard refusal.isNotFound, refusal.body.count <= Self.bodyLimit else { return }
        do {
            let bytes = Array("\(refusal.status)\n".utf8) + refusal.body
            let name = try Self.name(of: resource)
            let digest = Digest(of: bytes)
            guard try await delivery.store.reference(name)?.digest != digest else { return }
            let now = delivery.clock.now
            let reference = Reference(
                name: name, digest: digest, size: Int64(bytes.count), learned: now, checked: now,
                origin: refusal.upstream, validator: nil, contentType: refusal.contentType,
                verified: .notApplicable, access: .private, h1: nil)
            try await delivery.store.keep(bytes, as: reference, sync: false)
        } catch {
            logger.debug("what \(refusal.upstream) said of \(resource.name) is not kept: \(error)")
        }
    }

    /// The words about a name, or nil where there are none.
    func refusal(for resource: GoResource) async -> UpstreamRefusal? {
        guard let name = try? Self.name(of: resource),
            let (reference, object) = try? await delivery.local(name), case .bytes(let bytes) = object.body,
            let end = bytes.firstIndex(of: UInt8(ascii: "\n")),
            let status = Int(String(decoding: bytes[..<end], as: UTF8.self))
        else { return nil }
        return UpstreamRefusal(
            upstream: reference.origin, status: status, contentType: reference.contentType,
            body: Array(bytes[(end + 1)...]))
    }

    private static func name(of resource: GoResource) throws -> ReferenceName {
        try ReferenceName("missing/\(resource.name.text)")
    }
}
