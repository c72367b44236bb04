import Content

/// The registries that a node serves, and which repository of which of them a request means
/// (docs/registry-upstreams.md, "Which registry is meant").
public struct RegistryDirectory: Sendable {
    /// Every registry that may be asked, in the order of configuration.
    public let upstreams: [RegistryUpstream]
    /// What a name without a registry means; nil = nothing.
    public let defaultHost: RegistryHost?
    /// Of names and aliases, the position in `upstreams`.
    private let positions: [RegistryHost: Int]

    /// - Throws: `RegistryDirectoryError.taken` when two registries share a name or an alias, `.noDefault` when the
    ///   default is none of them.
    public init(
        _ upstreams: [RegistryUpstream], defaultHost: RegistryHost?
    ) throws(RegistryDirectoryError) {
        var positions: [RegistryHost: Int] = [:]
        for (position, upstream) in upstreams.enumerated() {
            for host in [upstream.host] + upstream.aliases {
                if positions.updateValue(position, forKey: host) != nil { throw .taken(host) }
            }
        }
        if let defaultHost, positions[defaultHost] == nil { throw .noDefault(defaultHost) }
        self.upstreams = upstreams
        self.defaultHost = defaultHost
        self.positions = positions
    }

    /// The registry of that name or alias.
    public func upstream(_ host: RegistryHost) -> RegistryUpstream? { positions[host].map { upstreams[$0] } }

    /// Which repository a path of the API names.
    ///
    /// The query's `ns` counts first; else the path's first segment when it has the form of a host; else the default
    /// registry is meant. A client that says both says the same twice: the segment is then no part of the name.
    /// - Parameters:
    ///   - path: what stands between `/v2/` and `/manifests/`, `/blobs/` or `/tags/`, percent-escapes decoded.
    ///   - namespace: the value of `ns`, if there is one.
    /// - Throws: `RegistryDirectoryError`: `.unknown` for a registry that is not configured, `.name` for a bad name.
    public func resolve(
        path: String, namespace: String?
    ) throws(RegistryDirectoryError) -> (repository: Repository, upstream: RegistryUpstream) {
        let (named, rest) = Self.split(path)
        let upstream: RegistryUpstream
        var name = rest
        if let namespace {
            upstream = try known(namespace)
            if let named, named != namespace {
                // Of two registries the path's is part of the name, as on a registry that mirrors others.
                let other = (try? RegistryHost(named)).flatMap { positions[$0] }
                if other != positions[upstream.host] { name = path[...] }
            }
        } else if let named {
            upstream = try known(named)
        } else if let defaultHost, let found = self.upstream(defaultHost) {
            upstream = found
        } else {
            throw .noRegistry(String(path.prefix(300)))
        }
        return (try repository(String(name), of: upstream), upstream)
    }

    /// An image that a person named, under its canonical name.
    /// - Throws: as `resolve(path:namespace:)`.
    public func resolve(
        _ image: ImageReference
    ) throws(RegistryDirectoryError) -> (image: ImageReference, upstream: RegistryUpstream) {
        let upstream = try known(image.repository.registry.text)
        let repository = try repository(image.repository.name.text, of: upstream)
        return (ImageReference(repository, tag: image.tag, digest: image.digest), upstream)
    }

    private func known(_ text: String) throws(RegistryDirectoryError) -> RegistryUpstream {
        // Most requests name a registry just as it is configured.
        if let upstream = upstream(RegistryHost(trusted: text)) { return upstream }
        let host: RegistryHost
        do throws(RegistryNameError) { host = try RegistryHost(text) } catch { throw .name(error) }
        guard let upstream = upstream(host) else { throw .unknown(host) }
        return upstream
    }

    private func repository(
        _ text: String, of upstream: RegistryUpstream
    ) throws(RegistryDirectoryError) -> Repository {
        do throws(RegistryNameError) {
            var name = try RepositoryName(upstream.rewritten(text))
            if upstream.addsLibrary, name.isOneSegment { name = try RepositoryName("library/\(name)") }
            return try Repository(upstream.host, name)
        } catch {
            throw .name(error)
        }
    }

    /// The first segment, when it has the form of a host and something follows it, and what is left then.
    private static func split(_ path: String) -> (host: String?, rest: Substring) {
        guard let slash = path.firstIndex(of: "/"), ImageReference.isHost(path[..<slash]) else {
            return (nil, path[...])
        }
        return (String(path[..<slash]), path[path.index(after: slash)...])
    }
}

extension RegistryUpstream {
    /// A repository's name as the first rewrite rule that matches wants it.
    func rewritten(_ name: String) -> String {
        for rule in rewrites {
            if let rewritten = rule.applied(to: name) { return rewritten }
        }
        return name
    }
}

extension RepositoryRewrite {
    /// What the rule makes of a name; nil when it does not match.
    package func applied(to name: String) -> String? {
        let parts = from.split(separator: "*", omittingEmptySubsequences: false)
        guard let prefix = parts.first, name.hasPrefix(prefix) else { return nil }
        var rest = name.dropFirst(prefix.count)
        guard parts.count > 1 else { return rest.isEmpty ? to : nil }
        var captured: Substring = ""
        for (index, part) in parts.dropFirst().enumerated() {
            let found: Range<Substring.Index>
            if index == parts.count - 2 {
                guard rest.hasSuffix(part) else { return nil }
                found = rest.index(rest.endIndex, offsetBy: -part.count)..<rest.endIndex
            } else {
                guard let range = rest.firstRange(of: part) else { return nil }
                found = range
            }
            if index == 0 { captured = rest[..<found.lowerBound] }
            rest = rest[found.upperBound...]
        }
        guard let star = to.firstIndex(of: "*") else { return to }
        return "\(to[..<star])\(captured)\(to[to.index(after: star)...])"
    }
}

/// Why a request means no repository of this node.
public enum RegistryDirectoryError: Error, Equatable, CustomStringConvertible {
    case name(RegistryNameError)
    /// Not among the configured registries: the front is no open proxy.
    case unknown(RegistryHost)
    /// The path names no registry, and there is no default.
    case noRegistry(String)
    case taken(RegistryHost)
    case noDefault(RegistryHost)

    public var description: String {
        switch self {
        case .name(let error): "\(error)"
        case .unknown(let host):
            "\(host) is not among the registries of this node; a [[registry.upstream]] with that name would add it"
        case .noRegistry(let path):
            "\(QuotedText(path)) names no registry, and this node has no default one: put the registry before it"
        case .taken(let host): "\(host) is the name or an alias of two registries; give it to one"
        case .noDefault(let host): "the default registry \(host) is not among those configured"
        }
    }
}
