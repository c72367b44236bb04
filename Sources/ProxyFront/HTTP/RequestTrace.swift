import NIOCore

/// What the parser makes of a whole connection's bytes: for comparing two ways of cutting the same bytes.
package struct RequestTrace: Equatable, Sendable {
    package var heads: [RequestHead] = []
    /// The body of each head that has one, as far as it came.
    package var bodies: [[UInt8]] = []
    /// How many bodies were complete.
    package var ends = 0
    package var rejection: RequestRejection?
    /// Bytes left over, waiting for more.
    package var unread = 0

    /// Feeds `bytes` in pieces that end at `cuts`; cuts out of range or out of order are passed over.
    package init(
        _ bytes: some Collection<UInt8>, cuts: some Sequence<Int> = [],
        limits: RequestParser.Limits = RequestParser.Limits()
    ) {
        var parser = RequestParser(limits: limits)
        var buffer = ByteBuffer()
        var rest = bytes[...]
        var position = 0
        for cut in Array(cuts) + [bytes.count] where cut >= position && cut <= bytes.count {
            buffer.writeBytes(rest.prefix(cut - position))
            rest = rest.dropFirst(cut - position)
            position = cut
            do throws(RequestRejection) {
                while let event = try parser.next(&buffer) { take(event) }
            } catch {
                rejection = error
                return
            }
        }
        unread = buffer.readableBytes
    }

    private mutating func take(_ event: RequestParser.Event) {
        switch event {
        case .head(let head):
            heads.append(head)
            if head.body != .none { bodies.append([]) }
        case .body(let part): bodies[bodies.count - 1].append(contentsOf: part.readableBytesView)
        case .end: ends += 1
        }
    }
}
