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
        case graph(GoModFile, whole: Bool, bytes: Int64)
        case resolved(ModuleIdentity)
        case failed(WarmList.Item, reason: String)
    }

    /// - Throws: `NodeClient.Unreachable` when the node is not there, at the first request that finds it so.
    func run(_ list: WarmList) async throws -> Summary {
        var summary = Summary()
        var list = list
        var waiting = Array(list.takeItems().reversed())
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
                case .graph(let file, let whole, let bytes):
                    summary.files += 1
                    summary.bytes += bytes
                    list.addGraph(of: file, whole: whole)
                case .resolved(let module):
                    total -= 1
                    list.add(module)
                case .failed(let item, let reason):
                    summary.failures.append("\(item): \(reason)")
                    progress.complain("edgenode: \(item): \(reason)")
                }
                let found = list.takeItems()
                total += found.count
                waiting.append(contentsOf: found.reversed())
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
            answer = try await client.get(item.target, keeping: 16 << 20, timeout: .minutes(30))
        } catch let error as NodeClient.Unreachable {
            throw error
        } catch {
            return .failed(item, reason: "the answer broke off: \(error)")
        }
        guard answer.status == 200 else {
            let text = answer.text.split(separator: "\n").first.map { ": \($0.prefix(300))" } ?? ""
            return .failed(item, reason: "\(answer.status)\(text)")
        }
        let path: ModulePath
        switch item {
        case .file: return .held(item, bytes: answer.size)
        case .graph(_, let whole):
            guard let file = try? GoModFile(parsing: answer.text) else {
                return .held(item, bytes: answer.size)
            }
            return .graph(file, whole: whole, bytes: answer.size)
        case .query(let asked, _): path = asked
        }
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
