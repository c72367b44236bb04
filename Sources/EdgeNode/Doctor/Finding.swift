/// One thing that `edgenode doctor` looked at.
package struct Finding: Codable, Equatable, Sendable {
    package enum Verdict: String, Codable, Sendable {
        case good = "ok"
        /// The node works, but an operator should know.
        case warning
        /// Something does not work.
        case bad = "PROBLEM"
    }

    package var verdict: Verdict
    /// What was looked at, in a word or two.
    package var subject: String
    package var text: String
    /// What to do; nil where nothing is to be done.
    package var remedy: String?

    package static func good(_ subject: String, _ text: String) -> Finding {
        Finding(verdict: .good, subject: subject, text: text)
    }

    package static func warning(_ subject: String, _ text: String, _ remedy: String? = nil) -> Finding {
        Finding(verdict: .warning, subject: subject, text: text, remedy: remedy)
    }

    package static func bad(_ subject: String, _ text: String, _ remedy: String? = nil) -> Finding {
        Finding(verdict: .bad, subject: subject, text: text, remedy: remedy)
    }

    /// As lines for a person.
    package static func lines(_ findings: [Finding]) -> [String] {
        let width = findings.map(\.subject.count).max() ?? 0
        return findings.flatMap { finding in
            let verdict = finding.verdict.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
            let subject = finding.subject.padding(toLength: width, withPad: " ", startingAt: 0)
            let line = "\(verdict)  \(subject)  \(finding.text)"
            guard let remedy = finding.remedy else { return [line] }
            return [line, String(repeating: " ", count: 11 + width) + "-> \(remedy)"]
        }
    }
}
