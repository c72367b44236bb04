import EdgeNode
import Foundation
import Testing

@Suite("The package", .serialized)
struct PackagingTests {
    static let root: String = {
        var folder = URL(fileURLWithPath: #filePath)
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            if FileManager.default.fileExists(atPath: folder.path + "/packaging/edgenode.1") { break }
        }
        return folder.path
    }()

    private func text(_ name: String) throws -> String {
        try String(contentsOfFile: Self.root + "/packaging/" + name, encoding: .utf8)
    }

    @Test("has a man page that names every command and is well-formed")
    func manPage() async throws {
        let page = try text("edgenode.1").replacingOccurrences(of: "\\-", with: "-")
        for command in EdgeNodeCommand.configuration.subcommands {
            let name = try #require(command.configuration.commandName)
            let isThere = page.split(separator: "\n").contains { line in
                line.hasPrefix(".B")
                    && line.replacingOccurrences(of: "\"", with: "").split(separator: " ").dropFirst().first
                        .map(String.init) == name
            }
            #expect(isThere, "\(name) is not in the man page")
        }
        #expect(page.contains("edgenode \(Version.text)"))
    }

    @Test("holds program, unit, user, configuration, man page and completions, and its program runs")
    func package() async throws {
        let folder = try TemporaryFolder()
        let built = try await ChildProcess.run(
            "/bin/bash",
            [
                Self.root + "/packaging/build-deb.sh", "--binary", NodeProcess.program, "--output",
                folder.path, "--fast",
            ],
            environment: ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder.path])
        #expect(built.status == 0, "\(built.errors)")
        let package = built.output.trimmingCharacters(in: .newlines)
        #expect(package.hasSuffix(".deb"))

        let control = try await ChildProcess.run("/usr/bin/dpkg-deb", ["--info", package]).output
        #expect(control.contains("Version: \(Version.text)\n"))
        for library in [
            "libsodium23", "liblz4-1", "libsqlite3-0", "libisal2", "libpsl5", "libc6", "ca-certificates",
        ] {
            #expect(control.contains(library), "\(library) is no dependency")
        }
        let tree = folder.path + "/tree"
        #expect(try await ChildProcess.run("/usr/bin/dpkg-deb", ["-x", package, tree]).status == 0)
        for file in [
            "usr/bin/edgenode", "usr/lib/systemd/system/edgenode.service", "usr/lib/sysusers.d/edgenode.conf",
            "etc/edgenode/cluster.toml", "usr/share/man/man1/edgenode.1.gz",
            "usr/share/bash-completion/completions/edgenode", "usr/share/zsh/vendor-completions/_edgenode",
            "usr/share/fish/vendor_completions.d/edgenode.fish",
        ] { #expect(FileManager.default.fileExists(atPath: tree + "/" + file), "\(file) is missing") }

        let configuration = try String(contentsOfFile: tree + "/etc/edgenode/cluster.toml", encoding: .utf8)
        let parsed = try Configuration.parse(configuration, environment: ["HOME": "/h"]).configuration
        #expect(parsed.node.dataDirectory == "/var/lib/edgenode")

        let version = try await ChildProcess.run(tree + "/usr/bin/edgenode", ["version"])
        #expect(version.output == "edgenode \(Version.text)\n", "\(version.errors)")
    }

    @Test("has a unit that starts the packaged program, as its user, with the packaged configuration")
    func unit() async throws {
        let unit = try text("edgenode.service").split(separator: "\n")
        #expect(unit.contains("ExecStart=/usr/bin/edgenode run --config /etc/edgenode/cluster.toml"))
        #expect(unit.contains("User=edgenode"))
        #expect(try text("edgenode.sysusers").hasPrefix("u edgenode "))
        for hardening in [
            "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "ProtectHome=yes",
            "SystemCallFilter=@system-service", "MemoryDenyWriteExecute=yes", "RestrictNamespaces=yes",
        ] { #expect(unit.contains(Substring(hardening)), "\(hardening) is missing") }
    }
}
