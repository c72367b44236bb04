import Glibc

/// Tells systemd what the node is doing (sd_notify(3)): one datagram to the socket that it named.
package struct ServiceManager: Sendable {
    private let socketPath: String?

    /// Says nothing to nobody when the process was not started by systemd.
    package init(environment: [String: String]) { socketPath = environment["NOTIFY_SOCKET"] }

    package func ready() { notify("READY=1\nSTATUS=serving\n") }
    package func stopping() { notify("STOPPING=1\nSTATUS=finishing what is being sent\n") }

    /// Sent without waiting: a service manager that does not read is not worth a stalled node.
    private func notify(_ text: String) {
        guard let socketPath, let first = socketPath.utf8.first else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(socketPath.utf8)
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // An @ stands for the zero byte of an abstract name.
        if first == UInt8(ascii: "@") { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = MemoryLayout.offset(of: \sockaddr_un.sun_path).map { $0 + path.count } ?? 0

        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let message = Array(text.utf8)
        _ = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(
                    descriptor, message, message.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT), $0,
                    socklen_t(length))
            }
        }
    }
}
