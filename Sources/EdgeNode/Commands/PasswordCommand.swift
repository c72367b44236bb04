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

    @OptionGroup package var principal: PrincipalOptions
    package init() {}

    package func run() throws {
        let password = try Self.password(for: principal.name)
        do throws(PasswordHashError) {
            Terminal.show(
                "\(principal.name) \(principal.role.name) \(try PasswordHash.make(of: password).text)")
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
