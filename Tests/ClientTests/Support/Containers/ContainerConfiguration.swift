import Foundation

/// The files that tell the clients of a `ContainerLab` where mirror and registry are, as their manuals give them. What
/// clients unpack stays in memory, in the network's own /run: nobody syncs it, and nobody has to delete it.
enum ContainerConfiguration {
    static func write(to folder: String) throws {
        for name in ["docker", "hosts.d/docker.io"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        for (name, text) in files(folder) {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
    }

    private static func files(_ folder: String) -> [String: String] {
        [
            "registry.yml": """
            version: 0.1
            log: {level: error, accesslog: {disabled: true}}
            storage:
              filesystem: {rootdirectory: \(TestImage.registry)}
              maintenance: {readonly: {enabled: true}}
            http: {addr: "127.0.0.1:5001"}
            """,
            "containerd.toml": """
            version = 2
            root = "/run/storage/containerd"
            state = "/run/containerd"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
            [grpc]
            address = "/run/containerd.sock"
            """,
            "hosts.d/docker.io/hosts.toml": """
            server = "http://127.0.0.1:5009"
            [host."http://\(ContainerLab.mirror)"]
            capabilities = ["pull", "resolve"]
            """,
            "daemon.json": """
            {"registry-mirrors": ["http://\(ContainerLab.mirror)"], "containerd": "/run/containerd.sock",
             "data-root": "/run/storage/docker", "exec-root": "/run/dockerd", "pidfile": "/run/dockerd.pid",
             "hosts": ["unix:///run/docker.sock"], "storage-driver": "overlay2", "bridge": "none",
             "iptables": false, "ip6tables": false, "log-level": "warn"}
            """,
            "registries.conf": """
            unqualified-search-registries = ["docker.io"]
            [[registry]]
            prefix = "docker.io"
            location = "127.0.0.1:5009"
            insecure = true
            [[registry.mirror]]
            location = "\(ContainerLab.mirror)"
            insecure = true
            """,
            "containers.conf": """
            [engine]
            runtime = "runc"
            cgroup_manager = "cgroupfs"
            events_logger = "none"
            conmon_path = ["\(Project.cache)/clients/usr/bin/conmon"]
            [engine.runtimes]
            runc = ["\(Project.cache)/clients/usr/sbin/runc"]
            """,
            "storage.conf": """
            [storage]
            driver = "overlay"
            runroot = "/run/runroot"
            graphroot = "/run/storage/default"
            """,
            "policy.json": "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}",
            "auth.json": "{}",
        ]
    }
}
