import ArgumentParser

package struct PinCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "pin",
        abstract: "Keep modules and images whatever their age and the store's size.",
        discussion: """
            A module keeps all of its versions that are held now or later, a module@version that one version. \
            An image keeps what its tag or digest stands for, with everything that it lists and the node holds; \
            a pinned tag never moves. Patterns with * and full reference names (go/<module>@<version>.zip, \
            oci/<registry>/<repository>:<tag>) work too. Pinning fetches nothing: see `edgenode warm --pin`.

            \(SubjectHelp.text)

            EXAMPLES
              edgenode pin golang.org/x/net@v0.34.0
              edgenode pin nginx:1.27 quay.io/team/app@sha256:...
              edgenode pin 'example.com/team/*' 'docker.io/library/debian:*-slim'
            """)

    @Argument(help: ArgumentHelp("Modules, module@version, images, or patterns.", valueName: "what"))
    package var subjects: [String]
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let configuration = try options.load().configuration
        // A slip in the last one pins nothing.
        let patterns = try PinPattern(configuration).parse(subjects)
        try await StoreAccess.withStore(configuration) { store in
            for pattern in patterns {
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

    @Argument(help: ArgumentHelp("Modules, module@version, images, or patterns.", valueName: "what"))
    package var subjects: [String]
    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let configuration = try options.load().configuration
        let patterns = try PinPattern(configuration).parse(subjects)
        let missing = try await StoreAccess.withStore(configuration) { store in
            var missing: [String] = []
            for pattern in patterns {
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
