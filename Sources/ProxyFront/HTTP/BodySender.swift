import Content
import DequeModule
import NIOCore

/// The body of one answer on its way: the parts at hand, the producer of further ones, and how much of the
/// promised length is left. Touched on the connection's loop only.
final class BodySender {
    var parts: Deque<BodyPart>
    /// Nil once it has ended, failed or been cancelled.
    var producer: (any BodyProducer)?
    let framing: Outgoing.Framing
    /// Promised bytes that are not yet handed to the channel; nil when nothing was promised.
    private(set) var remaining: Int64?
    /// Body bytes handed to the channel.
    private(set) var sent: Int64 = 0
    var file: FileCursor?
    /// What of `sent` has really been written to the channel, the rest of a file slice coming later.
    var handedOver: Int64 { sent - (file.map { $0.range.upperBound - $0.range.lowerBound } ?? 0) }
    /// Where `handedOver` has to make way for other connections.
    var turnEnd: Int64 = 0
    /// Something is under way elsewhere, a producer's part or a block from disk; it comes back by itself.
    var isWaiting = false
    /// Other connections have their turn.
    var isYielding = false
    var task: Task<Void, Never>?
    /// Whether TCP was told to send full segments only, until the end.
    var isCorked = false

    init(framing: Outgoing.Framing, parts: [BodyPart], producer: (any BodyProducer)?) {
        self.framing = framing
        self.parts = Deque(parts)
        self.producer = producer
        if case .length(let length) = framing { remaining = length }
    }

    /// Counts bytes that are about to be handed over; false when they run over the promised length.
    func count(_ bytes: Int64) -> Bool {
        if let left = remaining {
            guard bytes <= left else { return false }
            remaining = left - bytes
        }
        sent += bytes
        return true
    }

    /// Tells the producer that nobody will read on.
    func cancel() {
        task?.cancel()
        task = nil
        producer?.cancelled()
        producer = nil
        parts.removeAll()
    }
}

/// A file slice that is being sent, window by window.
struct FileCursor {
    /// What `sendfile` is given at a time, and what is read ahead of it.
    static let window: Int64 = 1 << 20
    /// What is read at a time where `sendfile` cannot be used.
    static let block = 256 << 10
    /// Slices up to this length are copied into a buffer: cheaper than a `sendfile` of their own.
    static let copied: Int64 = 32 << 10
    /// From this length on, saving half-empty segments is worth two system calls.
    static let corked: Int64 = 256 << 10

    let file: OpenFile
    /// What is left.
    var range: Range<Int64>
    let handle: SendHandle
    /// Bytes before this offset were read by the disk threads, so they are in memory.
    var filledTo: Int64 = 0
    /// The offset up to which the disk threads are reading.
    var fillingTo: Int64?

    init(_ slice: FileSlice) {
        file = slice.file
        range = slice.range
        handle = SendHandle(slice.file)
    }

    /// The next window, from the front of what is left.
    var next: Range<Int64> { range.lowerBound..<min(range.upperBound, range.lowerBound + Self.window) }

    mutating func advance(to offset: Int64) { range = offset..<range.upperBound }
}

/// Lends an open file's descriptor to NIO, which wants to own what it sends from. Keeps the file open until
/// the last window that was given out is sent; no descriptor is duplicated, because `sendfile` with an offset
/// leaves the shared file position alone.
final class SendHandle {
    private let file: OpenFile
    private let handle: NIOFileHandle

    init(_ file: OpenFile) {
        self.file = file
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.descriptor)
    }

    /// The descriptor goes back to `file`, which closes it when its last holder lets go. Taking it back
    /// fails only when it was taken back before, which nobody else does.
    deinit { _ = try? handle.takeDescriptorOwnership() }

    func region(_ range: Range<Int64>) -> FileRegion {
        FileRegion(
            fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(range.upperBound))
    }
}
