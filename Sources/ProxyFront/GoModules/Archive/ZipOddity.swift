/// Something about a zip that is not as a module zip should be, though its h1 could be worked out.
public struct ZipOddity: Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Only the central directory could tell how to read the zip.
        case readByDirectory(reason: String)
        case directoryEntry

        /// The name does not begin with `module@version/`.
        case nameOutsideModule
        /// The name is not one that the go command would unpack.
        case forbiddenName(reason: String)
        /// The name differs from another's by letter case only, or names a file twice, or a file as a folder.
        case collision(with: String)
        /// A go.mod below the root, or in other letter case.
        case misplacedGoMod
        /// A go.mod or LICENSE in the root that is larger than the go command allows.
        case rootFileTooLarge
        /// The entry's own header and the central directory disagree.
        case headersDisagree
        /// Bytes that belong to no entry stand before this one, or before the central directory.
        case gap
        /// The entry shares bytes with another.
        case overlap
        /// Compressed bytes that follow the end of the entry's contents.
        case unusedBytes
        /// Bytes that follow the end of the archive.
        case trailingBytes
    }

    public let kind: Kind
    /// The entry's name, cut to a bounded length; nil when the archive as a whole is meant.
    public let entry: String?

    init(_ kind: Kind, entry: (some Collection<UInt8>)?) {
        self.kind = kind
        self.entry = entry.map { String(decoding: $0.prefix(512), as: UTF8.self) }
    }

    init(_ kind: Kind) { self.init(kind, entry: [UInt8]?.none) }

    /// Whether readers may see different contents in the zip, or unpacking it may do harm: such a zip is
    /// passed through if its h1 is right, and never taken apart.
    public var isHostile: Bool {
        switch kind {
        case .readByDirectory, .directoryEntry: false
        default: true
        }
    }

    public var description: String {
        let what =
            switch kind {
            case .readByDirectory(let reason): "could only be read by its central directory: \(reason)"
            case .directoryEntry: "is an entry for a folder"
            case .nameOutsideModule: "lies outside the module's folder"
            case .forbiddenName(let reason): "has a name that is not allowed: \(reason)"
            case .collision(let other): "collides with \(QuotedText(other))"
            case .misplacedGoMod: "is a go.mod that is not in the root or not in lower case"
            case .rootFileTooLarge: "is too large for a file of its name"
            case .headersDisagree: "is described differently by its own header and the central directory"
            case .gap: "has unclaimed bytes in front of it"
            case .overlap: "shares bytes with another entry"
            case .unusedBytes: "has unused bytes behind its contents"
            case .trailingBytes: "goes on behind its end"
            }
        return (entry.map { QuotedText($0).description } ?? "the zip") + " " + what
    }
}

/// Oddities as they are found, of which a bounded number is kept.
struct ZipOddities: Sendable {
    static let limit = 32

    private(set) var kept: [ZipOddity] = []
    private(set) var isHostile = false

    mutating func add(_ oddity: ZipOddity) {
        isHostile = isHostile || oddity.isHostile
        if kept.count < Self.limit { kept.append(oddity) }
    }
}
