/// Reads settings out of a document and the environment, and remembers which keys exist.
///
/// Each key is named in one place only: where it is read. What is left over when all was read is therefore
/// unknown, and is reported with the nearest key that does exist.
final class ConfigurationReader {
    private let root: [String: TOMLNode]
    private let environment: [String: String]
    private var taken: Set<String> = []
    private var leftovers: [(section: String, node: [String: TOMLNode], known: [String])] = []
    private var sections: [String] = []
    private(set) var issues: [ConfigurationIssue] = []
    /// Every key that was asked for, in full and in order, such as `store.capacity` or `sumdb.key`.
    private(set) var keys: [String] = []
    /// Every environment variable that a key answers to.
    private(set) var variables: [String] = []

    /// Variables of our prefix that are no setting: where the file is.
    static let reserved = ["EDGENODE_CONFIG"]
    static let prefix = "EDGENODE_"

    init(_ root: TOMLNode, environment: [String: String]) {
        if case .table(let table) = root.value { self.root = table } else { self.root = [:] }
        self.environment = environment
    }

    /// The table called `name` in the document; an empty one when it is absent.
    func section(_ name: String) -> SectionReader {
        sections.append(name)
        guard let node = root[name] else {
            return SectionReader(self, name, [:], line: nil, overridable: true)
        }
        guard case .table(let table) = node.value else {
            report(node, name, "must be a table; write [\(name)] on a line of its own")
            return SectionReader(self, name, [:], line: node.line, overridable: true)
        }
        return SectionReader(self, name, table, line: node.line, overridable: true)
    }

    /// The tables of the list called `name`; nil when the document does not speak of it.
    func list(_ name: String) -> [SectionReader]? {
        sections.append(name)
        return root[name].map { tables(in: $0, key: name) }
    }

    func tables(in node: TOMLNode, key: String) -> [SectionReader] {
        guard case .list(let nodes) = node.value else {
            report(node, key, "must be a list of tables; write [[\(key)]] before each")
            return []
        }
        return nodes.compactMap { node in
            guard case .table(let table) = node.value else {
                report(node, key, "must hold tables only; write [[\(key)]] before each")
                return nil
            }
            return SectionReader(self, key, table, line: node.line, overridable: false)
        }
    }

    func report(_ node: TOMLNode, _ key: String, _ message: String) {
        issues.append(ConfigurationIssue(node.line.map { .line($0) } ?? .document, key: key, message))
    }

    func report(_ source: ConfigurationIssue.Source, _ key: String, _ message: String) {
        issues.append(ConfigurationIssue(source, key: key, message))
    }

    func note(_ key: String) {
        if !keys.contains(key) { keys.append(key) }
    }

    func variable(_ name: String) -> String? {
        variables.append(name)
        taken.insert(name)
        return environment[name]
    }

    func finished(_ section: String, _ rest: [String: TOMLNode], known: [String]) {
        leftovers.append((section, rest, known))
    }

    /// Reports the keys, tables and variables that nobody asked for; call once, when all was read.
    func reportUnknown() {
        for (name, node) in root.sorted(by: { $0.key < $1.key }) where !sections.contains(name) {
            if let home = leftovers.first(where: { $0.known.contains(name) })?.section {
                report(node, name, "stands outside of its table; move it under [\(home)]")
            } else {
                report(node, name, "is unknown" + hint(NearestWord.to(name, among: sections), or: sections))
            }
        }
        for (section, rest, known) in leftovers {
            for (name, node) in rest.sorted(by: { $0.key < $1.key }) {
                report(
                    node, "\(section).\(name)",
                    "is unknown" + hint(NearestWord.to(name, among: known), or: known))
            }
        }
        for name in environment.keys.sorted()
        where name.hasPrefix(Self.prefix) && !taken.contains(name) && !Self.reserved.contains(name) {
            // The common prefix says nothing about what was meant.
            let nearest = NearestWord.to(
                String(name.dropFirst(Self.prefix.count)),
                among: (variables + Self.reserved).map { String($0.dropFirst(Self.prefix.count)) }
            ).map { Self.prefix + $0 }
            report(
                .environment(name), "",
                "names no setting"
                    + hint(nearest, or: [], else: "; variables read EDGENODE_<SECTION>_<KEY>, unset this one")
            )
        }
        issues.sort { Self.rank($0.source) < Self.rank($1.source) }
    }

    private func hint(_ nearest: String?, or words: [String], else fallback: String = "") -> String {
        if let nearest { return "; did you mean \"\(nearest)\"?" }
        return words.isEmpty ? fallback : "; known here: \(words.joined(separator: ", "))"
    }

    private static func rank(_ source: ConfigurationIssue.Source) -> Int {
        switch source {
        case .document: 0
        case .line(let line): line
        case .environment: Int.max
        }
    }
}

/// One table of the document while it is being read.
final class SectionReader {
    private let reader: ConfigurationReader
    let name: String
    /// The line of the table's header, when it has one.
    let line: Int?
    private var rest: [String: TOMLNode]
    private var known: [String] = []
    private let overridable: Bool
    private var sources: [String: ConfigurationIssue.Source] = [:]
    private var given: Set<String> = []

    init(
        _ reader: ConfigurationReader, _ name: String, _ table: [String: TOMLNode], line: Int?,
        overridable: Bool
    ) {
        self.reader = reader
        self.name = name
        self.rest = table
        self.line = line
        self.overridable = overridable
    }

    /// The value of `key`: from the environment, else from the document, else `fallback`. A bad value is
    /// reported and `fallback` stands in, so that reading goes on to the next mistake.
    func read<Value>(_ key: String, _ kind: SettingKind<Value>, or fallback: Value) -> Value {
        known.append(key)
        reader.note("\(name).\(key)")
        let node = rest.removeValue(forKey: key)
        var value = node?.value
        var source: ConfigurationIssue.Source = node?.line.map { .line($0) } ?? .document
        if overridable {
            let variable = Self.variable(section: name, key: key)
            if let text = reader.variable(variable) {
                value = kind.node(text)
                source = .environment(variable)
            }
        }
        sources[key] = source
        guard let value else { return fallback }
        given.insert(key)
        do {
            return try kind.read(value)
        } catch {
            reader.report(source, "\(name).\(key)", error.message)
            return fallback
        }
    }

    /// Whether a value of `key`, good or bad, was there when it was read.
    func has(_ key: String) -> Bool { given.contains(key) }

    /// The tables of a list inside this table, such as `[[go.upstream]]`.
    func list(_ key: String) -> [SectionReader] {
        known.append(key)
        guard let node = rest.removeValue(forKey: key) else { return [] }
        return reader.tables(in: node, key: "\(name).\(key)")
    }

    /// The keys and values of a table inside this table whose keys are free, such as `max_unused`.
    /// - Parameter example: what such a table looks like, for the message when it is none.
    func pairs(
        _ key: String, such example: String = "{ \"go/*\" = \"90d\" }"
    ) -> [(key: String, node: TOMLNode)] {
        known.append(key)
        reader.note("\(name).\(key)")
        guard let node = rest.removeValue(forKey: key) else { return [] }
        guard case .table(let table) = node.value else {
            reader.report(node, "\(name).\(key)", "must be a table, such as \(example)")
            return []
        }
        return table.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Reports a mistake that concerns `key`, at the place its value came from.
    func refuse(_ key: String, _ message: String) {
        let fallback: ConfigurationIssue.Source = line.map { .line($0) } ?? .document
        let source = sources[key].flatMap { $0 == .document ? nil : $0 } ?? fallback
        reader.report(source, "\(name).\(key)", message)
    }

    func report(_ node: TOMLNode, _ key: String, _ message: String) {
        reader.report(node, "\(name).\(key)", message)
    }

    /// Says that every key of this table was asked for.
    func finish() { reader.finished(name, rest, known: known) }

    /// The variable that overrides `key` of `section`: `EDGENODE_STORE_CAPACITY`.
    static func variable(section: String, key: String) -> String {
        ConfigurationReader.prefix + "\(section)_\(key)".uppercased()
    }
}
