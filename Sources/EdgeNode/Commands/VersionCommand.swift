import ArgumentParser

package struct VersionCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Show the version of this program.")

    package init() {}

    package func run() { Terminal.show("edgenode \(Version.text)") }
}
