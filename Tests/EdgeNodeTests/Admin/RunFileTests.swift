import EdgeNode
import Foundation
import Testing

@Suite("The run file")
struct RunFileTests {
    static let file = RunFile(
        version: "1", process: 5, control: "http://127.0.0.1:1", front: ["http://127.0.0.1:2"],
        token: RunFile.newToken())

    @Test("is read back, belongs to its owner alone and replaces one that a crash left")
    func write() throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("left over", to: "run.json", mode: 0o644)
        _ = try folder.write("half", to: "run.json.new")
        try Self.file.write(to: folder.path + "/run.json")
        #expect(try RunFile.read(from: folder.path + "/run.json") == Self.file)
        #expect(try folder.mode("run.json") == 0o600)
        #expect(try folder.contents == ["run.json"])
    }

    @Test("is removed by the node that wrote it only")
    func remove() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/run.json"
        try Self.file.write(to: path)
        var other = Self.file
        other.token = RunFile.newToken()
        other.remove(from: path)
        #expect(try RunFile.read(from: path) == Self.file)
        Self.file.remove(from: path)
        #expect(try RunFile.read(from: path) == nil)
    }

    @Test("is an error when it is not what this version writes")
    func strange() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("{}", to: "run.json")
        let failure = try #require(throws: CommandFailure.self) { try RunFile.read(from: path) }
        #expect(failure.status == .badData)
    }

    @Test("holds a token that cannot be guessed")
    func token() {
        let tokens = Set((0..<100).map { _ in RunFile.newToken() })
        #expect(tokens.count == 100)
        #expect(tokens.allSatisfy { $0.utf8.count == 64 })
    }
}
