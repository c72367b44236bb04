import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// Keeps what is no module file at all from being stored under its name: above all the page of a captive
/// portal, which answers everything with 200 and HTML.
///
/// It asks no more than the go command does; odd files pass through.
enum BodySanity {
    private struct Info: Decodable {
        let version: String

        enum CodingKeys: String, CodingKey {
            case version = "Version"
        }
    }

    /// Why `bytes` cannot be what `resource` names; nil when they can.
    static func objection(to bytes: [UInt8], as resource: GoResource) -> String? {
        switch resource.kind {
        case .info, .latest:
            guard let info = try? JSONDecoder().decode(Info.self, from: Data(bytes)), !info.version.isEmpty
            else {
                return "it is no JSON object with a Version"
            }
            if let version = resource.version, info.version != version.text {
                return "it is about version \(QuotedText(info.version))"
            }
            return nil
        case .mod, .list:
            let first = bytes.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
            return first == UInt8(ascii: "<") ? "it looks like HTML" : nil
        case .zip: return nil
        }
    }
}
