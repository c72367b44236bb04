import EdgeNode
import Foundation
import Testing

@Suite("The line writer")
struct LineWriterTests {
    @Test("writes lines in the order of each thread, all of them before flush returns")
    func order() {
        let sink = CollectingSink()
        let writer = LineWriter(name: "test", sink: sink)
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for number in 0..<500 { writer.append(Array("\(thread) \(number)\n".utf8)) }
        }
        writer.flush()
        let lines = sink.text.split(separator: "\n")
        #expect(lines.count == 2000)
        for thread in 0..<4 {
            let numbers = lines.filter { $0.hasPrefix("\(thread) ") }.compactMap { Int($0.dropFirst(2)) }
            #expect(numbers == Array(0..<500))
        }
        writer.close()
    }

    @Test("drops and counts lines while its sink is stuck, and never waits")
    func overflow() {
        let sink = CollectingSink(held: true)
        let writer = LineWriter(name: "test", limit: 10, sink: sink)
        writer.append(Array("first\n".utf8))
        sink.waitUntilWriting()
        for number in 0..<25 { writer.append(Array("\(number)\n".utf8)) }
        sink.release()
        writer.flush()
        #expect(sink.text == "first\n" + (0..<10).map { "\($0)\n" }.joined())
        #expect(sink.lost == 15)
        writer.close()
    }

    @Test("writes what waits when it is closed, and nothing afterwards")
    func close() {
        let sink = CollectingSink(held: true)
        let writer = LineWriter(name: "test", sink: sink)
        for number in 0..<3 { writer.append(Array("\(number)\n".utf8)) }
        sink.release()
        writer.close()
        writer.append(Array("late\n".utf8))
        #expect(sink.text == "0\n1\n2\n")
    }
}
