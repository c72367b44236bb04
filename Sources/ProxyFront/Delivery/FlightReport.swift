extension Flight {
    /// What a person sees of it.
    var report: NodeStatus.InFlight {
        let (received, total, readers, isPrivate) = state.withLock {
            ($0.ingest?.presentCount ?? 0, $0.ingest?.size, $0.readers.count, $0.isPrivate)
        }
        return NodeStatus.InFlight(
            name: order.name.text, receivedBytes: received, totalBytes: total, readers: readers,
            isPrivate: isPrivate)
    }
}

extension Delivery {
    /// Every body under way, by name.
    public var underWay: [NodeStatus.InFlight] {
        runningFlights.map(\.report).sorted { $0.name < $1.name }
    }
}
