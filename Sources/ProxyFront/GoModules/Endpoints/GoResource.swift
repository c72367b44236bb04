import Content
import NIOCore

/// A file of the module proxy protocol: what it is called here and upstream, and how it is served.
struct GoResource: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case list, latest, info, mod, zip
    }

    let kind: Kind
    let module: ModulePath
    /// The version, when the file can never change.
    let version: ModuleVersion?
    /// `go/<module>@<version>.zip`, `go/<module>@<query>.info`, `go/<module>@list`, `go/<module>@latest`.
    let name: ReferenceName
    /// The path below an upstream's base, as the go command writes it.
    let path: String

    /// Nil for requests to checksum databases.
    init?(_ request: GoRequest) throws(ReferenceNameError) {
        switch request {
        case .list(let module):
            (kind, self.module, version) = (.list, module, nil)
            name = try ReferenceName("\(Self.prefix(of: module))list")
        case .latest(let module):
            (kind, self.module, version) = (.latest, module, nil)
            name = try ReferenceName("\(Self.prefix(of: module))latest")
        case .info(let module, let query):
            (kind, self.module, version) = (.info, module, query.version)
            name = try ReferenceName("\(Self.prefix(of: module))\(query.text).info")
        case .mod(let module, let version):
            (kind, self.module, self.version) = (.mod, module, version)
            name = try ReferenceName("\(Self.prefix(of: module))\(version.text).mod")
        case .zip(let module, let version):
            (kind, self.module, self.version) = (.zip, module, version)
            name = try ReferenceName("\(Self.prefix(of: module))\(version.text).zip")
        case .sumDB: return nil
        }
        path = request.requestPath
    }

    /// What the names of all files of a module begin with.
    static func prefix(of module: ModulePath) -> String { "go/\(module.text)@" }

    /// The module version that the checksum of this file is known under.
    var identity: ModuleIdentity? {
        switch kind {
        case .mod, .zip: version.map { ModuleIdentity(path: module, version: $0) }
        case .list, .latest, .info: nil
        }
    }

    /// Kept for ever, as against fresh for a while.
    var isImmutable: Bool { version != nil }

    /// The longest body taken, in bytes. Zips: twice what the go command accepts, so that refusing one is
    /// its business; go.mod: its limit (go.dev/ref/mod, "Module zip files").
    var limit: Int64 {
        switch kind {
        case .zip: 1000 << 20
        case .mod: 16 << 20
        case .info, .latest: 1 << 20
        case .list: 64 << 20
        }
    }

    /// As the public proxy answers.
    var contentType: String {
        switch kind {
        case .zip: "application/zip"
        case .info, .latest: "application/json"
        case .mod, .list: "text/plain; charset=UTF-8"
        }
    }

    /// As the public proxy answers: three hours for what never changes, a minute for what may.
    var cacheControl: String { isImmutable ? "public, max-age=10800" : "public, max-age=60" }
}
