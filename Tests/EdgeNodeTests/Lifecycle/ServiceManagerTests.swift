import EdgeNode
import Foundation
import Glibc
import Testing

@Suite("The service manager")
struct ServiceManagerTests {
    @Test("is told when the node is ready and when it stops", arguments: [false, true])
    func messages(isAbstract: Bool) throws {
        let folder = try TemporaryFolder()
        let name = isAbstract ? "@edgenode-test-\(UUID())" : folder.path + "/notify"
        let receiver = try Receiver(name)
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": name])
        manager.ready()
        manager.stopping()
        #expect(try receiver.next().contains("READY=1\n"))
        #expect(try receiver.next().contains("STOPPING=1\n"))
    }

    @Test("is not missed when there is none, or when it does not listen")
    func absent() throws {
        ServiceManager(environment: [:]).ready()
        let folder = try TemporaryFolder()
        ServiceManager(environment: ["NOTIFY_SOCKET": folder.path + "/none"]).ready()
        ServiceManager(environment: ["NOTIFY_SOCKET": String(repeating: "x", count: 500)]).ready()
    }

    /// A datagram socket that stands in for the service manager's.
    private final class Receiver {
        private let descriptor: Int32

        init(_ name: String) throws {
            descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var path = Array(name.utf8)
            if path[0] == UInt8(ascii: "@") { path[0] = 0 }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
            let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + path.count)
            let result = withUnsafePointer(to: address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
            }
            guard result == 0 else { throw POSIXError(.EADDRINUSE) }
            var patience = timeval(tv_sec: 10, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        }

        deinit { close(descriptor) }

        func next() throws -> String {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw POSIXError(.ETIMEDOUT) }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
