import ArgumentParser
import Foundation
import ProxyFront

package struct ExportCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "export",
        abstract:
            "Write images and modules that the node holds into one signed file, to carry them elsewhere.",
        discussion: """
            Images are written as IMAGE[:TAG|@DIGEST], modules as MODULE@VERSION. Of an image of several platforms, \
            those that are held come along, or those that --platform names. Of a module come its .info, .mod \
            and .zip, and what is held of the checksum database to prove them. What is not held, or is private, is \
            named and nothing is written. Works beside a running node and without one.

            EXAMPLES
              edgenode export -o site.bundle nginx:1.27 golang.org/x/net@v0.34.0
              edgenode export -o site.bundle --go-sum go.sum --platform linux/arm64 quay.io/team/app:2
              edgenode export -o - alpine:3.20 | ssh site 'cat > /srv/alpine.bundle'
            """)

    @Argument(help: ArgumentHelp("Images and modules.", valueName: "what"))
    package var subjects: [String] = []
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the bundle goes; - is standard output.", valueName: "file"),
        completion: .file())
    package var output: String
    @Option(help: ArgumentHelp("Only this platform of images; may be repeated.", valueName: "os/arch"))
    package var platform: [String] = []
    @Option(
        help: ArgumentHelp("Every module that this go.sum names; may be repeated.", valueName: "file"),
        completion: .file())
    package var goSum: [String] = []
    @Option(
        help: ArgumentHelp(
            "Leave out what this file, made by `edgenode inventory` on the target, lists.", valueName: "file"),
        completion: .file())
    package var inventory: String?
    @Flag(help: "Take private content along; it stays private where it is imported.")
    package var includePrivate = false
    @Flag(help: "Export what is held, though parts are lacking.")
    package var incomplete = false
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func validate() throws {
        guard !subjects.isEmpty || !goSum.isEmpty else {
            throw ValidationError("name at least one image or module")
        }
    }

    package func run() async throws {
        var request = ExportRequest(
            platforms: platform, includesPrivate: includePrivate, isIncomplete: incomplete,
            inventory: inventory.map { Self.absolute($0) })
        for subject in subjects {
            if Self.isModule(subject) {
                request.modules.append(subject)
            } else {
                request.images.append(subject)
            }
        }
        for file in goSum { try Self.add(file, to: &request) }
        if output == "-", isatty(STDOUT_FILENO) == 1 {
            throw CommandFailure(.usage, "a bundle is no text for a terminal; name a file with --output")
        }
        let asked = request
        try await StoreAccess.withStore(try options.load().configuration) { store in
            let summary = try await store.planExport(asked)
            for note in summary.notes { Terminal.complain("note: \(note)") }
            guard summary.refused.isEmpty else {
                for reason in summary.refused { Terminal.complain("edgenode: \(reason)") }
                throw CommandFailure(.incomplete, "nothing was exported")
            }
            let (byteCount, body) = try await store.export(asked)
            let line = ProgressLine()
            try await FileOutput(output).write(body, expecting: byteCount) { done in
                line.show("exporting: \(ByteSize.rounded(done)) of \(ByteSize.rounded(byteCount))")
            }
            line.end()
            var text = "exported \(summary.objects) objects, \(ByteSize.rounded(byteCount))"
            if summary.leftOut > 0 {
                text +=
                    "; \(summary.leftOut) that the target holds were left out, "
                    + "\(ByteSize.rounded(summary.leftOutBytes))"
            }
            Terminal.complain(text)
        }
    }

    /// A version behind the last @ makes a module; a digest has a colon there.
    static func isModule(_ subject: String) -> Bool {
        guard let at = subject.lastIndex(of: "@") else { return false }
        return (try? ModuleVersion(subject[at...].dropFirst())) != nil
    }

    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    private static func add(_ file: String, to request: inout ExportRequest) throws(CommandFailure) {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw CommandFailure(.noInput, "\(file) cannot be read")
        }
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure(.badData, "\(file) is not UTF-8 text")
        }
        let sums: GoSum
        do { sums = try GoSum(parsing: text, file: file) } catch {
            throw CommandFailure(.badData, "\(error)")
        }
        let whole = Set(sums.modulesWithZips)
        for module in sums.modules {
            if whole.contains(module) {
                request.modules.append("\(module)")
            } else {
                request.modFiles.append("\(module)")
            }
        }
    }
}

package struct InventoryCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "inventory",
        abstract: "List the digests of everything held, for an export elsewhere that leaves it out.",
        discussion: """
            EXAMPLE
              edgenode inventory -o site.inventory            on the target
              edgenode export --inventory site.inventory ...  where there is a network
            """)

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Where the list goes; - is standard output.", valueName: "file"),
        completion: .file())
    package var output = "-"
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        try await StoreAccess.withStore(try options.load().configuration) { store in
            try await FileOutput(output).write(try await store.inventory(), expecting: nil) { _ in }
        }
    }
}
