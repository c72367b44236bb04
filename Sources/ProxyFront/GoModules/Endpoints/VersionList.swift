/// The body of `@v/list` while upstream is away: its last answer, joined with the versions held here.
package enum VersionList {
    /// - Parameters:
    ///   - last: upstream's last answer, nil when there is none.
    ///   - held: versions whose zip is here; pseudo-versions are left out, as the protocol demands.
    /// - Returns: `last` word for word when nothing is to be added, else one version a line in order of
    ///   precedence; nil when nothing is known.
    package static func joined(last: [UInt8]?, held: [ModuleVersion]) -> [UInt8]? {
        let listed = Set(
            (last ?? []).split(separator: UInt8(ascii: "\n")).map {
                String(
                    decoding: $0.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\r") }, as: UTF8.self
                )
            })
        let added = Set(held.filter { !$0.isPseudo && !listed.contains($0.text) })
        if added.isEmpty { return last }
        let known = listed.compactMap { try? ModuleVersion($0) }
        let all = (known + Array(added)).sorted()
        return Array((all.map(\.text).joined(separator: "\n") + "\n").utf8)
    }
}
