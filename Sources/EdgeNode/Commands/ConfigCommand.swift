import ArgumentParser
import Foundation
import ProxyFront

package struct ConfigCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Look at the configuration.",
        subcommands: [Check.self, Variables.self])

    package init() {}

    package struct Check: ParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Read the configuration and the files it names, and report every mistake.",
            discussion: """
                Starts nothing and contacts nobody. Exits with 78 when there is a mistake.

                EXAMPLE
                  edgenode config check --config cluster.toml
                """)

        @OptionGroup package var options: ConfigurationOptions
        package init() {}

        package func run() throws {
            let (configuration, file) = try options.load()
            _ = try NodeSecrets.read(for: configuration)
            try configuration.tls?.check()
            Terminal.show("\(file ?? "the defaults (there is no file)"): no mistakes")
        }
    }

    package struct Variables: ParsableCommand {
        package static let configuration = CommandConfiguration(
            commandName: "variables", abstract: "List the environment variables that override the file.")
        package init() {}

        package func run() throws {
            let parsed = try Configuration.parse("", environment: ["HOME": "/"])
            for name in parsed.variables { Terminal.show(name) }
        }
    }
}
