import ChunkStore
import Content
import EdgeNode
import Foundation
import Gossip
import Testing

@Suite("Bundles from one node to another", .timeLimit(.minutes(5)))
struct BundleTests {
    static let tag = "oci/registry.example.com/team/app:1.0"
    static let request = ExportRequest(
        images: ["registry.example.com/team/app:1.0"], modules: ["example.com/m@v1.0.0"])

    /// A node that holds an image and a module.
    static func source(_ settings: String = "sumdb = []") async throws -> (OfflineNode, TestImage, TestModule)
    {
        let node = try await OfflineNode(settings)
        let (image, module) = (try TestImage(), TestModule("example.com/m", "v1.0.0"))
        let names = ["io.containerd.image.name": "registry.example.com/team/app:1.0"]
        let layout = try node.write(TestImage.tar(image.layout(annotations: names)), to: "layout.tar")
        #expect(try await node.take(layout, isPublic: true).refusedCount == 0)
        try TestImage.write(module.tree, below: node.folder.path + "/tree")
        #expect(try await node.take(node.folder.path + "/tree", isPublic: true).refusedCount == 0)
        return (node, image, module)
    }

    @Test("carry images and modules with everything that is known of them")
    func roundTrip() async throws {
        let (source, image, module) = try await Self.source()
        let bundle = try await source.export(Self.request)
        #expect(try await source.export(Self.request) == bundle, "the same content gives the same bytes")
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        let path = try target.write(bundle, to: "a.bundle")
        let summary = try await target.take(path)
        #expect(summary.refused == [])
        #expect(summary.held == 0)
        for part in image.parts { #expect(try await target.bytes(part.digest) == part.bytes) }
        // Names, and all that hangs on them, are those of the source.
        let names = try await source.names()
        #expect(try await target.names() == names)
        for name in names {
            let (here, there) = (try await source.reference(name), try await target.reference(name))
            #expect(here?.digest == there?.digest, "\(name)")
            #expect(here?.contentType == there?.contentType, "\(name)")
            #expect(here?.verified == there?.verified, "\(name)")
            #expect(here?.access == there?.access, "\(name)")
            #expect(here?.h1 == there?.h1, "\(name)")
        }
        #expect(try await target.reference("go/example.com/m@v1.0.0.zip")?.h1 == module.h1)
        #expect(try await target.reference("gosum/example.com/m@v1.0.0.zip") != nil)
        // Again: everything is there, and nothing is read.
        let again = try await target.take(path)
        #expect(again.stored == 0 && again.refused == [])
        #expect(try await target.export(Self.request).count == bundle.count)
    }

    @Test("of one platform leave the others out, and of what is not held name it")
    func platforms() async throws {
        let (source, image, _) = try await Self.source()
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        let wanted = ExportRequest(images: ["registry.example.com/team/app:1.0"], platforms: ["linux/arm64"])
        try await target.take(try target.write(try await source.export(wanted), to: "b"))
        for (platform, part, _) in image.manifests {
            #expect(try await target.bytes(part.digest) == (platform == "linux/arm64" ? part.bytes : nil))
        }
        // What the target holds is what it can give on; the rest of the index is named.
        let plan = try await target.plan(ExportRequest(images: ["registry.example.com/team/app:1.0"]))
        #expect(plan.refused == [])
        #expect(plan.notes.count == 1 && plan.notes[0].contains("linux/amd64"))
        let lacking = try await target.plan(
            ExportRequest(images: ["registry.example.com/team/app:1.0"], platforms: ["linux/amd64"]))
        #expect(lacking.refused.count == 1 && lacking.refused[0].contains("(linux/amd64) is not held"))
        for bad in [
            ExportRequest(images: ["registry.example.com/team/other"]),
            ExportRequest(images: ["registry.example.com/team/app:1.0"], platforms: ["plan9/mips"]),
            ExportRequest(modules: ["example.com/m@v9.9.9"]),
        ] { #expect(!(try await source.plan(bad).refused.isEmpty)) }
    }

    @Test("whose layer is lacking are refused, unless they may be incomplete")
    func incomplete() async throws {
        let (source, image, _) = try await Self.source()
        let layer = image.manifests[0].children[2].digest
        try await source.store.remove(layer, because: "the test says so")
        let plan = try await source.plan(Self.request)
        #expect(plan.refused.count == 1 && plan.refused[0].contains("\(layer)"))
        await #expect(throws: CommandFailure.self) { try await source.export(Self.request) }
        var request = Self.request
        request.isIncomplete = true
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        #expect(
            try await target.take(try target.write(try await source.export(request), to: "b")).refused == [])
        #expect(try await target.bytes(image.index.digest) == image.index.bytes)
        #expect(try await target.bytes(layer) == nil)
    }

    @Test("of nodes that are not trusted are refused by the signer's name, and nothing of them is used")
    func untrusted() async throws {
        let (source, _, _) = try await Self.source()
        let target = try await OfflineNode("sumdb = []")
        let path = try target.write(try await source.export(Self.request), to: "a.bundle")
        let failure = await #expect(throws: CommandFailure.self) { try await target.take(path) }
        #expect(failure?.message.contains("\(source.key.id)") == true)
        #expect(failure?.message.contains("--trust") == true)
        #expect(try await target.store.totals().objects == 0)
        await #expect(throws: CommandFailure.self) {
            try await target.take(path, trust: ["edgenode-ed25519:x"])
        }
        await #expect(throws: CommandFailure.self) {
            try await target.take(path, trust: ["\(try NodeKey.generate().id)"])
        }
        #expect(try await target.store.totals().objects == 0)
        #expect(try await target.take(path, trust: ["\(source.key.id)"]).refused == [])
        // One's own are always believed.
        #expect(try await source.take(path).refused == [])
    }

    @Test("of which any byte before the objects is another are refused, and nothing of them is used")
    func flippedManifest() async throws {
        let (source, _, _) = try await Self.source()
        let bundle = try await source.export(Self.request)
        let content = try contentStart(of: bundle)
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        let path = target.folder.path + "/a.bundle"
        for position in stride(from: 0, to: content, by: position(step: content)) {
            var bytes = bundle
            bytes[position] ^= 1 << UInt8(position % 8)
            _ = try target.write(bytes, to: "a.bundle")
            await #expect(throws: CommandFailure.self, "byte \(position)") { try await target.take(path) }
        }
        #expect(try await target.store.totals().objects == 0)
    }

    /// Every byte of the head, and of the manifest as many as time permits.
    private func position(step content: Int) -> Int { max(1, content / 900) }

    @Test("of which a byte of an object is another bring all but that object, and it later")
    func flippedObject() async throws {
        let (source, _, _) = try await Self.source()
        let bundle = try await source.export(Self.request)
        let start = try contentStart(of: bundle)
        let manifest = try manifest(of: bundle)
        for (object, offset) in zip(manifest.objects, manifest.offsets) {
            let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
            var bytes = bundle
            bytes[start + Int(offset) + Int(object.size) / 2] ^= 0x10
            let path = try target.write(bytes, to: "a.bundle")
            let summary = try await target.take(path)
            #expect(summary.refusedCount >= 1, "\(object.digest)")
            // A pin that did not come is made again out of the module's own bytes.
            if object.references[0].name.text.hasPrefix("gosum/") {
                #expect(summary.pinnedCount == 1)
                continue
            }
            #expect(try await target.bytes(object.digest) == nil)
            for reference in object.references {
                #expect(try await target.reference(reference.name.text) == nil)
            }
            for other in manifest.objects where other.digest != object.digest {
                #expect(try await target.bytes(other.digest) != nil, "\(other.references[0].name)")
            }
            #expect(try await target.take(try target.write(bundle, to: "b.bundle")).refused == [])
            #expect(try await target.bytes(object.digest) != nil)
        }
    }

    @Test("that are cut short bring what is whole, and the rest when they come again")
    func cut() async throws {
        let (source, _, _) = try await Self.source()
        let bundle = try await source.export(Self.request)
        let start = try contentStart(of: bundle)
        let names = try await source.names()
        for length in [0, 10, 200, start - 1, start, start + 1, (start + bundle.count) / 2, bundle.count - 1]
        {
            let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
            let path = try target.write(Array(bundle[..<length]), to: "a.bundle")
            var came = 0
            if length < start {
                await #expect(throws: CommandFailure.self, "\(length)") { try await target.take(path) }
            } else {
                let summary = try await target.take(path)
                came = summary.stored
                #expect(summary.refused.contains { $0.contains("cut short") })
            }
            let rest = try await target.take(try target.write(bundle, to: "b.bundle"))
            #expect(rest.refused == [])
            #expect(rest.held >= came)
            #expect(try await target.names() == names)
        }
    }

    @Test("made for an inventory carry only what the target lacks")
    func inventory() async throws {
        let (source, image, _) = try await Self.source()
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        let images = ExportRequest(images: Self.request.images, platforms: ["linux/amd64"])
        try await target.take(try target.write(try await source.export(images), to: "a"))
        var request = Self.request
        request.inventory = try source.write(try await target.inventory(), to: "target.inventory")
        let plan = try await source.plan(request)
        #expect(plan.leftOut == 5)
        let bundle = try await source.export(request)
        let whole = try await source.export(Self.request)
        #expect(Int64(whole.count - bundle.count) >= plan.leftOutBytes - 200)
        #expect(try await target.take(try target.write(bundle, to: "b")).refused == [])
        #expect(try await target.names() == source.names())
        for part in image.parts { #expect(try await target.bytes(part.digest) == part.bytes) }
        // Somebody who holds less is told what is lacking.
        let other = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        let summary = try await other.take(try other.write(bundle, to: "b"))
        #expect(summary.refusedCount == 5)
        #expect(summary.refused.allSatisfy { $0.contains("left out of the bundle") })
        // One that is no inventory leaves nothing out, nor gives a bundle.
        request.inventory = try source.write(Array("edgenode inventory 1\n".utf8), to: "bad")
        let asked = request
        await #expect(throws: CommandFailure.self) { try await source.plan(asked) }
    }

    @Test("take private content only when they are told to, and it stays private")
    func privateContent() async throws {
        let source = try await OfflineNode("sumdb = []")
        let image = try TestImage()
        let names = ["io.containerd.image.name": "registry.example.com/team/app:1.0"]
        try await source.take(try source.write(TestImage.tar(image.layout(annotations: names)), to: "l"))
        try TestImage.write(TestModule("example.com/m", "v1.0.0").tree, below: source.folder.path + "/tree")
        try await source.take(source.folder.path + "/tree")
        let plan = try await source.plan(Self.request)
        #expect(plan.refused.count == 4)
        #expect(plan.refused.allSatisfy { $0.contains("--include-private") })
        var request = Self.request
        request.includesPrivate = true
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        try await target.take(try target.write(try await source.export(request), to: "b"), isPublic: true)
        for name in try await target.names() {
            #expect(try await target.reference(name)?.access == .private, "\(name)")
        }
    }

    @Test("never replace what is verified or pinned here, and say so")
    func conflicts() async throws {
        let (source, _, module) = try await Self.source()
        let bundle = try await source.export(ExportRequest(modules: ["example.com/m@v1.0.0"]))
        let other = TestModule("example.com/m", "v1.0.0", "package other\n")
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        try TestImage.write(other.tree, below: target.folder.path + "/tree")
        #expect(try await target.take(target.folder.path + "/tree").pinnedCount == 2)
        let summary = try await target.take(try target.write(bundle, to: "b"))
        // The pin of the zip and the zip; the go.mod is the same.
        #expect(summary.refusedCount == 2)
        #expect(try await target.reference("go/example.com/m@v1.0.0.zip")?.h1 == other.h1)
        #expect(try await target.reference("go/example.com/m@v1.0.0.zip")?.h1 != module.h1)
        // Nor is a file taken whose sum is not the one that the bundle's own name states.
        let liar = try await OfflineNode("sumdb = []")
        try await liar.put(module.zip, as: "go/example.com/m@v1.0.0.zip", h1: other.h1)
        try await liar.put(module.mod, as: "go/example.com/m@v1.0.0.mod")
        let lie = try await liar.export(ExportRequest(modules: ["example.com/m@v1.0.0"]))
        let fresh = try await OfflineNode("sumdb = []", trusting: [liar.key.id])
        #expect(try await fresh.take(try fresh.write(lie, to: "b")).refusedCount == 1)
        #expect(try await fresh.reference("go/example.com/m@v1.0.0.zip") == nil)
    }

    @Test("move tags forward only, and pinned ones not at all")
    func tags() async throws {
        let source = try await OfflineNode("sumdb = []")
        let (old, new) = (try TestImage(seed: 1), try TestImage(seed: 2))
        let names = ["io.containerd.image.name": "registry.example.com/team/app:1.0"]
        var bundles: [[UInt8]] = []
        for (number, image) in [old, new].enumerated() {
            let path = try source.write(TestImage.tar(image.layout(annotations: names)), to: "l\(number)")
            try await source.take(path, isPublic: true)
            bundles.append(try await source.export(ExportRequest(images: Self.request.images)))
        }
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        let paths = try bundles.enumerated().map { try target.write($0.element, to: "b\($0.offset)") }
        for (path, image) in [(0, old), (1, new), (0, new), (1, new)] {
            #expect(try await target.take(paths[path]).refused == [])
            #expect(try await target.reference(Self.tag)?.digest == image.index.digest)
        }
        let pinned = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        try await pinned.take(paths[0])
        try await pinned.store.pin("oci/registry.example.com/team/app:*")
        try await pinned.take(paths[1])
        #expect(try await pinned.reference(Self.tag)?.digest == old.index.digest)
    }

    @Test("stop at a full disk with the reason, keep what came in, and go on when there is space")
    func fullDisk() async throws {
        let source = try await OfflineNode("sumdb = []")
        let image = try TestImage(layerSize: 200_000)
        let names = ["io.containerd.image.name": "registry.example.com/team/app:1.0"]
        try await source.take(
            try source.write(TestImage.tar(image.layout(annotations: names)), to: "l"), isPublic: true)
        let bundle = try await source.export(ExportRequest(images: Self.request.images))
        let folder = try TemporaryFolder()
        let target = try await OfflineNode(
            "sumdb = []", trusting: [source.key.id], capacity: 450_000, in: folder)
        // Nothing gives way: what is here is wanted.
        try await target.store.pin("oci*")
        let path = try target.write(bundle, to: "b")
        let failure = await #expect(throws: CommandFailure.self) { try await target.take(path) }
        #expect(failure?.message.contains("no space") == true)
        let came = try await target.store.totals().objects
        #expect(came > 0)
        await target.store.close()
        let larger = try await OfflineNode("sumdb = []", trusting: [source.key.id], in: folder)
        let summary = try await larger.take(path)
        #expect(summary.refused == [])
        #expect(summary.held >= came)
        #expect(try await larger.names() == source.names())
    }

    @Test("damaged on the exporter's disk are noticed there")
    func damage() async throws {
        let source = try await OfflineNode("sumdb = []")
        let image = try TestImage(layerSize: 200_000)
        let names = ["io.containerd.image.name": "registry.example.com/team/app:1.0"]
        try await source.take(
            try source.write(TestImage.tar(image.layout(annotations: names)), to: "l"), isPublic: true)
        let layer = image.manifests[0].children[1].digest
        let file = "\(source.folder.path)/store/blobs/sha256/\(layer.hex.prefix(2))/\(layer.hex)"
        let handle = try #require(FileHandle(forUpdatingAtPath: file))
        try handle.seek(toOffset: 1000)
        try handle.write(contentsOf: Data([1, 2, 3, 4]))
        try handle.close()
        let failure = await #expect(throws: CommandFailure.self) {
            try await source.export(ExportRequest(images: Self.request.images))
        }
        #expect(failure?.message.contains("\(layer) is damaged") == true)
        #expect(try await source.bytes(layer) == nil)
    }

    @Test("with names that no such bundle may have are refused name by name")
    func strangeNames() async throws {
        let source = try await OfflineNode("sumdb = []")
        let target = try await OfflineNode("sumdb = []", trusting: [source.key.id])
        let bytes = Array("hello".utf8)
        let digest = Digest(of: bytes)
        let other = Digest(of: [1])
        for name in [
            "missing/go/example.com/m@list", "state/x", "oci/registry.example.com/team/app@\(other)",
            "oci-part/registry.example.com/team/app@\(other)", "oci/registry.example.com/team/app:1.0",
            "oci/REGISTRY.example.com/team/app@\(digest)", "go/example.com/m@list",
            "go/example.com/m@v1.0.0.info",
            "gosum/example.com/m@v1.0.0.zip", "sumdb/sum.golang.org/head",
        ] {
            let reference = Reference(
                name: try ReferenceName(name), digest: digest, size: 5, learned: Date(), checked: Date(),
                origin: "x", contentType: "text/plain", verified: .verified, access: .public)
            let manifest = try BundleManifest([
                BundleObject(digest: digest, size: 5, references: [reference])
            ]).encoded()
            let head = try BundleHead(key: "\(source.key.id)", manifest: manifest) { source.key.sign($0) }
            let summary = try await target.take(try target.write(head.bytes + manifest + bytes, to: "b"))
            #expect(summary.refusedCount == 1, "\(name)")
            #expect(try await target.reference(name) == nil, "\(name)")
        }
    }

    private func contentStart(of bundle: [UInt8]) throws -> Int {
        let head = try BundleHead(parsing: bundle)
        return head.byteCount + Int(head.manifestSize)
    }

    private func manifest(of bundle: [UInt8]) throws -> BundleManifest {
        let head = try BundleHead(parsing: bundle)
        return try BundleManifest(
            parsing: Array(bundle[head.byteCount..<head.byteCount + Int(head.manifestSize)]))
    }
}
