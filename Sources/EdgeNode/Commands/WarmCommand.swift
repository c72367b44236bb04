import ArgumentParser
import Foundation
import ProxyFront

package struct WarmCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "warm",
        abstract: "Have the running node fetch modules before they are needed.",
        discussion: """
            Arguments are go.sum files, go.mod files, or modules: module@version, module@branch, or module for \
            the newest version. - reads modules from standard input, one a line. The go.mod files that the \
            module graph is made of come along. Exits with 1 when something could not be had.

            EXAMPLES
              edgenode warm go.sum
              edgenode warm golang.org/x/net@v0.34.0 rsc.io/quote
              edgenode warm --pin tools/go.sum
            """)

    @Argument(
        help: ArgumentHelp("go.sum or go.mod files, or modules.", valueName: "what"), completion: .file())
    package var subjects: [String]
    @Option(help: ArgumentHelp("How many requests run at once (1 to 64).", valueName: "number"))
    package var parallel = 8
    @Flag(help: "Pin what was fetched.")
    package var pin = false
    @Option(
        help: ArgumentHelp("Ask the node at this URL instead of the one on this machine.", valueName: "url"))
    package var url: String?
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func validate() throws {
        guard !subjects.isEmpty else { throw ValidationError("name at least one file or module") }
        guard (1...64).contains(parallel) else { throw ValidationError("--parallel must be 1 to 64") }
        if pin, url != nil { throw ValidationError("--pin works with the node on this machine only") }
    }

    package func run() async throws {
        let configuration = try options.load().configuration
        var list = WarmList()
        for subject in subjects { try Self.add(subject, to: &list) }
        let client = try url.map { NodeClient(base: Self.base($0)) } ?? NodeClient.front(of: configuration)
        let summary = try await WarmRun(client: client, width: parallel, progress: ProgressLine()).run(list)
        if pin {
            try await StoreAccess.withStore(configuration) { store in
                for module in summary.modules { try await store.pin(PinPattern.parse("\(module)")) }
            }
        }
        Terminal.show(
            "\(summary.files) files are held, \(ByteSize.rounded(summary.bytes))"
                + "; \(summary.failures.count) failed")
        guard summary.failures.isEmpty else {
            throw CommandFailure(.incomplete, "\(summary.failures.count) files could not be had; see above")
        }
    }

    private static func base(_ url: String) -> String {
        url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    private static func add(_ subject: String, to list: inout WarmList) throws {
        if subject == "-" {
            while let line = readLine() {
                let word = line.trimmingSpaces()
                if !word.isEmpty { try list.add(parsing: word) }
            }
            return
        }
        let isSum = subject.hasSuffix("go.sum") || subject.hasSuffix(".sum")
        let isMod = subject.hasSuffix("go.mod") || subject.hasSuffix(".mod")
        guard isSum || isMod, !subject.contains("@") else { return try list.add(parsing: subject) }
        guard let data = FileManager.default.contents(atPath: subject) else {
            throw CommandFailure(.noInput, "\(subject) cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(.badData, "\(subject) is not UTF-8 text")
        }
        do {
            if isSum {
                list.add(try GoSum(parsing: text, file: subject))
            } else {
                list.add(try GoModFile(parsing: text, file: subject))
            }
        } catch {
            throw CommandFailure(.badData, "\(error)")
        }
    }
}

extension NodeClient {
    /// The node of a configuration: where its run file says, else where it is told to listen.
    static func front(of configuration: Configuration) throws -> NodeClient {
        let path = DataFolder(configuration.node.dataDirectory).runFile
        do {
            if let file = try RunFile.read(from: path) { return NodeClient(file) }
        } catch let failure where failure.status == .noPermission {
            // The front is open to users who may not read the node's files.
        }
        return NodeClient(base: configuration.frontURL(hostName: "127.0.0.1"))
    }
}
