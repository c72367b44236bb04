/// An ordered list of header fields, names compared without case (RFC 9110 section 5).
///
/// The fields are kept as they stand on the wire (`Name: value\r\n`), with the place of each name and value
/// beside them: a head that was parsed costs one copy, a head that is sent costs one copy, and a response
/// whose headers were made beforehand costs none of building them again.
public struct Headers: Sendable {
    struct Field: Sendable {
        var nameStart: UInt32
        var nameEnd: UInt32
        var valueStart: UInt32
        var valueEnd: UInt32
    }

    /// Whole field lines, each ending in CRLF.
    private(set) var wire: [UInt8] = []
    private(set) var fields: [Field] = []
    /// Which of the names that the server itself looks at are present.
    private(set) var known: KnownFields = []

    public init() {}

    /// Takes lines that the parser has checked; `fields` holds offsets into `wire`.
    init(wire: [UInt8], fields: [Field], known: KnownFields) {
        self.wire = wire
        self.fields = fields
        self.known = known
    }

    public var count: Int { fields.count }
    public var isEmpty: Bool { fields.isEmpty }

    /// All values of `name`, repeated lines joined with ", " (RFC 9110 section 5.3); nil when absent.
    /// Setting replaces every line of that name by one; setting nil removes them.
    public subscript(name: String) -> String? {
        get {
            var joined: String?
            for field in fields where matches(field, name.utf8) {
                let value = text(field.valueStart, field.valueEnd)
                joined = joined.map { $0 + ", " + value } ?? value
            }
            return joined
        }
        set {
            remove(name)
            if let newValue { add(name, newValue) }
        }
    }

    /// The value of every line of `name`, in order.
    public func values(_ name: String) -> [String] {
        fields.lazy.filter { matches($0, name.utf8) }.map { text($0.valueStart, $0.valueEnd) }
    }

    public func contains(_ name: String) -> Bool {
        fields.contains { matches($0, name.utf8) }
    }

    /// Appends one line. Bytes that could end the line or split the name (control characters; in names all
    /// that is no token character) are replaced, so that relayed text can never forge another field.
    public mutating func add(_ name: String, _ value: String) {
        var field = Field(nameStart: UInt32(wire.count), nameEnd: 0, valueStart: 0, valueEnd: 0)
        wire.reserveCapacity(wire.count + name.utf8.count + value.utf8.count + 4)
        for byte in name.utf8 { wire.append(ByteClass.isToken(byte) ? byte : UInt8(ascii: "-")) }
        field.nameEnd = UInt32(wire.count)
        wire.append(UInt8(ascii: ":"))
        wire.append(UInt8(ascii: " "))
        field.valueStart = UInt32(wire.count)
        for byte in value.utf8 { wire.append(ByteClass.isFieldValue(byte) ? byte : UInt8(ascii: " ")) }
        field.valueEnd = UInt32(wire.count)
        wire.append(UInt8(ascii: "\r"))
        wire.append(UInt8(ascii: "\n"))
        fields.append(field)
        known.insert(KnownFields(name: wire[Int(field.nameStart)..<Int(field.nameEnd)]))
    }

    /// Removes every line of `name`.
    public mutating func remove(_ name: String) {
        guard contains(name) else { return }
        var kept = Headers()
        for field in fields where !matches(field, name.utf8) {
            kept.add(text(field.nameStart, field.nameEnd), text(field.valueStart, field.valueEnd))
        }
        self = kept
    }

    private func text(_ start: UInt32, _ end: UInt32) -> String {
        String(decoding: wire[Int(start)..<Int(end)], as: UTF8.self)
    }

    private func matches(_ field: Field, _ name: String.UTF8View) -> Bool {
        guard Int(field.nameEnd - field.nameStart) == name.count else { return false }
        var at = Int(field.nameStart)
        for byte in name {
            guard ByteClass.lowercased(wire[at]) == ByteClass.lowercased(byte) else { return false }
            at += 1
        }
        return true
    }
}

extension Headers: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { add(name, value) }
    }
}

extension Headers: Sequence {
    /// The lines as (name, value), in order.
    public func makeIterator() -> AnyIterator<(name: String, value: String)> {
        var index = 0
        return AnyIterator {
            guard index < fields.count else { return nil }
            defer { index += 1 }
            let field = fields[index]
            return (text(field.nameStart, field.nameEnd), text(field.valueStart, field.valueEnd))
        }
    }
}

extension Headers: Equatable {
    /// Equal when both hold the same lines in the same order, names compared without case.
    public static func == (a: Headers, b: Headers) -> Bool {
        a.count == b.count
            && zip(a, b).allSatisfy { $0.name.lowercased() == $1.name.lowercased() && $0.value == $1.value }
    }
}

extension Headers: CustomStringConvertible {
    public var description: String { String(decoding: wire, as: UTF8.self) }
}
