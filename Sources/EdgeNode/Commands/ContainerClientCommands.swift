import ArgumentParser
import Foundation

/// What is common to the commands that print a container client's files.
package protocol ContainerClientCommand: ParsableCommand {
    static var client: ContainerClient { get }
    var choice: ContainerClientOptions { get }
}

extension ContainerClientCommand {
    package func run() throws {
        let configuration = try choice.options.load().configuration
        let settings = try MirrorSettings(
            configuration, base: choice.url ?? configuration.reachableFront(), registries: choice.registry,
            authorityFile: choice.ca)
        let files = settings.files(for: Self.client)
        if let root = choice.into {
            for file in files {
                switch try file.install(below: root) {
                case .written: Terminal.show("wrote \(file.path)")
                case .unchanged: Terminal.show("\(file.path) is as it should be")
                }
            }
        } else {
            // JSON has no comments: where it belongs is said beside it.
            for file in files where !file.text.hasPrefix("#") { Terminal.complain("file: \(file.path)") }
            // One file alone goes out as it is, so that it can be redirected into its place.
            Terminal.show(String(files.map(\.text).joined(separator: "\n").dropLast()))
        }
        for note in settings.notes(for: Self.client) { Terminal.complain("note: \(note)") }
    }
}

package struct ContainerClientOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A registry to pull through the node; may be repeated. All that the node knows by default.",
            valueName: "name"))
    package var registry: [String] = []
    @Option(
        help: ArgumentHelp(
            "Where clients reach the node, when it is not where it listens.", valueName: "url"))
    package var url: String?
    @Option(
        help: ArgumentHelp(
            "The authority of the node's certificate, a PEM file on the client's machine.", valueName: "file")
    )
    package var ca: String?
    @Option(
        help: ArgumentHelp(
            "Write the files below this folder (/ for this machine) instead of showing them. Files that say "
                + "something else are left alone.", valueName: "folder"), completion: .directory)
    package var into: String?
    @OptionGroup package var options: ConfigurationOptions

    package init() {}
}

extension Configuration {
    /// Where clients on this machine reach the node: as the running one says, else as it is told to listen.
    func reachableFront() -> String {
        let file = try? RunFile.read(from: DataFolder(node.dataDirectory).runFile)
        return file?.front.first ?? frontURL(hostName: ProcessInfo.processInfo.hostName)
    }
}

extension ClientConfigCommand {
    package struct Docker: ContainerClientCommand {
        package static let client = ContainerClient.docker
        package static let configuration = CommandConfiguration(
            commandName: "docker", abstract: "Show the docker daemon's daemon.json.",
            discussion: """
                EXAMPLE
                  edgenode client-config docker --url http://edge.example:4890 > /etc/docker/daemon.json
                """)
        @OptionGroup package var choice: ContainerClientOptions
        package init() {}
    }

    package struct Containerd: ContainerClientCommand {
        package static let client = ContainerClient.containerd
        package static let configuration = CommandConfiguration(
            commandName: "containerd", abstract: "Show containerd's hosts.toml for each registry.",
            discussion: """
                EXAMPLE
                  sudo edgenode client-config containerd --registry docker.io --registry quay.io --into /
                """)
        @OptionGroup package var choice: ContainerClientOptions
        package init() {}
    }

    package struct Podman: ContainerClientCommand {
        package static let client = ContainerClient.podman
        package static let configuration = CommandConfiguration(
            commandName: "podman", abstract: "Show a registries.conf for podman, buildah and skopeo.",
            discussion: """
                EXAMPLE
                  sudo edgenode client-config podman --into /
                """)
        @OptionGroup package var choice: ContainerClientOptions
        package init() {}
    }

    package struct BuildKit: ContainerClientCommand {
        package static let client = ContainerClient.buildkit
        package static let configuration = CommandConfiguration(
            commandName: "buildkit", abstract: "Show BuildKit's buildkitd.toml.",
            discussion: """
                EXAMPLE
                  edgenode client-config buildkit --url http://edge.example:4890 > buildkitd.toml
                  docker buildx create --use --buildkitd-config buildkitd.toml
                """)
        @OptionGroup package var choice: ContainerClientOptions
        package init() {}
    }

    package struct CRIO: ContainerClientCommand {
        package static let client = ContainerClient.criO
        package static let configuration = CommandConfiguration(
            commandName: "cri-o", abstract: "Show the registries.conf that CRI-O reads.",
            discussion: """
                EXAMPLE
                  sudo edgenode client-config cri-o --into / && sudo systemctl reload crio
                """)
        @OptionGroup package var choice: ContainerClientOptions
        package init() {}
    }

    package struct K3s: ContainerClientCommand {
        package static let client = ContainerClient.k3s
        package static let configuration = CommandConfiguration(
            commandName: "k3s", abstract: "Show k3s's registries.yaml.",
            discussion: """
                EXAMPLE
                  sudo edgenode client-config k3s --into / && sudo systemctl restart k3s
                """)
        @OptionGroup package var choice: ContainerClientOptions
        package init() {}
    }
}
