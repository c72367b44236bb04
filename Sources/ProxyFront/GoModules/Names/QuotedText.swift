/// Text from outside, made fit to stand in an error message: in quotes, without control characters, cut
/// to a bounded length.
struct QuotedText: CustomStringConvertible {
    /// The most scalars of the original that are shown.
    static let limit = 200

    let description: String

    init(_ text: some StringProtocol) {
        var shown = "\""
        for (count, scalar) in text.unicodeScalars.enumerated() {
            guard count < Self.limit else {
                shown += "..."
                break
            }
            switch scalar.value {
            case 0x22, 0x5c:
                shown += "\\"
                shown.unicodeScalars.append(scalar)
            case 0..<0x20, 0x7f..<0xa0, 0xfffd, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069:
                shown += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                shown.unicodeScalars.append(scalar)
            }
        }
        description = shown + "\""
    }

    init(_ bytes: some Collection<UInt8>) {
        self.init(String(decoding: bytes.prefix(Self.limit * 4 + 4), as: UTF8.self))
    }
}
