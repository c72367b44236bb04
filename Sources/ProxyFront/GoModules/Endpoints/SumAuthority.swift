/// What a checksum database says of a module version.
public enum SumLookup: Sendable, Equatable {
    /// The go.sum lines of its record, proven to be in the database's tree.
    case sums([GoSumLine])
    /// The database knows no such module.
    case notFound(String)
    case unreachable(String)
    /// The database's answer contradicts its own signature or tree.
    case invalid(String)
}

/// Those who vouch for modules: the configured checksum databases.
public protocol SumAuthority: Sendable {
    /// Whether a database is configured that answers for the module.
    func covers(_ module: ModulePath) -> Bool
    /// Asks the module's database; bounded in time by its own time-outs, shared by all who ask at once.
    func lookup(_ module: ModuleIdentity) async -> SumLookup
}

/// No checksum database at all.
public struct NoSumAuthority: SumAuthority {
    public init() {}
    public func covers(_ module: ModulePath) -> Bool { false }
    public func lookup(_ module: ModuleIdentity) async -> SumLookup {
        .notFound("no checksum database is configured")
    }
}
