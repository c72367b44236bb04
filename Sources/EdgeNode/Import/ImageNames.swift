import Content
import ProxyFront

/// Under which names the images of a layout or archive come in.
struct ImageNames: Sendable {
    /// The whole name, as containerd and docker write it.
    static let fullName = "io.containerd.image.name"
    /// A tag, or a whole name (OCI image specification 1.1, "Pre-Defined Annotation Keys").
    static let refName = "org.opencontainers.image.ref.name"

    /// What the operator said, with `--as`.
    let given: String?
    /// How many images the source has.
    let count: Int

    /// The repository and tag of one image.
    /// - Parameters:
    ///   - full: the whole name that the source gives it.
    ///   - ref: what the source says besides: a tag, or a whole name.
    ///   - shown: what a message calls it.
    /// - Throws: `ImageRefusal` with the remedy.
    func name(full: String?, ref: String?, shown: String) throws(ImageRefusal) -> ImageReference {
        let full = full ?? ref.flatMap { Self.isName($0) ? $0 : nil }
        do throws(RegistryNameError) {
            guard let given else {
                if let full { return Self.tagged(try ImageReference(parsing: full)) }
                throw RegistryNameError.repository(ref ?? "")
            }
            let name = try ImageReference(parsing: given)
            guard !Self.hasTag(given) else {
                if count == 1 { return Self.tagged(name) }
                throw RegistryNameError.tag(given)
            }
            // The source's own tag, under the operator's repository.
            if let full {
                return ImageReference(
                    name.repository, tag: try ImageReference(parsing: full).tag, digest: nil)
            }
            guard let ref else { return Self.tagged(name) }
            return ImageReference(name.repository, tag: try Tag(ref), digest: nil)
        } catch {
            throw ImageRefusal(words(of: error, shown: shown, ref: ref))
        }
    }

    private func words(of error: RegistryNameError, shown: String, ref: String?) -> String {
        if given == nil {
            return "\(shown): the source does not say which image it is"
                + (ref.map { " (only \($0.debugDescription))" } ?? "") + "; give --as NAME[:TAG]"
        }
        if count > 1, case .tag(given) = error {
            return "\(shown): there are \(count) images, so that --as takes a repository without a tag"
        }
        return "\(shown): \(error)"
    }

    /// Without a digest: the content has its own.
    private static func tagged(_ name: ImageReference) -> ImageReference {
        ImageReference(name.repository, tag: name.tag, digest: nil)
    }

    private static func isName(_ text: String) -> Bool { text.contains("/") || text.contains(":") }

    private static func hasTag(_ text: String) -> Bool {
        text.contains("@") || (text.split(separator: "/").last?.contains(":") ?? false)
    }
}
