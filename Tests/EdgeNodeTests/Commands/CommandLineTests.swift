import ArgumentParser
import EdgeNode
import Testing

private let commandNames: [String] = EdgeNodeCommand.configuration.subcommands.map {
    $0.configuration.commandName ?? ""
}

@Suite("The command line")
struct CommandLineTests {
    private func parse<Command>(_ words: String..., as type: Command.Type) throws -> Command {
        try #require(try EdgeNodeCommand.parseAsRoot(words) as? Command)
    }

    @Test("reads each command with its options")
    func commands() throws {
        #expect(try parse("run", "--config", "/c.toml", as: RunCommand.self).options.config == "/c.toml")
        let warm = try parse("warm", "go.sum", "a.example/m@v1.0.0", "--parallel", "3", as: WarmCommand.self)
        #expect(warm.subjects == ["go.sum", "a.example/m@v1.0.0"])
        #expect(warm.parallel == 3)
        #expect(!warm.pin)
        #expect(try parse("status", "--json", as: StatusCommand.self).json)
        #expect(try parse("doctor", "--offline", as: DoctorCommand.self).offline)
        #expect(try parse("top", "--count", "3", as: TopCommand.self).count == 3)
        #expect(try parse("pin", "a.example/m", "b.example/m", as: PinCommand.self).subjects.count == 2)
        #expect(try parse("unpin", "a.example/m", as: UnpinCommand.self).subjects == ["a.example/m"])
        _ = try parse("pins", as: PinsCommand.self)
        _ = try parse("verify", as: VerifyCommand.self)
        _ = try parse("gc", as: CollectCommand.self)
        let client = try parse(
            "client-config", "go", "--form", "go-env", "--url", "http://e", as: ClientConfigCommand.Go.self)
        #expect(client.form == .goEnv)
        #expect(client.url == "http://e")
        let hosts = try parse(
            "client-config", "containerd", "--registry", "docker.io", "--registry", "quay.io", "--into", "/",
            as: ClientConfigCommand.Containerd.self)
        #expect(hosts.choice.registry == ["docker.io", "quay.io"])
        #expect(hosts.choice.into == "/")
        _ = try parse("client-config", "docker", "--url", "http://e", as: ClientConfigCommand.Docker.self)
        _ = try parse("client-config", "podman", "--ca", "/c", as: ClientConfigCommand.Podman.self)
        _ = try parse("client-config", "buildkit", as: ClientConfigCommand.BuildKit.self)
        _ = try parse("client-config", "cri-o", as: ClientConfigCommand.CRIO.self)
        _ = try parse("client-config", "k3s", as: ClientConfigCommand.K3s.self)
        _ = try parse("key", as: KeyCommand.self)
        #expect(
            try parse("password", "alice", "--role", "admin", as: PasswordCommand.self).principal.role
                == .admin)
        #expect(try parse("token", "ci", as: TokenCommand.self).principal.role == .viewer)
        _ = try parse("config", "check", as: ConfigCommand.Check.self)
        _ = try parse("config", "variables", as: ConfigCommand.Variables.self)
        _ = try parse("version", as: VersionCommand.self)
    }

    @Test(
        "refuses what makes no sense with the status for usage",
        arguments: [
            ["pin"], ["unpin"], ["warm", "--pin", "--url", "http://e", "x"], ["warm"],
            ["warm", "--parallel", "0", "x"], ["warm", "--parallel", "65", "x"], ["serve"],
            ["run", "--confg", "x"], ["password"], ["token", "a b"], ["token", "a", "--role", "root"],
            ["client-config", "go", "--form", "xml"], ["run", "extra"], ["top", "--interval", "0"],
            ["top", "--count", "0"],
        ])
    func refused(words: [String]) throws {
        let error = try #require(throws: (any Error).self) { try EdgeNodeCommand.parseAsRoot(words) }
        #expect(EdgeNodeCommand.exitCode(for: error).rawValue == 64)
    }

    @Test("has a help text of its own for every command", arguments: commandNames)
    func help(name: String) throws {
        let command = try #require(
            EdgeNodeCommand.configuration.subcommands.first { $0.configuration.commandName == name })
        #expect(!command.configuration.abstract.isEmpty)
        let text = EdgeNodeCommand.helpMessage(for: command)
        #expect(text.contains("USAGE: edgenode \(name)"))
        #expect(text.contains("OVERVIEW: \(command.configuration.abstract.prefix(40))"))
    }

    @Test("completes for the common shells", arguments: [CompletionShell.bash, .zsh, .fish])
    func completions(shell: CompletionShell) {
        let script = EdgeNodeCommand.completionScript(for: shell)
        for name in commandNames { #expect(script.contains(name)) }
    }
}
