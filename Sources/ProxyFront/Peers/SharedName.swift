import Content

/// Which of the store's names peers speak of, and how.
enum SharedName: Equatable {
    /// It can never stand for anything else: content may be asked for by it.
    case immutable
    /// It is told in signed statements only.
    case mutable
    /// It is this node's own business: pins, refusals, parts, lists made here.
    case own

    init(_ name: ReferenceName) {
        let text = name.text
        if text.hasPrefix("go/") {
            self = Self.module(text)
        } else if text.hasPrefix("sumdb/") {
            self = text.contains("/lookup/") || text.contains("/tile/") ? .immutable : .own
        } else if text.hasPrefix(Repository.prefix) {
            self = text.contains("@") ? .immutable : .mutable
        } else {
            self = .own
        }
    }

    /// A version's files never change; queries, lists and the latest version do.
    private static func module(_ text: String) -> SharedName {
        guard let at = text.lastIndex(of: "@") else { return .own }
        let file = text[text.index(after: at)...]
        if file == "list" || file == "latest" { return .mutable }
        guard let dot = file.lastIndex(of: "."), ["info", "mod", "zip"].contains(file[dot...].dropFirst())
        else { return .own }
        return (try? ModuleVersion(file[..<dot])) == nil ? .mutable : .immutable
    }
}
