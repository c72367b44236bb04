import Foundation

/// Reads a line from the terminal that does not appear on it.
enum HiddenInput {
    /// Longer lines are nobody's typing.
    private static let limit = 1024

    /// - Throws: `CommandFailure` when the line is given up (Ctrl-C, Ctrl-D), or the terminal cannot be set.
    static func ask(_ prompt: String) throws(CommandFailure) -> String {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else {
            throw CommandFailure(
                .noInput, "the terminal cannot be asked: \(String(cString: strerror(errno)))")
        }
        var hidden = before
        // Neither echo, nor lines, nor signals: whatever is pressed, the terminal is set back below.
        hidden.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) == 0 else {
            throw CommandFailure(.noInput, "the terminal shows what is typed; nothing was read")
        }
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &before) }
        Terminal.prompt(prompt)
        defer { Terminal.complain("") }
        return try line()
    }

    private static func line() throws(CommandFailure) -> String {
        var bytes: [UInt8] = []
        while true {
            var byte: UInt8 = 0
            let count = read(STDIN_FILENO, &byte, 1)
            if count < 0, errno == EINTR { continue }
            guard count == 1, byte != 0x03, byte != 0x04 else {
                throw CommandFailure(.noInput, "given up; nothing was made")
            }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): return String(decoding: bytes, as: UTF8.self)
            case 0x08, 0x7f: bytes.removeLastCharacter()
            case 0x15: bytes = []
            default:
                guard bytes.count < limit else {
                    throw CommandFailure(.badData, "that is longer than \(limit) bytes; nothing was made")
                }
                bytes.append(byte)
            }
        }
    }
}

extension [UInt8] {
    /// Takes the last character of UTF-8 text away: its last bytes up to the first that begins one.
    fileprivate mutating func removeLastCharacter() {
        while let last = popLast(), last & 0xC0 == 0x80 {}
    }
}
