import Foundation

/// The built program, run as its users run it.
struct NodeProcess {
    let folder: TemporaryFolder
    var environment: [String: String]

    init() throws {
        folder = try TemporaryFolder()
        environment = [
            "PATH": "/usr/bin:/bin", "HOME": folder.path, "EDGENODE_NODE_LISTEN": "127.0.0.1:0",
            "EDGENODE_GO_UPSTREAMS": "off", "EDGENODE_STORE_RESERVED_FREE": "0",
        ]
    }

    /// The program stands beside the tests' own executable.
    static let program: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("edgenode").path
    }()

    var data: String { folder.path + "/.local/share/edgenode" }

    func run(_ arguments: String..., input: String? = nil) async throws -> ChildProcess.Result {
        try await ChildProcess.run(Self.program, arguments, environment: environment, input: input)
    }

    /// Starts `edgenode run` and waits until it serves.
    func start(_ arguments: String...) async throws -> (process: ChildProcess, url: String) {
        let process = try ChildProcess(Self.program, ["run"] + arguments, environment: environment)
        let log = try await process.waitForErrors(containing: "serving url=")
        let url = log.split(separator: "serving url=").last?.prefix { !$0.isWhitespace } ?? ""
        return (process, String(url))
    }

    /// The status line and body that a node answers, over a connection of its own.
    static func get(_ url: String) async throws -> (status: Int, body: String) {
        let result = try await ChildProcess.run(
            "/usr/bin/curl", ["-s", "-w", "\n%{http_code}", "-m", "30", url])
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (Int(lines.last ?? "") ?? 0, lines.dropLast().joined(separator: "\n"))
    }
}
