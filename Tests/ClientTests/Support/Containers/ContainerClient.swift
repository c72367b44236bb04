/// A real container client with a storage of its own, which asks the mirror at `ContainerLab.mirror` for images of
/// docker.io, and when that fails the real registry, in whose place a relay stands.
protocol ContainerClient: Sendable {
    var kind: ContainerClientKind { get }

    /// Pulls `image`, written as repository:tag or repository@digest of docker.io.
    func pull(_ image: String, architecture: String, seconds: Double) async throws -> Pull

    /// Does the storage hold the platform's image, complete as far as the client can tell?
    func holds(_ image: TestImage, _ architecture: String) async throws -> Bool

    /// Throws everything away that was pulled.
    func empty() async throws
}

extension ContainerClient {
    func pull(_ image: String, architecture: String = "amd64") async throws -> Pull {
        try await pull(image, architecture: architecture, seconds: 120)
    }
}

/// How a pull ended.
struct Pull: Sendable {
    var code: Int32
    var text: String
    var succeeded: Bool { code == 0 }
}

/// The clients of Debian 12.
enum ContainerClientKind: String, CaseIterable, Sendable {
    case containerd, docker, podman, buildah, skopeo

    /// docker 20.10 has no zstd.
    var takesZstd: Bool { self != .docker }
    /// containerd's content store and skopeo's plain directory name what they keep by SHA-256 alone.
    var takesSHA512: Bool { self != .containerd && self != .skopeo }
}
