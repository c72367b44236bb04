import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// What a manifest's bytes are, by what upstream says and by what they say themselves. Bytes that can be taken for
/// two kinds of manifest are taken for none (GHSA-mc8v-mgrf-8f4m: one digest, two meanings).
enum ManifestType {
    struct Mismatch: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter told: the answer's `Content-Type`.
    /// - Throws: `Mismatch` for bytes that are no JSON object, or whose own type is another one than was told.
    static func of(_ bytes: [UInt8], told: String?) throws(Mismatch) -> String {
        guard let wire = try? JSONDecoder().decode(Wire.self, from: Data(bytes)) else {
            throw Mismatch(description: "it is no JSON object")
        }
        if wire.manifests != nil, wire.layers != nil || wire.config != nil {
            throw Mismatch(description: "it is an index and an image at once")
        }
        let told = told.map { essence($0) } ?? ""
        let own = wire.mediaType ?? ""
        guard MediaType.isManifest(told) else {
            // Servers that know nothing of manifests call them text, JSON or octets.
            return own.isEmpty ? wire.kind ?? (told.isEmpty ? MediaType.octets : told) : own
        }
        guard own.isEmpty || own == told else {
            throw Mismatch(
                description: "it was sent as \(told.prefix(100)) and calls itself \(own.prefix(100))")
        }
        return told
    }

    /// Without parameters, in lower case.
    static func essence(_ type: String) -> String {
        type.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
    }

    private struct Wire: Decodable {
        /// Something, whatever it is.
        struct Something: Decodable {
            init(from decoder: any Decoder) throws {}
        }

        var schemaVersion: Int?
        var mediaType: String?
        var manifests: Something?
        var layers: Something?
        var config: Something?

        var kind: String? {
            guard schemaVersion == 2 else { return schemaVersion == 1 ? MediaType.dockerSchema1Signed : nil }
            if manifests != nil { return MediaType.index }
            return config != nil ? MediaType.manifest : nil
        }
    }
}
