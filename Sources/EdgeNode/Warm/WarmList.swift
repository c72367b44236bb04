import ProxyFront

/// The module files that a go command will ask for.
package struct WarmList: Sendable, Equatable {
    package enum File: String, Sendable, CaseIterable { case info, mod, zip }

    /// One file, or the version that a query means.
    package enum Item: Sendable, Hashable, CustomStringConvertible {
        case file(ModuleIdentity, File)
        /// A `go.mod` whose requirements are loaded too, as the go command's graph does: with `whole` whatever
        /// it says of itself, else only when its language version is older than 1.17
        /// (https://go.dev/ref/mod, "Module graph pruning").
        case graph(ModuleIdentity, whole: Bool)
        /// The newest version, of which all three files are wanted.
        case query(ModulePath, VersionQuery?)

        /// The path under the front.
        package var target: String {
            switch self {
            case .file(let module, let file):
                "/\(module.path.escaped)/@v/\(module.version.escaped).\(file.rawValue)"
            case .graph(let module, _): Item.file(module, .mod).target
            case .query(let path, let query?): "/\(path.escaped)/@v/\(query.escaped).info"
            case .query(let path, nil): "/\(path.escaped)/@latest"
            }
        }

        package var description: String {
            switch self {
            case .file(let module, let file): "\(module).\(file.rawValue)"
            case .graph(let module, _): Item.file(module, .mod).description
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

    /// Takes the items out, which are still known: none of them is added again.
    mutating func takeItems() -> [Item] {
        defer { items = [] }
        return items
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

    /// What a program's `go.mod` requires, replaced modules in the place of those that they replace, and the
    /// `go.mod` files that its module graph is made of.
    package mutating func add(_ file: GoModFile) {
        let whole = !file.prunesGraph
        for requirement in file.requirements {
            let replacement = file.replacements.first { replacement in
                replacement.path == requirement.path
                    && (replacement.version == nil || replacement.version == requirement.version)
            }
            switch replacement?.target {
            case .directory: continue
            case .module(let path, let version): add(path, version, whole: whole)
            case nil: add(requirement.path, requirement.version, whole: whole)
            }
        }
    }

    /// What the graph needs besides, once the `go.mod` of a `.graph` item is known.
    package mutating func addGraph(of file: GoModFile, whole: Bool) {
        guard whole || !file.prunesGraph else { return }
        for requirement in file.requirements {
            guard let version = requirement.version.version else { continue }
            add(.graph(ModuleIdentity(path: requirement.path, version: version), whole: true))
        }
    }

    /// `module@version`, `module@query` (a branch, `latest`) or `module` alone, which means its newest version.
    /// - Throws: `CommandFailure.usage` saying which part is wrong.
    package mutating func add(parsing text: String) throws(CommandFailure) {
        do {
            guard let at = text.lastIndex(of: "@") else { return add(.query(try ModulePath(text), nil)) }
            let path = try ModulePath(String(text[..<at]))
            let word = String(text[text.index(after: at)...])
            if word == "latest" {
                add(.query(path, nil))
            } else {
                add(path, try VersionQuery(word), whole: false)
            }
        } catch {
            throw CommandFailure(.usage, "\(error); write module@version, such as golang.org/x/net@v0.34.0")
        }
    }

    private mutating func add(_ path: ModulePath, _ query: VersionQuery, whole: Bool) {
        if let version = query.version {
            let module = ModuleIdentity(path: path, version: version)
            add(.file(module, .info))
            add(.graph(module, whole: whole))
            add(.file(module, .zip))
        } else {
            add(.query(path, query))
        }
    }

    package static func == (left: WarmList, right: WarmList) -> Bool { left.items == right.items }
}

extension GoModFile {
    /// Whether its own requirements suffice to build it: it names all of them since language version 1.17.
    var prunesGraph: Bool {
        let parts = (goVersion ?? "").split(separator: ".").prefix(2).map { Int($0) ?? 0 }
        return parts.count == 2 && (parts[0], parts[1]) >= (1, 17)
    }
}
