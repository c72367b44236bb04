import ProxyFront

/// A property that held for every input so far does not hold for this one.
struct FuzzViolation: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }

    static func check(_ holds: Bool, _ description: @autoclosure () -> String) throws(FuzzViolation) {
        if !holds { throw FuzzViolation(description()) }
    }
}

/// What must hold for any bytes whatever: the fuzzers look for bytes for which it does not, and the tests
/// replay what they found worth keeping.
enum FuzzCheck: String, CaseIterable {
    case zip
    case path
    case note
    case tile

    func run(_ bytes: [UInt8]) throws(FuzzViolation) {
        switch self {
        case .zip: try checkZip(bytes)
        case .path: try checkPath(bytes)
        case .note: try checkNote(bytes)
        case .tile: try checkTile(bytes)
        }
    }
}
