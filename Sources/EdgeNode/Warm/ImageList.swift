import Content
import ProxyFront

/// What pulls of some images will ask for: the manifest that a name stands for, through an index those of the
/// platforms wanted, and each one's configuration and layers.
package struct ImageList: Sendable {
    /// For whom images are pulled.
    package enum Platforms: Sendable, Equatable {
        case all
        /// Never empty.
        case some([Platform])
    }

    /// One request.
    package enum Item: Sendable, Hashable, CustomStringConvertible {
        /// A manifest or index, by tag or digest.
        case manifest(ImageReference)
        /// A configuration or layer, of so many bytes.
        case blob(Repository, Digest, size: Int64)

        /// The path under the front, and its query. The registry stands in the path where it has the form of a
        /// host, as then an error tells most.
        package var target: String {
            switch self {
            case .manifest(let image): Self.target(image.repository, "manifests/\(image.manifest)")
            case .blob(let repository, let digest, _): Self.target(repository, "blobs/\(digest)")
            }
        }

        private static func target(_ repository: Repository, _ rest: String) -> String {
            ImageReference.isHost(repository.registry.text)
                ? "/v2/\(repository)/\(rest)"
                : "/v2/\(repository.name)/\(rest)?ns=\(repository.registry)"
        }

        package var description: String {
            switch self {
            case .manifest(let image): "\(image)"
            case .blob(let repository, let digest, _): "\(repository)@\(digest)"
            }
        }

        /// Known beforehand for blobs.
        var size: Int64 {
            if case .blob(_, _, let size) = self { size } else { 0 }
        }
    }

    private let platforms: Platforms
    /// Each once, in the order in which they were asked for.
    package private(set) var items: [Item] = []
    private var seen: Set<Item> = []
    /// Of what was asked for so far, in bytes.
    package private(set) var knownBytes: Int64 = 0

    package init(_ platforms: Platforms) { self.platforms = platforms }

    package mutating func add(_ image: ImageReference) { add(.manifest(image)) }

    private mutating func add(_ item: Item) {
        guard seen.insert(item).inserted else { return }
        items.append(item)
        knownBytes += item.size
    }

    /// Takes the items out, which are still known: none of them is added again.
    mutating func takeItems() -> [Item] {
        defer { items = [] }
        return items
    }

    /// What a pull asks for next, once a manifest is known.
    /// - Throws: `CommandFailure.incomplete` when an index has nothing for a platform that is wanted.
    package mutating func add(contentsOf manifest: Manifest, in repository: Repository) throws(CommandFailure)
    {
        for entry in try wanted(manifest.manifests) {
            add(.manifest(ImageReference(repository, tag: nil, digest: entry.digest)))
        }
        for blob in (manifest.config.map { [$0] } ?? []) + manifest.layers where blob.urls.isEmpty {
            // What has addresses of its own is fetched from those, if at all; registries need not hold it.
            add(.blob(repository, blob.digest, size: blob.size))
        }
    }

    private func wanted(_ entries: [Descriptor]) throws(CommandFailure) -> [Descriptor] {
        guard case .some(let platforms) = platforms, !entries.isEmpty else { return entries }
        for wanted in platforms
        where !entries.contains(where: { entry in entry.platform.map(wanted.accepts) ?? true }) {
            let offered = Set(entries.compactMap(\.platform).map(\.description)).sorted()
            throw CommandFailure(
                .incomplete, "it has nothing for \(wanted), but for \(offered.joined(separator: ", "))")
        }
        return entries.filter { entry in
            guard let platform = entry.platform else { return true }
            return platforms.contains { $0.accepts(platform) }
        }
    }
}

extension Platform {
    /// What containers on this machine are.
    package static var ofThisMachine: Platform {
        #if arch(arm64)
            Platform(os: "linux", architecture: "arm64")
        #else
            Platform(os: "linux", architecture: "amd64")
        #endif
    }
}
