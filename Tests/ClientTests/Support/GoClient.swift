import Foundation

/// A real go command with caches of its own: nothing is remembered from one `GoClient` to the next but compiled packages,
/// which have no part in fetching.
struct GoClient: Sendable {
    /// The releases that the tests run: the old one of Debian 12 and two current ones.
    static let releases = ["1.19", "1.26.6", "1.27.3"]

    let release: String
    /// Where the command runs; a module unless told otherwise.
    let directory: String
    private let home: String
    private let proxy: String
    private let database: String

    /// - Parameters:
    ///   - proxy: GOPROXY, without `direct`.
    ///   - database: GOSUMDB, a verifier key.
    init(_ release: String, proxy: String, database: String, scratch: Scratch, example: Bool = false) throws {
        self.release = release
        self.proxy = proxy
        self.database = database
        home = try scratch.folder("home")
        directory = try scratch.folder("module")
        if example {
            for name in ["go.mod", "main.go"] {
                try FileManager.default.copyItem(
                    atPath: "\(Project.example)/\(name)", toPath: "\(directory)/\(name)")
            }
        } else {
            try write("go.mod", "module client.test/m\n\ngo 1.19\n")
        }
    }

    /// Writes a file of the module.
    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(directory)/\(name)", atomically: true, encoding: .utf8)
    }

    func read(_ name: String) throws -> String {
        try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
    }

    struct Outcome: Sendable {
        var code: Int32
        var text: String
        var succeeded: Bool { code == 0 }
    }

    /// Runs `go` with these words.
    func run(_ words: [String], settings: [String: String] = [:], seconds: Double = 300) async throws
        -> Outcome
    {
        let program = release == "1.19" ? "/usr/bin/go" : "\(Project.cache)/go/\(release)/bin/go"
        let environment = self.environment.merging(settings) { $1 }
        return try await blocking { [directory] in
            let process = try ChildProcess(program, words, environment: environment, directory: directory)
            let code = try process.wait(seconds: seconds)
            return Outcome(code: code, text: process.text)
        }
    }

    /// Where `go install` puts programs.
    var binaries: String { home + "/go/bin" }
    /// The downloaded files, in the layout of the proxy protocol.
    var downloads: String { home + "/go/pkg/mod/cache/download" }

    private var environment: [String: String] {
        [
            "HOME": home, "PATH": "/usr/bin:/bin", "GOPATH": home + "/go", "GOENV": "off",
            "GOPROXY": proxy, "GOSUMDB": database, "GOFLAGS": "-mod=mod -modcacherw -trimpath",
            "GOTOOLCHAIN": "local", "GOTELEMETRY": "off", "GO111MODULE": "on", "GOWORK": "off",
            "CGO_ENABLED": "0", "GOCACHE": Project.cache + "/go-build",
        ]
    }
}
