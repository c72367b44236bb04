import Foundation
import NIOCore
import ProxyFront

/// Asks the node for every item of a list, a few at a time, so that it holds them afterwards.
struct WarmRun: Sendable {
    let client: NodeClient
    /// How many requests run at once.
    let width: Int
    let progress: ProgressLine

    struct Summary: Sendable, Equatable {
        var files = 0
        var bytes: Int64 = 0
        /// The modules whose files were all there, for pinning.
        var modules: Set<ModuleIdentity> = []
        var failures: [String] = []
    }

    private enum Outcome: Sendable {
        case held(WarmList.Item, bytes: Int64)
        case resolved(ModuleIdentity)
        case failed(WarmList.Item, reason: String)
    }

    /// - Throws: `NodeClient.Unreachable` when the node is not there, at the first request that finds it so.
    func run(_ list: WarmList) async throws -> Summary {
        var summary = Summary()
        var waiting = Array(list.items.reversed())
        var total = waiting.count
        try await withThrowingTaskGroup(of: Outcome.self) { group in
            var running = 0
            while true {
                while running < width, let item = waiting.popLast() {
                    group.addTask { try await fetch(item) }
                    running += 1
                }
                guard let outcome = try await group.next() else { break }
                running -= 1
                switch outcome {
                case .held(let item, let bytes):
                    summary.files += 1
                    summary.bytes += bytes
                    if case .file(let module, .zip) = item { summary.modules.insert(module) }
                case .resolved(let module):
                    var found = WarmList()
                    found.add(module)
                    waiting.append(contentsOf: found.items.reversed())
                    total += found.items.count - 1
                case .failed(let item, let reason):
                    summary.failures.append("\(item): \(reason)")
                    progress.complain("edgenode: \(item): \(reason)")
                }
                progress.show(
                    "warming: \(summary.files) of \(total) files, \(ByteSize.rounded(summary.bytes)),"
                        + " \(summary.failures.count) failed")
            }
        }
        progress.end()
        return summary
    }

    private func fetch(_ item: WarmList.Item) async throws -> Outcome {
        let answer: NodeClient.Answer
        do {
            answer = try await client.get(item.target, keeping: 64 << 10, timeout: .minutes(30))
        } catch let error as NodeClient.Unreachable {
            throw error
        } catch {
            return .failed(item, reason: "the answer broke off: \(error)")
        }
        guard answer.status == 200 else {
            let text = answer.text.split(separator: "\n").first.map { ": \($0.prefix(300))" } ?? ""
            return .failed(item, reason: "\(answer.status)\(text)")
        }
        guard case .query(let path, _) = item else { return .held(item, bytes: answer.size) }
        guard let info = try? JSONDecoder().decode(VersionInfo.self, from: Data(answer.body)),
            let version = try? ModuleVersion(info.version)
        else {
            return .failed(item, reason: "the answer names no version")
        }
        return .resolved(ModuleIdentity(path: path, version: version))
    }
}

/// The part of a `.info` answer that names the version (https://go.dev/ref/mod, "GOPROXY protocol").
private struct VersionInfo: Decodable {
    var version: String

    private enum CodingKeys: String, CodingKey { case version = "Version" }
}
