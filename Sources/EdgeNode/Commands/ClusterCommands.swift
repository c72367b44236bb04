import ArgumentParser
import Foundation
import Gossip

package struct ClusterCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Make a cluster, invite nodes to it, revoke them, see who is in it.",
        subcommands: [
            ClusterInitCommand.self, ClusterInviteCommand.self, ClusterRevokeCommand.self,
            ClusterMembersCommand.self,
        ])

    package init() {}
}

/// What every command about the cluster needs.
struct ClusterPlace {
    let configuration: Configuration
    let folder: ClusterFolder
    let admission: ClusterAdmission

    init(_ options: ConfigurationOptions) throws {
        configuration = try options.load().configuration
        let data = DataFolder(configuration.node.dataDirectory)
        try data.create()
        folder = ClusterFolder(data)
        admission = ClusterAdmission(folder: folder, key: try KeyCommand.key(in: data))
    }

    static func roles(_ names: [String]) throws(CommandFailure) -> Roles {
        guard let roles = Roles(names: names) else {
            throw CommandFailure(
                .usage, "--role takes one of: \(Roles.knownNames.joined(separator: ", "))")
        }
        return roles
    }

    static func zone(_ text: String) throws(CommandFailure) -> Zone {
        do throws(Zone.Malformed) { return try Zone(text) } catch {
            throw CommandFailure(.usage, "--zone: \(error)")
        }
    }
}

package struct ClusterInitCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a cluster with this node as its first member.",
        discussion: """
            Makes the root key (cluster/root.key in the data folder), which invites and revokes, and the cluster's \
            secret. Move root.key to a safe place when everybody is in: nobody needs it to run. Restart the node \
            afterwards.

            EXAMPLE
              edgenode cluster init --zone oslo
            """)

    @Option(name: .long, help: "The site that this node stands at.") package var zone = Zone.standard.text
    @Option(name: .long, help: "What this node may do: private, resolver; may be given twice.")
    package var role: [String] = []
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let place = try ClusterPlace(options)
        let cluster = try place.admission.makeCluster(
            zone: try ClusterPlace.zone(zone), roles: try ClusterPlace.roles(role))
        Terminal.show("made the cluster \(cluster)")
        Terminal.show("its root key is \(place.folder.rootKey): keep it safe, off this machine if you can")
        Terminal.show("next: edgenode cluster invite")
    }
}

package struct ClusterInviteCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "invite",
        abstract: "Print a token with which one more node joins.",
        discussion: """
            The token is a secret until it was used: it lets one node in, once. It carries the seeds, so that the \
            new node needs nothing else, and nobody has to be online when it joins.

            EXAMPLES
              edgenode cluster invite --zone oslo | ssh edge2 edgenode join -
              edgenode cluster invite --role private --role resolver --valid 1h
            """)

    @Option(name: .long, help: "The site that the node stands at.") package var zone = Zone.standard.text
    @Option(name: .long, help: "What the node may do: private, resolver; may be given twice.")
    package var role: [String] = []
    @Option(name: .long, help: "How long the token may be used, such as 7d.") package var valid = "7d"
    @Option(
        name: .long,
        help: "host:port of this node as the new one reaches it; cluster.advertise by default.")
    package var address: String?
    @Option(name: .long, help: "How many tokens.") package var count = 1
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let place = try ClusterPlace(options)
        let seconds: Double
        do throws(QuantityError) { seconds = try DurationText.parse(valid) / .seconds(1) } catch {
            throw CommandFailure(.usage, "--valid: \(error)")
        }
        guard count >= 1, count <= 1000 else { throw CommandFailure(.usage, "--count takes 1 to 1000") }
        let settings = place.configuration.cluster
        guard let own = address ?? ClusterLink.advertised(settings, host: settings.listen.host)?.description
        else {
            throw CommandFailure(.usage, "--address is needed: no address of this machine is known")
        }
        let seeds = [ClusterSeed(address: own, node: place.admission.key.id)]
        for _ in 0..<count {
            let token = try place.admission.invite(
                seeds: seeds, zone: try ClusterPlace.zone(zone), roles: try ClusterPlace.roles(role),
                valid: seconds)
            Terminal.show(token.text)
        }
    }
}

package struct ClusterRevokeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "Take a node, or an invitation, out of the cluster.",
        discussion: """
            Needs the root key. The list is signed, numbered, and travels from node to node as soon as this one \
            runs; it binds where it has come to.

            EXAMPLES
              edgenode cluster revoke edgenode-ed25519:...
              edgenode cluster revoke 0123456789abcdef0123456789abcdef
              edgenode cluster revoke --renew
            """)

    @Argument(help: ArgumentHelp("A node's public key, or an invitation's serial.", valueName: "key|serial"))
    package var subject: String?
    @Flag(name: .long, help: "Sign the list again as it is, for nodes with cluster.revocation_max_age.")
    package var renew = false
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let place = try ClusterPlace(options)
        let serial = subject.flatMap { Serial(parsing: $0) }
        let node = subject.flatMap { try? NodeID(parsing: $0) }
        guard renew != (subject != nil) else {
            throw CommandFailure(
                .usage, "say whom to revoke, a node's public key or a serial, or --renew, and not both")
        }
        guard renew || serial != nil || node != nil else {
            throw CommandFailure(
                .usage, "\"\(subject ?? "")\" is neither a node's public key nor a serial of 32 digits")
        }
        let list = try place.admission.revoke(serial: serial, node: node)
        Terminal.show(
            "revocation list \(list.number): \(list.serials.count) invitations, \(list.keys.count) keys")
        let file = DataFolder(place.configuration.node.dataDirectory).runFile
        if let running = try RunFile.read(from: file), try await NodeClient(running).takeRevocations() {
            Terminal.show("the running node has it and passes it on")
        } else {
            Terminal.show("this node passes it on when it runs")
        }
    }
}

package struct ClusterMembersCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "members", abstract: "Who is in the cluster, as the running node sees it.")

    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws { try await PeersCommand.show(options, json: false) }
}

package struct JoinCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Join a cluster with a token.",
        discussion: """
            The token comes from `edgenode cluster invite`. Nobody needs to be online; start or restart the node \
            afterwards. With - the token is read from standard input, so that it stands in no shell's history.

            EXAMPLES
              edgenode join - < token
              edgenode join edgenode-join-v1:...
            """)

    @Argument(help: ArgumentHelp("The token, or - for standard input.", valueName: "token"))
    package var token: String
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let text = token == "-" ? readLine() ?? "" : token
        let place = try ClusterPlace(options)
        let parsed = try ClusterToken(parsing: text)
        try place.admission.join(parsed)
        Terminal.show("joined the cluster \(ClusterID(root: parsed.root)), zone \(parsed.invitation.zone)")
        Terminal.show("next: start the node, or restart it")
    }
}
