/// A request of the Go module proxy protocol (golang.org/ref/mod, "GOPROXY protocol") or of a checksum
/// database behind it ("Checksum database").
public enum GoRequest: Hashable, Sendable {
    /// `M/@v/list`
    case list(ModulePath)
    /// `M/@latest`
    case latest(ModulePath)
    /// `M/@v/Q.info`
    case info(ModulePath, VersionQuery)
    /// `M/@v/V.mod`
    case mod(ModulePath, ModuleVersion)
    /// `M/@v/V.zip`
    case zip(ModulePath, ModuleVersion)
    /// `sumdb/<name>/...`, for a name that the node is configured with.
    case sumDB(name: String, SumDBRequest)

    /// Parses the path of a request target, still percent-escaped and without its query.
    ///
    /// - Parameters:
    ///   - target: the path, such as `/github.com/!burnt!sushi/toml/@v/v1.4.0.zip`.
    ///   - base: the path that the proxy is mounted at, with its closing slash.
    ///   - databases: the names of the configured checksum databases; a name may hold slashes, the longest
    ///     that matches counts.
    public init(parsing target: String, base: String = "/", databases: [String] = []) throws(GoRequestError) {
        guard let path = PercentEncoding.decode(target) else { throw .malformedEscape(target) }
        guard path.starts(with: base.utf8) else { throw .notAnEndpoint(target) }
        let rest = path[base.utf8.count...]
        if rest.starts(with: "sumdb/".utf8) {
            self = try Self.checksumRequest(rest.dropFirst("sumdb/".utf8.count), databases: databases)
        } else {
            self = try Self.moduleRequest(rest)
        }
    }

    /// The path under a proxy's base with letters escaped and nothing percent-encoded.
    public var path: String {
        switch self {
        case .list(let module): "\(module.escaped)/@v/list"
        case .latest(let module): "\(module.escaped)/@latest"
        case .info(let module, let query): "\(module.escaped)/@v/\(query.escaped).info"
        case .mod(let module, let version): "\(module.escaped)/@v/\(version.escaped).mod"
        case .zip(let module, let version): "\(module.escaped)/@v/\(version.escaped).zip"
        case .sumDB(let name, let request): "sumdb/\(name)/\(request.path)"
        }
    }

    /// `path` as the go command writes it into a request: percent-encoded, `!` included.
    public var requestPath: String { PercentEncoding.encodePath(path) }

    /// The module that is asked for, nil for a checksum database's own files.
    public var module: ModulePath? {
        switch self {
        case .list(let module), .latest(let module), .info(let module, _), .mod(let module, _),
            .zip(let module, _):
            module
        case .sumDB(_, .lookup(let identity)): identity.path
        case .sumDB: nil
        }
    }

    private static func moduleRequest(_ path: ArraySlice<UInt8>) throws(GoRequestError) -> GoRequest {
        guard let at = path.firstIndex(of: UInt8(ascii: "@")), at > path.startIndex,
            path[at - 1] == UInt8(ascii: "/")
        else { throw .notAnEndpoint(String(decoding: path, as: UTF8.self)) }
        let module: ModulePath
        do { module = try ModulePath(escaped: path[..<(at - 1)]) } catch { throw .invalidModulePath(error) }

        let verb = path[at...]
        if verb.elementsEqual("@latest".utf8) { return .latest(module) }
        if verb.elementsEqual("@v/list".utf8) { return .list(module) }
        guard verb.starts(with: "@v/".utf8), let dot = verb.lastIndex(of: UInt8(ascii: ".")) else {
            throw .notAnEndpoint(String(decoding: path, as: UTF8.self))
        }
        let name = verb[(verb.startIndex + 3)..<max(dot, verb.startIndex + 3)]
        do {
            switch String(decoding: verb[(dot + 1)...], as: UTF8.self) {
            case "info": return .info(module, try VersionQuery(escaped: name).asked(of: module))
            case "mod": return .mod(module, try ModuleVersion(escaped: name))
            case "zip": return .zip(module, try ModuleVersion(escaped: name))
            default: throw GoRequestError.notAnEndpoint(String(decoding: path, as: UTF8.self))
            }
        } catch let error as ModuleVersionError {
            throw .invalidVersion(module, error)
        } catch {
            throw .notAnEndpoint(String(decoding: path, as: UTF8.self))
        }
    }

    private static func checksumRequest(
        _ path: ArraySlice<UInt8>, databases: [String]
    ) throws(GoRequestError) -> GoRequest {
        let candidates = databases.filter { path.starts(with: "\($0)/".utf8) }
        guard let name = candidates.max(by: { $0.utf8.count < $1.utf8.count }) else {
            throw .unknownDatabase(String(decoding: path, as: UTF8.self))
        }
        return .sumDB(name: name, try SumDBRequest(parsing: path.dropFirst(name.utf8.count + 1)))
    }
}

/// A request to a checksum database, under the database's base (golang.org/ref/mod, "Checksum database").
public enum SumDBRequest: Hashable, Sendable {
    /// Whether a proxy serves the database at all.
    case supported
    /// The latest signed tree head.
    case latest
    /// The record of a module version, with a signed tree head.
    case lookup(ModuleIdentity)
    case tile(Tile)

    /// Parses the decoded path that follows the database's name.
    init(parsing path: ArraySlice<UInt8>) throws(GoRequestError) {
        let text = String(decoding: path, as: UTF8.self)
        if text == "supported" {
            self = .supported
        } else if text == "latest" {
            self = .latest
        } else if text.hasPrefix("tile/") {
            guard let tile = Tile(path: text) else { throw .invalidTile(text) }
            self = .tile(tile)
        } else if text.hasPrefix("lookup/") {
            let name = path.dropFirst("lookup/".utf8.count)
            guard let at = name.firstIndex(of: UInt8(ascii: "@")) else {
                throw .invalidLookup(text, reason: "it does not read <module>@<version>")
            }
            do {
                self = .lookup(
                    ModuleIdentity(
                        path: try ModulePath(escaped: name[..<at]),
                        version: try ModuleVersion(escaped: name[(at + 1)...])))
            } catch {
                throw .invalidLookup(text, reason: "\(error)")
            }
        } else {
            throw .notAnEndpoint(text)
        }
    }

    /// The path under the database's base, letters escaped and nothing percent-encoded.
    public var path: String {
        switch self {
        case .supported: "supported"
        case .latest: "latest"
        case .lookup(let identity): "lookup/\(identity.escaped)"
        case .tile(let tile): tile.path
        }
    }

    /// `path` as the go command writes it into a request.
    public var requestPath: String { PercentEncoding.encodePath(path) }
}
