/// Runs a check on an input and stops the process when it does not hold, which is how libFuzzer learns of it.
public enum WireTarget {
    public enum Kind: String { case datagram, record, inventory, exchange }

    public static func run(_ kind: Kind, _ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        guard let check = WireCheck(rawValue: kind.rawValue) else { fatalError("there is no check \(kind)") }
        do {
            try check.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
        } catch {
            fatalError("\(error)")
        }
        return 0
    }
}
