import ChunkStore
import Content
import Glibc
import Gossip
import Logging
import ProxyFront

/// Brings content from a file or folder into the store, without any network (docs/offline.md).
struct Importer: Sendable {
    let store: ChunkStore
    let modules: ModuleIntake
    let sums: SumDatabases
    /// Whose bundles are believed; the node's own key is among them.
    let trusted: [NodeID]
    let clock: StoreClock
    let audit: any AuditLog

    init(
        store: ChunkStore, modules: ModuleIntake, sums: SumDatabases, trusted: [NodeID],
        clock: StoreClock = .system, audit: any AuditLog
    ) {
        self.store = store
        self.modules = modules
        self.sums = sums
        self.trusted = trusted
        self.clock = clock
        self.audit = audit
    }

    /// Imports whatever is at the path.
    ///
    /// What was taken in stays whatever happens later; the same import again goes on from there.
    /// - Throws: `CommandFailure` when nothing can be made of the source, or when the disk is full.
    func run(
        _ request: ImportRequest, _ progress: @escaping @Sendable (WorkProgress) -> Void
    ) async throws -> ImportSummary {
        let tally = ImportTally(progress)
        do {
            switch try await FileBytes.onThread({ try Source(request.path) }) {
            case .bundle(let file):
                let trust = try trusted + Self.keys(request.trusted)
                let bundle = try await FileBytes.onThread { try BundleFile(file, trusting: trust) }
                try await BundleImport(bundle: bundle, importer: self, tally: tally).run()
            case .tree(let tree): try await take(tree, request, tally)
            }
        } catch let error as SourceError {
            throw CommandFailure(.noInput, "\(error)")
        } catch let error as BundleError {
            throw CommandFailure(.badData, "\(request.path): \(error)")
        } catch StoreError.noSpace {
            let done = tally.summary
            throw CommandFailure(
                .cannotCreate,
                "the store has no space for all of it: \(done.stored) objects came in and stay; free space (edgenode "
                    + "gc, edgenode unpin, store.capacity) and run the same import again")
        }
        return tally.summary
    }

    private func take(_ tree: any SourceTree, _ request: ImportRequest, _ tally: ImportTally) async throws {
        let access: AccessClass = request.isPublic ? .public : .private
        let images = ImageIntake(store: store, audit: audit)
        if try await FileBytes.onThread({ try tree.file("oci-layout") != nil }) {
            try await OCILayoutImport(
                tree: tree, name: request.name, access: access, images: images, now: clock.now, tally: tally
            ).run()
        } else if tree.paths.contains("manifest.json") {
            try await DockerArchiveImport(
                tree: tree, name: request.name, access: access, images: images, now: clock.now, tally: tally
            ).run()
        } else if let files = ModuleTree(tree) {
            guard request.name == nil else {
                throw CommandFailure(.usage, "--as names images; these are modules")
            }
            try await ModuleTreeImport(
                tree: files, access: access, modules: modules, sums: sums, now: clock.now, tally: tally
            ).run()
        } else {
            throw CommandFailure(
                .badData,
                "\(request.path) is nothing that can be imported: neither a bundle, nor an OCI image layout "
                    + "(oci-layout), nor what docker save writes (manifest.json), nor a tree of modules (.../@v/...)"
            )
        }
    }

    private static func keys(_ texts: [String]) throws(CommandFailure) -> [NodeID] {
        var keys: [NodeID] = []
        for text in texts {
            do { keys.append(try NodeID(parsing: text)) } catch {
                throw CommandFailure(.usage, "--trust: \(error)")
            }
        }
        return keys
    }

    /// What there is at a path, opened.
    private enum Source: Sendable {
        case bundle(OpenFile)
        case tree(any SourceTree)

        /// Blocks.
        init(_ path: String) throws {
            var status = stat()
            guard stat(path, &status) == 0 else { throw SourceError(OpenFile.reason(errno, path)) }
            if status.st_mode & S_IFMT == S_IFDIR {
                self = .tree(try DirectoryTree(path))
                return
            }
            let file = try OpenFile.regular(path, shown: path)
            let head = try file.bytes(at: 0, count: Int(min(file.byteCount, 512)))
            if BundleHead.isBundle(head) {
                self = .bundle(file)
            } else if TarIndex.isTar(head) {
                self = .tree(try TarTree(file, shown: path))
            } else if let packer = Self.packer(head) {
                throw SourceError("\(path) is compressed: unpack it with \(packer) first")
            } else {
                throw SourceError("\(path) is neither a bundle nor a tar archive nor a folder")
            }
        }

        /// The program that unpacks a file which begins so.
        private static func packer(_ head: [UInt8]) -> String? {
            let known: [(magic: [UInt8], program: String)] = [
                ([0x1f, 0x8b], "gunzip"), ([0x28, 0xb5, 0x2f, 0xfd], "unzstd"),
                ([0xfd, 0x37, 0x7a, 0x58], "unxz"),
                ([0x42, 0x5a, 0x68], "bunzip2"), ([0x50, 0x4b, 0x03, 0x04], "unzip"),
            ]
            return known.first { head.starts(with: $0.magic) }?.program
        }
    }
}
