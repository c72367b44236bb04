/// Which part of a sorted list is asked for (OCI distribution specification 1.1, "Content Discovery").
package struct Page: Sendable, Equatable {
    /// Entries at most; nil = all there are.
    package var count: Int?
    /// The entry before the first one wanted; need not be on the list.
    package var last: String?

    package init(count: Int? = nil, last: String? = nil) {
        self.count = count
        self.last = last
    }

    /// Reads `n` and `last`.
    init(_ fields: [String: String]) throws(RegistryError) {
        last = fields["last"]
        guard let text = fields["n"] else { return }
        guard let number = DecimalNumber.parse(text.utf8, saturating: true) else {
            throw RegistryError(
                .badRequest, .paginationNumberInvalid, "n is \(QuotedText(text)): give a number of entries")
        }
        count = Int(clamping: number)
    }

    /// The page of a list, and whether more follow it.
    package func cut(_ entries: [String]) -> (entries: [String], hasMore: Bool) {
        let sorted = entries.map(LexicalKey.init).sorted()
        let start = last.map { last in
            let key = LexicalKey(last)
            return sorted.firstIndex { key < $0 } ?? sorted.endIndex
        }
        let rest = sorted[(start ?? 0)...]
        let page = rest.prefix(count ?? .max)
        return (page.map(\.text), !page.isEmpty && page.endIndex < rest.endIndex)
    }

    /// The value of the `Link` header to the page behind one that ends with `entry`.
    func link(path: String, after entry: String, namespace: String?) -> String {
        var query = "n=\(count ?? 0)&last=\(PercentEncoding.encodeQuery(entry))"
        if let namespace { query += "&ns=\(PercentEncoding.encodeQuery(namespace))" }
        return "<\(path)?\(query)>; rel=\"next\""
    }
}

/// The specification's order of tags: without regard to case, then by bytes, so that it is a total one.
private struct LexicalKey: Comparable {
    let text: String
    private let folded: String

    init(_ text: String) {
        self.text = text
        folded = text.lowercased()
    }

    static func < (a: LexicalKey, b: LexicalKey) -> Bool {
        if a.folded != b.folded { return a.folded.utf8.lexicographicallyPrecedes(b.folded.utf8) }
        return a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
}
