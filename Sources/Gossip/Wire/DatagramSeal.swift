import CSodium
import Content

/// What a datagram shows before it is opened (docs/wire-formats.md, "Datagrams").
package struct DatagramHead: Hashable, Sendable {
    package static let version: UInt8 = 1
    package static let byteCount = 13
    package static let nonceByteCount = 24
    package static let tagByteCount = 16
    /// Bytes that a datagram has besides its messages.
    package static let overhead = byteCount + nonceByteCount + tagByteCount
    /// Bytes of the largest datagram.
    package static let datagramLimit = 1232
    /// Bytes of messages that fit.
    package static let messageLimit = datagramLimit - overhead

    package let sender: NodeTag
    package let boot: UInt32
    package let counter: UInt64

    /// - Returns: nil for what is no datagram of this version.
    package init?(_ datagram: [UInt8]) {
        guard datagram.count > Self.overhead, datagram.count <= Self.datagramLimit,
            datagram[0] == Self.version
        else { return nil }
        func number(at offset: Int, _ count: Int) -> UInt64 {
            (0..<count).reversed().reduce(0) { $0 << 8 | UInt64(datagram[offset + $1]) }
        }
        sender = NodeTag(rawValue: number(at: 1, 8))
        boot = UInt32(number(at: 9, 4))
        counter = number(at: 13, 8)
    }
}

/// The keys of one direction between two nodes, each in one start of theirs.
package struct DatagramKey: Sendable {
    private let key: [UInt8]

    /// - Parameter shared: the X25519 secret of the pair.
    package init(
        shared: [UInt8], secret: ClusterSecret, cluster: ClusterID,
        sender: NodeID, senderBoot: UInt32, receiver: NodeID, receiverBoot: UInt32
    ) {
        var boots = WireWriter(capacity: 8)
        boots.write(senderBoot)
        boots.write(receiverBoot)
        key = secret.keyedHash(
            "edgenode datagram v1", [shared, cluster.bytes, sender.bytes, receiver.bytes, boots.bytes],
            count: 32)
    }

    /// A whole datagram around `messages`.
    package func seal(
        _ messages: [UInt8], sender: NodeTag, boot: UInt32, counter: UInt64, random: [UInt8]
    ) -> [UInt8] {
        var writer = WireWriter(capacity: DatagramHead.overhead + messages.count)
        writer.write(DatagramHead.version)
        writer.write(sender.rawValue)
        writer.write(boot)
        writer.write(counter)
        writer.write(random)
        var datagram = writer.bytes
        let nonce = Array(datagram[DatagramHead.byteCount...])
        var sealed = [UInt8](repeating: 0, count: messages.count + DatagramHead.tagByteCount)
        datagram.withUnsafeBufferPointer { head in
            _ = crypto_aead_xchacha20poly1305_ietf_encrypt(
                &sealed, nil, messages, UInt64(messages.count), head.baseAddress,
                UInt64(DatagramHead.byteCount), nil, nonce, key)
        }
        datagram += sealed
        return datagram
    }

    /// The messages of an authentic datagram, else nil.
    package func open(_ datagram: [UInt8]) -> [UInt8]? {
        let start = DatagramHead.byteCount + DatagramHead.nonceByteCount
        let count = datagram.count - start
        guard count >= DatagramHead.tagByteCount else { return nil }
        var messages = [UInt8](repeating: 0, count: count - DatagramHead.tagByteCount)
        let result = datagram.withUnsafeBufferPointer { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return -1 }
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                &messages, nil, nil, base + start, UInt64(count), base, UInt64(DatagramHead.byteCount),
                base + DatagramHead.byteCount, key)
        }
        return result == 0 ? messages : nil
    }
}
