import NIOCore

/// What a fuzzer drives: everything between a client's bytes and an answer's head, without sockets.
public enum FrontFuzz {
    /// Traps when what the parser says depends on where the bytes were cut, or when a head that was
    /// accepted cannot be answered.
    public static func run(_ bytes: UnsafeRawBufferPointer) {
        let input = [UInt8](bytes)
        let whole = RequestTrace(input)
        let step = input.reduce(0) { $0 + Int($1) } % 61 + 1
        let cut = RequestTrace(input, cuts: stride(from: step, to: input.count, by: step))
        precondition(whole == cut, "the parser says the same wherever its input is cut")
        var small = RequestParser.Limits()
        (small.requestLine, small.headerBytes, small.headerLines, small.body) = (64, 128, 4, 32)
        let bounded = RequestTrace(input, limits: small)
        let boundedCut = RequestTrace(
            input, cuts: stride(from: step, to: input.count, by: step), limits: small)
        precondition(bounded == boundedCut, "limits hold the same wherever the input is cut")
        for head in whole.heads { answer(head) }
    }

    private static func answer(_ head: RequestHead) {
        var response = Response(
            status: .ok,
            headers: [
                "ETag": "\"a\"", "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
                "Content-Type": "text/plain",
            ], body: .array([UInt8](repeating: 0x61, count: 100)))
        // What a client sent may come back in a header, for one in a redirect.
        response.headers["Location"] = head.target
        for (name, value) in head.headers { response.headers.add(name, value) }
        let outgoing = Outgoing(response, for: Exchange(head), boundary: "boundary")
        var buffer = ByteBuffer()
        HeadWriter.write(outgoing, date: [], closes: !head.keepAlive, body: nil, into: &buffer)
        let text = buffer.readableBytesView
        precondition(text.suffix(4).elementsEqual("\r\n\r\n".utf8), "a head ends with an empty line")
        if case .length(let length) = outgoing.framing, case .parts(let parts) = outgoing.payload {
            precondition(
                parts.reduce(0) { $0 + $1.count } == length, "a multipart body is as long as it says")
        }
    }
}
