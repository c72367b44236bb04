public import Content

/// One object of a bundle, with the names that point at it.
public struct BundleObject: Sendable, Equatable {
    public var digest: Digest
    /// In bytes.
    public var size: Int64
    /// Left out: the target said that it holds it.
    public var isAbsent: Bool
    /// At least one; their digest and size are the object's.
    public var references: [Reference]

    public init(digest: Digest, size: Int64, isAbsent: Bool = false, references: [Reference]) {
        self.digest = digest
        self.size = size
        self.isAbsent = isAbsent
        self.references = references
    }
}

/// What a bundle holds, in the order of its bytes (docs/bundle-format.md, "Manifest").
public struct BundleManifest: Sendable, Equatable {
    public static let maximumObjects = 1 << 18
    public static let maximumReferences = 1 << 20
    /// The largest object, and the most that all have together, in bytes.
    public static let maximumObject: Int64 = 1 << 40
    public static let maximumTotal: Int64 = 1 << 50
    /// The longest line, in bytes.
    static let maximumLine = 8192

    public let objects: [BundleObject]

    /// - Throws: `BundleError.tooLarge`, or `.malformedManifest` for an object without a name, a digest or a name
    ///   that stands twice.
    public init(_ objects: [BundleObject]) throws(BundleError) {
        guard objects.count <= Self.maximumObjects else {
            throw .tooLarge(
                "\(objects.count) objects, at most \(Self.maximumObjects) in one; make several bundles")
        }
        var digests: Set<Digest> = []
        var names: Set<ReferenceName> = []
        var total: Int64 = 0
        for object in objects {
            guard (0...Self.maximumObject).contains(object.size) else {
                throw .tooLarge("\(object.digest) has \(object.size) bytes")
            }
            total += object.size
            guard total <= Self.maximumTotal else { throw .tooLarge("more than \(Self.maximumTotal) bytes") }
            guard digests.insert(object.digest).inserted else {
                throw .malformedManifest(line: 0, "\(object.digest) is listed twice")
            }
            guard !object.references.isEmpty else {
                throw .malformedManifest(line: 0, "nothing points at \(object.digest)")
            }
            for reference in object.references where !names.insert(reference.name).inserted {
                throw .malformedManifest(line: 0, "\(reference.name) is listed twice")
            }
        }
        guard names.count <= Self.maximumReferences else {
            throw .tooLarge(
                "\(names.count) names, at most \(Self.maximumReferences) in one; make several bundles")
        }
        self.objects = objects
    }

    /// Bytes of the objects that are in the bundle.
    public var contentSize: Int64 { objects.reduce(0) { $0 + ($1.isAbsent ? 0 : $1.size) } }

    /// Where each object begins, counted from the first object's first byte.
    public var offsets: [Int64] {
        var offsets: [Int64] = []
        offsets.reserveCapacity(objects.count)
        var next: Int64 = 0
        for object in objects {
            offsets.append(next)
            if !object.isAbsent { next += object.size }
        }
        return offsets
    }
}
