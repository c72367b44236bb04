import Foundation
import NIOCore
import ProxyFront
import Synchronization

/// Asks the node for everything that lists of modules and images name, a few requests at a time, so that it holds
/// it afterwards.
struct WarmRun: Sendable {
    let client: NodeClient
    /// How many requests run at once.
    let width: Int
    let progress: ProgressLine
    /// How often one thing is asked for before it is given up.
    private static let attempts = 4

    struct Summary: Sendable, Equatable {
        var files = 0
        var bytes: Int64 = 0
        /// The modules whose files were all there, for pinning.
        var modules: Set<ModuleIdentity> = []
        var failures: [String] = []
    }

    /// One request.
    enum Item: Sendable, CustomStringConvertible {
        case module(WarmList.Item)
        case image(ImageList.Item)

        var target: String {
            switch self {
            case .module(let item): item.target
            case .image(let item): item.target
            }
        }

        var description: String {
            switch self {
            case .module(let item): "\(item)"
            case .image(let item): "\(item)"
            }
        }
    }

    private enum Outcome: Sendable {
        case held(Item, bytes: Int64)
        case graph(GoModFile, whole: Bool, bytes: Int64)
        case resolved(ModuleIdentity)
        case manifest(ImageReference, Manifest, bytes: Int64)
        case failed(Item, reason: String)
    }

    /// - Throws: `NodeClient.Unreachable` when the node is not there, at the first request that finds it so.
    func run(_ modules: WarmList, _ images: ImageList) async throws -> Summary {
        var summary = Summary()
        var (modules, images) = (modules, images)
        var waiting: [Item] = []
        var total = 0
        let arrived = Tally()
        func queue() {
            let found = modules.takeItems().map(Item.module) + images.takeItems().map(Item.image)
            total += found.count
            waiting.append(contentsOf: found.reversed())
        }
        func fail(_ item: Item, _ reason: String) {
            summary.failures.append("\(item): \(reason)")
            progress.complain("edgenode: \(item): \(reason)")
        }
        func show() {
            let bytes = ByteSize.rounded(arrived.bytes)
            let known = images.knownBytes
            let size = known > arrived.bytes ? "\(bytes) of \(ByteSize.rounded(known))" : bytes
            progress.show(
                "warming: \(summary.files) of \(total) files, \(size), \(summary.failures.count) failed")
        }
        queue()
        try await withThrowingTaskGroup(of: Outcome?.self) { group in
            var running = 0
            // Large layers are long on their way: the line moves while nothing finishes.
            group.addTask {
                try? await Task.sleep(for: .milliseconds(500))
                return nil
            }
            while true {
                while running < width, let item = waiting.popLast() {
                    group.addTask { try await fetch(item, arrived) }
                    running += 1
                }
                if running == 0 { break }
                guard let next = try await group.next() else { break }
                guard let outcome = next else {
                    show()
                    group.addTask {
                        try? await Task.sleep(for: .milliseconds(500))
                        return nil
                    }
                    continue
                }
                running -= 1
                switch outcome {
                case .held(let item, let bytes):
                    summary.files += 1
                    summary.bytes += bytes
                    if case .module(.file(let module, .zip)) = item { summary.modules.insert(module) }
                case .graph(let file, let whole, let bytes):
                    summary.files += 1
                    summary.bytes += bytes
                    modules.addGraph(of: file, whole: whole)
                case .resolved(let module):
                    total -= 1
                    modules.add(module)
                case .manifest(let image, let manifest, let bytes):
                    summary.files += 1
                    summary.bytes += bytes
                    do throws(CommandFailure) {
                        try images.add(contentsOf: manifest, in: image.repository)
                    } catch {
                        fail(.image(.manifest(image)), error.message)
                    }
                case .failed(let item, let reason): fail(item, reason)
                }
                queue()
                show()
            }
            group.cancelAll()
        }
        progress.end()
        return summary
    }

    /// Asks again for what broke off: the node goes on where it stopped.
    private func fetch(_ item: Item, _ arrived: Tally) async throws -> Outcome {
        var attempt = 1
        while true {
            let before = arrived.bytes
            do {
                return try await ask(item, arrived)
            } catch let error as NodeClient.Unreachable {
                throw error
            } catch {
                guard attempt < Self.attempts, !Task.isCancelled else {
                    return .failed(item, reason: "the answer broke off: \(error)")
                }
                // A body that moved at all is worth as many attempts more.
                attempt = arrived.bytes - before > 1 << 20 ? 1 : attempt + 1
            }
        }
    }

    private func ask(_ item: Item, _ arrived: Tally) async throws -> Outcome {
        var limit = 64 << 10
        var headers: [(String, String)] = []
        switch item {
        case .module: limit = 16 << 20
        case .image(.manifest):
            limit = Int(Manifest.limit)
            headers = MediaType.manifests.map { ("Accept", $0) }
        case .image(.blob): break
        }
        // However slow the link is: a node that gets nothing more from upstream says so itself.
        let answer = try await client.get(
            item.target, headers: headers, keeping: limit, timeout: .hours(24 * 7)
        ) { arrived.add($0) }
        guard answer.status == 200 else {
            return .failed(item, reason: "\(answer.status)\(Self.reason(answer))")
        }
        switch item {
        case .image(.blob), .module(.file): return .held(item, bytes: answer.size)
        case .image(.manifest(let image)):
            do throws(ManifestError) {
                return .manifest(image, try Manifest(parsing: answer.body), bytes: answer.size)
            } catch {
                return .failed(item, reason: "\(error)")
            }
        case .module(.graph(_, let whole)):
            guard let file = try? GoModFile(parsing: answer.text) else {
                return .held(item, bytes: answer.size)
            }
            return .graph(file, whole: whole, bytes: answer.size)
        case .module(.query(let path, _)):
            guard let info = try? JSONDecoder().decode(VersionInfo.self, from: Data(answer.body)),
                let version = try? ModuleVersion(info.version)
            else {
                return .failed(item, reason: "the answer names no version")
            }
            return .resolved(ModuleIdentity(path: path, version: version))
        }
    }

    /// The first line of what the node said, or the messages of a registry's error.
    private static func reason(_ answer: NodeClient.Answer) -> String {
        if let errors = try? JSONDecoder().decode(RegistryErrors.self, from: Data(answer.body)) {
            return ": " + errors.errors.map { $0.message ?? $0.code }.joined(separator: "; ").prefix(500)
        }
        return answer.text.split(separator: "\n").first.map { ": \($0.prefix(300))" } ?? ""
    }
}

/// Bytes that arrived, whoever fetched them.
private final class Tally: Sendable {
    private let count = Atomic<Int64>(0)

    var bytes: Int64 { count.load(ordering: .relaxed) }

    func add(_ bytes: Int) { count.wrappingAdd(Int64(bytes), ordering: .relaxed) }
}

/// The part of a `.info` answer that names the version (https://go.dev/ref/mod, "GOPROXY protocol").
private struct VersionInfo: Decodable {
    var version: String

    private enum CodingKeys: String, CodingKey { case version = "Version" }
}

/// OCI distribution specification 1.1, "Error Codes".
private struct RegistryErrors: Decodable {
    struct Entry: Decodable {
        var code: String
        var message: String?
    }

    var errors: [Entry]
}
