import Gossip

/// Somebody who sees everything that passes and may send anything to anyone.
package protocol Adversary: AnyObject {
    /// A datagram was sent; what is given back is sent besides, from the endpoint that it names.
    func saw(_ datagram: [UInt8], from: Endpoint, to: Endpoint, random: inout SimulationRandom)
        -> [Injection]
}

package struct Injection {
    package var bytes: [UInt8]
    package var from: Endpoint
    package var to: Endpoint

    package init(_ bytes: [UInt8], from: Endpoint, to: Endpoint) {
        (self.bytes, self.from, self.to) = (bytes, from, to)
    }
}
