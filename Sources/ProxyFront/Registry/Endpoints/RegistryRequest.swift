package import Content

/// A request of the OCI distribution specification, parsed once from path and query. What repository its path means
/// is the registry directory's to say.
package struct RegistryRequest: Sendable, Equatable {
    package enum Endpoint: Sendable, Equatable {
        /// `/v2/`
        case base
        /// `/v2/_catalog`
        case catalog(Page)
        case manifest(ManifestReference)
        case blob(Digest)
        case tags(Page)
        case referrers(Digest, artifactType: String?)
    }

    package let endpoint: Endpoint
    /// The repository as the path names it, with the registry where a client puts that into the path. Empty for
    /// the base and the catalog.
    package let path: String
    /// `?ns=`: the registry that a mirror is asked on behalf of.
    package let namespace: String?

    /// The most bytes of a query's value.
    private static let valueLimit = 512

    /// - Parameters:
    ///   - target: the path, percent-escapes as they came.
    ///   - query: what follows the `?`.
    /// - Throws: `RegistryError` as the specification has it for what is malformed.
    package init(target: String, query: String?) throws(RegistryError) {
        let path = try Self.path(of: target)
        let fields = try query.map(Self.fields) ?? [:]
        namespace = fields["ns"].flatMap { $0.isEmpty ? nil : $0 }
        // By bytes: characters cost more than all the rest of a hit.
        guard path.utf8.starts(with: "/v2".utf8) else { throw .unknownEndpoint }
        let rest = path[path.utf8.index(path.startIndex, offsetBy: 3)...]
        if rest.isEmpty || rest == "/" {
            (endpoint, self.path) = (.base, "")
            return
        }
        if rest == "/_catalog" {
            (endpoint, self.path) = (.catalog(try Page(fields)), "")
            return
        }
        // A name may hold any of the words below, so the path is read from its end.
        guard rest.utf8.first == UInt8(ascii: "/"), let (before, last) = Self.split(rest.dropFirst()) else {
            throw .unknownEndpoint
        }
        let (name, word) = Self.split(before) ?? ("", before)
        switch (word, last) {
        case ("tags", "list"): endpoint = .tags(try Page(fields))
        case ("manifests", _): endpoint = .manifest(try Self.reference(last))
        case ("blobs", "uploads"), ("uploads", _):
            throw RegistryError(.notFound, .blobUploadUnknown, "no upload is under way: this is a mirror")
        case ("blobs", _): endpoint = .blob(try Self.digest(last))
        case ("referrers", _):
            let type = fields["artifactType"].flatMap { $0.isEmpty ? nil : $0 }
            endpoint = .referrers(try Self.digest(last), artifactType: type)
        default: throw .unknownEndpoint
        }
        self.path = String(name)
    }

    private static func path(of target: String) throws(RegistryError) -> String {
        guard target.utf8.contains(UInt8(ascii: "%")) else { return target }
        guard let path = decoded(target[...]) else {
            throw RegistryError(.badRequest, .nameInvalid, "the path is not UTF-8")
        }
        return path
    }

    /// What stands before the last slash and behind it; nil when there is none.
    private static func split(_ text: Substring) -> (Substring, Substring)? {
        text.utf8.lastIndex(of: UInt8(ascii: "/")).map { slash in
            (text[..<slash], text[text.utf8.index(after: slash)...])
        }
    }

    private static func reference(_ text: Substring) throws(RegistryError) -> ManifestReference {
        do throws(RegistryNameError) { return try ManifestReference(parsing: text) } catch {
            switch error {
            case .digest(let wrong): throw RegistryError(.badRequest, .digestInvalid, "\(wrong)")
            // What cannot be a tag names no manifest: that is what clients understand.
            default: throw RegistryError(.notFound, .manifestUnknown, "\(error)")
            }
        }
    }

    private static func digest(_ text: Substring) throws(RegistryError) -> Digest {
        do throws(DigestError) { return try Digest(parsing: text) } catch {
            throw RegistryError(.badRequest, .digestInvalid, "\(error)")
        }
    }

    /// The query's fields, the first of each name. A `+` stands for itself: media types hold it, and spaces are in
    /// nothing that is asked for here.
    private static func fields(_ query: String) throws(RegistryError) -> [String: String] {
        var fields: [String: String] = [:]
        for field in query.split(separator: "&").prefix(64) {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? parts[1] : ""
            guard let name = decoded(parts[0]), let text = decoded(value), text.utf8.count <= valueLimit
            else {
                throw RegistryError(
                    .badRequest, .unsupported,
                    "the query's field \(QuotedText(field)) is not UTF-8, or longer than \(valueLimit) bytes")
            }
            if fields[name] == nil { fields[name] = text }
        }
        return fields
    }

    private static func decoded(_ text: Substring) -> String? {
        PercentEncoding.decode(text).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
