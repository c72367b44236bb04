import ArgumentParser

package struct PinCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Keep modules whatever their age and the store's size.",
        discussion: """
            A module keeps all of its versions that are held now or later, a module@version that one version. \
            Patterns with * and full reference names (go/<module>@<version>.zip) work too. Pinning fetches \
            nothing: see `edgenode warm --pin`.

            EXAMPLES
              edgenode pin golang.org/x/net@v0.34.0
              edgenode pin 'example.com/team/*'
            """)

    @Argument(help: ArgumentHelp("Modules, module@version, or patterns.", valueName: "module"))
    package var subjects: [String]
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        try await StoreAccess.withStore(try options.load().configuration) { store in
            for subject in subjects {
                let pattern = PinPattern.parse(subject)
                try await store.pin(pattern)
                Terminal.show("pinned \(pattern)")
            }
        }
    }
}

package struct UnpinCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "unpin", abstract: "Take pins back; what they kept may be evicted again.",
        discussion: "Takes what `edgenode pin` took, or a line of `edgenode pins`.")

    @Argument(help: ArgumentHelp("Modules, module@version, or patterns.", valueName: "module"))
    package var subjects: [String]
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let missing = try await StoreAccess.withStore(try options.load().configuration) { store in
            var missing: [String] = []
            for subject in subjects {
                let pattern = PinPattern.parse(subject)
                if try await store.unpin(pattern) {
                    Terminal.show("unpinned \(pattern)")
                } else {
                    missing.append(pattern)
                }
            }
            return missing
        }
        guard missing.isEmpty else {
            throw CommandFailure(
                .incomplete,
                "there is no pin \(missing.joined(separator: ", ")); `edgenode pins` lists those there are")
        }
    }
}

package struct PinsCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pins", abstract: "List the pins, one a line.")

    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let pins = try await StoreAccess.withStore(try options.load().configuration) { try await $0.pins() }
        for pin in pins.sorted() { Terminal.show(pin) }
    }
}

/// The pattern over reference names that a person's words mean.
package enum PinPattern {
    package static func parse(_ subject: String) -> String {
        // A module path's first element has a dot, so that these prefixes are nobody's module.
        if subject.hasPrefix("go/") || subject.hasPrefix("sumdb/") { return subject }
        if let at = subject.lastIndex(of: "@") {
            let version = subject[subject.index(after: at)...]
            // The dot keeps v1.2.3 from taking v1.2.30 along.
            return version.isEmpty || version.hasSuffix("*") ? "go/\(subject)*" : "go/\(subject).*"
        }
        return subject.hasSuffix("*") ? "go/\(subject)" : "go/\(subject)@*"
    }
}
