import ChunkStore
import Content
import Gossip

/// A bundle whose signer is trusted and whose manifest was checked.
struct BundleFile: Sendable {
    let file: OpenFile
    let head: BundleHead
    let manifest: BundleManifest
    /// The file's length, which may be less than the bundle's.
    let byteCount: Int64
    private let offsets: [Int64]

    /// Reads the head, decides whether its signer is trusted, and only then reads the manifest. Blocks.
    /// - Throws: `BundleError`; `CommandFailure` naming the signer's key when it is not trusted.
    init(_ file: OpenFile, trusting keys: [NodeID]) throws {
        self.file = file
        byteCount = file.byteCount
        head = try BundleHead(
            parsing: try file.bytes(at: 0, count: Int(min(byteCount, Int64(BundleHead.maximumByteCount)))))
        guard let signer = try? NodeID(parsing: head.key) else { throw BundleError.malformedHead("the key") }
        guard keys.contains(signer) else {
            throw CommandFailure(
                .noPermission,
                "the bundle is signed by \(signer), which is not trusted here; nothing of it was used. If that is the "
                    + "node it should come from (edgenode key shows it there), add it to import.trusted_keys or give "
                    + "--trust \(signer)")
        }
        guard signer.isValid(head.signature, of: head.signedBytes) else {
            throw BundleError.badSignature(key: head.key)
        }
        let start = Int64(head.byteCount)
        guard byteCount - start >= head.manifestSize else {
            throw BundleError.cutShort(
                "its manifest has \(head.manifestSize) bytes, \(byteCount - start) are there")
        }
        let bytes = try file.bytes(at: start, count: Int(head.manifestSize))
        guard Digest(of: bytes) == head.manifestDigest else { throw BundleError.badManifest(key: head.key) }
        manifest = try BundleManifest(parsing: bytes)
        let content = start + head.manifestSize
        offsets = manifest.offsets.map { content + $0 }
    }

    /// The bytes of an object; nil when they were left out, or when the file ends before they do.
    func slice(_ index: Int) -> FileSlice? {
        let object = manifest.objects[index]
        let end = offsets[index] + object.size
        guard !object.isAbsent, end <= byteCount else { return nil }
        return FileSlice(file: file, range: offsets[index]..<end)
    }

    /// The bundle's whole length.
    var announcedByteCount: Int64 { Int64(head.byteCount) + head.manifestSize + manifest.contentSize }
}
