import Foundation
import ProxyFront

// The files of each client. What may stand in them is written down with its sources in
// docs/registry-client-config.md.

extension MirrorSettings {
    /// A docker daemon asks mirrors for Docker Hub's images only, at the top of a host. The node is listed as
    /// insecure too where it speaks plain http beyond this machine, so that other registries' images can be
    /// pulled by the longer name.
    var dockerDaemon: ClientFile {
        var lines = ["  \"registry-mirrors\": [\"\(node)\"]"]
        if isInsecure, !node.isLoopback { lines.append("  \"insecure-registries\": [\"\(node.authority)\"]") }
        return ClientFile(
            path: "/etc/docker/daemon.json", text: "{\n" + lines.joined(separator: ",\n") + "\n}\n")
    }

    /// containerd tells the node by `?ns=` which registry it means.
    func containerdHosts(of registry: Registry) -> ClientFile {
        let path = "/etc/containerd/certs.d/\(registry.name)/hosts.toml"
        var lines = [
            "# \(path)", "server = \"\(registry.server)\"", "", "[host.\"\(node)\"]",
            "  capabilities = [\"pull\", \"resolve\"]",
        ]
        if let authorityFile { lines.append("  ca = \(Self.quoted(authorityFile))") }
        return Self.file(path, lines)
    }

    /// What podman, buildah, skopeo and CRI-O read. They tell the node by the path which registry they mean.
    var containersRegistries: ClientFile {
        let path = "/etc/containers/registries.conf.d/edgenode.conf"
        var lines = ["# \(path)"]
        for registry in registries {
            lines += [
                "", "[[registry]]", "prefix = \"\(registry.name)\"", "location = \"\(registry.name)\"",
            ]
            if registry.server.scheme == .http { lines.append("insecure = true") }
            lines += ["", "[[registry.mirror]]", "location = \"\(node.authority)/\(registry.name)\""]
            if isInsecure { lines.append("insecure = true") }
        }
        return Self.file(path, lines)
    }

    /// BuildKit resolves names as containerd does, and takes the way to a mirror from the mirror's own table.
    var buildkitDaemon: ClientFile {
        let path = "/etc/buildkit/buildkitd.toml"
        var lines = ["# \(path)"]
        for registry in registries {
            lines += ["", "[registry.\"\(registry.name)\"]", "  mirrors = [\"\(node.authority)\"]"]
            if registry.server.scheme == .http { lines.append("  http = true") }
        }
        if isInsecure || authorityFile != nil { lines += ["", "[registry.\"\(node.authority)\"]"] }
        if isInsecure { lines.append("  http = true") }
        if let authorityFile { lines.append("  ca = [\(Self.quoted(authorityFile))]") }
        return Self.file(path, lines)
    }

    /// k3s makes containerd's files out of this one, the registry itself being its own last resort.
    var k3sRegistries: ClientFile {
        let path = "/etc/rancher/k3s/registries.yaml"
        var lines = ["# \(path)", "mirrors:"]
        for registry in registries {
            lines += ["  \"\(registry.name)\":", "    endpoint:", "      - \"\(node)\""]
            if registry.server.scheme == .http { lines.append("      - \"\(registry.server)\"") }
        }
        if let authorityFile {
            lines += [
                "configs:", "  \"\(node.authority)\":", "    tls:",
                "      ca_file: \(Self.quoted(authorityFile))",
            ]
        }
        return Self.file(path, lines)
    }

    private var isInsecure: Bool { node.scheme == .http }

    private static func file(_ path: String, _ lines: [String]) -> ClientFile {
        ClientFile(path: path, text: lines.joined(separator: "\n") + "\n")
    }

    /// A string that TOML and YAML read alike; the text holds no control characters.
    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

extension MirrorSettings {
    /// What is to be done besides, for people.
    package func notes(for client: ContainerClient) -> [String] {
        var notes: [String] = []
        if node.isLoopback {
            notes.append(
                "\(node) is reached from this machine only; for others give --url http://<host>:<port>")
        }
        switch client {
        case .docker:
            notes.append("merge it into an existing /etc/docker/daemon.json, then: systemctl reload docker")
            if !isHubDefault {
                notes.append(
                    "docker asks a mirror for Docker Hub's images without saying so, but registry.default of this"
                        + " node is another registry: set it to \"docker.io\"")
            }
            notes.append(
                "docker mirrors docker.io only; images of others are pulled as \(node.authority)/quay.io/...")
            noteAuthority("/etc/docker/certs.d/\(node.authority)/ca.crt", &notes)
        case .containerd:
            notes.append(
                "containerd reads these files once its /etc/containerd/config.toml names the folder: [plugins."
                    + "\"io.containerd.grpc.v1.cri\".registry] (2.x: [plugins.\"io.containerd.cri.v1.images\""
                    + ".registry]) config_path = \"/etc/containerd/certs.d\"; ctr wants --hosts-dir")
        case .podman:
            notes.append("without root it belongs into ~/.config/containers/registries.conf.d/")
            noteAuthority("/etc/containers/certs.d/\(node.authority)/ca.crt", &notes)
        case .criO:
            notes.append("then: systemctl reload crio")
            noteAuthority("/etc/containers/certs.d/\(node.authority)/ca.crt", &notes)
        case .buildkit:
            notes.append(
                "then restart buildkitd; for a buildx builder: docker buildx create --buildkitd-config <file>"
            )
        case .k3s: notes.append("then: systemctl restart k3s (or k3s-agent)")
        }
        return notes
    }

    private func noteAuthority(_ place: String, _ notes: inout [String]) {
        guard let authorityFile else { return }
        notes.append("the client reads authorities by their place: cp \(authorityFile) \(place)")
    }
}
