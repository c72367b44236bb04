import NIOCore
import ProxyFront

/// Runs a piece of work and gives its lines of progress, and its result last, as a body.
struct AdminWork: BodyProducer {
    typealias Work =
        @Sendable (@escaping @Sendable (WorkProgress) -> Void) async throws -> AdminProtocol.Line

    private let lines: AsyncStream<AdminProtocol.Line>
    private let task: Task<Void, Never>

    init(_ work: @escaping Work) {
        // A caller that reads slowly loses older progress, never the result.
        let (lines, continuation) = AsyncStream<AdminProtocol.Line>.makeStream(
            bufferingPolicy: .bufferingNewest(16))
        self.lines = lines
        task = Task {
            do {
                continuation.yield(try await work { continuation.yield(AdminProtocol.Line(progress: $0)) })
            } catch {
                continuation.yield(AdminProtocol.Line(error: "\(error)"))
            }
            continuation.finish()
        }
    }

    func next() async throws -> BodyPart? {
        var iterator = lines.makeAsyncIterator()
        guard let line = await iterator.next() else { return nil }
        return .bytes(ByteBuffer(bytes: try AdminProtocol.encode(line)))
    }

    func cancelled() { task.cancel() }
}
