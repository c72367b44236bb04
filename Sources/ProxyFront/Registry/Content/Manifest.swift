import Content

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// What a manifest or an index lists, read from its bytes; the bytes themselves are kept and served as they
/// came (OCI image specification 1.1, "Image Manifest" and "Image Index"; docker's schema 2 alike).
public struct Manifest: Sendable, Equatable {
    /// The most bytes a manifest may have; the specification asks for at least 4 MiB.
    public static let limit: Int64 = 8 << 20
    /// The most descriptors one may list.
    public static let descriptorLimit = 4096

    /// What the bytes say of themselves; nil when they do not say.
    public var mediaType: String?
    public var artifactType: String?
    /// An image's configuration.
    public var config: Descriptor?
    public var layers: [Descriptor]
    /// An index's entries.
    public var manifests: [Descriptor]
    public var subject: Descriptor?
    public var annotations: [String: String]

    /// - Throws: `ManifestError` when the bytes are no manifest.
    public init(parsing bytes: some Collection<UInt8>) throws(ManifestError) {
        let wire: Wire
        do {
            wire = try JSONDecoder().decode(Wire.self, from: Data(bytes))
        } catch {
            throw ManifestError("it is no JSON object of the form of a manifest: \(error)")
        }
        guard wire.count <= Self.descriptorLimit else {
            throw ManifestError(
                "it lists \(wire.count) descriptors; at most \(Self.descriptorLimit) are read")
        }
        mediaType = wire.mediaType
        artifactType = wire.artifactType
        config = try wire.config?.descriptor()
        layers = try Self.descriptors(wire.layers)
        manifests = try Self.descriptors(wire.manifests)
        subject = try wire.subject?.descriptor()
        annotations = wire.annotations ?? [:]
    }

    /// Everything that pulling it may ask for next: entries, configuration, layers. Not the subject.
    public var children: [Descriptor] { manifests + (config.map { [$0] } ?? []) + layers }

    private static func descriptors(_ wire: [WireDescriptor]?) throws(ManifestError) -> [Descriptor] {
        var descriptors: [Descriptor] = []
        for entry in wire ?? [] { descriptors.append(try entry.descriptor()) }
        return descriptors
    }
}

/// Why bytes are no manifest.
public struct ManifestError: Error, Equatable, CustomStringConvertible {
    public let reason: String

    init(_ reason: String) { self.reason = String(reason.prefix(500)) }

    public var description: String { "not a manifest: \(reason)" }
}

private struct Wire: Decodable {
    var mediaType: String?
    var artifactType: String?
    var config: WireDescriptor?
    var layers: [WireDescriptor]?
    var manifests: [WireDescriptor]?
    var subject: WireDescriptor?
    var annotations: [String: String]?

    var count: Int { (layers?.count ?? 0) + (manifests?.count ?? 0) }
}

private struct WireDescriptor: Decodable {
    struct WirePlatform: Decodable {
        var os: String
        var architecture: String
        var variant: String?
    }

    var mediaType: String
    var digest: String
    var size: Int64
    var platform: WirePlatform?
    var artifactType: String?
    var annotations: [String: String]?
    var urls: [String]?

    func descriptor() throws(ManifestError) -> Descriptor {
        guard size >= 0 else { throw ManifestError("a descriptor has the size \(size)") }
        let parsed: Digest
        do throws(DigestError) { parsed = try Digest(parsing: digest) } catch {
            throw ManifestError("\(error)")
        }
        return Descriptor(
            mediaType: mediaType, digest: parsed, size: size,
            platform: platform.map {
                Platform(os: $0.os, architecture: $0.architecture, variant: $0.variant)
            }, artifactType: artifactType, annotations: annotations ?? [:], urls: urls ?? [])
    }
}
