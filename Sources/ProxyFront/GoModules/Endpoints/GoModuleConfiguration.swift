import Content

/// What the Go front serves, and from where.
public struct GoModuleConfiguration: Sendable {
    public var upstreams: UpstreamList
    /// Which modules are served at all; the others answer 403 with the reason.
    public var access = AccessPatterns()
    /// Modules that no checksum database knows: their first sum seen is the pin, their content stays private.
    public var privateModules = ModulePatterns()
    /// How long a list, `@latest` or the answer to a branch query is taken as it is.
    public var freshFor: Duration = .seconds(60)
    /// How long "not found" from upstream is remembered.
    public var missFor: Duration = .seconds(60)
    /// "Not found" answers remembered at most.
    public var missesAtMost = 20_000
    /// How long a proof waits for a checksum database after the last byte.
    public var databasePatience: Duration = .seconds(2)
    /// How often content that could not be checked is tried again.
    public var recheckEvery: Duration = .seconds(30)

    public init(upstreams: UpstreamList) {
        self.upstreams = upstreams
    }
}
