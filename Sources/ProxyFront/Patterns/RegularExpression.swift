import Synchronization

/// A regular expression that must match a whole text.
final class RegularExpression: Sendable {
    /// The longest expression accepted, in bytes.
    static let maximumByteCount = 512

    // `Regex` is not Sendable because it may carry closures; behind a lock it may be shared all the same.
    private let regex: Mutex<Regex<AnyRegexOutput>>

    init(_ text: some StringProtocol) throws(PatternSyntaxError) {
        guard !text.isEmpty else { throw PatternSyntaxError("it is empty") }
        guard text.utf8.count <= Self.maximumByteCount else {
            throw PatternSyntaxError("it is longer than \(Self.maximumByteCount) bytes")
        }
        do {
            regex = Mutex(try Regex(String(text)))
        } catch {
            throw PatternSyntaxError("\(error)")
        }
    }

    func matches(_ text: String) -> Bool {
        regex.withLock { regex in
            // An expression that gives up (only custom code inside one can) has not matched.
            (try? regex.wholeMatch(in: text)) != nil
        }
    }
}
