package import NIOCore

/// Sealed frames: two bytes of length, then the ciphertext of a fragment: call (4 bytes), flags (1), bytes of a message
/// (docs/wire-formats.md, "Frames").
package struct FrameCodec: Sendable {
    package struct Fragment: Equatable, Sendable {
        package var call: UInt32
        package var isLast: Bool
        package var isReply: Bool
        package var bytes: ByteBuffer
    }

    package enum Failure: Error, Equatable { case unauthentic, malformed, tooMany }

    /// Bytes of a message in one fragment.
    package static let fragmentLimit = 32 << 10
    private static let headByteCount = 5

    private var sending: SealingKey
    private var receiving: SealingKey

    package init(sending: SealingKey, receiving: SealingKey) {
        (self.sending, self.receiving) = (sending, receiving)
    }

    /// Writes all frames of a message.
    package mutating func write(
        _ message: ByteBuffer, call: UInt32, isReply: Bool, to buffer: inout ByteBuffer,
        allocator: ByteBufferAllocator
    ) throws(Failure) {
        var rest = message
        let frames = max(1, (message.readableBytes + Self.fragmentLimit - 1) / Self.fragmentLimit)
        buffer.reserveCapacity(
            minimumWritableBytes: message.readableBytes + frames
                * (2 + Self.headByteCount + SealingKey.overhead))
        var plaintext = allocator.buffer(capacity: Self.fragmentLimit + Self.headByteCount)
        repeat {
            guard sending.counter < SealingKey.messageLimit else { throw .tooMany }
            plaintext.clear()
            let count = min(rest.readableBytes, Self.fragmentLimit)
            let isLast = count == rest.readableBytes
            plaintext.writeInteger(call, endianness: .little)
            plaintext.writeInteger(UInt8((isLast ? 1 : 0) | (isReply ? 2 : 0)))
            if var part = rest.readSlice(length: count) { plaintext.writeBuffer(&part) }
            buffer.writeInteger(UInt16(plaintext.readableBytes + SealingKey.overhead), endianness: .little)
            sending.seal(plaintext, to: &buffer)
        } while rest.readableBytes > 0
    }

    /// The next fragment in `buffer`; nil when it is not whole yet.
    package mutating func read(
        _ buffer: inout ByteBuffer, allocator: ByteBufferAllocator
    ) throws(Failure) -> Fragment? {
        guard let count = buffer.getInteger(at: buffer.readerIndex, endianness: .little, as: UInt16.self),
            let sealed = buffer.getSlice(at: buffer.readerIndex + 2, length: Int(count))
        else { return nil }
        buffer.moveReaderIndex(forwardBy: 2 + Int(count))
        guard receiving.counter < SealingKey.messageLimit else { throw .tooMany }
        guard var plaintext = receiving.open(sealed, allocator: allocator) else { throw .unauthentic }
        guard let call = plaintext.readInteger(endianness: .little, as: UInt32.self),
            let flags = plaintext.readInteger(as: UInt8.self)
        else { throw .malformed }
        return Fragment(call: call, isLast: flags & 1 != 0, isReply: flags & 2 != 0, bytes: plaintext)
    }
}
