import Content
import Foundation
import Gossip
import Logging

/// Members that are no edgenode, for scripts/cluster: one that lies, and one of a later version.
@main
struct LyingNode {
    static func main() async {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        do { try await run(Array(CommandLine.arguments.dropFirst())) } catch {
            print("\(error)")
            exit(1)
        }
    }

    private static func run(_ words: [String]) async throws {
        guard words.count >= 4, let endpoint = Endpoint(parsing: words[2]) else { return usage() }
        let joined = try JoinedFolder(words[1])
        var logger = Logger(label: words[0])
        logger.logLevel = .notice
        let ends = ending()
        switch (words[0], words.count) {
        case ("liar", 5):
            let liar = try await LyingMember(
                joined, at: endpoint, folder: words[3], plan: words[4], logger: logger)
            print("lies")
            await ends()
            await liar.member.stop()
        case ("later", 7):
            guard let low = UInt8(words[3]), let high = UInt8(words[4]), low <= high else { return usage() }
            let held = HeldBody(
                try Digest(parsing: "sha256:" + words[5].suffix(64)),
                Array(try Data(contentsOf: URL(fileURLWithPath: words[5]))))
            let later = try await LaterMember(
                joined, at: endpoint, protocols: low...high, held: held, logger: logger)
            let asked = try Digest(parsing: "sha256:" + words[6])
            await ends()
            for peer in later.member.gossip.members where peer.state == .alive {
                let questions = LaterQuestions(
                    credentials: joined.credentials, card: later.member.gossip.card, peer: peer)
                let troubles = try questions.ask(for: asked)
                print("\(peer.endpoint): \(troubles.isEmpty ? "well" : troubles.joined(separator: "; "))")
            }
            await later.member.stop()
        default: usage()
        }
    }

    /// Waits for the signal to end.
    private static func ending() -> () async -> Void {
        signal(SIGTERM, SIG_IGN)
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM)
        source.setEventHandler { continuation.yield() }
        source.resume()
        return {
            for await _ in signals { break }
            source.cancel()
        }
    }

    private static func usage() {
        print(
            """
            usage: LyingNode liar DATA_FOLDER ADDRESS:PORT BLOBS PLAN
                   LyingNode later DATA_FOLDER ADDRESS:PORT LOWEST HIGHEST HELD_BLOB ASKED_DIGEST
            The data folder has joined a cluster. When the signal TERM comes, they leave; the later one has asked
            every member before what only a later version asks, and says how that went.
            """)
        exit(2)
    }
}
