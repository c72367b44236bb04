import ProxyFront

/// What a person names on the command line: a module or an image.
///
/// A colon is in no module's path, and an at sign before anything but a digest in no image's name. What has
/// neither is an image when it begins with a registry that the configuration names, or with a word without a dot,
/// with which no module path begins; else it is a module. `oci:` in front makes it an image, `go:` a module.
package enum Subject: Sendable, Equatable {
    /// As it was written, without `go:`.
    case module(String)
    /// As it was written, without `oci:`; a pattern when it has a `*`.
    case image(String)

    package init(_ text: String, registries: Set<RegistryHost>) {
        if let rest = text.removing(prefix: "oci:") {
            self = .image(rest)
        } else if let rest = text.removing(prefix: "go:") {
            self = .module(rest)
        } else if text.contains("@") {
            let isDigest = text.contains("@sha256:") || text.contains("@sha512:")
            self = isDigest ? .image(text) : .module(text)
        } else if text.contains(":") || !Self.startsWithDomain(text)
            || Self.registry(of: text).map(registries.contains) == true
        {
            self = .image(text)
        } else {
            self = .module(text)
        }
    }

    /// The part before the first slash.
    private static func head(_ text: String) -> Substring { text.prefix { $0 != "/" } }

    private static func startsWithDomain(_ text: String) -> Bool {
        let head = head(text)
        // A lone star means everything of everybody, as it always did.
        return head.contains(".") || head.contains("*") && !text.contains(":")
    }

    private static func registry(of text: String) -> RegistryHost? { try? RegistryHost(head(text)) }
}

extension String {
    fileprivate func removing(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
