/// The header names that the server itself acts on, as a set of bits: whether a request asks for a range or
/// a response brings its own framing is answered without walking its headers.
struct KnownFields: OptionSet, Sendable {
    let rawValue: UInt32

    static let host = KnownFields(rawValue: 1 << 0)
    static let contentLength = KnownFields(rawValue: 1 << 1)
    static let transferEncoding = KnownFields(rawValue: 1 << 2)
    static let connection = KnownFields(rawValue: 1 << 3)
    static let expect = KnownFields(rawValue: 1 << 4)
    static let range = KnownFields(rawValue: 1 << 5)
    static let ifRange = KnownFields(rawValue: 1 << 6)
    static let ifMatch = KnownFields(rawValue: 1 << 7)
    static let ifNoneMatch = KnownFields(rawValue: 1 << 8)
    static let ifModifiedSince = KnownFields(rawValue: 1 << 9)
    static let ifUnmodifiedSince = KnownFields(rawValue: 1 << 10)
    static let date = KnownFields(rawValue: 1 << 11)
    static let acceptRanges = KnownFields(rawValue: 1 << 12)

    /// Fields that only the server itself may put into an answer.
    static let framing: KnownFields = [.contentLength, .transferEncoding, .connection]
    /// Request fields that may turn a 200 into 304 or 412.
    static let conditions: KnownFields = [.ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince]

    /// The bit of a field name, or none.
    init(name: some Collection<UInt8>) {
        func named(_ lower: StaticString) -> Bool {
            name.elementsEqual(UnsafeBufferPointer(start: lower.utf8Start, count: lower.utf8CodeUnitCount)) {
                ByteClass.lowercased($0) == $1
            }
        }
        switch name.count {
        case 4: self = named("host") ? .host : named("date") ? .date : []
        case 5: self = named("range") ? .range : []
        case 6: self = named("expect") ? .expect : []
        case 8: self = named("if-range") ? .ifRange : named("if-match") ? .ifMatch : []
        case 10: self = named("connection") ? .connection : []
        case 13: self = named("if-none-match") ? .ifNoneMatch : named("accept-ranges") ? .acceptRanges : []
        case 14: self = named("content-length") ? .contentLength : []
        case 17:
            self =
                named("transfer-encoding")
                ? .transferEncoding : named("if-modified-since") ? .ifModifiedSince : []
        case 19: self = named("if-unmodified-since") ? .ifUnmodifiedSince : []
        default: self = []
        }
    }

    init(rawValue: UInt32) { self.rawValue = rawValue }
}
