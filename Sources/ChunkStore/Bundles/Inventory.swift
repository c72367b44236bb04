public import Content

/// What a node holds, as a file that another node leaves things out by (docs/bundle-format.md, "Inventory").
public enum Inventory {
    static let firstLine = "edgenode inventory 1"

    /// The beginning of the file.
    public static var head: [UInt8] { Array("\(firstLine)\n".utf8) }

    /// The lines of some digests.
    public static func lines(_ digests: [Digest]) -> [UInt8] {
        Array(digests.map { "\($0)\n" }.joined().utf8)
    }

    /// The end of a file that lists so many digests.
    public static func end(_ count: Int) -> [UInt8] { Array("end \(count)\n".utf8) }
}

/// Reads an inventory piece by piece and remembers, of all that it lists, only what is asked about: its memory does not
/// depend on the file.
public struct InventoryReader: Sendable {
    private static let maximumLine = 160

    private let wanted: Set<Digest>
    private var partial: [UInt8] = []
    private var lines = 0
    private var announced: Int?
    /// Those of the wanted digests that the file lists.
    public private(set) var listed: Set<Digest> = []

    /// - Parameter wanted: what it is to be looked for.
    public init(wanted: Set<Digest>) { self.wanted = wanted }

    /// Takes the bytes that follow those received before.
    /// - Throws: `InventoryError` naming the line.
    public mutating func receive(_ bytes: some Sequence<UInt8>) throws(InventoryError) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                try take(String(decoding: partial, as: UTF8.self))
                partial.removeAll(keepingCapacity: true)
            } else {
                guard partial.count < Self.maximumLine else { throw InventoryError(line: lines + 1) }
                partial.append(byte)
            }
        }
    }

    /// - Throws: `InventoryError` when the file has no end.
    public func finish() throws(InventoryError) {
        guard announced != nil, partial.isEmpty else { throw InventoryError(line: lines + 1, isCut: true) }
    }

    private mutating func take(_ line: String) throws(InventoryError) {
        lines += 1
        if lines == 1 {
            guard line == Inventory.firstLine else { throw InventoryError(line: 1) }
            return
        }
        guard announced == nil else { throw InventoryError(line: lines) }
        if line.hasPrefix("end ") {
            guard let count = Int(line.dropFirst(4)), count == lines - 2 else {
                throw InventoryError(line: lines, isCut: true)
            }
            announced = count
            return
        }
        guard let digest = try? Digest(parsing: line) else { throw InventoryError(line: lines) }
        if wanted.contains(digest) { listed.insert(digest) }
    }
}

/// Why a file is no inventory.
public struct InventoryError: Error, Equatable, CustomStringConvertible {
    /// Counted from 1.
    public let line: Int
    /// The file lacks its end.
    public let isCut: Bool

    init(line: Int, isCut: Bool = false) {
        self.line = line
        self.isCut = isCut
    }

    public var description: String {
        isCut
            ? "the inventory is cut short at line \(line): make it again with edgenode inventory"
            : "line \(line) is none of an inventory: make one with edgenode inventory on the target"
    }
}
