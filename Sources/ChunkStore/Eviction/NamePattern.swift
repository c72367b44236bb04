/// A glob over reference names: `*` stands for any run of characters, `/` included, `?` for any one byte,
/// everything else for itself.
package struct NamePattern: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    private let bytes: [UInt8]

    package init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    package var description: String { text }

    /// Whether the whole of `name` matches; takes at most (pattern x name) steps.
    package func matches(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { matches($0) }
    }

    private func matches(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
        var at = 0
        var inName = 0
        var star: (pattern: Int, name: Int)?
        while inName < name.count {
            if at < bytes.count, bytes[at] == UInt8(ascii: "*") {
                star = (at, inName)
                at += 1
            } else if at < bytes.count, bytes[at] == UInt8(ascii: "?") || bytes[at] == name[inName] {
                at += 1
                inName += 1
            } else if let back = star {
                // The last star takes one byte more: only that one ever needs to be tried again.
                star = (back.pattern, back.name + 1)
                at = back.pattern + 1
                inName = back.name + 1
            } else {
                return false
            }
        }
        return bytes[at...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
