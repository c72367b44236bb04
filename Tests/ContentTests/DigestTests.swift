import Content
import Testing

@Suite struct DigestTests {
    @Test(arguments: [
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
            + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ])
    func digestOfNothingReadsAsPublished(text: String) throws {
        let digest = try Digest(parsing: text)
        #expect(digest.description == text)
        #expect(Digest(digest.algorithm, of: [UInt8]()) == digest)
    }

    @Test(arguments: [
        "", "sha256", "sha256:", "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555",
        "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha256:../../../etc/passwd",
    ])
    func aTextThatIsNoDigestIsRefused(text: String) {
        #expect(throws: DigestError.self) { try Digest(parsing: text) }
    }

    @Test func anIncrementalHashEqualsTheHashOfTheWhole() {
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for algorithm in DigestAlgorithm.allCases {
            var hasher = DigestHasher(algorithm)
            var start = 0
            var step = 1
            while start < bytes.count {
                let end = min(start + step, bytes.count)
                hasher.update(Array(bytes[start..<end]))
                start = end
                step = step * 2 + 1
            }
            #expect(hasher.finalize() == Digest(algorithm, of: bytes))
        }
    }

    @Test(arguments: ["", "a\u{0}b", "a\nb", String(repeating: "x", count: 1025)])
    func aBadReferenceNameIsRefused(text: String) {
        #expect(throws: ReferenceNameError.self) { try ReferenceName(text) }
    }
}
