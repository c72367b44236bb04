import Content
import NIOCore

/// Sending file slices: by `sendfile` where it can be used, and never waiting for a disk on the event loop.
extension Connection {
    /// Moves the slice on by one window, or has the disk threads fetch what is not in memory.
    func advanceFile(_ sender: BodySender) {
        guard var cursor = sender.file else { return }
        if cursor.range.isEmpty {
            sender.file = nil
            if sender.framing == .chunked { write(ByteBuffer(staticString: "\r\n")) }
        } else if isSecure || cursor.range.count <= FileCursor.copied {
            copy(sender, cursor)
        } else {
            sendWindow(sender, &cursor)
        }
    }

    private func sendWindow(_ sender: BodySender, _ cursor: inout FileCursor) {
        let window = cursor.next
        let wasFilled = window.upperBound <= cursor.filledTo
        if !wasFilled {
            if cursor.fillingTo != nil {
                sender.isWaiting = true
                return
            }
            if !PageCache.holds(window, of: cursor.file) {
                sender.isWaiting = true
                return fill(window, sender, cursor)
            }
        }
        let sent = loop.eventLoop.makePromise(of: Void.self)
        let handle = cursor.handle
        // Holding the handle until the window is sent keeps its file open.
        sent.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(handle) {} }
        isQueued = true
        context?.write(
            Self.wrapOutboundOut(.fileRegion(handle.region(window))), promise: sent)
        // Writing may have closed the channel, and then the sender is cancelled.
        cursor.advance(to: window.upperBound)
        sender.file = cursor
        // What was cold goes on being cold: fetch the next window while this one is sent.
        if wasFilled, !cursor.range.isEmpty, cursor.fillingTo == nil,
            cursor.next.upperBound > cursor.filledTo, !PageCache.holds(cursor.next, of: cursor.file)
        {
            fill(cursor.next, sender, cursor)
        }
    }

    /// Reads a window into memory on a disk thread.
    private func fill(_ window: Range<Int64>, _ sender: BodySender, _ cursor: FileCursor) {
        front.metrics.coldReads.add()
        sender.file = cursor
        sender.file?.fillingTo = window.upperBound
        let bound = NIOLoopBound((connection: self, sender: sender), eventLoop: loop.eventLoop)
        let (eventLoop, file) = (loop.eventLoop, cursor.file)
        front.disk.submit { state in
            let isRead: Bool
            do throws(FileReadError) {
                if state == .active { try PageCache.fill(window, of: file) }
                isRead = state == .active
            } catch {
                isRead = false
            }
            eventLoop.execute {
                bound.value.connection.filled(isRead ? window.upperBound : nil, bound.value.sender)
            }
        }
    }

    /// A disk thread is done; nil when it could not read.
    private func filled(_ end: Int64?, _ sender: BodySender) {
        guard case .sending(let current) = state, current === sender else { return }
        guard let end else { return truncate(sender) }
        sender.file?.fillingTo = nil
        sender.file?.filledTo = end
        sender.isWaiting = false
        pump()
    }

    /// Sends the next block from a buffer: under TLS, and for slices too short to be worth a `sendfile`.
    private func copy(_ sender: BodySender, _ cursor: FileCursor) {
        let count = Int(min(Int64(FileCursor.block), cursor.range.upperBound - cursor.range.lowerBound))
        let offset = cursor.range.lowerBound
        guard let context else { return }
        let buffer = context.channel.allocator.buffer(capacity: count)
        if PageCache.holds(offset..<offset + Int64(count), of: cursor.file) {
            guard let block = Self.read(count, at: offset, of: cursor.file, into: buffer) else {
                return truncate(sender)
            }
            sender.file?.advance(to: offset + Int64(block.readableBytes))
            return write(block)
        }
        front.metrics.coldReads.add()
        sender.isWaiting = true
        let bound = NIOLoopBound((connection: self, sender: sender), eventLoop: loop.eventLoop)
        let (eventLoop, file) = (loop.eventLoop, cursor.file)
        front.disk.submit { state in
            let block = state == .active ? Self.read(count, at: offset, of: file, into: buffer) : nil
            eventLoop.execute { bound.value.connection.copied(block, bound.value.sender) }
        }
    }

    /// At least one byte and at most `count` from `offset` on; nil when they cannot be read.
    private static func read(
        _ count: Int, at offset: Int64, of file: OpenFile, into buffer: ByteBuffer
    ) -> ByteBuffer? {
        var buffer = buffer
        let isRead = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            do throws(FileReadError) {
                return try PageCache.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]), at: offset, of: file)
            } catch {
                return 0
            }
        }
        return isRead > 0 ? buffer : nil
    }

    private func copied(_ block: ByteBuffer?, _ sender: BodySender) {
        guard case .sending(let current) = state, current === sender,
            let offset = sender.file?.range.lowerBound
        else { return }
        guard let block else { return truncate(sender) }
        sender.isWaiting = false
        sender.file?.advance(to: offset + Int64(block.readableBytes))
        write(block)
        pump()
    }
}
