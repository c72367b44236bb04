/// Why bytes are no bundle, or none that this program takes (docs/bundle-format.md).
public enum BundleError: Error, Equatable, CustomStringConvertible {
    case notABundle
    /// Written by a newer edgenode.
    case otherVersion(String)
    case malformedHead(String)
    /// The signature is not that of the key in the head.
    case badSignature(key: String)
    /// The manifest does not have the digest that was signed.
    case badManifest(key: String)
    /// The manifest was signed and breaks the format all the same; line 0 = the whole of it.
    case malformedManifest(line: Int, String)
    case tooLarge(String)
    /// The file ends before the manifest does.
    case cutShort(String)

    public var description: String {
        switch self {
        case .notABundle: "this is no bundle: it does not begin with \"\(BundleHead.magic)\""
        case .otherVersion(let text):
            "the bundle has the format \(text.debugDescription), this program reads \(BundleHead.version): use the "
                + "edgenode that wrote it, or a newer one here"
        case .malformedHead(let what): "the bundle's head is damaged: \(what)"
        case .badSignature(let key):
            "the bundle is not what \(key) signed: its head or signature was altered; nothing of it was used"
        case .badManifest(let key):
            "the bundle's manifest is not the one that \(key) signed: it was altered or damaged; nothing of it was used"
        case .malformedManifest(0, let what): "the bundle's manifest: \(what)"
        case .malformedManifest(let line, let what): "the bundle's manifest, line \(line): \(what)"
        case .tooLarge(let what): "the bundle is beyond what is accepted: \(what)"
        case .cutShort(let what): "the bundle is cut short: \(what); copy it again"
        }
    }
}
