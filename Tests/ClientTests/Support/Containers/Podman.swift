/// `podman` or `buildah`, each with a storage of its own.
struct Podman: ContainerClient {
    let lab: ContainerLab
    let kind: ContainerClientKind

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

    func empty() async throws {
        let end = try await run(["rmi", "--all", "--force"], seconds: 60)
        let left = try await run(["images", "--all", "--quiet"], seconds: 60).text
        guard end.succeeded, left.isEmpty else {
            throw TestFailure("\(kind) keeps images: \(end.text)\(left)")
        }
    }

    private func run(_ words: [String], seconds: Double) async throws -> Pull {
        let place = [
            "--root", "/run/storage/\(kind)", "--runroot", "/run/runroot-\(kind)", "--storage-driver",
            "overlay",
        ]
        let end = try await lab.run(kind.rawValue, place + words, seconds: seconds)
        return Pull(code: end.code, text: end.text)
    }
}
