package import Content

package import struct FoundationEssentials.Date

/// What a node finds when it tries the ways to another one (docs/wire-formats.md, "Calls").
package struct PeerTrial: Hashable, Codable, Sendable {
    /// Until the answer to a datagram, of the usual size and of the largest one; nil = none came.
    package var datagram: Duration?
    package var largestDatagram: Duration?
    /// What a new connection, its handshake and one call took; nil = `streamFailure` says why there is none.
    package var stream: Duration?
    package var streamFailure = ""
    /// Since the last datagram from there, when the trial was asked for; nil = none came yet.
    package var silence: Duration?
    /// What the clock of the node that tries says.
    package var clock: Date

    package init(
        datagram: Duration? = nil, largestDatagram: Duration? = nil, stream: Duration? = nil,
        streamFailure: String = "", silence: Duration? = nil, clock: Date
    ) {
        self.datagram = datagram
        self.largestDatagram = largestDatagram
        self.stream = stream
        self.streamFailure = streamFailure
        self.silence = silence
        self.clock = clock
    }

    package var encoded: [UInt8] {
        var writer = WireWriter()
        for span in [datagram, largestDatagram, stream, silence] { writer.write(Self.microseconds(span)) }
        writer.writeText(String(streamFailure.prefix(400)))
        writer.write(clock.seconds)
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        datagram = Self.span(try reader.read())
        largestDatagram = Self.span(try reader.read())
        stream = Self.span(try reader.read())
        silence = Self.span(try reader.read())
        // It is shown on a terminal.
        let text = try reader.readText(limit: 2000).unicodeScalars.map { scalar in
            scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                ? "?" : scalar
        }
        streamFailure = String(String.UnicodeScalarView(text))
        clock = Date(seconds: try reader.read())
    }

    private static func microseconds(_ span: Duration?) -> UInt64 {
        span.map { UInt64(max(0, min($0 / .microseconds(1), 1e15))) } ?? .max
    }

    private static func span(_ microseconds: UInt64) -> Duration? {
        microseconds == .max ? nil : .microseconds(Int64(min(microseconds, 1_000_000_000_000_000)))
    }
}
