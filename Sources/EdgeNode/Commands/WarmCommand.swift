import ArgumentParser
import Foundation
import ProxyFront

package struct WarmCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "warm",
        abstract: "Have the running node fetch modules and images before they are needed.",
        discussion: """
            Arguments are go.sum files, go.mod files, modules (module@version, module@branch, or module for the \
            newest version) and images. - reads modules and images from standard input, one a line. The go.mod \
            files that the module graph is made of come along; of an image, what a pull would ask for: its index, \
            and for the platform its manifest, configuration and layers. Exits with 1 when something could not be \
            had; called again, it goes on where it stopped.

            \(SubjectHelp.text)

            EXAMPLES
              edgenode warm go.sum
              edgenode warm golang.org/x/net@v0.34.0 rsc.io/quote
              edgenode warm nginx:1.27 quay.io/team/app:v2 --platform linux/amd64 --platform linux/arm64
              edgenode warm --pin tools/go.sum docker.io/library/debian:12-slim
            """)

    @Argument(
        help: ArgumentHelp("go.sum or go.mod files, modules, or images.", valueName: "what"),
        completion: .file())
    package var subjects: [String]
    @Option(
        help: ArgumentHelp(
            "Of images, fetch what this platform needs; may be repeated. This machine's by default.",
            valueName: "os/arch[/variant]"), transform: Self.platform)
    package var platform: [Platform] = []
    @Flag(help: "Of images, fetch every platform.")
    package var allPlatforms = false
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
        guard !subjects.isEmpty else { throw ValidationError("name at least one file, module or image") }
        if allPlatforms, !platform.isEmpty {
            throw ValidationError("give --all-platforms or --platform, not both")
        }
        guard (1...64).contains(parallel) else { throw ValidationError("--parallel must be 1 to 64") }
        if pin, url != nil { throw ValidationError("--pin works with the node on this machine only") }
    }

    package func run() async throws {
        let configuration = try options.load().configuration
        let parser = try PinPattern(configuration)
        var order = WarmOrder(
            platforms: allPlatforms ? .all : .some(platform.isEmpty ? [.ofThisMachine] : platform))
        for subject in subjects { try Self.add(subject, to: &order, parser) }
        let client = try url.map { NodeClient(base: Self.base($0)) } ?? NodeClient.front(of: configuration)
        let summary = try await WarmRun(client: client, width: parallel, progress: ProgressLine()).run(
            order.modules, order.images)
        if pin {
            let patterns = try parser.parse(summary.modules.map { "go:\($0)" } + order.names)
            try await StoreAccess.withStore(configuration) { store in
                for pattern in patterns { try await store.pin(pattern) }
            }
        }
        Terminal.show(
            "\(summary.files) files are held, \(ByteSize.rounded(summary.bytes))"
                + "; \(summary.failures.count) failed")
        guard summary.failures.isEmpty else {
            throw CommandFailure(.incomplete, "\(summary.failures.count) files could not be had; see above")
        }
    }

    private static func platform(_ text: String) throws -> Platform {
        guard let platform = Platform(parsing: text) else {
            throw ValidationError(
                "\(text) is no platform: write os/architecture[/variant], such as linux/arm/v7")
        }
        return platform
    }

    private static func base(_ url: String) -> String {
        url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    private static func add(_ subject: String, to order: inout WarmOrder, _ parser: PinPattern) throws {
        if subject == "-" {
            while let line = readLine() {
                let word = line.trimmingSpaces()
                if !word.isEmpty { try order.add(word, parser) }
            }
            return
        }
        let isSum = subject.hasSuffix("go.sum") || subject.hasSuffix(".sum")
        let isMod = subject.hasSuffix("go.mod") || subject.hasSuffix(".mod")
        guard isSum || isMod, !subject.contains("@") else { return try order.add(subject, parser) }
        guard let data = FileManager.default.contents(atPath: subject) else {
            throw CommandFailure(.noInput, "\(subject) cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(.badData, "\(subject) is not UTF-8 text")
        }
        do {
            if isSum {
                order.modules.add(try GoSum(parsing: text, file: subject))
            } else {
                order.modules.add(try GoModFile(parsing: text, file: subject))
            }
        } catch {
            throw CommandFailure(.badData, "\(error)")
        }
    }
}

/// What is to be fetched.
private struct WarmOrder {
    var modules = WarmList()
    var images: ImageList
    /// The images as they were named, for pinning.
    private(set) var names: [String] = []

    init(platforms: ImageList.Platforms) { images = ImageList(platforms) }

    mutating func add(_ word: String, _ parser: PinPattern) throws(CommandFailure) {
        switch parser.subject(word) {
        case .module(let text): try modules.add(parsing: text)
        case .image(let text):
            // The node is asked under the name that was given: it applies its rules for names itself.
            _ = try parser.reference(text)
            do throws(RegistryNameError) { images.add(try ImageReference(parsing: text)) } catch {
                throw CommandFailure(.usage, "\(error)")
            }
            names.append("oci:\(text)")
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
