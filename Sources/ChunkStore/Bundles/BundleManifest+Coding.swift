import Content

import struct FoundationEssentials.Data
import struct FoundationEssentials.Date
import class FoundationEssentials.JSONDecoder
import class FoundationEssentials.JSONEncoder

extension BundleManifest {
    /// The manifest as it stands in a bundle; equal manifests have equal bytes.
    public func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes: [UInt8] = []
        func append(_ line: some Encodable) throws {
            let start = bytes.count
            bytes += try encoder.encode(line)
            bytes.append(UInt8(ascii: "\n"))
            guard bytes.count - start <= Self.maximumLine else {
                throw BundleError.tooLarge("a line of the manifest has \(bytes.count - start) bytes")
            }
        }
        for object in objects {
            try append(
                ObjectLine(
                    object: "\(object.digest)", size: object.size, absent: object.isAbsent ? true : nil))
            for reference in object.references { try append(ReferenceLine(reference)) }
        }
        return bytes
    }

    /// Reads a manifest whose signature was checked.
    /// - Throws: `BundleError.malformedManifest` naming the line, or `.tooLarge`.
    public init(parsing bytes: [UInt8]) throws(BundleError) {
        guard bytes.isEmpty || bytes.last == UInt8(ascii: "\n") else {
            throw .malformedManifest(line: 0, "its last line does not end")
        }
        let decoder = JSONDecoder()
        var objects: [BundleObject] = []
        var names = 0
        var number = 0
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            number += 1
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            func malformed(_ what: String) -> BundleError { .malformedManifest(line: number, what) }
            guard line.count < Self.maximumLine else {
                throw malformed("it is longer than \(Self.maximumLine) bytes")
            }
            let parsed: AnyLine
            do { parsed = try decoder.decode(AnyLine.self, from: Data(line)) } catch {
                throw malformed("it is no line of a manifest")
            }
            guard parsed.unknown == nil else { throw malformed("the key \(parsed.unknown ?? "") is unknown") }
            if let object = parsed.object {
                guard objects.count < Self.maximumObjects else {
                    throw .tooLarge("it lists too many objects")
                }
                if let last = objects.last, last.references.isEmpty {
                    throw malformed("the object before has no name")
                }
                do { objects.append(try object.parsed()) } catch { throw malformed("\(error)") }
            } else if let reference = parsed.reference, !objects.isEmpty {
                names += 1
                guard names <= Self.maximumReferences else { throw .tooLarge("it lists too many names") }
                let last = objects.count - 1
                do {
                    let found = try reference.reference(to: objects[last])
                    objects[last].references.append(found)
                } catch { throw malformed("\(error)") }
            } else {
                throw malformed("it describes no object, nor a name of one")
            }
        }
        try self.init(objects)
    }
}

private struct ObjectLine: Codable {
    var object: String
    var size: Int64
    var absent: Bool?

    func parsed() throws -> BundleObject {
        guard absent != false else { throw BadLine("absent is written only when it is true") }
        return BundleObject(
            digest: try Digest(parsing: object), size: size, isAbsent: absent == true, references: [])
    }
}

private struct ReferenceLine: Codable {
    /// The longest origin and validator kept, in bytes.
    private static let maximumText = 1024

    var reference: String
    var origin: String
    var learned: Int64
    var checked: Int64
    var verification: String
    var access: String
    var type: String?
    var validator: String?
    var h1: String?

    init(_ found: Reference) {
        reference = found.name.text
        origin = found.origin
        learned = found.learned.milliseconds
        checked = found.checked.milliseconds
        verification = found.verified.word
        access = found.access == .public ? "public" : "private"
        type = found.contentType
        validator = found.validator
        h1 = found.h1
    }

    func reference(to object: BundleObject) throws -> Reference {
        guard let verified = Verification.allCases.first(where: { $0.word == verification }) else {
            throw BadLine("the verification \(verification.prefix(40)) is unknown")
        }
        guard access == "public" || access == "private" else {
            throw BadLine("the access class \(access.prefix(40)) is unknown")
        }
        for text in [origin, type, validator, h1].compactMap({ $0 }) {
            guard text.utf8.count <= Self.maximumText, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else {
                throw BadLine("a value is longer than \(Self.maximumText) bytes or holds control characters")
            }
        }
        // What lies beyond the year 10000 is no time; a date from a damaged clock is.
        let times = 0...(Int64(253_402_300_800_000))
        guard times.contains(learned), times.contains(checked) else {
            throw BadLine("a time is out of range")
        }
        return Reference(
            name: try ReferenceName(reference), digest: object.digest, size: object.size,
            learned: Date(milliseconds: learned), checked: Date(milliseconds: checked), origin: origin,
            validator: validator, contentType: type, verified: verified,
            access: access == "public" ? .public : .private, h1: h1)
    }
}

/// A line of either kind, and a key that neither has.
private struct AnyLine: Decodable {
    var object: ObjectLine?
    var reference: ReferenceLine?
    var unknown: String?

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private static let objectKeys: Set = ["object", "size", "absent"]
    private static let referenceKeys: Set = [
        "reference", "origin", "learned", "checked", "verification", "access", "type", "validator", "h1",
    ]

    init(from decoder: any Decoder) throws {
        let keys = Set(try decoder.container(keyedBy: Key.self).allKeys.map(\.stringValue))
        let isObject = keys.contains("object")
        unknown = keys.subtracting(isObject ? Self.objectKeys : Self.referenceKeys).min()
        guard unknown == nil else { return }
        if isObject {
            object = try ObjectLine(from: decoder)
        } else {
            reference = try ReferenceLine(from: decoder)
        }
    }
}

private struct BadLine: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension Verification {
    fileprivate var word: String {
        switch self {
        case .unverified: "unverified"
        case .verified: "verified"
        case .pinnedAtFirstSight: "pinned"
        case .notApplicable: "none"
        }
    }
}
