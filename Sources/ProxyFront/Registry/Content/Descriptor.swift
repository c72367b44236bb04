public import Content

/// A pointer at content: what it is, which bytes, how many (OCI image specification 1.1, "Content
/// Descriptors").
public struct Descriptor: Hashable, Sendable {
    public var mediaType: String
    public var digest: Digest
    /// In bytes.
    public var size: Int64
    /// Of an index's manifests, where stated.
    public var platform: Platform?
    public var artifactType: String?
    public var annotations: [String: String]
    /// The content can be had at these addresses only; a registry may hold nothing of it (foreign layers).
    public var urls: [String]

    public init(
        mediaType: String, digest: Digest, size: Int64, platform: Platform? = nil,
        artifactType: String? = nil,
        annotations: [String: String] = [:], urls: [String] = []
    ) {
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.artifactType = artifactType
        self.annotations = annotations
        self.urls = urls
    }
}

/// What a manifest of an index runs on (OCI image specification 1.1, "Image Index").
public struct Platform: Hashable, Sendable, CustomStringConvertible {
    public var os: String
    public var architecture: String
    public var variant: String?

    public init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }

    /// `linux/arm/v7`
    public init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (2...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.init(os: parts[0], architecture: parts[1], variant: parts.count == 3 ? parts[2] : nil)
    }

    /// Whether something made for `other` is what was asked for: a variant that is not named matches any.
    public func accepts(_ other: Platform) -> Bool {
        os == other.os && architecture == other.architecture && (variant == nil || variant == other.variant)
    }

    public var description: String { "\(os)/\(architecture)" + (variant.map { "/\($0)" } ?? "") }
}
