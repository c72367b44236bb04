import Foundation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Real nodes with real clients in network namespaces of their own (scripts/measure-cluster.sh).
@Suite(
    .serialized, .timeLimit(.minutes(20)),
    .enabled(if: geteuid() == 0, "network namespaces need root"))
struct ClusterTests {
    @Test("four nodes that want one blob fetch it from upstream once, even if the fetching one is killed")
    func crowd() async throws { try await run(["-n", "60000000", "crowd", "late", "kill"]) }

    @Test("lost datagrams cost no second fetch")
    func loss() async throws { try await run(["-n", "60000000", "loss"]) }

    @Test("a node gives what peers hold without upstream, what it holds without peers, and heals by itself")
    func cuts() async throws { try await run(["cuts"]) }

    @Test("killing two of five nodes again and again breaks no pull that another node can finish")
    func churn() async throws { try await run(["-s", isSoak ? "600" : "40", "churn"]) }

    @Test("strangers, revoked nodes and floods get nothing and stop nothing")
    func strangers() async throws { try await run(["strangers"]) }

    @Test("doctor finds what is lost, and in which direction")
    func doctor() async throws { try await run(["doctor"]) }

    @Test(
        "what a client's credentials opened on one node is given on others as there, and from there by role only"
    )
    func privateContent() async throws { try await run(["private"]) }

    @Test("a member that lies or stalls at any step costs no pull and no tag, and is named")
    func liars() async throws { try await run(["liars"]) }

    @Test("nodes whose clocks are a year off are members as all others, and doctor says whose they are")
    func skew() async throws { try await run(["skew"]) }

    @Test("a member of a later version is one as all others, and who has no version in common is refused")
    func laterVersion() async throws { try await run(["later"]) }

    @Test("twenty nodes with nothing to do keep each other", .enabled(if: isSoak))
    func idle() async throws { try await run(["-s", "300", "idle"]) }
}

/// Are the long runs wanted too?
private let isSoak = ProcessInfo.processInfo.environment["EDGENODE_SOAK"] == "1"

/// Runs scenarios with the binary that was built together with these tests. What the script reports as failed fails the
/// test; it cleans up after itself, also when its time is over.
private func run(_ words: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    let script = Process()
    script.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
    script.arguments = ["--kill-after", "20", "1100", "scripts/measure-cluster.sh"] + words
    script.currentDirectoryURL = root
    // The build put the node beside these tests.
    let node = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("edgenode").path
    script.environment = ProcessInfo.processInfo.environment.merging(["EDGENODE": node]) { $1 }
    let output = Pipe()
    script.standardOutput = output
    script.standardError = output
    let text: String = try await withCheckedThrowingContinuation { continuation in
        Thread {
            continuation.resume(
                with: Result {
                    try script.run()
                    let bytes = output.fileHandleForReading.readDataToEndOfFile()
                    script.waitUntilExit()
                    return String(decoding: bytes, as: UTF8.self)
                })
        }.start()
    }
    print(text)
    #expect(
        script.terminationStatus == 0, "measure-cluster.sh \(words.joined(separator: " ")): \(text)",
        sourceLocation: sourceLocation)
}
