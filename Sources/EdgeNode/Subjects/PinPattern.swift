import ProxyFront

/// The pattern over reference names that a person's words mean.
package struct PinPattern {
    /// The registries of the node, whose other names and rules for names apply.
    private let directory: RegistryDirectory
    private let registries: Set<RegistryHost>

    package init(_ configuration: Configuration) throws(CommandFailure) {
        let upstreams = configuration.registryUpstreams([:])
        do throws(RegistryDirectoryError) {
            directory = try RegistryDirectory(upstreams, defaultHost: configuration.registry.defaultHost)
        } catch {
            throw CommandFailure(.configuration, "registry: \(error)")
        }
        registries = Set(upstreams.flatMap { [$0.host] + $0.aliases })
    }

    /// Parts of the store's names, as they stand in `edgenode pins`.
    private static let prefixes = ["go/", "sumdb/", "oci/"]

    /// - Throws: `CommandFailure.usage` for an image with a bad name, or of a registry that the node does not know.
    package func parse(_ subject: String) throws(CommandFailure) -> String {
        // A module path's first element has a dot, and no registry is called so: these are nobody's.
        if Self.prefixes.contains(where: { subject.hasPrefix($0) }) { return subject }
        switch self.subject(subject) {
        case .module(let module): return Self.module(module)
        case .image(let image): return try self.image(image)
        }
    }

    package func subject(_ text: String) -> Subject { Subject(text, registries: registries) }

    package func parse(_ subjects: [String]) throws(CommandFailure) -> [String] {
        var patterns: [String] = []
        for subject in subjects { patterns.append(try parse(subject)) }
        return patterns
    }

    private static func module(_ subject: String) -> String {
        if let at = subject.lastIndex(of: "@") {
            let version = subject[subject.index(after: at)...]
            // The dot keeps v1.2.3 from taking v1.2.30 along.
            return version.isEmpty || version.hasSuffix("*") ? "go/\(subject)*" : "go/\(subject).*"
        }
        return subject.hasSuffix("*") ? "go/\(subject)" : "go/\(subject)@*"
    }

    /// The name of the tag or the digest. What it lists is kept along with it, so that it needs no pattern.
    private func image(_ text: String) throws(CommandFailure) -> String {
        if text.contains("*") { return try pattern(text) }
        let image = try reference(text)
        return image.repository.referenceName(of: image.manifest).text
    }

    /// An image under the name that the store has for it.
    package func reference(_ text: String) throws(CommandFailure) -> ImageReference {
        let image: ImageReference
        do throws(RegistryNameError) { image = try ImageReference(parsing: text) } catch {
            throw CommandFailure(.usage, "\(error); write an image such as docker.io/library/nginx:1.27")
        }
        do throws(RegistryDirectoryError) { return try directory.resolve(image).image } catch {
            throw CommandFailure(.usage, "\(error)")
        }
    }

    /// Patterns are over the store's own names: registry, whole repository, tag.
    private func pattern(_ text: String) throws(CommandFailure) -> String {
        if let colon = text.lastIndex(of: ":"), !text[colon...].contains("/"), !text[..<colon].contains("*") {
            // Every character of a tag may stand in one, so that a star may too.
            let image = try reference(String(text[..<colon]))
            return "oci/\(image.repository)\(text[colon...])"
        }
        guard let slash = text.firstIndex(of: "/"), ImageReference.isHost(text[..<slash]) else {
            throw CommandFailure(
                .usage, "\(text): write the registry before a pattern, such as docker.io/library/*")
        }
        return "oci/\(text)"
    }
}
