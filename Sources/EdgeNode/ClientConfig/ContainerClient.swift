/// A program that pulls images and can be told to ask a mirror first.
package enum ContainerClient: String, Sendable, CaseIterable {
    case docker
    case containerd
    case podman
    case buildkit
    case criO = "cri-o"
    case k3s
}

/// A configuration file of a client: where it belongs, and all of its text.
package struct ClientFile: Sendable, Equatable {
    /// Absolute, on the client's machine.
    package var path: String
    /// Ends with a line feed.
    package var text: String

    package init(path: String, text: String) {
        self.path = path
        self.text = text
    }
}
