package import Content

/// What a node asks a peer for.
package struct ContentAsk: Hashable, Sendable {
    package enum Subject: Hashable, Sendable {
        /// A blob by its digest.
        case blob(Digest)
        /// What stands under a name that can never change: a module file, a checksum lookup or tile.
        case reference(ReferenceName)
    }

    package var subject: Subject
    /// The name under which a blob is asked for: a repository's link or a module file. The peer gives it exactly
    /// under that name, with that name's class of access. Nil asks for what anybody may have, whatever it is called.
    package var under: ReferenceName?

    package init(_ subject: Subject, under: ReferenceName? = nil) {
        self.subject = subject
        self.under = under
    }
}

extension ContentAsk {
    /// Whether an answer speaks of the blob that was asked for. Digests of two algorithms cannot be compared.
    func admits(_ found: Found) -> Bool {
        guard case .blob(let wanted) = subject else { return true }
        var named = [found.facts.digest]
        if case .digest(let digest) = found.transfer { named.append(digest) }
        return named.allSatisfy { $0 == nil || $0?.algorithm != wanted.algorithm || $0 == wanted }
    }
}

extension ContentAsk: CustomStringConvertible {
    package var description: String {
        switch (subject, under) {
        case (.reference(let name), _): name.text
        case (.blob(let digest), let name?): "\(digest) of \(name)"
        case (.blob(let digest), nil): "\(digest)"
        }
    }
}
