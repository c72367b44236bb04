import ArgumentParser
import Foundation

package struct ClientConfigCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "client-config", abstract: "Show the settings that point clients at this node.",
        subcommands: [
            Go.self, Docker.self, Containerd.self, Podman.self, BuildKit.self, CRIO.self, K3s.self,
        ])

    package init() {}

    package struct Go: ParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "go",
            abstract: "Show the go command's settings.",
            discussion: """
                EXAMPLES
                  eval "$(edgenode client-config go)"          this shell only
                  edgenode client-config go --form go-env | sh   for good, in the user's go environment
                  edgenode client-config go --url http://edge.example:4890
                """)

        @Option(help: "\"shell\" (export lines) or \"go-env\" (one `go env -w` line).")
        package var form = ClientSettings.Form.shell
        @Option(
            help: ArgumentHelp(
                "Where clients reach the node, when it is not where it listens.", valueName: "url"))
        package var url: String?
        @OptionGroup package var options: ConfigurationOptions
        package init() {}

        package func run() throws {
            let configuration = try options.load().configuration
            let settings = ClientSettings(configuration, base: url ?? configuration.reachableFront())
            for note in settings.notes { Terminal.complain("note: \(note)") }
            Terminal.show(settings.text(form))
        }
    }
}

extension ClientSettings.Form: ExpressibleByArgument {}
