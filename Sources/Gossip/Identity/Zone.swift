import Content

/// Where a node stands: a site, a rack, a floor. Nodes of one zone are near each other.
///
/// One to 63 characters: lower-case letters, digits, `.` and `-`, the first and the last a letter or a digit.
public struct Zone: Hashable, Comparable, Sendable, CustomStringConvertible {
    public struct Malformed: Error, Equatable, CustomStringConvertible {
        public let text: String
        public var description: String {
            "\"\(text.prefix(80))\" is no zone: it takes 1 to 63 lower-case letters, digits, \".\" and \"-\", "
                + "and begins and ends with a letter or a digit"
        }
    }

    public static let byteLimit = 63
    public static let standard = Zone(trusted: "default")

    public let text: String

    public init(_ text: String) throws(Malformed) {
        let bytes = Array(text.utf8)
        func isLetterOrDigit(_ byte: UInt8?) -> Bool {
            byte.map { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) } ?? false
        }
        guard bytes.count <= Self.byteLimit, isLetterOrDigit(bytes.first), isLetterOrDigit(bytes.last),
            bytes.allSatisfy({ isLetterOrDigit($0) || $0 == 0x2e || $0 == 0x2d })
        else { throw Malformed(text: text) }
        self.text = text
    }

    private init(trusted text: String) { self.text = text }

    package init(from reader: inout WireReader) throws(WireError) {
        let text = try reader.readText(limit: Self.byteLimit)
        do { try self.init(text) } catch { throw .malformed("\(error)") }
    }

    public static func < (left: Zone, right: Zone) -> Bool { left.text < right.text }

    public var description: String { text }
}

/// What a node may do beyond serving public content; granted by its certificate. Unknown bits are kept.
public struct Roles: OptionSet, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// Gets private content from other nodes.
    public static let `private` = Roles(rawValue: 1)
    /// Its word alone is believed about mutable names while upstream is away.
    public static let resolver = Roles(rawValue: 2)

    private static let all: [(name: String, role: Roles)] = [("private", .private), ("resolver", .resolver)]
    public static let knownNames = all.map(\.name)

    /// - Returns: nil when one of the names is none of `knownNames`.
    public init?(names: [String]) {
        var roles: Roles = []
        for name in names {
            guard let known = Self.all.first(where: { $0.name == name }) else { return nil }
            roles.insert(known.role)
        }
        self = roles
    }

    public var names: [String] { Self.all.filter { contains($0.role) }.map(\.name) }

    public var description: String { isEmpty ? "none" : names.joined(separator: ", ") }
}
