import Content
import EdgeNode
import Foundation
import ProxyFront
import Testing

@Suite("Images from layouts and archives", .timeLimit(.minutes(5)))
struct ImageImportTests {
    static let named = ["io.containerd.image.name": "registry.example.com/team/app:1.0"]

    private func folder(_ files: [String: [UInt8]], in node: OfflineNode, _ name: String = "layout") throws
        -> String
    {
        let path = node.folder.path + "/" + name
        try TestImage.write(files, below: path)
        return path
    }

    @Test("come in from a folder and from an archive alike, under every name that the registry finds them by")
    func layout() async throws {
        let image = try TestImage()
        let files = image.layout(annotations: Self.named)
        for isTar in [false, true] {
            let node = try await OfflineNode()
            let path = try isTar ? node.write(TestImage.tar(files), to: "l.tar") : folder(files, in: node)
            let summary = try await node.take(path)
            #expect(summary.refused == [] && summary.notes == [])
            #expect(summary.stored == image.parts.count)
            let repository = "registry.example.com/team/app"
            for part in image.parts {
                let link = try #require(try await node.reference("oci/\(repository)@\(part.digest)"))
                #expect(link.digest == part.digest && link.access == .private && link.verified == .verified)
                let isManifest = MediaType.isManifest(part.type)
                #expect(link.contentType == (isManifest ? part.type : MediaType.octets))
                #expect(try await node.bytes(part.digest) == part.bytes)
            }
            let tag = try await node.reference("oci/\(repository):1.0")
            #expect(tag?.digest == image.index.digest && tag?.contentType == MediaType.index)
            for (_, manifest, children) in image.manifests {
                #expect(
                    try await node.reference("oci-part/\(repository)@\(manifest.digest)")?.digest
                        == image.index.digest)
                for child in children {
                    let holder = try await node.reference("oci-part/\(repository)@\(child.digest)")?.digest
                    #expect(image.manifests.contains { $0.part.digest == holder })
                }
            }
            let again = try await node.take(path, isPublic: true)
            #expect(again.stored == 0 && again.held == image.parts.count)
            // Said to be public later, it is.
            for name in try await node.names() { #expect(try await node.reference(name)?.access == .public) }
        }
    }

    static let names: [(annotations: [String: String], given: String?, name: String?)] = [
        (["io.containerd.image.name": "docker.io/library/a:2"], nil, "docker.io/library/a:2"),
        (["org.opencontainers.image.ref.name": "quay.io/x/y:3"], nil, "quay.io/x/y:3"),
        (["org.opencontainers.image.ref.name": "3"], nil, nil),
        ([:], nil, nil),
        (["org.opencontainers.image.ref.name": "3"], "quay.io/x/y", "quay.io/x/y:3"),
        (["org.opencontainers.image.ref.name": "3"], "quay.io/x/y:4", "quay.io/x/y:4"),
        (["io.containerd.image.name": "docker.io/library/a:2"], "b", "docker.io/library/b:2"),
        ([:], "b", "docker.io/library/b:latest"),
        ([:], "B", nil), ([:], "quay.io/x/y:bad tag", nil),
        (["io.containerd.image.name": "not a name"], nil, nil),
    ]

    @Test("are called what the source or the operator says", arguments: 0..<names.count)
    func naming(row: Int) async throws {
        let (annotations, given, name) = Self.names[row]
        let node = try await OfflineNode()
        let files = try TestImage().layout(annotations: annotations)
        let summary = try await node.take(try folder(files, in: node), as: given)
        #expect((summary.refusedCount == 0) == (name != nil), "\(summary.refused)")
        if let name {
            #expect(try await node.reference("oci/" + name) != nil)
        } else {
            #expect(try await node.store.totals().objects == 0)
        }
    }

    @Test("that are damaged, lack parts or lie are refused")
    func damaged() async throws {
        let image = try TestImage()
        let layer = image.manifests[0].children[1]
        let path = "blobs/sha256/\(layer.digest.hex)"
        var cases: [(String, [String: [UInt8]])] = []
        var files = image.layout(annotations: Self.named)
        files[path] = layer.bytes.map { $0 ^ 1 }
        cases.append(("is damaged", files))
        files[path] = layer.bytes + [0]
        cases.append(("its manifest says", files))
        files[path] = nil
        cases.append(("lacks", files))
        files = image.layout(annotations: Self.named)
        files["blobs/sha256/\(image.index.digest.hex)"] =
            image.index.bytes.map { $0 == 0x20 ? 0x09 : $0 } + []
        files["blobs/sha256/\(image.index.digest.hex)"]?[0] = 0x5b
        cases.append(("is damaged", files))
        files["blobs/sha256/\(image.index.digest.hex)"] = nil
        cases.append(("lacks its manifest", files))
        for (number, (word, files)) in cases.enumerated() {
            let node = try await OfflineNode()
            let summary = try await node.take(try folder(files, in: node))
            #expect(
                summary.refused.count == 1 && summary.refused[0].contains(word),
                "\(number): \(summary.refused)")
            #expect(try await node.reference("oci/registry.example.com/team/app:1.0") == nil)
            #expect(
                try await node.reference("oci/registry.example.com/team/app@\(image.index.digest)") == nil)
        }
    }

    @Test("of some of an index's platforms are taken, and the others named")
    func sparse() async throws {
        let image = try TestImage()
        var files = image.layout(annotations: Self.named)
        for part in [image.manifests[0].part] + image.manifests[0].children {
            if !image.manifests[1].children.contains(where: { $0.digest == part.digest }) {
                files["blobs/\(part.digest.algorithm.rawValue)/\(part.digest.hex)"] = nil
            }
        }
        let node = try await OfflineNode()
        let summary = try await node.take(try folder(files, in: node))
        #expect(summary.refused == [])
        #expect(summary.notes.count == 1 && summary.notes[0].contains("linux/amd64"))
        #expect(
            try await node.reference("oci/registry.example.com/team/app:1.0")?.digest == image.index.digest)
    }

    @Test("do not bring along what their symbolic links point at")
    func symbolicLinks() async throws {
        let image = try TestImage()
        let layer = image.manifests[0].children[1]
        let path = "blobs/sha256/\(layer.digest.hex)"
        var files = image.layout(annotations: Self.named)
        files[path] = nil
        let node = try await OfflineNode()
        let layout = try folder(files, in: node)
        // The right bytes, elsewhere: it is the link that is refused, not what it shows.
        let secret = try node.write(layer.bytes, to: "elsewhere")
        try FileManager.default.createSymbolicLink(atPath: "\(layout)/\(path)", withDestinationPath: secret)
        let failure = await #expect(throws: CommandFailure.self) { try await node.take(layout) }
        #expect(failure?.message.contains("symbolic link") == true)
        #expect(try await node.store.totals().objects == 0)
    }

    @Test("come in from what older docker releases save, with a manifest made for them")
    func dockerArchive() async throws {
        let layers = [Array("first layer".utf8), Array("second layer".utf8)]
        let ids = layers.map { "\"\(Digest(of: $0))\"" }.joined(separator: ",")
        let config = Array(
            "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\(ids)]}}"
                .utf8)
        func archive(_ second: [UInt8], tags: String = #"["team/app:1.0","team/app:latest"]"#) -> [UInt8] {
            let manifest =
                "[{\"Config\":\"c.json\",\"RepoTags\":\(tags),\"Layers\":[\"one/layer.tar\",\"two/layer.tar\"]}]"
            return TestTar().file("c.json", config).file("real.tar", layers[0])
                .entry("one/layer.tar", kind: "2", link: "../real.tar").file("two/layer.tar", second)
                .file("manifest.json", Array(manifest.utf8)).bytes
        }
        let node = try await OfflineNode()
        let summary = try await node.take(try node.write(archive(layers[1]), to: "a.tar"))
        #expect(summary.refused == [])
        let tag = try #require(try await node.reference("oci/docker.io/team/app:1.0"))
        #expect(try await node.reference("oci/docker.io/team/app:latest")?.digest == tag.digest)
        let manifest = try Manifest(parsing: try #require(try await node.bytes(tag.digest)))
        #expect(manifest.config?.digest == Digest(of: config))
        #expect(manifest.layers.map(\.digest) == layers.map { Digest(of: $0) })
        for part in manifest.children {
            #expect(try await node.reference("oci/docker.io/team/app@\(part.digest)")?.size == part.size)
            #expect(
                try await node.reference("oci-part/docker.io/team/app@\(part.digest)")?.digest == tag.digest)
        }
        // The same archive makes the same manifest, and a plan for an export holds.
        #expect(try await node.take(try node.write(archive(layers[1]), to: "b.tar")).stored == 0)
        #expect(
            try await node.plan(ExportRequest(images: ["team/app:1.0"], includesPrivate: true)).refused == [])
        let other = try await OfflineNode()
        let bad = try await other.take(try other.write(archive(Array("another".utf8)), to: "a.tar"))
        #expect(bad.refusedCount == 1)
        #expect(try await other.reference("oci/docker.io/team/app:1.0") == nil)
        let unnamed = try await other.take(try other.write(archive(layers[1], tags: "null"), to: "b.tar"))
        #expect(unnamed.refusedCount == 1 && unnamed.refused[0].contains("--as"))
        #expect(
            try await other.take(other.folder.path + "/b.tar", as: "quay.io/x/y:7").refused == [])
        #expect(try await other.reference("oci/quay.io/x/y:7") != nil)
    }

    @Test("that are something else are refused with what to do")
    func somethingElse() async throws {
        let node = try await OfflineNode()
        let empty = node.folder.path + "/empty"
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        let cases: [(path: String, word: String)] = [
            (node.folder.path + "/absent", "No such file"), (empty, "nothing that can be imported"),
            (try node.write([0x1f, 0x8b, 8, 0], to: "a.tgz"), "gunzip"),
            (try node.write([0x28, 0xb5, 0x2f, 0xfd], to: "a.zst"), "unzstd"),
            (try node.write(Array("hello".utf8), to: "text"), "neither a bundle"),
            (try node.write([], to: "nothing"), "neither"),
            (try node.write(TestTar().file("x", "y").bytes, to: "x.tar"), "nothing that can be imported"),
            (try node.write(TestTar().file("../x", "y").bytes, to: "y.tar"), "forbidden name"),
            (try node.write(TestTar().file("oci-layout", "{}").bytes, to: "z.tar"), "no index.json"),
            ("/dev/null", "not a regular file"),
        ]
        for (path, word) in cases {
            let failure = await #expect(throws: CommandFailure.self, "\(path)") { try await node.take(path) }
            #expect(failure?.message.contains(word) == true, "\(path): \(failure?.message ?? "")")
        }
    }

    @Test("carry those that refer to them along, signatures above all")
    func referrers() async throws {
        let image = try TestImage()
        let source = try await OfflineNode()
        try await source.take(try folder(image.layout(annotations: Self.named), in: source), isPublic: true)
        let repository = "registry.example.com/team/app"
        let (config, layer) = (Array("{}".utf8), Array("a signature".utf8))
        let subject = image.index
        let text = """
            {"schemaVersion":2,"mediaType":"\(MediaType.manifest)",\
            "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"\(Digest(of: config))","size":2},\
            "layers":[{"mediaType":"text/plain","digest":"\(Digest(of: layer))","size":\(layer.count)}],\
            "subject":{"mediaType":"\(subject.type)","digest":"\(subject.digest)","size":\(subject.bytes.count)}}
            """
        let bytes = Array(text.utf8)
        let digest = Digest(of: bytes)
        try await source.put(config, as: "oci/\(repository)@\(Digest(of: config))", type: MediaType.octets)
        try await source.put(bytes, as: "oci/\(repository)@\(digest)", type: MediaType.manifest)
        try await source.put(
            bytes, as: "oci-subject/\(repository)@\(subject.digest)@\(digest)", type: MediaType.manifest)
        let request = ExportRequest(images: ["\(repository):1.0"])
        let plan = try await source.plan(request)
        #expect(plan.refused == [] && plan.notes.count == 1)
        try await source.put(layer, as: "oci/\(repository)@\(Digest(of: layer))", type: MediaType.octets)
        let target = try await OfflineNode(trusting: [source.key.id])
        #expect(
            try await target.take(try target.write(try await source.export(request), to: "b")).refused == [])
        #expect(try await target.bytes(digest) == bytes)
        #expect(try await target.bytes(Digest(of: layer)) == layer)
        #expect(try await target.reference("oci-subject/\(repository)@\(subject.digest)@\(digest)") != nil)
    }
}
