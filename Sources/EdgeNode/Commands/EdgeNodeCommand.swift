import ArgumentParser

@main
package struct EdgeNodeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "edgenode",
        abstract: "A module proxy for an edge site: what it served once, it serves without upstream.",
        version: Version.text,
        subcommands: []
    )
    package init() {}
}
