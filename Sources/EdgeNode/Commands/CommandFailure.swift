import ArgumentParser

/// How a command failed, in one line for a person and a status for a script (sysexits(3)).
package struct CommandFailure: Error, Equatable, CustomStringConvertible {
    package enum Status: Int32, Sendable {
        /// Some of what was asked for could not be done; the lines before say what.
        case incomplete = 1
        /// The arguments do not make sense.
        case usage = 64
        /// Input that is not what it should be.
        case badData = 65
        /// A file that was named is not there or cannot be read.
        case noInput = 66
        /// Nobody answers, or what must not be in use is.
        case unavailable = 69
        /// A mistake in this program.
        case software = 70
        case cannotCreate = 73
        case inputOutput = 74
        case noPermission = 77
        /// The configuration holds mistakes.
        case configuration = 78
    }

    package var status: Status
    package var message: String

    package init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
    }

    package var description: String { message }
}
