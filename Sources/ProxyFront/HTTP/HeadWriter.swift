import NIOCore

/// Writes the head of an answer, and a small body behind it, in one go: one buffer, one `write`.
enum HeadWriter {
    /// `date` is a whole line, CRLF included; `body` follows the head at once.
    static func write(
        _ outgoing: Outgoing, date: [UInt8], closes: Bool, body: UnsafeRawBufferPointer?,
        into buffer: inout ByteBuffer
    ) {
        let room =
            fixedRoom + outgoing.status.reason.utf8.count + outgoing.headers.wire.count + date.count
            + (body?.count ?? 0)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { target in
            var cursor = Cursor(target: target)
            statusLine(outgoing.status, &cursor)
            outgoing.headers.wire.withUnsafeBytes { cursor.put($0) }
            if !outgoing.headers.known.contains(.date) { date.withUnsafeBytes { cursor.put($0) } }
            switch outgoing.framing {
            case .none, .untilClose: break
            case .length(let length):
                cursor.put("Content-Length: ")
                cursor.put(length)
                cursor.put("\r\n")
            case .chunked: cursor.put("Transfer-Encoding: chunked\r\n")
            }
            if outgoing.acceptsRanges { cursor.put("Accept-Ranges: bytes\r\n") }
            if let range = outgoing.contentRange { contentRange(range, &cursor) }
            cursor.put(closes ? "Connection: close\r\n\r\n" : "\r\n")
            if let body { cursor.put(body) }
            return cursor.count
        }
    }

    /// Enough for everything that has no length of its own: the longest of each line above.
    private static let fixedRoom = 256

    private static func statusLine(_ status: Status, _ cursor: inout Cursor) {
        if status.code == 200 {
            cursor.put("HTTP/1.1 200 OK\r\n")
            return
        }
        cursor.put("HTTP/1.1 ")
        cursor.put(Int64(status.code))
        cursor.put(" ")
        cursor.put(status.reason)
        cursor.put("\r\n")
    }

    private static func contentRange(_ range: Outgoing.ContentRange, _ cursor: inout Cursor) {
        cursor.put("Content-Range: bytes ")
        switch range {
        case .satisfied(let range, let length):
            cursor.put(range.lowerBound)
            cursor.put("-")
            cursor.put(range.upperBound - 1)
            cursor.put("/")
            cursor.put(length)
        case .unsatisfied(let length):
            cursor.put("*/")
            cursor.put(length)
        }
        cursor.put("\r\n")
    }

    /// A place in raw memory that moves on as it is written; `write` above gives it the room.
    private struct Cursor {
        let target: UnsafeMutableRawBufferPointer
        var count = 0

        init(target: UnsafeMutableRawBufferPointer) { self.target = target }

        @inline(__always)
        mutating func put(_ bytes: UnsafeRawBufferPointer) {
            guard let source = bytes.baseAddress, !bytes.isEmpty else { return }
            precondition(bytes.count <= target.count - count, "the head fits the room made for it")
            UnsafeMutableRawBufferPointer(rebasing: target[count...]).copyMemory(
                from: UnsafeRawBufferPointer(start: source, count: bytes.count))
            count += bytes.count
        }

        @inline(__always)
        mutating func put(_ text: StaticString) {
            put(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        }

        @_disfavoredOverload
        mutating func put(_ text: String) {
            var text = text
            text.withUTF8 { put(UnsafeRawBufferPointer($0)) }
        }

        /// Decimal digits; `number` is not negative.
        mutating func put(_ number: Int64) {
            precondition(target.count - count >= 20, "the head fits the room made for it")
            var rest = UInt64(number)
            var digits = 1
            var power: UInt64 = 10
            while digits < 20, rest >= power {
                digits += 1
                power = power.multipliedReportingOverflow(by: 10).partialValue
            }
            var place = count + digits
            repeat {
                place -= 1
                target[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while place > count
            count += digits
        }
    }
}
