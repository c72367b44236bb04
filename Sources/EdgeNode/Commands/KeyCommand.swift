import ArgumentParser
import Gossip

package struct KeyCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Show who this node is: its public key, made at the first call.",
        discussion: """
            The secret half stays in the data folder (node.key, readable by the node's user only) and is never \
            shown. Run it as the user that the node runs as.

            EXAMPLE
              sudo -u edgenode edgenode key --config /etc/edgenode/cluster.toml
            """)

    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() throws {
        let folder = DataFolder(try options.load().configuration.node.dataDirectory)
        try folder.create()
        Terminal.show(try Self.key(in: folder).id.description)
    }

    static func key(in folder: DataFolder) throws(CommandFailure) -> NodeKey {
        do {
            return try NodeKeyFile.loadOrCreate(at: folder.key)
        } catch let error as NodeKeyError {
            let status: CommandFailure.Status =
                switch error {
                case .cannotOpen: .noInput
                case .cannotWrite, .alreadyExists: .cannotCreate
                case .exposed: .noPermission
                case .notAFile, .unknownVersion, .malformed: .badData
                case .noMemory: .unavailable
                }
            throw CommandFailure(status, error.description)
        } catch {
            throw CommandFailure(.software, "\(error)")
        }
    }
}
