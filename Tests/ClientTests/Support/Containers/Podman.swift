import Foundation

/// `podman` or `buildah`, each with a storage of its own that a new value starts empty.
struct Podman: ContainerClient {
    let lab: ContainerLab
    let kind: ContainerClientKind
    private let storage: String

    init(_ lab: ContainerLab, _ kind: ContainerClientKind) throws {
        (self.lab, self.kind) = (lab, kind)
        storage = try lab.scratch.folder(kind.rawValue)
    }

    func pull(_ image: String, architecture: String, seconds: Double) async throws -> Pull {
        let words = [
            "pull", "--signature-policy", lab.folder + "/policy.json", "--arch", architecture,
            "docker.io/" + image,
        ]
        return try await run(words, seconds: seconds)
    }

    func holds(_ image: TestImage, _ architecture: String) async throws -> Bool {
        let held = try await run(["images", "--all", "--no-trunc", "--quiet"], seconds: 60).text
        return held.contains(try image.platform(architecture).config.digest)
    }

    func empty() async throws { _ = try await run(["rmi", "--all", "--force"], seconds: 60) }

    private func run(_ words: [String], seconds: Double) async throws -> Pull {
        let place = [
            "--root", storage, "--runroot", "/run/" + (storage as NSString).lastPathComponent,
            "--storage-driver", "overlay",
        ]
        let end = try await lab.run(kind.rawValue, place + words, seconds: seconds)
        return Pull(code: end.code, text: end.text)
    }
}
