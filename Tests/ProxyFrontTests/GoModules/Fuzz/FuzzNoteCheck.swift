import ProxyFront

extension FuzzCheck {
    private static let verifier = try! NoteVerifier("sum.golang.org")

    /// Only texts that the key signed are opened, and what is read says the same when written and read again.
    func checkNote(_ bytes: [UInt8]) throws(FuzzViolation) {
        if let note = try? SignedNote(parsing: bytes, verifiers: [Self.verifier]) {
            try FuzzViolation.check(note.signers == ["sum.golang.org"], "signed by \(note.signers)")
            try FuzzViolation.check(bytes.starts(with: note.text.utf8), "the text is not the note's")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if let verifier = try? NoteVerifier(text), NoteVerifier.wellKnown[text] == nil {
            try FuzzViolation.check(
                (try? NoteVerifier(verifier.description)) == verifier, "\(verifier) changes")
        }
        if let head = TreeHead(parsing: text) {
            try FuzzViolation.check(text.hasPrefix(head.text), "\(head) is not what was read")
        }
        if let lookup = try? SumDBLookup(parsing: bytes) {
            try FuzzViolation.check(
                lookup.recordBytes + lookup.note == bytes, "lookup \(lookup.record) changes")
        }
    }
}
