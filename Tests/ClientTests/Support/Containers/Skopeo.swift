import Foundation

/// `skopeo copy` into a plain directory.
struct Skopeo: ContainerClient {
    let lab: ContainerLab
    let kind = ContainerClientKind.skopeo
    private let folder: String

    init(_ lab: ContainerLab) throws {
        self.lab = lab
        folder = try lab.scratch.folder("skopeo")
    }

    func pull(_ image: String, architecture: String, seconds: Double) async throws -> Pull {
        let words = [
            "--policy", lab.folder + "/policy.json", "--registries-conf", lab.folder + "/registries.conf",
            "--override-arch", architecture, "copy", "docker://docker.io/" + image,
            "dir:" + folder + "/image",
        ]
        let end = try await lab.run("skopeo", words, seconds: seconds)
        return Pull(code: end.code, text: end.text)
    }

    func holds(_ image: TestImage, _ architecture: String) async throws -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/image")) ?? []
        return try image.platform(architecture).blobs.allSatisfy { blob in
            guard let name = names.first(where: { blob.digest.hasSuffix(":" + $0) }) else { return false }
            let held = FileManager.default.contents(atPath: folder + "/image/" + name)
            return held.map(Array.init) == (try TestImage.bytes(blob.digest))
        }
    }

    func empty() async throws { try? FileManager.default.removeItem(atPath: folder + "/image") }
}
