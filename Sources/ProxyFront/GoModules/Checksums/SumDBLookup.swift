/// The answer to a lookup: a record's number, its text, and a signed tree head that should cover it
/// (golang.org/x/mod/sumdb/tlog, `ParseRecord`).
public struct SumDBLookup: Hashable, Sendable {
    public static let maximumByteCount = 1_000_000

    /// The record's number, from 0.
    public let record: Int64
    /// go.sum lines, ending with a line feed.
    public let text: [UInt8]
    /// The signed tree head that came with it, not checked.
    public let note: [UInt8]

    /// - Throws: `SumDBError.malformedLookup`.
    public init(parsing answer: [UInt8]) throws(SumDBError) {
        guard answer.count <= Self.maximumByteCount else {
            throw .malformedLookup("it is larger than \(Self.maximumByteCount) bytes")
        }
        guard let lineEnd = answer.firstIndex(of: 0x0a) else {
            throw .malformedLookup("it has no record number")
        }
        let digits = String(decoding: answer[..<lineEnd], as: UTF8.self)
        guard let record = Int64(digits), record >= 0, String(record) == digits else {
            throw .malformedLookup("\(QuotedText(digits)) is not a record number")
        }
        let rest = answer[(lineEnd + 1)...]
        guard let end = rest.indices.first(where: { rest[$0...].starts(with: [0x0a, 0x0a]) }) else {
            throw .malformedLookup("no blank line follows the record")
        }
        let text = rest[...end]
        guard text.count > 1, text.first != 0x0a, String(validating: text, as: UTF8.self) != nil,
            text.allSatisfy({ $0 >= 0x20 || $0 == 0x0a })
        else { throw .malformedLookup("the record is not printable UTF-8") }
        self.record = record
        self.text = Array(text)
        note = Array(rest[(end + 2)...])
    }

    /// The answer with another signed head in its place, as a lookup is answered from the cache.
    public func answer(with head: SignedTreeHead) -> [UInt8] { recordBytes + head.note }

    /// The part of the answer that never changes, up to the head.
    public var recordBytes: [UInt8] { Array("\(record)\n".utf8) + text + [0x0a] }

    /// The record's hash as a leaf of the tree.
    public var leaf: TreeHash { .leaf(text) }

    /// The lines about `module`; lines in forms of later versions are passed over.
    public func lines(about module: ModuleIdentity) -> [GoSumLine] {
        text.split(separator: 0x0a).compactMap { line in
            let parsed = try? GoSumLine(parsing: String(decoding: line, as: UTF8.self))
            return parsed?.module == module ? parsed : nil
        }
    }
}
