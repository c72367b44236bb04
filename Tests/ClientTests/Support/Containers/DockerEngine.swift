/// `docker` and the suite's dockerd.
struct DockerEngine: ContainerClient {
    let lab: ContainerLab
    let kind = ContainerClientKind.docker

    func pull(_ image: String, architecture: String, seconds: Double) async throws -> Pull {
        try await docker(["pull", "--quiet", "--platform", "linux/" + architecture, image], seconds: seconds)
    }

    func holds(_ image: TestImage, _ architecture: String) async throws -> Bool {
        let held = try await docker(["images", "--all", "--no-trunc", "--quiet"]).text
        return held.contains(try image.platform(architecture).config.digest)
    }

    func empty() async throws {
        let end = try await docker(["image", "prune", "--all", "--force"])
        let left = try await docker(["images", "--all", "--quiet"]).text
        guard end.succeeded, left.isEmpty else {
            throw TestFailure("docker keeps images: \(end.text)\(left)")
        }
    }

    private func docker(_ words: [String], seconds: Double = 60) async throws -> Pull {
        let end = try await lab.run("docker", words, seconds: seconds)
        return Pull(code: end.code, text: end.text)
    }
}
