/// How much is held of the images of one registry.
public struct HeldImages: Sendable, Codable, Equatable {
    public var repositories: Int
    public var tags: Int
    /// Of manifests, configurations and layers, each once however many repositories share it.
    public var bytes: Int64

    public init(repositories: Int = 0, tags: Int = 0, bytes: Int64 = 0) {
        self.repositories = repositories
        self.tags = tags
        self.bytes = bytes
    }
}
