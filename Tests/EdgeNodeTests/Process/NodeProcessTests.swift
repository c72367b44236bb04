import Foundation
import Testing

@Suite("The program", .serialized)
struct NodeProcessTests {
    @Test(
        "serves without a configuration file, and stops in good order when told",
        arguments: [SIGTERM, SIGINT])
    func lifecycle(signal: Int32) async throws {
        let node = try NodeProcess()
        let (process, url) = try await node.start()
        #expect(url.hasPrefix("http://127.0.0.1:"))
        #expect(try await NodeProcess.get(url + "/healthz").status == 200)
        #expect(try await NodeProcess.get(url + "/readyz").status == 200)
        #expect(try await NodeProcess.get(url + "/metrics").body.contains("\nedgenode_uptime_seconds "))
        #expect(try await NodeProcess.get(url + "/sumdb/sum.golang.org/supported").status == 200)
        #expect(try await NodeProcess.get(url + "/api/v1/admin/pins").status == 404)
        #expect(FileManager.default.fileExists(atPath: node.data + "/run.json"))

        process.signal(signal)
        let result = try await process.wait()
        #expect(result.status == 0, "\(result.errors)")
        #expect(result.errors.contains("stopped"))
        #expect(result.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: node.data + "/run.json"))
    }

    @Test("keeps its data to its own user")
    func modes() async throws {
        let node = try NodeProcess()
        let (process, _) = try await node.start()
        for name in ["", "/node.key", "/run.json", "/audit.log", "/store"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: node.data + name)
            let mode = try #require(attributes[.posixPermissions] as? Int)
            #expect(mode & 0o077 == 0, "\(name) has mode \(String(mode, radix: 8))")
        }
        process.signal(SIGTERM)
        _ = try await process.wait()
    }

    @Test("says which line of the configuration is wrong, and starts nothing")
    func badConfiguration() async throws {
        let node = try NodeProcess()
        let file = try node.folder.write("[store]\n\ncapasity = \"1 GiB\"\n", to: "c.toml")
        for command in ["run", "key", "warm"] {
            let result = try await node.run(
                command, "--config", file, command == "warm" ? "example.com/m" : "--config=" + file)
            #expect(result.status == 78)
            #expect(
                result.errors
                    == "edgenode: \(file):3: store.capasity: is unknown; did you mean \"capacity\"?\n")
        }
        #expect(try await node.run("config", "check", "--config", file).status == 78)
        #expect(!FileManager.default.fileExists(atPath: node.data))
    }

    @Test("names a configuration file that is not there, and a variable that means nothing")
    func missing() async throws {
        var node = try NodeProcess()
        let result = try await node.run("run", "--config", node.folder.path + "/none.toml")
        #expect(result.status == 78)
        #expect(result.errors.contains("none.toml: cannot be read: No such file or directory"))
        node.environment["EDGENODE_STROE_CAPACITY"] = "1"
        let other = try await node.run("config", "check")
        #expect(other.status == 78)
        #expect(other.errors.contains("EDGENODE_STROE_CAPACITY in the environment"))
        #expect(other.errors.contains("EDGENODE_STORE_CAPACITY"))
    }

    @Test("does not start twice on one data folder, nor on an address in use")
    func twice() async throws {
        let node = try NodeProcess()
        let (process, url) = try await node.start()
        let second = try await node.run("run")
        #expect(second.status == 69)
        #expect(second.errors.contains("in use"))

        var other = try NodeProcess()
        other.environment["EDGENODE_NODE_LISTEN"] = String(url.dropFirst("http://".count))
        let third = try await other.run("run")
        #expect(third.status == 69)
        #expect(third.errors.contains("node.listen: cannot listen on 127.0.0.1:"))
        process.signal(SIGTERM)
        #expect(try await process.wait().status == 0)
    }

    @Test("starts again after it was killed")
    func killed() async throws {
        let node = try NodeProcess()
        let (process, _) = try await node.start()
        process.signal(SIGKILL)
        _ = try await process.wait()
        #expect(FileManager.default.fileExists(atPath: node.data + "/run.json"))
        let warm = try await node.run("warm", "example.com/m@v1.0.0")
        #expect(warm.status == 69)
        #expect(warm.errors.contains("start it with: edgenode run"))
        let (again, _) = try await node.start()
        again.signal(SIGTERM)
        #expect(try await again.wait().status == 0)
    }

    @Test("has one public key, and never shows the other half")
    func key() async throws {
        let node = try NodeProcess()
        let first = try await node.run("key")
        #expect(first.status == 0)
        #expect(first.output.hasPrefix("edgenode-ed25519:"))
        #expect(try await node.run("key").output == first.output)
        let (process, _) = try await node.start()
        #expect(try await node.run("key").output == first.output)
        process.signal(SIGTERM)
        let log = try await process.wait().errors
        #expect(log.contains(first.output.trimmingCharacters(in: .newlines)))
        let file = try String(contentsOfFile: node.data + "/node.key", encoding: .utf8)
        #expect(!log.contains(file.split(separator: "\n")[1]))

        try FileManager.default.setAttributes(
            [.posixPermissions: 0o644], ofItemAtPath: node.data + "/node.key")
        let exposed = try await node.run("run")
        #expect(exposed.status == 77)
        #expect(exposed.errors.contains("chmod 600"))
    }

    @Test("tells how it is, as a table and as JSON, and says when it does not run")
    func status() async throws {
        var node = try NodeProcess()
        #expect(try await node.run("status").status == 69)
        let (process, url) = try await node.start()
        let table = try await node.run("status")
        #expect(table.status == 0)
        #expect(table.output.contains("ready"))
        #expect(table.output.contains("https://sum.golang.org/"))
        let json = try await node.run("status", "--json", "--url", url)
        let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
        #expect((object?["node"] as? [String: Any])?["version"] as? String == "0.1.0")
        process.signal(SIGTERM)
        _ = try await process.wait()
        #expect(try await node.run("status").status == 69)

        node.environment["EDGENODE_METRICS_ENABLED"] = "false"
        let (other, there) = try await node.start()
        #expect(try await ChildProcess.run("/usr/bin/curl", ["-sf", there + "/metrics"]).status != 0)
        other.signal(SIGTERM)
        _ = try await other.wait()
    }

    @Test("pins, verifies and cleans up its store, running or not", arguments: [false, true])
    func administration(isRunning: Bool) async throws {
        let node = try NodeProcess()
        let running = isRunning ? try await node.start().process : nil
        #expect(try await node.run("pin", "example.com/m@v1.0.0", "example.com/n").status == 0)
        let pins = try await node.run("pins")
        #expect(pins.output == "go/example.com/m@v1.0.0.*\ngo/example.com/n@*\n", "\(pins.errors)")
        #expect(try await node.run("unpin", "example.com/n").status == 0)
        let missing = try await node.run("unpin", "example.com/n")
        #expect(missing.status == 1)
        #expect(missing.errors.contains("there is no pin go/example.com/n@*"))
        #expect(try await node.run("pins").output == "go/example.com/m@v1.0.0.*\n")
        let verified = try await node.run("verify")
        #expect(verified.status == 0)
        #expect(verified.output == "verified 0 objects, 0 B: 0 damaged\n", "\(verified.errors)")
        let cleaned = try await node.run("gc")
        #expect(cleaned.status == 0)
        #expect(cleaned.output.hasPrefix("freed "), "\(cleaned.errors)")
        guard let running else { return }
        running.signal(SIGTERM)
        _ = try await running.wait()
        let audit = try String(contentsOfFile: node.data + "/audit.log", encoding: .utf8)
        #expect(audit.contains("\"action\":\"pin\",\"subject\":\"go/example.com/n@*\""))
        #expect(audit.contains("\"action\":\"unpin\""))
    }

    @Test("gives the go command's settings for the node that runs")
    func clientConfig() async throws {
        let node = try NodeProcess()
        let (process, url) = try await node.start()
        #expect(try await node.run("client-config", "go").output.contains("export GOPROXY='\(url)'\n"))
        process.signal(SIGTERM)
        _ = try await process.wait()
        #expect(
            try await node.run("client-config", "go", "--url", "http://e/").output.contains(
                "GOPROXY='http://e'"))
    }

    @Test("shows its version, its help and what overrides the file")
    func short() async throws {
        let node = try NodeProcess()
        let version = try await node.run("version")
        #expect(version.output.hasPrefix("edgenode "))
        #expect(try await node.run("--version").output == version.output)
        #expect(try await node.run("--help").output.contains("SUBCOMMANDS"))
        #expect(try await node.run("config", "variables").output.contains("EDGENODE_STORE_CAPACITY\n"))
        #expect(try await node.run("nonsense").status == 64)
        #expect(
            try await node.run("config", "check").output == "the defaults (there is no file): no mistakes\n")
    }

    @Test("takes over the log level at SIGHUP, and keeps the old one when the file holds a mistake")
    func reload() async throws {
        let node = try NodeProcess()
        let file = try node.folder.write("[log]\nlevel = \"notice\"\n", to: "c.toml")
        let (process, _) = try await node.start("--config", file)
        _ = try node.folder.write("[log]\nlevel = \"loud\"\n", to: "c.toml")
        process.signal(SIGHUP)
        #expect(try await process.waitForErrors(containing: "not taken over").contains("log.level"))
        _ = try node.folder.write("[log]\nlevel = \"debug\"\n", to: "c.toml")
        process.signal(SIGHUP)
        _ = try await process.waitForErrors(containing: "level=debug")
        process.signal(SIGTERM)
        #expect(try await process.wait().status == 0)
    }

    @Test("logs JSON when told to, one object a line")
    func json() async throws {
        var node = try NodeProcess()
        node.environment["EDGENODE_LOG_FORMAT"] = "json"
        let process = try ChildProcess(NodeProcess.program, ["run"], environment: node.environment)
        _ = try await process.waitForErrors(containing: "\"message\":\"serving\"")
        process.signal(SIGTERM)
        let lines = try await process.wait().errors.split(separator: "\n")
        #expect(lines.count >= 4)
        for line in lines {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
            #expect(object?["level"] != nil)
        }
    }
}
