import ArgumentParser
import Glibc

package struct ImportCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring images and modules in from a file or folder, without network.",
        discussion: """
            PATH is a bundle made by `edgenode export`; an OCI image layout, as a folder or tar archive; what \
            `docker save` writes; or a tree of modules, as a folder or tar archive: a module cache \
            ($GOMODCACHE or its cache/download) or the files of a module proxy.
            Everything is checked: digests of images, sums of modules, signatures of bundles. What is in the store \
            already is skipped, so that an import that was interrupted is simply run again. Works beside a running \
            node, which must be able to read PATH itself, and without one. Exits with 1 when something was refused.

            A bundle says which of its content is private. Images from elsewhere are private unless --public is given; so \
            are modules, but for those that a checksum database vouches for.

            EXAMPLES
              edgenode import /media/usb/site.bundle
              edgenode import --public --as registry.example.com/team/app /srv/app-layout
              edgenode import --public ~/go/pkg/mod/cache/download
            """)

    @Argument(help: ArgumentHelp("A file or folder.", valueName: "path"), completion: .file())
    package var path: String
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("The image's name, with or without a tag.", valueName: "image"))
    package var name: String?
    @Flag(
        name: .customLong("public"),
        help: "Everybody may have the content; without it, only those who are let in to private content.")
    package var isPublic = false
    @Option(
        help: ArgumentHelp("Believe a bundle of this node too; may be repeated.", valueName: "key"))
    package var trust: [String] = []
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        guard let resolved = realpath(path, nil) else {
            throw CommandFailure(.noInput, "\(path): \(String(cString: strerror(errno)))")
        }
        defer { free(resolved) }
        let request = ImportRequest(
            path: String(cString: resolved), name: name, isPublic: isPublic, trusted: trust)
        let line = ProgressLine()
        let summary = try await StoreAccess.withStore(try options.load().configuration) { store in
            try await store.importing(request) { progress in
                let share = progress.total.map { "\(progress.done) of \($0)" } ?? "\(progress.done)"
                line.show("importing: \(share) objects, \(ByteSize.rounded(progress.bytes)) read")
            }
        }
        line.end()
        for note in summary.notes { Terminal.complain("note: \(note)") }
        for name in summary.pinned { Terminal.complain("pinned at first sight: \(name)") }
        for reason in summary.refused { Terminal.complain("refused: \(reason)") }
        Terminal.show(Self.result(of: summary))
        guard summary.refusedCount == 0 else {
            throw CommandFailure(
                .incomplete,
                "\(summary.refusedCount) objects were refused or are lacking; the others are in the store")
        }
    }

    static func result(of summary: ImportSummary) -> String {
        var text =
            "imported \(summary.source): \(summary.stored) objects came in, "
            + "\(ByteSize.rounded(summary.storedBytes)); \(summary.held) were held before"
        if summary.pinnedCount > 0 { text += "; \(summary.pinnedCount) sums were pinned at first sight" }
        if summary.unverified > 0 { text += "; \(summary.unverified) files wait for their checksum database" }
        return text
    }
}
