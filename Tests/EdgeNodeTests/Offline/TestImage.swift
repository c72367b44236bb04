import Content
import Foundation
import ProxyFront

/// An image made up for a test: an index of two platforms, each with a configuration and two layers, one of them shared.
struct TestImage: Sendable {
    struct Part: Sendable {
        var bytes: [UInt8]
        var type: String
        var digest: Digest
    }

    let index: Part
    /// By platform.
    let manifests: [(platform: String, part: Part, children: [Part])]

    /// - Parameters:
    ///   - seed: another one, another image.
    ///   - layerSize: bytes of each layer.
    init(seed: UInt8 = 1, layerSize: Int = 3000) throws {
        let gzip = "application/vnd.oci.image.layer.v1.tar+gzip"
        let shared = Self.part(Self.noise(seed, layerSize), gzip)
        var made: [(platform: String, part: Part, children: [Part])] = []
        for (number, architecture) in ["amd64", "arm64"].enumerated() {
            // One layer is named by sha512.
            let own = Self.part(
                Self.noise(seed &+ UInt8(number) &+ 100, layerSize), gzip, number == 1 ? .sha512 : .sha256)
            let config = Self.part(
                Array("{\"architecture\":\"\(architecture)\",\"os\":\"linux\",\"seed\":\(seed)}".utf8),
                "application/vnd.oci.image.config.v1+json")
            let text = """
                {"schemaVersion":2,"mediaType":"\(MediaType.manifest)","config":\(Self.pointer(config)),\
                "layers":[\(Self.pointer(shared)),\(Self.pointer(own))]}
                """
            made.append(
                (
                    "linux/\(architecture)", Self.part(Array(text.utf8), MediaType.manifest),
                    [config, shared, own]
                ))
        }
        manifests = made
        let entries = made.map { platform, part, _ in
            Self.pointer(part, platform: platform.split(separator: "/").last.map(String.init))
        }
        let text =
            "{\"schemaVersion\":2,\"mediaType\":\"\(MediaType.index)\",\"manifests\":[\(entries.joined(separator: ","))]}"
        index = Self.part(Array(text.utf8), MediaType.index)
    }

    /// Everything, each once.
    var parts: [Part] {
        var seen: Set<Digest> = []
        return (manifests.flatMap { $0.children + [$0.part] } + [index]).filter {
            seen.insert($0.digest).inserted
        }
    }

    /// The files of an OCI image layout by their paths.
    func layout(annotations: [String: String]) -> [String: [UInt8]] {
        var files: [String: [UInt8]] = ["oci-layout": Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)]
        for part in parts { files["blobs/\(part.digest.algorithm.rawValue)/\(part.digest.hex)"] = part.bytes }
        let notes = annotations.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\"\($0.value)\"" }
        let root = Self.pointer(index).dropLast() + ",\"annotations\":{\(notes.joined(separator: ","))}}"
        files["index.json"] = Array("{\"schemaVersion\":2,\"manifests\":[\(root)]}".utf8)
        return files
    }

    static func write(_ files: [String: [UInt8]], below folder: String) throws {
        for (path, bytes) in files {
            let url = URL(fileURLWithPath: folder + "/" + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url)
        }
    }

    static func tar(_ files: [String: [UInt8]]) -> [UInt8] {
        files.sorted { $0.key < $1.key }.reduce(TestTar()) { tar, file in
            // Names that do not fit a header stand before it.
            file.key.utf8.count <= 100
                ? tar.file(file.key, file.value) : tar.pax(["path": file.key]).file("long", file.value)
        }.bytes
    }

    private static func part(_ bytes: [UInt8], _ type: String, _ algorithm: DigestAlgorithm = .sha256) -> Part
    {
        Part(bytes: bytes, type: type, digest: Digest(algorithm, of: bytes))
    }

    private static func pointer(_ part: Part, platform: String? = nil) -> String {
        let platform = platform.map { ",\"platform\":{\"architecture\":\"\($0)\",\"os\":\"linux\"}" } ?? ""
        return
            "{\"mediaType\":\"\(part.type)\",\"digest\":\"\(part.digest)\",\"size\":\(part.bytes.count)\(platform)}"
    }

    private static func noise(_ seed: UInt8, _ count: Int) -> [UInt8] {
        var state = UInt64(seed) &+ 0x9E37_79B9_7F4A_7C15
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }
}
