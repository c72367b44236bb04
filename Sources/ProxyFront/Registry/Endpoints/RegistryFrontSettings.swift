/// How the registry's front behaves, whatever registry is asked for.
public struct RegistryFrontSettings: Sendable {
    /// How long "not found" from upstream is remembered.
    public var missFor: Duration = .seconds(60)
    /// "Not found" answers remembered at most, each of what anybody and of what the node itself was told.
    public var missesAtMost = 20_000
    /// How long a list of tags or referrers is served without asking.
    public var listsFreshFor: Duration = .seconds(60)
    /// The longest blob that is taken where no manifest says how long it is, in bytes.
    public var blobLimit: Int64 = 1 << 40
    /// How long to wait before a manifest is asked for once more after its upstream failed, each time.
    public var retryPauses: [Duration] = [.milliseconds(300), .seconds(1)]

    public init() {}
}
