/// The repository that a store's name of an image speaks of, read without making values of its parts: for walks over
/// everything that is held.
struct RepositoryPlace {
    /// `oci/<host>/<name>`
    let repository: String
    let isTag: Bool
    /// Where the name of the registry stands in `repository`.
    private let host: Range<String.Index>

    /// Nil for what is no tag and no link of a repository.
    init?(_ name: String) {
        let bytes = name.utf8
        guard let first = bytes.firstIndex(of: UInt8(ascii: "/")),
            // A registry may have a port.
            let slash = bytes[bytes.index(after: first)...].firstIndex(of: UInt8(ascii: "/")),
            let end = bytes[slash...].firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "@") }
            )
        else { return nil }
        repository = String(name[..<end])
        isTag = bytes[end] == UInt8(ascii: ":")
        host = name.index(after: first)..<slash
    }

    /// The registry, as the store has its name.
    var registry: Substring { repository[host] }
}
