import ProxyFront

/// The module files that a go command will ask for.
package struct WarmList: Sendable, Equatable {
    package enum File: String, Sendable, CaseIterable { case info, mod, zip }

    /// One file, or the version that a query means.
    package enum Item: Sendable, Hashable, CustomStringConvertible {
        case file(ModuleIdentity, File)
        /// The newest version, of which all three files are wanted.
        case query(ModulePath, VersionQuery?)

        /// The path under the front.
        package var target: String {
            switch self {
            case .file(let module, let file):
                "/\(module.path.escaped)/@v/\(module.version.escaped).\(file.rawValue)"
            case .query(let path, let query?): "/\(path.escaped)/@v/\(query.escaped).info"
            case .query(let path, nil): "/\(path.escaped)/@latest"
            }
        }

        package var description: String {
            switch self {
            case .file(let module, let file): "\(module).\(file.rawValue)"
            case .query(let path, let query): "\(path)@\(query?.text ?? "latest")"
            }
        }
    }

    /// Each once, in the order in which they were asked for.
    package private(set) var items: [Item] = []
    private var seen: Set<Item> = []

    package init() {}

    private mutating func add(_ item: Item) {
        if seen.insert(item).inserted { items.append(item) }
    }

    /// All that there is of one version.
    package mutating func add(_ module: ModuleIdentity) {
        for file in File.allCases { add(.file(module, file)) }
    }

    /// What a `go.sum` names: whole modules, and the bare `go.mod` of those that only the graph needs.
    package mutating func add(_ sums: GoSum) {
        let whole = Set(sums.modulesWithZips)
        for module in sums.modules {
            if whole.contains(module) { add(module) } else { add(.file(module, .mod)) }
        }
    }

    /// What a `go.mod` requires, replaced modules in the place of those that they replace.
    package mutating func add(_ file: GoModFile) {
        for requirement in file.requirements {
            let replacement = file.replacements.first { replacement in
                replacement.path == requirement.path
                    && (replacement.version == nil || replacement.version == requirement.version)
            }
            switch replacement?.target {
            case .directory: continue
            case .module(let path, let version): add(path, version)
            case nil: add(requirement.path, requirement.version)
            }
        }
    }

    /// `module@version`, `module@query` (a branch, `latest`) or `module` alone, which means its newest version.
    /// - Throws: `CommandFailure.usage` saying which part is wrong.
    package mutating func add(parsing text: String) throws(CommandFailure) {
        do {
            guard let at = text.lastIndex(of: "@") else { return add(.query(try ModulePath(text), nil)) }
            let path = try ModulePath(String(text[..<at]))
            let word = String(text[text.index(after: at)...])
            if word == "latest" { add(.query(path, nil)) } else { add(path, try VersionQuery(word)) }
        } catch {
            throw CommandFailure(.usage, "\(error); write module@version, such as golang.org/x/net@v0.34.0")
        }
    }

    private mutating func add(_ path: ModulePath, _ query: VersionQuery) {
        if let version = query.version {
            add(ModuleIdentity(path: path, version: version))
        } else {
            add(.query(path, query))
        }
    }

    package static func == (left: WarmList, right: WarmList) -> Bool { left.items == right.items }
}
