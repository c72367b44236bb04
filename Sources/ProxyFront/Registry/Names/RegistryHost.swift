public import Content

/// The name of a registry as image names carry it: a host with an optional port, such as `docker.io`,
/// `localhost:5000` or `[::1]:5000`. In lower case; compared byte for byte.
public struct RegistryHost: Hashable, Sendable, CustomStringConvertible {
    /// The public registry that names without a host mean.
    public static let dockerHub = RegistryHost(trusted: "docker.io")

    public let text: String

    /// - Throws: `RegistryNameError.host` for anything but a host name or address with an optional port.
    public init(_ text: some StringProtocol) throws(RegistryNameError) {
        let lower = text.lowercased()
        guard Self.isValid(lower) else { throw .host(String(lower.prefix(200))) }
        self.text = lower
    }

    /// For a text that is compared with known names only, or is one.
    init(trusted text: String) { self.text = text }

    public var description: String { text }

    private static func isValid(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 255 else { return false }
        var host = text[...]
        if let end = text.lastIndex(of: "]") {
            guard text.hasPrefix("["),
                NetworkAddress(String(text[text.index(after: text.startIndex)..<end])) != nil
            else { return false }
            let rest = text[text.index(after: end)...]
            return rest.isEmpty || rest.hasPrefix(":") && isPort(rest.dropFirst())
        }
        if let colon = text.firstIndex(of: ":") {
            guard isPort(text[text.index(after: colon)...]) else { return false }
            host = text[..<colon]
        }
        return host.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty && label.utf8.count <= 63 && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { ByteClass.isDigit($0) || (0x61...0x7A).contains($0) || $0 == 0x2D }
        }
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.utf8.count <= 5 && text.utf8.allSatisfy(ByteClass.isDigit)
            && (1...65535).contains(Int(text) ?? 0)
    }
}

/// Why a text is no name of the image world.
public enum RegistryNameError: Error, Equatable, CustomStringConvertible {
    case host(String)
    case repository(String)
    case tag(String)
    case digest(DigestError)
    /// Host and name together are longer than 255 bytes.
    case tooLong(Int)

    public var description: String {
        switch self {
        case .host(let text): "\(QuotedText(text)) is no registry: write a host, or host:port"
        case .repository(let text):
            "\(QuotedText(text)) is no repository name: lower-case letters and digits, separated by one of . _ __ or "
                + "dashes, in segments separated by /"
        case .tag(let text):
            "\(QuotedText(text)) is no tag: at most 128 letters, digits, _ . and -, not beginning with . or -"
        case .digest(let error): "\(error)"
        case .tooLong(let count):
            "registry and repository name have at most 255 bytes together; these have \(count)"
        }
    }
}
