import ArgumentParser
import ProxyFront

package struct TokenCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "token",
        abstract: "Make a token that gives a machine access.",
        discussion: """
            The token itself is written to standard error, this once, and kept nowhere; the line for the file \
            that access.credentials_file names, which holds its SHA-256 only, goes to standard output. A client \
            sends the token as a Bearer token, or as the password of any user name.

            EXAMPLE
              edgenode token ci-runner >> /etc/edgenode/credentials
            """)

    @OptionGroup package var principal: PrincipalOptions
    package init() {}

    package func run() throws {
        let secret = AccessToken.newSecret()
        let token = AccessToken(secret: secret, name: principal.name, role: principal.role)
        Terminal.complain(secret)
        Terminal.show("\(token.name) \(token.role.name) \(token.digest)")
    }
}
