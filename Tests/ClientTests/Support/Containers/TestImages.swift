import Foundation

/// The images that scripts/setup-containers.sh made, as their OCI layout describes them.
struct TestImage: Sendable {
    /// repository:tag, as the registry has it.
    let name: String
    /// The digest of its index.
    let digest: String
    let platforms: [Platform]

    struct Platform: Sendable {
        let architecture: String
        /// The digest of the platform's manifest.
        let digest: String
        let config: Blob
        let layers: [Blob]
        var blobs: [Blob] { [config] + layers }
    }

    struct Blob: Decodable, Sendable, Hashable {
        let mediaType: String
        let digest: String
        let size: Int
    }

    var repository: String { String(name.prefix { $0 != ":" }) }
    var tag: String { String(name.drop { $0 != ":" }.dropFirst()) }

    /// What a client of that architecture pulls.
    func platform(_ architecture: String) throws -> Platform {
        guard let found = platforms.first(where: { $0.architecture == architecture }) else {
            throw TestFailure("\(name) has no \(architecture)")
        }
        return found
    }

    static let layout = Project.cache + "/images/layout"
    /// The folder of a docker-registry that holds all of them.
    static let registry = Project.cache + "/images/registry"

    /// The bytes of a blob or manifest.
    static func bytes(_ digest: String) throws -> [UInt8] {
        let path = layout + "/blobs/" + digest.replacingOccurrences(of: ":", with: "/")
        guard let data = FileManager.default.contents(atPath: path) else {
            throw TestFailure("\(path) is missing: run scripts/setup-tests.sh")
        }
        return Array(data)
    }

    static func named(_ name: String) throws -> TestImage {
        guard let index = FileManager.default.contents(atPath: layout + "/index.json") else {
            throw TestFailure("there are no images: run scripts/setup-tests.sh")
        }
        let key = "org.opencontainers.image.ref.name"
        let entries = try JSONDecoder().decode(Index.self, from: index).manifests
        guard let entry = entries.first(where: { $0.annotations?[key] == name }) else {
            throw TestFailure("no image \(name) was made")
        }
        return TestImage(
            name: name, digest: entry.digest,
            platforms: try decode(Index.self, entry.digest).manifests.map { child in
                let manifest = try decode(Manifest.self, child.digest)
                return Platform(
                    architecture: child.platform?.architecture ?? "", digest: child.digest,
                    config: manifest.config, layers: manifest.layers)
            })
    }

    private static func decode<T: Decodable>(_ type: T.Type, _ digest: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(try bytes(digest)))
    }

    private struct Index: Decodable { var manifests: [Child] }
    private struct Child: Decodable {
        var digest: String
        var platform: Architecture?
        var annotations: [String: String]?
    }
    private struct Architecture: Decodable { var architecture: String }
    private struct Manifest: Decodable {
        var config: Blob
        var layers: [Blob]
    }
}
