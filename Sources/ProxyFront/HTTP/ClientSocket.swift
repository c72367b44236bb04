import NIOCore

#if canImport(Glibc)
    import Glibc
#endif

/// The socket below a connection without TLS, for answers that fit into its buffer: one system call, where a write
/// through the channel's pipeline costs half as much again.
struct ClientSocket {
    private let core: any NIOTransportAccessibleChannelCore<NIOBSDSocket.Handle>

    /// Nil for a channel without a socket, as in tests.
    init?(_ channel: any Channel) {
        guard
            let core = channel._channelCore as? any NIOTransportAccessibleChannelCore<NIOBSDSocket.Handle>
        else { return nil }
        self.core = core
    }

    /// Sends what the socket takes without waiting. Call it on the channel's event loop, and only while the channel
    /// has nothing of its own to write.
    /// - Returns: bytes sent, 0 at an error too: whoever writes the rest to the channel finds it out there.
    func send(_ bytes: ByteBuffer) -> Int {
        let sent = try? core.withUnsafeTransport { handle in
            bytes.withUnsafeReadableBytes {
                Glibc.send(handle, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
        }
        return max(0, sent ?? 0)
    }
}
