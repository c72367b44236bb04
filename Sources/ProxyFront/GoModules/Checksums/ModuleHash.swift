import Crypto

/// The `h1:` sum of a module's files or of its go.mod: SHA-256 over one line a file, sorted by name, each of
/// them the file's own SHA-256 in hexadecimal digits, two spaces and the name
/// (golang.org/x/mod/sumdb/dirhash, `Hash1`).
public struct ModuleHash: Hashable, Sendable, CustomStringConvertible {
    /// Exactly 32 bytes.
    public let bytes: [UInt8]

    /// Parses `h1:<base64>`; nil for anything else, other algorithms included.
    public init?(_ text: some StringProtocol) {
        guard text.hasPrefix("h1:"), let bytes = Base64.decode(text.dropFirst(3)), bytes.count == 32 else {
            return nil
        }
        self.bytes = bytes
    }

    /// The sum that stands for a go.mod file of these bytes: the `/go.mod h1:` of go.sum.
    public static func goMod(_ file: some Collection<UInt8>) -> ModuleHash {
        let digest = SHA256.hash(data: Array(file))
        return ModuleHash(files: [(name: Array("go.mod".utf8), digest: Array(digest))])
    }

    /// The sum over files named by their full names in the zip, each with its SHA-256, in any order. A name
    /// that occurs more than once counts each time.
    init(files: [(name: [UInt8], digest: [UInt8])]) {
        var hash = SHA256()
        var line: [UInt8] = []
        for file in files.sorted(by: { $0.name.lexicographicallyPrecedes($1.name) }) {
            line.removeAll(keepingCapacity: true)
            for byte in file.digest {
                line.append(Self.digits[Int(byte >> 4)])
                line.append(Self.digits[Int(byte & 15)])
            }
            line.append(UInt8(ascii: " "))
            line.append(UInt8(ascii: " "))
            line += file.name
            line.append(UInt8(ascii: "\n"))
            hash.update(data: line)
        }
        bytes = Array(hash.finalize())
    }

    private static let digits = Array("0123456789abcdef".utf8)

    /// `h1:<base64>`
    public var description: String { "h1:" + Base64.encode(bytes) }
}
