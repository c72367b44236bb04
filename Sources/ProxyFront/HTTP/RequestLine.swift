import Content

/// The first line of a request (RFC 9112 section 3), as a strict reading of the bytes between two CRLF.
struct RequestLine: Equatable {
    var method: HTTPMethod
    var target: String
    var query: String?
    var minorVersion: Int

    private static let longestMethod = 32

    init(parsing line: UnsafeRawBufferPointer) throws(RequestRejection) {
        guard let methodEnd = ByteSearch.first(0x20, in: line), (1...Self.longestMethod).contains(methodEnd),
            line[..<methodEnd].allSatisfy(ByteClass.isToken)
        else { throw .malformed("The request line must start with a method and one space.") }
        let afterMethod = UnsafeRawBufferPointer(rebasing: line[(methodEnd + 1)...])
        guard let targetEnd = ByteSearch.first(0x20, in: afterMethod), targetEnd > 0 else {
            throw .malformed(
                "The request line must be: method, target, HTTP version, one space between each.")
        }
        let version = UnsafeRawBufferPointer(rebasing: afterMethod[(targetEnd + 1)...])
        let token = UnsafeRawBufferPointer(rebasing: line[..<methodEnd])
        minorVersion = try Self.minorVersion(version, method: token)
        method = HTTPMethod(token: token)
        if method == .other, ByteSearch.equal(token, "CONNECT") {
            throw RequestRejection(
                405, .proxying, "CONNECT is not served: this node mirrors, it is no forward proxy.")
        }
        let bytes = UnsafeRawBufferPointer(rebasing: afterMethod[..<targetEnd])
        try Self.check(target: bytes, method: method)
        if let mark = ByteSearch.first(UInt8(ascii: "?"), in: bytes) {
            target = String(decoding: bytes[..<mark], as: UTF8.self)
            query = String(decoding: bytes[(mark + 1)...], as: UTF8.self)
        } else {
            target = String(decoding: bytes, as: UTF8.self)
            query = nil
        }
    }

    private static func minorVersion(
        _ version: UnsafeRawBufferPointer, method: UnsafeRawBufferPointer
    ) throws(RequestRejection) -> Int {
        guard version.count == 8, ByteSearch.starts(version, with: "HTTP/"), version[6] == UInt8(ascii: "."),
            ByteClass.isDigit(version[5]), ByteClass.isDigit(version[7])
        else { throw .malformed("The request line must end in HTTP/1.1 or HTTP/1.0.") }
        guard version[5] == UInt8(ascii: "1") else {
            let advice =
                ByteSearch.equal(method, "PRI")
                ? "HTTP/2 is not spoken here: use HTTP/1.1." : "Only HTTP/1.1 and HTTP/1.0 are spoken here."
            throw RequestRejection(505, .unsupported, advice)
        }
        return version[7] == UInt8(ascii: "0") ? 0 : 1
    }

    private static func check(
        target: UnsafeRawBufferPointer, method: HTTPMethod
    ) throws(RequestRejection) {
        if target[0] == UInt8(ascii: "*") {
            guard target.count == 1, method == .options else {
                throw .malformed("The target * goes with OPTIONS only.")
            }
            return
        }
        guard target[0] == UInt8(ascii: "/") else {
            if target.contains(UInt8(ascii: ":")) {
                throw RequestRejection(
                    400, .proxying, "The target must be a path: this node mirrors, it is no forward proxy.")
            }
            throw .malformed("The target must be a path that starts with /.")
        }
        guard ASCIIText.isTarget(target) else {
            throw .malformed("The target holds a byte that must be percent-encoded.")
        }
        var from = 0
        while let percent = ByteSearch.first(UInt8(ascii: "%"), in: target, from: from) {
            guard percent + 2 < target.count, ByteClass.hexValue(target[percent + 1]) != nil,
                ByteClass.hexValue(target[percent + 2]) != nil
            else { throw .malformed("The target holds a % that two hexadecimal digits do not follow.") }
            from = percent + 3
        }
    }
}
