import Content

/// The image index that lists what refers to a manifest (OCI distribution specification 1.1, "Listing Referrers").
struct ReferrersIndex: Encodable, Sendable {
    private let schemaVersion = 2
    private let mediaType = MediaType.index
    private let manifests: [Entry]

    init(_ descriptors: [Descriptor]) { manifests = descriptors.map(Entry.init) }

    private struct Entry: Encodable, Sendable {
        let mediaType: String
        let digest: String
        let size: Int64
        let artifactType: String?
        let annotations: [String: String]?
        let platform: Platform?

        struct Platform: Encodable, Sendable {
            let os: String
            let architecture: String
            let variant: String?
        }

        init(_ descriptor: Descriptor) {
            mediaType = descriptor.mediaType
            digest = "\(descriptor.digest)"
            size = descriptor.size
            artifactType = descriptor.artifactType
            annotations = descriptor.annotations.isEmpty ? nil : descriptor.annotations
            platform = descriptor.platform.map {
                Platform(os: $0.os, architecture: $0.architecture, variant: $0.variant)
            }
        }
    }
}
