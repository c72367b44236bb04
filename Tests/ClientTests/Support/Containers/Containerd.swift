/// `ctr` and the suite's containerd.
struct Containerd: ContainerClient {
    let lab: ContainerLab
    let kind = ContainerClientKind.containerd

    func pull(_ image: String, architecture: String, seconds: Double) async throws -> Pull {
        let words = [
            "images", "pull", "--hosts-dir", lab.folder + "/hosts.d", "--platform", "linux/" + architecture,
            "docker.io/" + image,
        ]
        return try await ctr(words, seconds: seconds)
    }

    func holds(_ image: TestImage, _ architecture: String) async throws -> Bool {
        let held = try await ctr(["content", "ls", "--quiet"]).text.split(separator: "\n").map(String.init)
        let platform = try image.platform(architecture)
        return Set(platform.blobs.map(\.digest) + [platform.digest]).isSubset(of: held)
    }

    func empty() async throws {
        for image in try await ctr(["images", "ls", "--quiet"]).text.split(separator: "\n") {
            _ = try await ctr(["images", "rm", String(image)])
        }
        for lease in try await ctr(["leases", "ls", "--quiet"]).text.split(separator: "\n") {
            _ = try await ctr(["leases", "rm", String(lease)])
        }
        // The end of a lease makes containerd collect what nothing holds any more, half a layer too.
        _ = try await ctr(["leases", "create", "--id", "collect"])
        _ = try await ctr(["leases", "rm", "--sync", "collect"])
        let left = try await ctr(["content", "ls", "--quiet"]).text
        guard left.isEmpty else { throw TestFailure("containerd keeps content: \(left)") }
    }

    private func ctr(_ words: [String], seconds: Double = 60) async throws -> Pull {
        let socket = ["--address", lab.containerdSocket, "--namespace", "tests"]
        let end = try await lab.run("ctr", socket + words, seconds: seconds)
        return Pull(code: end.code, text: end.text)
    }
}
