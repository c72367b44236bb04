/// Which modules the node answers for: those that an include pattern names (all, when there are none), less
/// those that an exclude pattern names.
public struct AccessPatterns: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        case allowed
        /// `reason` is one line for the client, naming the rule.
        case denied(reason: String)
    }

    public let include: ModulePatterns
    public let exclude: ModulePatterns

    public init(include: ModulePatterns = ModulePatterns(), exclude: ModulePatterns = ModulePatterns()) {
        self.include = include
        self.exclude = exclude
    }

    /// - Throws: `ModulePatternError` for the first text that is no pattern.
    public init(include: [String], exclude: [String]) throws(ModulePatternError) {
        self.include = try ModulePatterns(include)
        self.exclude = try ModulePatterns(exclude)
    }

    public func verdict(on path: ModulePath) -> Verdict {
        if let pattern = exclude.firstMatch(path) {
            return .denied(
                reason: "module \(path.text) is excluded here by the pattern \(QuotedText(pattern.text))")
        }
        if !include.isEmpty, !include.matches(path) {
            return .denied(
                reason: "module \(path.text) matches none of the patterns of modules included here")
        }
        return .allowed
    }
}
