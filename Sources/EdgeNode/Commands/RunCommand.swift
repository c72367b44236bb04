import ArgumentParser
import Foundation

package struct RunCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Serve clients until told to stop.",
        discussion: """
            SIGTERM and SIGINT stop the node once it has finished what it is sending (limits.shutdown_grace \
            bounds that); a second one stops it at once. SIGHUP reads the configuration again and takes over \
            log.level; everything else needs a restart. Logs go to standard error.

            EXAMPLES
              edgenode run
              edgenode run --config /etc/edgenode/cluster.toml
              EDGENODE_GO_UPSTREAMS=off edgenode run      serve what is held, ask nobody
            """)

    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let (configuration, file) = try options.load()
        let output = LogOutput(configuration.log, environment: environment)
        let logger = output.logger("node")
        // Before anything is opened: a signal from here on stops the node in good order.
        let signals = Signals.events()
        let manager = ServiceManager(environment: environment)

        let node: Node
        do {
            node = try await Node.start(configuration, output: output)
        } catch {
            output.flush()
            throw error
        }
        logger.notice("configured", metadata: ["file": "\(file ?? "none: these are the defaults")"])
        for url in node.front { logger.notice("serving", metadata: ["url": "\(url)"]) }
        manager.ready()

        for await signal in signals {
            if signal == .stop { break }
            reload(output)
        }
        manager.stopping()
        logger.notice("stopping: what is being sent is finished first")
        let impatience = Task {
            for await signal in signals where signal == .stop {
                logger.warning("stopped at once by a second signal")
                output.flush()
                Foundation.exit(130)
            }
        }
        await node.stop()
        impatience.cancel()
        logger.notice("stopped")
        output.flush()
    }

    private func reload(_ output: LogOutput) {
        let logger = output.logger("node")
        do {
            let level = try options.load().configuration.log.level
            output.level = level.loggerLevel
            logger.notice(
                "log level taken over; other settings need a restart", metadata: ["level": "\(level)"])
        } catch {
            logger.error(
                "the configuration is not taken over: it holds mistakes", metadata: ["reason": "\(error)"])
        }
    }
}
