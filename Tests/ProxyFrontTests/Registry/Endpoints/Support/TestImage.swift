import Content
import ProxyFront

/// An image with a configuration and layers, real in every digest.
struct TestImage: Sendable {
    let manifest: [UInt8]
    let digest: Digest
    let layers: [[UInt8]]
    let config: [UInt8]
    let type: String

    /// - Parameters:
    ///   - seed: tells images apart.
    ///   - layerSizes: of layers that do not compress, in bytes.
    ///   - algorithm: of the layers' digests and the manifest's own.
    ///   - subject: what the manifest refers to.
    init(
        _ seed: String = "a", layerSizes: [Int] = [3000], algorithm: DigestAlgorithm = .sha256,
        artifactType: String? = nil, subject: TestImage? = nil, sharedLayers: [[UInt8]] = []
    ) {
        type = MediaType.manifest
        config = Array(#"{"architecture":"amd64","os":"linux","seed":"\#(seed)"}"#.utf8)
        let seedBytes = Array(seed.utf8)
        layers =
            sharedLayers
            + layerSizes.map { size in
                zip(TestModule.noise(size), 0...).map { $0 ^ seedBytes[$1 % seedBytes.count] }
            }
        func descriptor(_ bytes: [UInt8], _ type: String) -> String {
            #"{"mediaType":"\#(type)","digest":"\#(Digest(algorithm, of: bytes))","size":\#(bytes.count)}"#
        }
        let listed = layers.map { descriptor($0, "application/vnd.oci.image.layer.v1.tar") }
        var text = #"{"schemaVersion":2,"mediaType":"\#(type)""#
        if let artifactType { text += #","artifactType":"\#(artifactType)""# }
        text += #","config":\#(descriptor(config, "application/vnd.oci.image.config.v1+json"))"#
        text += #","layers":[\#(listed.joined(separator: ","))]"#
        if let subject { text += #","subject":\#(descriptor(subject.manifest, subject.type))"# }
        // Spaces at the end: bytes are kept as they are, not as some encoder would write them.
        manifest = Array((text + "}  \n").utf8)
        digest = Digest(algorithm, of: manifest)
    }

    func layerDigest(_ index: Int = 0, _ algorithm: DigestAlgorithm = .sha256) -> Digest {
        Digest(algorithm, of: layers[index])
    }

    /// Puts it on a shelf, by digest and under `tags`.
    func add(
        to shelf: inout StandInRegistry.Shelf, tags: [String] = [], algorithm: DigestAlgorithm = .sha256
    ) {
        shelf.manifests[digest] = .init(type: type, bytes: manifest)
        for tag in tags { shelf.tags[tag] = digest }
        for layer in layers { shelf.blobs[Digest(algorithm, of: layer)] = layer }
        shelf.blobs[Digest(algorithm, of: config)] = config
    }
}
