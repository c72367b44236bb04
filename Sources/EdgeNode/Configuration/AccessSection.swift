import ProxyFront

/// Who may have what, as the configuration says it; what its files hold is added by `NodeSecrets`.
package struct AccessSection: Sendable, Equatable {
    /// With the users and tokens that stand in the configuration itself.
    package var settings = AccessSettings()
    /// A file with further users and tokens (`CredentialsFile`).
    package var credentialsFile: String?
    package var proven = ProvenCredentials.Configuration()
}

/// One `[[policy]]`.
package struct PolicyEntry: Sendable, Equatable {
    package var rule: PolicyRule
    /// Holds the token that the rule's webhook gets.
    package var tokenFile: String?
}
