/// A property that held for every input so far does not hold for this one.
struct WireViolation: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }

    static func check(_ holds: Bool, _ description: @autoclosure () -> String) throws(WireViolation) {
        if !holds { throw WireViolation(description()) }
    }
}

/// What must hold for any bytes whatever that another node sends: the fuzzers look for bytes for which it does not,
/// and the tests replay what they found worth keeping.
enum WireCheck: String, CaseIterable {
    case datagram
    case record
    case inventory
    case exchange

    func run(_ bytes: [UInt8]) throws(WireViolation) {
        switch self {
        case .datagram: try checkDatagram(bytes)
        case .record: try checkRecord(bytes)
        case .inventory: try checkInventory(bytes)
        case .exchange: try checkExchange(bytes)
        }
    }
}
