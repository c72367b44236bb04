/// The media types that the node tells apart; every other one passes through as it is.
public enum MediaType {
    public static let index = "application/vnd.oci.image.index.v1+json"
    public static let manifest = "application/vnd.oci.image.manifest.v1+json"
    public static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
    public static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    public static let dockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json"
    public static let dockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    public static let octets = "application/octet-stream"

    /// What the node asks an upstream for when no client says what it takes.
    public static let manifests = [index, manifest, dockerList, dockerManifest]

    /// Whether content of this type lists other manifests.
    public static func isIndex(_ type: String) -> Bool { type == index || type == dockerList }

    /// Whether content of this type is a manifest of any kind.
    public static func isManifest(_ type: String) -> Bool {
        isIndex(type) || [manifest, dockerManifest, dockerSchema1, dockerSchema1Signed].contains(type)
    }
}
