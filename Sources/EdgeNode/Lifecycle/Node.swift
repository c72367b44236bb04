import ChunkStore
import Foundation
import Gossip
import Logging
import NIOCore
import NIOPosix
import ProxyFront

/// A node in service: every part, put together and taken down in order.
package final class Node: Sendable {
    /// The front's URLs as clients on this machine reach it.
    package let front: [String]
    private let parts: NodeParts
    private let server: HTTPServer
    private let control: HTTPServer
    private let runFile: RunFile
    private let folder: DataFolder
    private let upkeep: Task<Void, Never>
    private let grace: Duration
    private let logger: Logger

    private init(
        parts: NodeParts, server: HTTPServer, control: HTTPServer, runFile: RunFile, folder: DataFolder,
        upkeep: Task<Void, Never>, grace: Duration, logger: Logger
    ) {
        self.parts = parts
        self.server = server
        self.control = control
        self.runFile = runFile
        self.folder = folder
        self.upkeep = upkeep
        self.grace = grace
        self.logger = logger
        front = runFile.front
    }

    /// Opens the store, begins to serve and says so in the run file. No upstream is needed for it.
    /// - Throws: `CommandFailure` with the remedy; nothing is left running then.
    package static func start(_ configuration: Configuration, output: LogOutput) async throws -> Node {
        let logger = output.logger("node")
        let files = OpenFilesLimit.raise()
        if files < 4096 {
            logger.warning(
                "few files may be open at once; raise the limit (ulimit -n, LimitNOFILE=)",
                metadata: ["limit": "\(files)"])
        }
        let folder = DataFolder(configuration.node.dataDirectory)
        try folder.create()
        let key = try KeyCommand.key(in: folder)
        let secrets = try NodeSecrets.read(for: configuration)
        let token = RunFile.newToken()
        let cluster = try await ClusterLink.bind(configuration, folder: folder, key: key, output: output)
        let parts: NodeParts
        do {
            parts = try await NodeParts.open(
                configuration, folder: folder, secrets: secrets, commandSecret: token, cluster: cluster,
                output: output)
        } catch {
            await cluster?.stop()
            throw error
        }
        do {
            try await parts.joinCluster()
            return try await serve(
                parts, configuration, folder: folder, key: key, token: token, output: output)
        } catch {
            await parts.close()
            throw error
        }
    }

    private static func serve(
        _ parts: NodeParts, _ configuration: Configuration, folder: DataFolder, key: NodeKey, token: String,
        output: LogOutput
    ) async throws -> Node {
        let logger = output.logger("node")
        let control = try await listen(
            configuration.controlConfiguration,
            Router(parts.routes + parts.controlRoutes(token: token, key: key)),
            metrics: Metrics(), accessLog: nil)
        let server: HTTPServer
        do {
            let accessLog = configuration.log.requests ? AccessLog(output.logger("http")).write : nil
            server = try await listen(
                configuration.frontConfiguration, Router(parts.routes), metrics: parts.metrics,
                accessLog: accessLog)
        } catch {
            await control.shutdown(grace: .zero)
            throw error
        }
        let runFile = RunFile(
            version: Version.text, process: getpid(), control: url(of: control, secure: false).first ?? "",
            front: url(of: server, secure: configuration.tls != nil), token: token)
        do {
            try runFile.write(to: folder.runFile)
        } catch {
            await control.shutdown(grace: .zero)
            await server.shutdown(grace: .zero)
            throw error
        }
        logger.notice("node", metadata: ["key": "\(key.id)", "version": "\(Version.text)"])
        let upkeep = Task { await parts.maintain() }
        return Node(
            parts: parts, server: server, control: control, runFile: runFile, folder: folder, upkeep: upkeep,
            grace: configuration.limits.shutdownGrace, logger: logger)
    }

    private static func listen(
        _ configuration: HTTPServer.Configuration, _ router: Router, metrics: Metrics,
        accessLog: (@Sendable (AccessRecord) -> Void)?
    ) async throws(CommandFailure) -> HTTPServer {
        do {
            return try await HTTPServer.start(
                configuration, responder: router, metrics: metrics, accessLog: accessLog)
        } catch let error as TLSSettingsError {
            throw CommandFailure(.configuration, "tls: \(error)")
        } catch let error as HTTPServerError {
            throw CommandFailure(.unavailable, "node.listen: \(error)")
        } catch {
            throw CommandFailure(.software, "the front cannot start: \(error)")
        }
    }

    /// Where clients on this machine reach a server, whatever address it listens on.
    private static func url(of server: HTTPServer, secure: Bool) -> [String] {
        server.addresses.compactMap { address in
            guard let host = address.ipAddress, let port = address.port else { return nil }
            let near = host == "0.0.0.0" ? "127.0.0.1" : host == "::" ? "::1" : host
            return "\(secure ? "https" : "http")://\(ListenAddress(trusted: near, port: port))"
        }
    }

    /// Takes no more requests, finishes the answers that are under way within the configured grace, and
    /// closes the store. Call it once.
    package func stop() async {
        runFile.remove(from: folder.runFile)
        parts.status.stop()
        upkeep.cancel()
        async let controlDone: Void = control.shutdown(grace: grace)
        await server.shutdown(grace: grace)
        await controlDone
        await upkeep.value
        await parts.close()
    }
}
