import ArgumentParser
import Foundation

/// The program: a family of commands around one node.
@main
package struct EdgeNodeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "edgenode",
        abstract:
            "A module proxy and registry mirror for an edge site: what it served once, it serves without upstream.",
        discussion: """
            EXAMPLES
              edgenode run                         serve on 127.0.0.1:4890
              eval "$(edgenode client-config go)"  point this shell's go at it
              edgenode client-config podman        what points podman at it (docker, containerd, k3s ...)
              edgenode warm go.sum nginx:1.27      fetch what a program and an image need
              edgenode status                      what is held, how upstreams are

            All commands read the same configuration: --config, else EDGENODE_CONFIG, else \
            ~/.config/edgenode/cluster.toml, else /etc/edgenode/cluster.toml, else the defaults.
            Shell completions: edgenode --generate-completion-script bash|zsh|fish
            """,
        version: "edgenode \(Version.text)",
        subcommands: [
            RunCommand.self, StatusCommand.self, WarmCommand.self, PinCommand.self, UnpinCommand.self,
            PinsCommand.self, VerifyCommand.self, CollectCommand.self, ExportCommand.self, ImportCommand.self,
            InventoryCommand.self, ClusterCommand.self, JoinCommand.self, PeersCommand.self,
            DoctorCommand.self, TopCommand.self,
            KeyCommand.self,
            PasswordCommand.self, TokenCommand.self,
            ClientConfigCommand.self, ConfigCommand.self, VersionCommand.self,
        ]
    )

    package init() {}

    package static func main() async {
        do {
            var command = try parseAsRoot()
            if var waiting = command as? any AsyncParsableCommand {
                try await waiting.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            leave(failure)
        } catch let error as ConfigurationError {
            leave(CommandFailure(.configuration, "\(error)"))
        } catch let error as NodeClient.Unreachable {
            leave(
                CommandFailure(
                    .unavailable,
                    "no node answers at \(error.base) (\(error.reason)); start it with: edgenode run"))
        } catch {
            exit(withError: error)
        }
    }

    private static func leave(_ failure: CommandFailure) -> Never {
        for line in failure.message.split(separator: "\n") { Terminal.complain("edgenode: \(line)") }
        Foundation.exit(failure.status.rawValue)
    }
}

/// Which configuration a command reads.
package struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("The configuration file.", valueName: "file"),
        completion: .file(extensions: ["toml"]))
    package var config: String?

    package init() {}

    func load() throws(ConfigurationError) -> (configuration: Configuration, file: String?) {
        let (parsed, file) = try ConfigurationFile.load(config)
        return (parsed.configuration, file)
    }
}
