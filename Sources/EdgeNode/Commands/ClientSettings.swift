import ProxyFront

/// The environment of a go command that takes its modules from the node (https://go.dev/ref/mod, "Environment
/// variables").
package struct ClientSettings: Sendable, Equatable {
    package enum Form: String, Sendable, CaseIterable {
        /// `export NAME='value'` lines.
        case shell
        /// One `go env -w` command.
        case goEnv = "go-env"
    }

    /// Names and values, in the order in which they are shown.
    package private(set) var variables: [(name: String, value: String)] = []
    /// What a person should know besides.
    package private(set) var notes: [String] = []

    /// - Parameter base: the URL of the node's front.
    package init(_ configuration: Configuration, base: String) {
        var base = base
        while base.hasSuffix("/") { base.removeLast() }
        variables.append(("GOPROXY", base))

        let patterns = configuration.go.private.patterns.map(\.text)
        let globs = patterns.filter { !$0.hasPrefix("re:") }
        for expression in patterns where expression.hasPrefix("re:") {
            notes.append(
                "go knows no regular expressions: add the modules of \(expression) to GONOSUMDB by hand")
        }
        // GOPRIVATE would send private modules around the node, so each half of it is set by itself.
        variables.append(("GOPRIVATE", ""))
        variables.append(("GONOPROXY", "none"))
        variables.append(("GONOSUMDB", globs.joined(separator: ",")))

        let databases = configuration.sumdbs
        if let first = databases.first {
            variables.append(
                ("GOSUMDB", first.key == SumDBSettings.public.key ? SumDBSettings.public.name : first.key))
            for other in databases.dropFirst() {
                notes.append(
                    "go asks one checksum database only; the node itself also checks with \(other.name)")
            }
        } else {
            variables.append(("GOSUMDB", "off"))
        }
    }

    package static func == (left: ClientSettings, right: ClientSettings) -> Bool {
        left.notes == right.notes && left.variables.elementsEqual(right.variables, by: ==)
    }

    package func text(_ form: Form) -> String {
        switch form {
        case .shell: variables.map { "export \($0.name)=\(Self.quoted($0.value))" }.joined(separator: "\n")
        case .goEnv:
            "go env -w " + variables.map { "\($0.name)=\(Self.quoted($0.value))" }.joined(separator: " ")
        }
    }

    /// A word that every POSIX shell reads as `text`.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

extension Configuration {
    /// Where clients reach the front, as far as the configuration tells.
    /// - Parameter hostName: this machine's name, for a node that listens on every address.
    package func frontURL(hostName: String) -> String {
        let address = node.listen.first ?? .standard
        let host = ["0.0.0.0", "::"].contains(address.host) ? hostName : address.host
        return "\(tls == nil ? "http" : "https")://\(ListenAddress(trusted: host, port: address.port))"
    }
}
