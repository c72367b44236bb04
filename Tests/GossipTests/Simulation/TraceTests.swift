import Foundation
import GossipSimulation
import Testing

@Suite struct TraceTests {
    /// What a process of its own prints for one run; hash tables have another order in each process.
    private func trace(_ scenario: Scenario, seed: UInt64) throws -> String {
        let products = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let executable = [products, products.deletingLastPathComponent()]
            .map { $0.appendingPathComponent("GossipTrace") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        guard let executable else { throw CocoaError(.fileNoSuchFile) }
        let (process, output) = (Process(), Pipe())
        process.executableURL = executable
        process.arguments = [scenario.name, "\(seed)"]
        process.standardOutput = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return String(text.prefix { $0 != "\n" })
    }

    @Test(arguments: [Scenario.anyFaults], [11, 12] as [UInt64])
    func `one seed gives one trace in two other processes and in this one`(scenario: Scenario, seed: UInt64)
        throws
    {
        let first = try trace(scenario, seed: seed)
        #expect(first.contains(" after "))
        #expect(try trace(scenario, seed: seed) == first)
        #expect(try scenario.run(seed: seed).simulation.trace.description == first)
    }

    @Test func `another seed gives another trace`() throws {
        let scenario = Scenario.anyFaults
        let (one, other) = (try scenario.run(seed: 11), try scenario.run(seed: 12))
        #expect(one.simulation.trace != other.simulation.trace)
    }
}
