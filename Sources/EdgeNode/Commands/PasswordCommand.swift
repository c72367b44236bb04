import ArgumentParser
import Foundation
import ProxyFront

package struct PasswordCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "password",
        abstract: "Make the line that gives a person access, with the hash of a password.",
        discussion: """
            Asks for the password on the terminal, without showing it; when standard input is no terminal, its \
            first line is the password. Writes one line for the file that access.credentials_file names; its \
            third word can also stand in the configuration as password_hash. The password is kept nowhere.

            EXAMPLES
              edgenode password alice --role operator >> /etc/edgenode/credentials
              pass show edge/alice | edgenode password alice
            """)

    @Argument(help: "The user's name.")
    package var name: String
    @Option(help: "\"viewer\", \"operator\" or \"admin\".")
    package var role = AccessRole.viewer
    package init() {}

    package func validate() throws {
        guard PrincipalName.isValid(name) else { throw ValidationError(PrincipalName.complaint(name)) }
    }

    package func run() throws {
        let password = try Self.password(for: name)
        do throws(PasswordHashError) {
            Terminal.show("\(name) \(role.name) \(try PasswordHash.make(of: password).text)")
        } catch {
            throw CommandFailure(.badData, error.reason)
        }
    }

    private static func password(for name: String) throws(CommandFailure) -> String {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(strippingNewline: true) else {
                throw CommandFailure(.noInput, "standard input is empty; write the password to it")
            }
            return line
        }
        let first = try HiddenInput.ask("Password of \(name): ")
        guard try HiddenInput.ask("Again: ") == first else {
            throw CommandFailure(.badData, "the two passwords differ; nothing was made")
        }
        return first
    }
}

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

    @Argument(help: "What rules and logs call the token.")
    package var name: String
    @Option(help: "\"viewer\", \"operator\" or \"admin\".")
    package var role = AccessRole.viewer
    package init() {}

    package func validate() throws {
        guard PrincipalName.isValid(name) else { throw ValidationError(PrincipalName.complaint(name)) }
    }

    package func run() throws {
        let secret = AccessToken.newSecret()
        let token = AccessToken(secret: secret, name: name, role: role)
        Terminal.complain(secret)
        Terminal.show("\(name) \(role.name) \(token.digest)")
    }
}

extension AccessRole: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
    public var defaultValueDescription: String { name }
}
