/// A `Range` header of unit bytes (RFC 9110 section 14.1.2), parsed but not yet applied to a length.
public struct RangeRequest: Sendable, Hashable {
    public enum Spec: Sendable, Hashable {
        /// `a-b` and `a-`; `last` is inclusive.
        case from(Int64, last: Int64?)
        /// `-n`: the last n bytes.
        case suffix(Int64)
    }

    /// What a range request means for a body of a known length.
    public enum Resolution: Sendable, Hashable {
        /// The header is better ignored: answer 200 with all of it.
        case whole
        /// At least one, none empty, each inside the body, in the order asked for: 206.
        case ranges([Range<Int64>])
        /// None of the ranges touches the body: 416.
        case unsatisfiable
    }

    /// Real clients that ask for many ranges at once ask for some hundreds.
    static let maximumRanges = 1024

    public let specs: [Spec]

    /// Nil when the header must be ignored: another unit, bad syntax, or more than 1,024 ranges.
    public init?(_ header: String) {
        let text = header.utf8
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")),
            text[..<equals].elementsEqual("bytes".utf8, by: { ByteClass.lowercased($0) == $1 })
        else { return nil }
        var specs: [Spec] = []
        let list = text[text.index(after: equals)...]
        for item in list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
            let spec = item.trimming(while: ByteClass.isWhitespace)
            if spec.isEmpty { continue }
            guard specs.count < Self.maximumRanges, let parsed = Self.parse(spec) else { return nil }
            specs.append(parsed)
        }
        guard !specs.isEmpty else { return nil }
        self.specs = specs
    }

    private static func parse(_ spec: Substring.UTF8View) -> Spec? {
        guard let dash = spec.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let first = spec[..<dash]
        let last = spec[spec.index(after: dash)...]
        if first.isEmpty { return DecimalNumber.parse(last, saturating: true).map(Spec.suffix) }
        guard let from = DecimalNumber.parse(first, saturating: true) else { return nil }
        if last.isEmpty { return .from(from, last: nil) }
        guard let to = DecimalNumber.parse(last, saturating: true), to >= from else { return nil }
        return .from(from, last: to)
    }

    /// Applies the ranges to a body of `length` bytes. Ranges that together ask for more than the body has
    /// are answered with the whole: nobody gains from them but an attacker (RFC 9110 section 14.2).
    public func resolve(length: Int64) -> Resolution {
        var ranges: [Range<Int64>] = []
        var total: Int64 = 0
        for spec in specs {
            guard let range = spec.resolve(length: length) else { continue }
            ranges.append(range)
            total += range.upperBound - range.lowerBound
            if total > length { return .whole }
        }
        return ranges.isEmpty ? .unsatisfiable : .ranges(ranges)
    }

    /// The one range of a request for exactly one, as far as that can be said before the length is known.
    public var single: Spec? { specs.count == 1 ? specs[0] : nil }
}

extension RangeRequest.Spec {
    /// The bytes meant in a body of `length` bytes; nil when there are none.
    public func resolve(length: Int64) -> Range<Int64>? {
        switch self {
        case .from(let first, let last):
            guard first < length else { return nil }
            guard let last, last < length else { return first..<length }
            return first..<last + 1
        case .suffix(let count):
            guard count > 0, length > 0 else { return nil }
            return max(0, length - count)..<length
        }
    }
}

extension BidirectionalCollection {
    /// Without the elements at both ends that satisfy `condition`.
    func trimming(while condition: (Element) -> Bool) -> SubSequence {
        var end = endIndex
        let start = firstIndex { !condition($0) } ?? endIndex
        while end > start, condition(self[index(before: end)]) { end = index(before: end) }
        return self[start..<end]
    }
}

/// Decimal numbers as HTTP writes them: digits, nothing else.
enum DecimalNumber {
    /// Nil for an empty or non-digit text, and for a number above `Int64.max` unless `saturating`.
    static func parse(_ digits: some Collection<UInt8>, saturating: Bool = false) -> Int64? {
        guard !digits.isEmpty else { return nil }
        var value: Int64 = 0
        var overflowed = false
        for byte in digits {
            guard ByteClass.isDigit(byte) else { return nil }
            let (scaled, first) = value.multipliedReportingOverflow(by: 10)
            let (sum, second) = scaled.addingReportingOverflow(Int64(byte - 0x30))
            overflowed = overflowed || first || second
            value = sum
        }
        guard overflowed else { return value }
        return saturating ? .max : nil
    }
}

extension RangeRequest {
    /// The lowest offset that is asked for; `Int64.max` when only the body's end is.
    var firstByte: Int64 {
        specs.map { spec in
            if case .from(let first, _) = spec { first } else { Int64.max }
        }.min() ?? 0
    }
}
