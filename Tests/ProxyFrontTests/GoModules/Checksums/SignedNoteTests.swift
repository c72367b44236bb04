import ProxyFront
import Testing

@Suite struct SignedNoteTests {
    private static let log = TestLog(name: "sum.test/db")
    private static let other = TestLog(name: "other.test")
    private static let text = "go.sum database tree\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

    private func open(_ note: String) throws -> SignedNote {
        try SignedNote(parsing: Array(note.utf8), verifiers: [Self.log.verifier])
    }

    @Test func `a key is read, checked against its own hash, and written again`() throws {
        let key = try #require(NoteVerifier.wellKnown["sum.golang.org"])
        let verifier = try NoteVerifier(key)
        #expect(verifier.name == "sum.golang.org" && verifier.keyHash == 0x033d_e0ae)
        #expect(verifier.description == key)
        #expect(try NoteVerifier("sum.golang.org") == verifier)
        #expect(verifier.isDatabaseName && Self.log.verifier.isDatabaseName)
        #expect(Self.log.verifier.description == Self.log.verifierKey)
    }

    @Test(arguments: [
        "", "sum.golang.org+", "sum.golang.org+033de0ae", "sum.golang.org+033de0ae+",
        "x+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "sum.golang.org+33de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn9",
        "sum golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    ])
    func `a key that was mistyped is refused`(key: String) {
        #expect(throws: NoteError.self) { try NoteVerifier(key) }
    }

    @Test(arguments: [
        ("localhost.localdev/sumdb", true), ("a:8080", true), ("a/", false), ("/a", false), ("a//b", false),
        ("a/../b", false),
        ("a?b", false), ("a%2fb", false),
    ])
    func `only a host with a path names a database`(name: String, isFit: Bool) {
        #expect(TestLog(name: name).verifier.isDatabaseName == isFit)
    }

    @Test func `a note with a good signature is opened, others passed over`() throws {
        let mine = Self.log.signatureLine(Self.text)
        let strange = Self.other.signatureLine(Self.text)
        for signatures in [mine, strange + mine, mine + strange, mine + mine, strange + strange + mine] {
            let note = try open("\(Self.text)\n\(signatures)")
            #expect(note.text == Self.text && note.signers == ["sum.test/db"])
        }
        let two = try SignedNote(
            parsing: Array("\(Self.text)\n\(strange)\(mine)".utf8),
            verifiers: [Self.log.verifier, Self.other.verifier])
        #expect(two.signers == ["other.test", "sum.test/db"])
    }

    @Test func `a note without a known signature names who signed it`() {
        #expect(throws: NoteError.unknownSigners(["other.test"])) {
            try open("\(Self.text)\n\(Self.other.signatureLine(Self.text))")
        }
    }

    @Test func `a bad signature by a known key spoils the note`() {
        let wrong = Self.log.signatureLine(Self.text + "x\n")
        #expect(throws: NoteError.badSignature(name: "sum.test/db")) { try open("\(Self.text)\n\(wrong)") }
        #expect(throws: NoteError.badSignature(name: "sum.test/db")) {
            try open("\(Self.text)\n\(wrong)\(Self.log.signatureLine(Self.text))")
        }
    }

    @Test func `malformed notes are refused`() {
        let line = Self.log.signatureLine(Self.text)
        let many = String(repeating: Self.other.signatureLine(Self.text), count: 100)
        for note in [
            "", "\n", "\n\n", Self.text, Self.text + "\n", Self.text + line,
            "\(Self.text)\n\(line.dropLast())",
            "\(Self.text)\n\(line)\n", "\(Self.text)\n\(line)x\n", "\(Self.text)\n-\(line.dropFirst())",
            "\(Self.text)\r\n\(line)", "\(Self.text)\u{0}\n\(line)", "\(Self.text)\n— sum.test/db\n",
            "\(Self.text)\n— sum.test/db AAAA\n", "\(Self.text)\n— sum+test AAAAAAAA\n",
            "\(Self.text)\n\(many)\(line)",
            String(repeating: "x\n", count: 500_001) + "\n" + line,
        ] {
            #expect(throws: NoteError.self, "\(note.prefix(100))") { try open(note) }
        }
        #expect(throws: NoteError.self) {
            try SignedNote(
                parsing: [0xff] + Array("\(Self.text)\n\(line)".utf8), verifiers: [Self.log.verifier])
        }
    }

    @Test func `a flipped bit anywhere spoils the note`() {
        let note = Self.log.sign(Self.text)
        for position in note.indices {
            for bit in 0..<8 {
                var altered = note
                altered[position] ^= 1 << UInt8(bit)
                #expect(throws: NoteError.self, "byte \(position) bit \(bit)") {
                    try SignedNote(parsing: altered, verifiers: [Self.log.verifier])
                }
            }
        }
    }

    @Test(arguments: [
        "go.sum database tree\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "go.sum database tree\n9380838\ny7MTG8bejaSje8ZwVQHS2t4QH+GXlMUOPyBNfF2wjyg=\nmore\n",
    ])
    func `a tree head is read`(text: String) throws {
        let head = try #require(TreeHead(parsing: text))
        #expect(text.hasPrefix(head.text))
    }

    @Test(arguments: [
        "", "go.sum database tree\n", "go.sum database tree\n1\n",
        "go.sum database tree\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "go.sum database tree\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "go.sum database tree\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "go.sum database tree\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n",
        "go.mod database tree\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "go.sum database tree\n18014398509481985\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
    ])
    func `anything else is no tree head`(text: String) {
        #expect(TreeHead(parsing: text) == nil)
    }
}
