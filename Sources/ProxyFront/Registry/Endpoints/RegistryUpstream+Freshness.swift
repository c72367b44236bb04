import ChunkStore

extension RegistryUpstream {
    /// How long a tag of this registry is served without asking: by the first pattern that matches
    /// `repository:tag`, else the registry's own span.
    func freshFor(_ repository: Repository, _ tag: Tag) -> Duration {
        guard !freshness.isEmpty else { return freshFor }
        let name = "\(repository.name):\(tag)"
        return freshness.first { NamePattern($0.pattern).matches(name) }?.span ?? freshFor
    }
}
