import EdgeNode
import Foundation
import NIOCore
import ProxyFront
import Synchronization
import Testing

@Suite("The administration of a running node")
struct AdminResponderTests {
    static let token = RunFile.newToken()
    static let calls = [
        "pins", "pin", "unpin", "verify", "gc", "import", "export-plan", "export", "inventory",
    ]

    private let store = RecordingAdministration()
    private let audit = RecordingAudit()

    private var responder: AdminResponder {
        AdminResponder(administration: store, token: Self.token, audit: audit)
    }

    private func request(
        _ call: String, method: HTTPMethod = .post, token: String? = Self.token, isLoopback: Bool = true,
        body: String = #"{"pattern":"go/example.com/m@*"}"#
    ) -> Request {
        var headers: Headers = [:]
        if let token { headers["Authorization"] = "Bearer \(token)" }
        return Request(
            method: method, target: "/api/v1/admin/\(call)", headers: headers, body: ByteBuffer(string: body),
            remoteAddress: try? SocketAddress(ipAddress: "127.0.0.1", port: 5), isLoopback: isLoopback)
    }

    private func answer(_ request: Request) async -> Response {
        switch responder.respond(to: request) {
        case .now(let response): response
        case .later(let work): await work()
        }
    }

    /// The lines of an answer.
    private func lines(_ response: Response) async throws -> [String] {
        var bytes: [UInt8] = []
        switch response.body {
        case .array(let array): bytes = array
        case .stream(_, let producer):
            while let part = try await producer.next() {
                if case .bytes(let buffer) = part { bytes += buffer.readableBytesView }
            }
        default: Issue.record("an answer of another kind")
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test("is refused to other machines, other methods and those without the token", arguments: calls)
    func access(call: String) async {
        #expect(await answer(request(call, isLoopback: false)).status.code == 403)
        for method in [HTTPMethod.get, .head, .put, .options] {
            #expect(await answer(request(call, method: method)).status.code == 405)
        }
        for token in [nil, "", String(Self.token.dropLast()), RunFile.newToken()] {
            #expect(await answer(request(call, token: token)).status.code == 401)
        }
        #expect(store.calls.isEmpty)
        #expect(audit.events.isEmpty)
    }

    @Test("pins, unpins and lists, and leaves a line in the audit log")
    func pins() async throws {
        #expect(await answer(request("pin")).status.code == 200)
        #expect(try await lines(answer(request("pins"))) == [#"{"pins":["go\/example.com\/m@*"]}"#])
        #expect(try await lines(answer(request("unpin"))) == [#"{"changed":true}"#])
        #expect(try await lines(answer(request("unpin"))) == [#"{"changed":false}"#])
        #expect(audit.events.map(\.action) == [.pin, .unpin])
        #expect(audit.events.map(\.client) == ["127.0.0.1", "127.0.0.1"])
    }

    @Test(
        "refuses what is no pattern",
        arguments: ["", "{}", "[]", #"{"pattern":""}"#, #"{"pattern":5}"#, #"{"pattern":"a\u0000b"}"#])
    func badPattern(body: String) async {
        #expect(await answer(request("pin", body: body)).status.code == 400)
        #expect(store.calls.isEmpty)
    }

    @Test("tells the progress of long work and then its result")
    func work() async throws {
        let lines = try await lines(answer(request("verify")))
        #expect(lines.count == 3)
        #expect(lines[0].contains(#""done":1"#))
        #expect(lines[2].contains(#""verified""#))
        #expect(try await self.lines(answer(request("gc")))[0].contains(#""freedBytes":7"#))
    }

    @Test("imports and exports what it is told to, and refuses what is no such request")
    func transfers() async throws {
        let importing = try await lines(
            answer(request("import", body: #"{"path":"/x","isPublic":true,"trusted":[]}"#)))
        #expect(importing.count == 2)
        #expect(importing[1].contains(#""source":"a bundle""#))
        let asked =
            #"{"images":["a"],"modules":["m@v1.0.0"],"modFiles":[],"platforms":[],"includesPrivate":false,"isIncomplete":false}"#
        #expect(try await lines(answer(request("export-plan", body: asked)))[0].contains("nothing is held"))
        let export = await answer(request("export", body: asked))
        guard case .stream(5, _) = export.body else { throw CocoaError(.fileReadUnknown) }
        #expect(try await lines(export) == ["hello"])
        #expect(try await lines(answer(request("inventory"))) == ["edgenode inventory 1", "end 0"])
        #expect(store.calls == ["import /x", "export-plan [\"a\"]", "export [\"m@v1.0.0\"]", "inventory"])
        for call in ["import", "export-plan", "export"] {
            for body in ["", "{}", "[]"] {
                #expect(await answer(request(call, body: body)).status.code == 400)
            }
        }
        store.fails.withLock { $0 = true }
        #expect(await answer(request("export", body: asked)).status.code == 500)
    }

    @Test("says why it failed, and knows what it does not know")
    func failure() async throws {
        store.fails.withLock { $0 = true }
        #expect(try await lines(answer(request("gc"))) == [#"{"error":"the disk is on fire"}"#])
        #expect(await answer(request("pin")).status.code == 500)
        #expect(audit.events.isEmpty)
        #expect(await answer(request("format")).status.code == 404)
    }
}

private final class RecordingAudit: AuditLog {
    private let list = Mutex<[AuditEvent]>([])
    var events: [AuditEvent] { list.withLock { $0 } }
    func record(_ event: AuditEvent) { list.withLock { $0.append(event) } }
}

private final class RecordingAdministration: StoreAdministration {
    struct Fire: Error, CustomStringConvertible {
        var description: String { "the disk is on fire" }
    }

    let fails = Mutex(false)
    private let state = Mutex((calls: [String](), pins: [String]()))
    var calls: [String] { state.withLock { $0.calls } }

    private func note(_ call: String) throws {
        state.withLock { $0.calls.append(call) }
        if fails.withLock({ $0 }) { throw Fire() }
    }

    func pin(_ pattern: String) async throws {
        try note("pin")
        state.withLock { $0.pins.append(pattern) }
    }

    func unpin(_ pattern: String) async throws -> Bool {
        try note("unpin")
        return state.withLock { state in
            defer { state.pins.removeAll { $0 == pattern } }
            return state.pins.contains(pattern)
        }
    }

    func pins() async throws -> [String] {
        try note("pins")
        return state.withLock { $0.pins }
    }

    func verify(_ progress: @escaping @Sendable (WorkProgress) -> Void) async throws -> VerifySummary {
        try note("verify")
        for done in 1...2 { progress(WorkProgress(done: done, total: 2, bytes: 10)) }
        return VerifySummary(objects: 2, bytes: 10, damaged: [], isComplete: true)
    }

    func importing(
        _ request: ImportRequest, _ progress: @escaping @Sendable (WorkProgress) -> Void
    ) async throws -> ImportSummary {
        try note("import \(request.path)")
        progress(WorkProgress(done: 1, total: 2, bytes: 10))
        var summary = ImportSummary()
        summary.source = "a bundle"
        return summary
    }

    func planExport(_ request: ExportRequest) async throws -> ExportSummary {
        try note("export-plan \(request.images)")
        var summary = ExportSummary()
        summary.refused = ["nothing is held"]
        return summary
    }

    func export(_ request: ExportRequest) async throws -> (byteCount: Int64, body: any BodyProducer) {
        try note("export \(request.modules)")
        return (5, Words(["hel", "lo"]))
    }

    func inventory() async throws -> any BodyProducer {
        try note("inventory")
        return Words(["edgenode inventory 1\n", "end 0\n"])
    }

    func collect() async throws -> CollectSummary {
        try note("collect")
        return CollectSummary(freedBytes: 7, storeBytes: 8, objects: 9)
    }
}

/// A body of some words.
private final class Words: BodyProducer {
    private let words: Mutex<[String]>
    init(_ words: [String]) { self.words = Mutex(words) }

    func next() async throws -> BodyPart? {
        words.withLock { $0.isEmpty ? nil : .bytes(ByteBuffer(string: $0.removeFirst())) }
    }

    func cancelled() {}
}
