import ChunkStore

import struct FoundationEssentials.Data
import class FoundationEssentials.JSONDecoder

/// A program `docker-credential-<name>` on the PATH, asked for a registry's secret
/// (docker/docker-credential-helpers, "Development"): `get`, the server's name on standard input, JSON on standard
/// output.
package struct CredentialHelper: Sendable {
    let name: String
    /// The longest that the program may take; it is killed then.
    let patience: Duration

    /// The most bytes taken of its answer.
    static let answerLimit = 64 << 10

    package init(name: String, patience: Duration = .seconds(20)) {
        precondition(Self.isName(name), "a helper's name is checked where it is read")
        self.name = name
        self.patience = patience
    }

    /// Letters, digits, `.`, `_` and `-`, so that it names a program and no path.
    package static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.utf8.allSatisfy { byte in
                ByteClass.isDigit(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            }
    }

    /// Threads of their own: a helper may wait for a key store, a network or a person.
    private static let threads = Result { try BlockingPool(name: "credential-helper", threads: 2) }

    /// - Returns: nil when the helper holds nothing for the server.
    /// - Throws: `CredentialHelperError`, without anything that the program wrote to standard output.
    package func credential(for server: String) async throws(CredentialHelperError) -> RegistryCredential? {
        let (name, patience) = (name, patience)
        let answer: Result<RegistryCredential?, CredentialHelperError>
        do {
            answer = try await Self.threads.get().run {
                Result { () throws(CredentialHelperError) in try Self.run(name, server, within: patience) }
            }
        } catch {
            throw CredentialHelperError(name, "no thread for it: \(error)")
        }
        return try answer.get()
    }

    private struct Answer: Decodable {
        enum CodingKeys: String, CodingKey {
            case user = "Username"
            case secret = "Secret"
        }
        var user: String
        var secret: String
    }

    private static func run(
        _ name: String, _ server: String, within patience: Duration
    ) throws(CredentialHelperError) -> RegistryCredential? {
        let (output, status): ([UInt8], Int)
        do throws(ChildProcess.Failure) {
            (output, status) = try ChildProcess.run(
                "docker-credential-\(name)", ["get"], input: Array("\(server)\n".utf8.prefix(4096)),
                limit: answerLimit, within: patience)
        } catch {
            throw CredentialHelperError(name, error.reason)
        }
        guard status == 0 else {
            // What the reference implementation prints when it has nothing.
            let text = String(decoding: output.prefix(200), as: UTF8.self)
            if text.contains("credentials not found") { return nil }
            throw CredentialHelperError(name, "it ended with status \(status)")
        }
        let answer: Answer
        do { answer = try JSONDecoder().decode(Answer.self, from: Data(output)) } catch {
            throw CredentialHelperError(name, "its answer is not the JSON of a credential helper")
        }
        guard !answer.secret.isEmpty else { throw CredentialHelperError(name, "its secret is empty") }
        if answer.user == "<token>" { return .identityToken(answer.secret) }
        return .fixed(.basic(user: answer.user, password: answer.secret))
    }
}

package struct CredentialHelperError: Error, Equatable, CustomStringConvertible {
    let name: String
    let reason: String

    init(_ name: String, _ reason: String) {
        self.name = name
        self.reason = reason
    }

    package var description: String { "the credential helper docker-credential-\(name): \(reason)" }
}
