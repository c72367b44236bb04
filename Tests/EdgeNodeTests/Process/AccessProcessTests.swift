import Foundation
import Testing

@Suite("Access, as its users meet it", .serialized)
struct AccessProcessTests {
    private func curl(_ url: String, _ arguments: String...) async throws -> (status: Int, body: String) {
        let result = try await ChildProcess.run(
            "/usr/bin/curl", ["-s", "-w", "\n%{http_code}", "-m", "60"] + arguments + [url])
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }

    @Test("is given with what edgenode password and edgenode token write, and leaves no secret in the logs")
    func wholeWay() async throws {
        var node = try NodeProcess()
        let made = try await node.run("password", "alice", "--role", "operator", input: "correct horse\n")
        #expect(made.status == 0, "\(made.errors)")
        #expect(made.errors.isEmpty)
        let token = try await node.run("token", "ci")
        let secret = token.errors.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(secret.hasPrefix("edgenode_"))
        #expect(!token.output.contains(secret))
        let credentials = try node.folder.write(made.output + token.output, to: "credentials")
        let file = try node.folder.write(
            """
            [access]
            credentials_file = "\(credentials)"
            status = "viewer"
            [[access.rule]]
            content = "go/corp.example"
            who = ["user:alice", "token:ci"]
            give = "private"
            [[access.rule]]
            content = "*"
            who = "anyone"
            give = "nothing"
            [log]
            level = "debug"
            requests = true
            """, to: "c.toml")
        node.environment["EDGENODE_CONFIG"] = file
        let (process, url) = try await node.start()
        let module = url + "/corp.example/m/@v/list"
        let alice = try await curl(module, "-u", "alice:correct horse")
        #expect(alice.status == 503, "let in, but nobody can be asked: \(alice)")
        #expect(try await curl(module, "-H", "Authorization: Bearer \(secret)").status == 503)
        #expect(try await curl(module, "-u", "any:\(secret)").status == 503)
        let wrong = try await curl(module, "-u", "alice:wrong horse")
        #expect(wrong.status == 401)
        #expect(wrong.body.contains("the password of user alice is wrong"))
        #expect(try await curl(module).status == 401)
        #expect(try await curl(url + "/other.example/m/@v/list", "-u", "alice:correct horse").status == 403)
        #expect(try await curl(url + "/metrics").status == 401)
        #expect(try await curl(url + "/metrics", "-u", "alice:correct horse").status == 200)
        #expect(try await curl(url + "/healthz").status == 200)
        let status = try await node.run("status")
        #expect(status.status == 0, "the node's own commands need no user: \(status.errors)")
        process.signal(SIGTERM)
        let result = try await process.wait()
        #expect(result.status == 0, "\(result.errors)")
        let audit = try String(contentsOfFile: node.data + "/audit.log", encoding: .utf8)
        for hidden in ["correct horse", "wrong horse", secret, "Y29ycmVjdCBob3JzZQ"] {
            #expect(!result.errors.contains(hidden))
            #expect(!audit.contains(hidden))
        }
        #expect(result.errors.contains("wrong password"))
        #expect(audit.contains("the password of user alice is wrong"))
    }

    @Test("is refused when a password is empty or a name cannot be one")
    func refused() async throws {
        let node = try NodeProcess()
        #expect(try await node.run("password", "alice", input: "\n").status == 65)
        #expect(try await node.run("password", "alice", input: "").status == 66)
        #expect(try await node.run("password", "a:b", input: "x\n").status == 64)
        #expect(try await node.run("token", "").status == 64)
    }
}
