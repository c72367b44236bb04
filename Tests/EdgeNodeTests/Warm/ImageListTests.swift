import Content
import EdgeNode
import ProxyFront
import Testing

@Suite("The images to warm")
struct ImageListTests {
    private func digest(_ seed: UInt8) -> Digest { Digest(of: [seed]) }

    private func index(_ platforms: [Platform?]) throws -> Manifest {
        let entries = platforms.enumerated().map { index, platform in
            let place = platform.map {
                ", \"platform\": {\"os\": \"\($0.os)\", \"architecture\": \"\($0.architecture)\""
                    + ($0.variant.map { ", \"variant\": \"\($0)\"" } ?? "") + "}"
            }
            return "{\"mediaType\": \"\(MediaType.manifest)\", \"digest\": \"\(digest(UInt8(index)))\","
                + " \"size\": 10\(place ?? "")}"
        }
        return try Manifest(parsing: Array("{\"manifests\": [\(entries.joined(separator: ","))]}".utf8))
    }

    private func platforms(_ texts: String...) -> [Platform?] { texts.map { Platform(parsing: $0) } }

    private func manifests(of list: ImageList) -> [Digest] {
        list.items.compactMap { if case .manifest(let image) = $0 { image.digest } else { nil } }
    }

    @Test("are asked for by name, under the path of their registry")
    func names() throws {
        var list = ImageList(.all)
        list.add(try ImageReference(parsing: "nginx:1.27"))
        list.add(try ImageReference(parsing: "nginx:1.27"))
        list.add(try ImageReference(parsing: "localhost:5000/a@\(digest(1))"))
        let corp = try Repository(try RegistryHost("corp"), try RepositoryName("team/app"))
        list.add(ImageReference(corp, tag: nil, digest: nil))
        #expect(
            list.items.map(\.target) == [
                "/v2/docker.io/library/nginx/manifests/1.27", "/v2/localhost:5000/a/manifests/\(digest(1))",
                "/v2/team/app/manifests/latest?ns=corp",
            ])
    }

    @Test(
        "bring along the manifests of the platforms that were asked for",
        arguments: [
            (["linux/amd64"], [0]), (["linux/arm"], [2, 3]), (["linux/arm/v7"], [3]),
            (["linux/amd64", "windows/amd64"], [0, 4]), ([], [0, 1, 2, 3, 4, 5]),
        ])
    func platforms(asked: [String], found: [Int]) throws {
        let index = try index(
            platforms(
                "linux/amd64", "linux/arm64/v8", "linux/arm/v6", "linux/arm/v7", "windows/amd64",
                "unknown/unknown"))
        let wanted = asked.compactMap { Platform(parsing: $0) }
        var list = ImageList(wanted.isEmpty ? .all : .some(wanted))
        let image = try ImageReference(parsing: "nginx")
        try list.add(contentsOf: index, in: image.repository)
        #expect(manifests(of: list) == found.map { digest(UInt8($0)) })
    }

    @Test("take what an index gives no platform for, as pulls do")
    func noPlatform() throws {
        var list = ImageList(.some([Platform(os: "linux", architecture: "amd64")]))
        try list.add(
            contentsOf: try index([nil, Platform(os: "linux", architecture: "arm64")]),
            in: try ImageReference(parsing: "a").repository)
        #expect(manifests(of: list) == [digest(0)])
    }

    @Test("say which platforms there are when the one wanted is not among them")
    func missing() throws {
        var list = ImageList(.some(["linux/amd64", "linux/s390x"].compactMap { Platform(parsing: $0) }))
        let index = try index(platforms("linux/amd64", "linux/arm64"))
        let repository = try ImageReference(parsing: "a").repository
        let failure = try #require(throws: CommandFailure.self) {
            try list.add(contentsOf: index, in: repository)
        }
        #expect(failure.message == "it has nothing for linux/s390x, but for linux/amd64, linux/arm64")
    }

    @Test("bring along configuration and layers, each once, but none that has addresses of its own")
    func blobs() throws {
        func descriptor(_ seed: UInt8, _ size: Int, _ more: String = "") -> String {
            "{\"mediaType\": \"x/y\", \"digest\": \"\(digest(seed))\", \"size\": \(size)\(more)}"
        }
        let layers = [
            descriptor(1, 100), descriptor(2, 1000), descriptor(1, 100),
            descriptor(3, 5, ", \"urls\": [\"https://elsewhere.example/layer\"]"),
        ]
        let text = "{\"config\": \(descriptor(0, 7)), \"layers\": [\(layers.joined(separator: ","))]}"
        let repository = try ImageReference(parsing: "quay.io/a/b").repository
        var list = ImageList(.some([Platform(os: "linux", architecture: "amd64")]))
        try list.add(contentsOf: try Manifest(parsing: Array(text.utf8)), in: repository)
        #expect(
            list.items == [
                .blob(repository, digest(0), size: 7), .blob(repository, digest(1), size: 100),
                .blob(repository, digest(2), size: 1000),
            ])
        #expect(list.knownBytes == 1107)
        #expect(list.items[0].target == "/v2/quay.io/a/b/blobs/\(digest(0))")
    }
}
