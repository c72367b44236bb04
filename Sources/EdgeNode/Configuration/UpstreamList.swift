/// The list of upstreams as GOPROXY writes it: after a comma the next one is asked when the one before says
/// 404 or 410, after a bar whatever it failed with (https://go.dev/ref/mod#environment-variables, GOPROXY).
package struct UpstreamList: Sendable, Hashable, CustomStringConvertible {
    package struct Entry: Sendable, Hashable {
        /// An http or https URL without credentials, query and trailing slash.
        package let url: String
        /// Whether the next entry is asked after any failure, not only after "not here".
        package let fallsBackOnError: Bool
    }

    package let entries: [Entry]

    package static let standard = UpstreamList(
        entries: [Entry(url: "https://proxy.golang.org", fallsBackOnError: false)])

    private init(entries: [Entry]) { self.entries = entries }

    /// Parses a list; `off` is an empty one.
    /// - Throws: `QuantityError` naming the entry and what to write instead.
    package init(parsing text: String) throws(QuantityError) {
        var entries: [Entry] = []
        if text.trimmingSpaces() == "off" || text.trimmingSpaces().isEmpty {
            self.init(entries: [])
            return
        }
        var start = text.startIndex
        while start <= text.endIndex {
            let end = text[start...].firstIndex { $0 == "," || $0 == "|" } ?? text.endIndex
            let word = text[start..<end].trimmingSpaces()
            let isBar = end < text.endIndex && text[end] == "|"
            if !word.isEmpty { entries.append(Entry(url: try Self.url(word), fallsBackOnError: isBar)) }
            guard end < text.endIndex else { break }
            start = text.index(after: end)
        }
        guard !entries.isEmpty else {
            throw QuantityError(
                description: "\"\(text)\" names no upstream; write a URL, or \"off\" to ask nobody")
        }
        self.init(entries: entries)
    }

    private static func url(_ word: String) throws(QuantityError) -> String {
        switch word {
        case "direct":
            throw QuantityError(
                description: "\"direct\" (version control) is for clients; name module proxies by their URL")
        case "off":
            throw QuantityError(description: "\"off\" stands alone; leave it out of a list of URLs")
        default:
            return try URLText.check(word)
        }
    }

    package var description: String {
        guard !entries.isEmpty else { return "off" }
        var text = ""
        for (index, entry) in entries.enumerated() {
            text += entry.url
            if index < entries.count - 1 { text += entry.fallsBackOnError ? "|" : "," }
        }
        return text
    }
}

/// The rules that every URL of a configuration keeps.
enum URLText {
    /// `text` without its trailing slash.
    /// - Throws: `QuantityError` unless it is http or https with a host, and neither credentials, query nor
    ///   fragment.
    static func check(_ text: String) throws(QuantityError) -> String {
        guard let scheme = ["https://", "http://"].first(where: { text.lowercased().hasPrefix($0) }) else {
            throw QuantityError(description: "\"\(text)\" is not a URL; begin it with https:// or http://")
        }
        var rest = text.dropFirst(scheme.count)
        while rest.hasSuffix("/") { rest = rest.dropLast() }
        let host = rest.prefix { $0 != "/" }
        if host.contains("@") {
            // The text itself holds a secret and must not be repeated.
            throw QuantityError(
                description: "a URL must not hold credentials; give user and password_file in [[go.upstream]]"
            )
        }
        guard !host.isEmpty, !host.hasPrefix(":") else {
            throw QuantityError(description: "\"\(text)\" names no host")
        }
        guard
            rest.utf8.allSatisfy({
                $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
            })
        else {
            throw QuantityError(
                description: "\"\(text)\" must hold neither spaces, \"?\" nor \"#\"; percent-escape them")
        }
        return scheme + host.lowercased() + rest.dropFirst(host.count)
    }
}
