import Content

/// One file of a module version, as it is named in the store and in the trees of the module proxy protocol.
package struct ModuleFile: Hashable, Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case info, mod, zip
    }

    package let module: ModuleIdentity
    package let kind: Kind
    /// `go/<module>@<version>.zip`
    package let name: ReferenceName
    let resource: GoResource

    /// - Throws: `ReferenceNameError` when module and version are too long for the store.
    package init(_ module: ModuleIdentity, _ kind: Kind) throws(ReferenceNameError) {
        let request: GoRequest =
            switch kind {
            case .info: .info(module.path, VersionQuery(module.version))
            case .mod: .mod(module.path, module.version)
            case .zip: .zip(module.path, module.version)
            }
        guard let resource = try GoResource(request) else {
            preconditionFailure("a module's file is a resource")
        }
        self.module = module
        self.kind = kind
        self.resource = resource
        name = resource.name
    }

    /// The file that a name of the store means; nil for any other name, such as a version that is none of the module's
    /// major line, whose `.info` is an answer that may change.
    package init?(_ name: ReferenceName) {
        guard name.text.hasPrefix("go/"), let at = name.text.lastIndex(of: "@"),
            let dot = name.text.lastIndex(of: "."), dot > at,
            let kind = Kind(rawValue: String(name.text[name.text.index(after: dot)...])),
            let path = try? ModulePath(String(name.text[..<at].dropFirst(3))),
            let version = try? ModuleVersion(name.text[name.text.index(after: at)..<dot]),
            kind != .info || path.admits(version),
            let file = try? ModuleFile(ModuleIdentity(path: path, version: version), kind), file.name == name
        else { return nil }
        self = file
    }

    /// The file that `<escaped module>/@v/<escaped version>.zip` means, a path of a proxy's tree; nil for what is
    /// none, such as lists, locks and the answers to branch queries.
    package init?(treePath: String) {
        let parts = treePath.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[parts.count - 2] == "@v",
            let dot = parts[parts.count - 1].lastIndex(of: "."),
            let kind = Kind(rawValue: String(parts[parts.count - 1][dot...].dropFirst())),
            let path = try? ModulePath(escaped: parts.dropLast(2).joined(separator: "/")),
            let version = try? ModuleVersion(escaped: String(parts[parts.count - 1][..<dot])),
            kind != .info || path.admits(version),
            let file = try? ModuleFile(ModuleIdentity(path: path, version: version), kind)
        else { return nil }
        self = file
    }

    /// As the public proxy answers.
    package var contentType: String { resource.contentType }

    /// The longest one taken, in bytes.
    package var limit: Int64 { resource.limit }
}
