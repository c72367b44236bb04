import ChunkStore
import Content
import NIOCore
import Synchronization

/// One client's view of a flight: its range of the body, in order, at its own pace, and never the last
/// bytes before they are proven.
final class FlightReader: BodyProducer {
    private struct Place {
        var position: Int64
        /// Given back early when the client goes away.
        var seat: Flight.Seat?
    }

    private let flight: Flight
    private let head: BodyHead
    /// Where the range ends; nil = where the body ends.
    private let end: Int64?
    private let start: Int64
    private let place: Mutex<Place>
    private let holdback: Holdback

    init(_ seat: Flight.Seat, head: BodyHead, range: Range<Int64>?) {
        flight = seat.flight
        self.head = head
        end = range?.upperBound ?? head.total
        start = range?.lowerBound ?? 0
        holdback = Holdback(total: head.total)
        place = Mutex(Place(position: range?.lowerBound ?? 0, seat: seat))
        flight.moved(seat.id, to: start)
    }

    func next() async throws -> BodyPart? {
        let (position, reader) = place.withLock { ($0.position, $0.seat?.id) }
        guard let reader, end.map({ position < $0 }) ?? true else {
            leave()
            return nil
        }
        do {
            guard let part = try await part(from: position, reader: reader) else {
                leave()
                return nil
            }
            let reached = place.withLock { place in
                place.position += part.byteCount
                return place.position
            }
            flight.moved(reader, to: reached)
            return part
        } catch {
            leave()
            throw error
        }
    }

    func cancelled() { leave() }

    private func leave() {
        // Released outside the lock: its end may wake others.
        let seat = place.withLock { place in
            defer { place.seat = nil }
            return place.seat
        }
        _ = seat
    }

    private func part(from position: Int64, reader: UInt64) async throws -> BodyPart? {
        while true {
            let (ingest, relay, prefix) = flight.state.withLock { ($0.ingest, $0.relay, $0.prefix) }
            if let relay {
                if let prefix, position < prefix.range.upperBound {
                    let limit = min(end ?? .max, prefix.range.upperBound)
                    return .file(FileSlice(file: prefix.file, range: position..<limit))
                }
                return try await relayed(relay, from: position, reader: reader)
            }
            guard let ingest else { throw DeliveryFailure.cancelled }
            switch flight.proven.current {
            case .failure(let failure): throw failure
            case .success(let size):
                let limit = min(end ?? size, size)
                return position < limit ? .file(ingest.slice(position..<limit)) : nil
            case nil: break
            }
            do {
                if let range = try await received(ingest, from: position) {
                    return .file(ingest.slice(range))
                }
                // Only the last bytes are missing, or upstream has ended: the proof says what now.
                _ = try await flight.proven.value()
            } catch StoreError.noSpace {
                // The rest goes through memory, as soon as that is set up.
                try await flight.relayed.value()
            } catch {
                if case .failure(let failure) = flight.proven.current { throw failure }
                throw error
            }
        }
    }

    /// Waits for bytes that may go out before the proof; nil when there are none.
    private func received(_ ingest: Ingest, from position: Int64) async throws -> Range<Int64>? {
        if let total = head.total {
            // A body that is not fetched whole is never proven: a part far from its front goes out as it comes.
            let bound = flight.isLazy(beyond: start) ? total : holdback.limit(front: total)
            let limit = min(end ?? total, bound)
            guard position < limit else { return nil }
            flight.bring(position..<limit)
            let range = try await ingest.available(position..<limit)
            return range.isEmpty ? nil : range
        }
        let beyond = position + Holdback.limit
        let range = try await ingest.available(beyond..<Int64.max)
        return range.isEmpty ? nil : position..<range.upperBound - Holdback.limit
    }

    private func relayed(_ relay: Relay, from position: Int64, reader: UInt64) async throws -> BodyPart? {
        guard let bytes = try await relay.next(reader, from: position, holdback: holdback) else { return nil }
        if let end, Int64(bytes.readableBytes) > end - position {
            return bytes.getSlice(at: bytes.readerIndex, length: Int(end - position)).map(BodyPart.bytes)
        }
        return .bytes(bytes)
    }
}

extension BodyPart {
    var byteCount: Int64 {
        switch self {
        case .bytes(let buffer): Int64(buffer.readableBytes)
        case .file(let slice): slice.count
        }
    }
}
