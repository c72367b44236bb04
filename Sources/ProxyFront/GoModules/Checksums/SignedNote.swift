/// A text with signatures, at least one of them by a known key and good
/// (golang.org/x/mod/sumdb/note: text, blank line, lines of `— <name> <base64 of key hash and signature>`).
public struct SignedNote: Hashable, Sendable {
    public static let maximumByteCount = 1_000_000
    public static let maximumSignatureCount = 100

    /// The signed text, ending with a line feed.
    public let text: String
    /// The names of the known keys that signed it, each once, in the note's order.
    public let signers: [String]

    /// - Throws: `NoteError` when the note is malformed or too large, when a signature of a known key is
    ///   not valid, or when no signature is of a known key. Signatures of unknown keys are passed over.
    public init(parsing note: [UInt8], verifiers: [NoteVerifier]) throws(NoteError) {
        guard note.count <= Self.maximumByteCount else { throw .tooLarge(limit: Self.maximumByteCount) }
        guard String(validating: note, as: UTF8.self) != nil, note.allSatisfy({ $0 >= 0x20 || $0 == 0x0a })
        else { throw .malformedNote("it is not printable UTF-8") }
        guard let split = Self.lastBlankLine(in: note) else {
            throw .malformedNote("no blank line divides it")
        }
        let message = note[...split]
        let block = note[(split + 2)...]
        guard block.last == 0x0a else { throw .malformedNote("its last line is cut short") }

        var signers: [String] = []
        var checked: Set<UInt32> = []
        var strangers: [String] = []
        for (count, line) in block.dropLast().split(separator: 0x0a, omittingEmptySubsequences: false)
            .enumerated()
        {
            guard count < Self.maximumSignatureCount else {
                throw .malformedNote("it has more than \(Self.maximumSignatureCount) signatures")
            }
            let signature = try Self.signature(line)
            let candidate = verifiers.first { $0.name == signature.name && $0.keyHash == signature.keyHash }
            guard let verifier = candidate else {
                if strangers.count < 8 { strangers.append(signature.name) }
                continue
            }
            guard checked.insert(verifier.keyHash).inserted else { continue }
            guard verifier.verifies(message, signature: signature.bytes[...]) else {
                throw .badSignature(name: verifier.name)
            }
            signers.append(verifier.name)
        }
        guard !signers.isEmpty else { throw .unknownSigners(strangers) }
        self.signers = signers
        text = String(decoding: message, as: UTF8.self)
    }

    /// Where the line feed stands that ends the text: the first of the last two in a row.
    private static func lastBlankLine(in note: [UInt8]) -> Int? {
        var index = note.count - 2
        while index >= 0 {
            if note[index] == 0x0a, note[index + 1] == 0x0a { return index }
            index -= 1
        }
        return nil
    }

    private static func signature(
        _ line: ArraySlice<UInt8>
    ) throws(NoteError) -> (name: String, keyHash: UInt32, bytes: [UInt8]) {
        let dash = Array("— ".utf8)
        guard line.starts(with: dash) else {
            throw .malformedNote("a signature line does not begin with a dash")
        }
        let parts = line.dropFirst(dash.count).split(
            separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .malformedNote("a signature line lacks its signature") }
        let name = String(decoding: parts[0], as: UTF8.self)
        guard NoteVerifier.isName(name), let bytes = Base64.decode(String(decoding: parts[1], as: UTF8.self)),
            bytes.count >= 5
        else { throw .malformedNote("a signature line cannot be read") }
        return (name, bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }, Array(bytes.dropFirst(4)))
    }
}
