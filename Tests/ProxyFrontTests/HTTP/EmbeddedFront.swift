import Foundation
import NIOCore
import NIOEmbedded
import NIOPosix
import ProxyFront

/// A connection on a channel without a socket, whose clock stands still until it is moved.
struct EmbeddedFront {
    let channel: EmbeddedChannel
    let metrics: Metrics
    private let disk = NIOThreadPool(numberOfThreads: 1)

    init(
        _ responder: any Responder, limits: FrontLimits = FrontLimits(),
        timeouts: FrontTimeouts = FrontTimeouts(), metrics: Metrics = Metrics(),
        accessLog: (@Sendable (AccessRecord) -> Void)? = nil
    ) throws {
        self.metrics = metrics
        let front = FrontContext(
            responder: responder, limits: limits, timeouts: timeouts, metrics: metrics, accessLog: accessLog,
            disk: disk)
        let loop = EmbeddedEventLoop()
        channel = EmbeddedChannel(loop: loop)
        try channel.setOption(.allowRemoteHalfClosure, value: true).wait()
        let state = LoopState(eventLoop: loop, index: 0, resolution: .milliseconds(100))
        try channel.pipeline.syncOperations.addHandler(Connection(front: front, loop: state, tls: nil))
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
    }

    /// Sends bytes and gives what came back.
    func exchange(_ text: String) throws -> String {
        // A connection that was closed before takes no more; the test looks at what came back.
        _ = try? channel.writeInbound(ByteBuffer(string: text))
        return try output()
    }

    /// What was written since the last look.
    func output() throws -> String {
        var text = ""
        while let data = try channel.readOutbound(as: IOData.self) {
            switch data {
            case .byteBuffer(let buffer): text += String(buffer: buffer)
            case .fileRegion: text += "<file>"
            }
        }
        return text
    }

    func advance(_ seconds: Int64) {
        channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
    }

    var isOpen: Bool { channel.isActive }
}

/// An answer taken apart.
struct ParsedAnswer {
    var status: Int
    var headers: [(String, String)]
    var body: String

    init?(_ text: String) {
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        guard let first = lines.first?.split(separator: " ", maxSplits: 2), first.count >= 2,
            first[0] == "HTTP/1.1", let status = Int(first[1])
        else { return nil }
        self.status = status
        headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            return (parts[0].lowercased(), parts.count > 1 ? String(parts[1].dropFirst()) : "")
        }
        body = String(text[end.upperBound...])
    }

    subscript(name: String) -> String? { headers.first { $0.0 == name }?.1 }
}
