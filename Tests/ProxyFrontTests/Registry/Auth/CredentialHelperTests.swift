import Foundation
import ProxyFront
import Testing

/// The helpers are shell scripts on a PATH of the tests' own; it is the process's, so these run one by one.
@Suite(.serialized) struct CredentialHelperTests {
    private func withHelper<Value>(_ script: String, _ body: () async throws -> Value) async throws -> Value {
        let folder = TestNode.temporaryDirectory()
        defer { TestNode.remove(folder) }
        let file = "\(folder)/docker-credential-test"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try "#!/bin/sh\n\(script)\n".write(toFile: file, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: file)
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        setenv("PATH", "\(folder):\(path)", 1)
        defer { setenv("PATH", path, 1) }
        return try await body()
    }

    @Test func aHelperIsAskedForTheServersSecret() async throws {
        let script =
            #"read server; [ "$1" = get ] && printf '{"ServerURL":"%s","Username":"me","Secret":"s3"}' "$server""#
        let found = try await withHelper(script) {
            try await CredentialHelper(name: "test").credential(for: "quay.io")
        }
        #expect(found == .fixed(.basic(user: "me", password: "s3")))
    }

    @Test func aHelperThatHoldsNothingIsNoError() async throws {
        let found = try await withHelper("echo credentials not found in native keychain; exit 1") {
            try await CredentialHelper(name: "test").credential(for: "quay.io")
        }
        #expect(found == nil)
    }

    @Test(arguments: [
        "exit 3", "echo nonsense", "exec yes", "exec sleep 600", "exec >&-; exec sleep 600",
        #"echo '{"Username":"s3"}'"#, "exec <&-; exit 7",
    ])
    func aHelperThatMisbehavesIsAnErrorWithoutItsSecret(script: String) async throws {
        let error = try await withHelper(script) {
            await #expect(throws: CredentialHelperError.self) {
                _ = try await CredentialHelper(name: "test", patience: .seconds(2)).credential(for: "quay.io")
            }
        }
        #expect(error?.description.contains("s3") == false)
    }

    @Test func aHelperMayKeepAnIdentityToken() async throws {
        let found = try await withHelper(#"echo '{"Username":"<token>","Secret":"s3"}'"#) {
            try await CredentialHelper(name: "test").credential(for: "quay.io")
        }
        #expect(found == .identityToken("s3"))
    }

    @Test func aMissingHelperIsAnError() async {
        await #expect(throws: CredentialHelperError.self) {
            _ = try await CredentialHelper(name: "none-of-that-name").credential(for: "quay.io")
        }
    }

    @Test(arguments: ["", ".", "../x", "a/b", "a b", "a;b", String(repeating: "a", count: 65)])
    func aNameIsNoPath(name: String) { #expect(!CredentialHelper.isName(name)) }
}
