import CDeflate

/// Unpacks deflate streams (RFC 1951), one after the other, as their bytes arrive.
///
/// Holds about 200 KiB. Give it bytes with `feed`, then call `next` until it wants more or is done.
struct Inflater: ~Copyable, @unchecked Sendable {
    enum Status {
        /// There may be more output for the bytes given: call `next` again.
        case goesOn
        /// All bytes given are used up.
        case needsInput
        /// The stream has ended; `unused` of the bytes given last are not part of it. It may be more than
        /// that feeding held: then the stream ended within one of the eight bytes before it.
        case finished(unused: Int)
        case invalid
    }

    static let outputByteCount = 128 << 10

    // Sendable: both are owned by this value alone, which cannot be copied.
    private let state: UnsafeMutablePointer<inflate_state>
    private let output: UnsafeMutableRawBufferPointer

    init() {
        state = .allocate(capacity: 1)
        output = .allocate(byteCount: Self.outputByteCount, alignment: 64)
        // Sets every field that is read before it is written.
        isal_inflate_init(state)
    }

    deinit {
        state.deallocate()
        output.deallocate()
    }

    /// Makes ready for a new stream.
    mutating func restart() { isal_inflate_reset(state) }

    /// Gives the next bytes of the stream; they must stay where they are until `next` asks for more.
    mutating func feed(_ input: UnsafeRawBufferPointer) {
        precondition(input.count <= Int(UInt32.max), "input comes in pieces below 4 GiB")
        let start = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.next_in = UnsafeMutablePointer(mutating: start)
        state.pointee.avail_in = UInt32(input.count)
    }

    /// Unpacks up to `outputByteCount` bytes, valid until the next call.
    mutating func next() -> (output: UnsafeRawBufferPointer, status: Status) {
        state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(output.count)
        let before = state.pointee.avail_in
        let result = isal_inflate(state)
        let produced = output.count - Int(state.pointee.avail_out)
        let bytes = UnsafeRawBufferPointer(rebasing: output[..<produced])
        guard result == ISAL_DECOMP_OK else { return (bytes, .invalid) }
        if state.pointee.block_state == ISAL_BLOCK_FINISH {
            // Whole bytes that were taken in ahead of need, as bits.
            let ahead = Int(state.pointee.read_in_length) / 8
            return (bytes, .finished(unused: Int(state.pointee.avail_in) + max(0, ahead)))
        }
        if state.pointee.avail_out == 0 { return (bytes, .goesOn) }
        if state.pointee.avail_in == 0 { return (bytes, .needsInput) }
        return (bytes, produced > 0 || state.pointee.avail_in < before ? .goesOn : .invalid)
    }
}

/// The CRC-32 of zip and gzip files.
enum CRC32 {
    static func update(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return crc }
        return crc32_gzip_refl(crc, start, UInt64(bytes.count))
    }
}
