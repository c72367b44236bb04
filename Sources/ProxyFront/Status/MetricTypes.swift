import Synchronization

/// One named metric, or a family of one name whose members differ by a label.
public protocol Metric: Sendable {
    /// Appends the metric in the Prometheus text format, version 0.0.4.
    func render(into text: inout String)
}

/// A label whose values are known when the program is written: the cases of an enum, numbered from 0.
/// So the number of time series is fixed, and nothing that a client sends can add to it.
public protocol MetricLabel: RawRepresentable<Int>, CaseIterable, Sendable {
    /// The label's value in the rendering; by default the case's name in snake case.
    var label: String { get }
}

extension MetricLabel {
    public var label: String { MetricText.snakeCase(String(describing: self)) }
}

/// A number that only grows; starts at 0 with the process.
public final class Counter: Metric {
    let name: String
    let help: String
    private let cell = Atomic<Int>(0)

    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    public var value: Int { cell.load(ordering: .relaxed) }

    public func add(_ amount: Int = 1) {
        cell.wrappingAdd(amount, ordering: .relaxed)
    }

    /// Follows a total that is counted elsewhere; never goes back.
    public func advance(to total: Int) {
        cell.max(total, ordering: .relaxed)
    }

    public func render(into text: inout String) {
        MetricText.head(name, help, kind: "counter", into: &text)
        text += "\(name) \(value)\n"
    }
}

/// A number that goes up and down.
public final class Gauge: Metric {
    let name: String
    let help: String
    private let cell = Atomic<Int>(0)

    public init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }

    public var value: Int { cell.load(ordering: .relaxed) }

    public func add(_ amount: Int = 1) { cell.wrappingAdd(amount, ordering: .relaxed) }
    public func subtract(_ amount: Int = 1) { cell.wrappingSubtract(amount, ordering: .relaxed) }
    public func set(_ value: Int) { cell.store(value, ordering: .relaxed) }

    public func render(into text: inout String) {
        MetricText.head(name, help, kind: "gauge", into: &text)
        text += "\(name) \(value)\n"
    }
}

/// Counters of one name, one for each value of a label.
public final class LabelledCounter<Label: MetricLabel>: Metric {
    let name: String
    let help: String
    private let label: String
    private let cells: [Cell]

    private final class Cell: Sendable {
        let value = Atomic<Int>(0)
    }

    /// `label` is the label's name.
    public init(_ name: String, _ help: String, label: String) {
        precondition(
            Label.allCases.map(\.rawValue).elementsEqual(0..<Label.allCases.count),
            "the raw values of a metric label count from 0")
        self.name = name
        self.help = help
        self.label = label
        cells = Label.allCases.map { _ in Cell() }
    }

    public func value(_ label: Label) -> Int { cells[label.rawValue].value.load(ordering: .relaxed) }
    public var total: Int { Label.allCases.reduce(0) { $0 + value($1) } }

    public func add(_ label: Label, _ amount: Int = 1) {
        cells[label.rawValue].value.wrappingAdd(amount, ordering: .relaxed)
    }

    public func render(into text: inout String) {
        MetricText.head(name, help, kind: "counter", into: &text)
        for value in Label.allCases {
            text += "\(name){\(label)=\"\(MetricText.escaped(value.label))\"} \(self.value(value))\n"
        }
    }
}

/// How often a duration fell under each of a fixed list of bounds.
public final class Histogram: Metric {
    /// From 1 ms to 1 min, for what crosses a network.
    public static let networkBounds: [Duration] = [
        .milliseconds(1), .milliseconds(5), .milliseconds(10), .milliseconds(25), .milliseconds(50),
        .milliseconds(100), .milliseconds(250), .milliseconds(500), .seconds(1), .milliseconds(2500),
        .seconds(5), .seconds(10), .seconds(30), .seconds(60),
    ]

    let name: String
    let help: String
    private let bounds: [Int64]
    private let cells: [Cell]
    private let sum = Atomic<Int64>(0)

    private final class Cell: Sendable {
        let value = Atomic<Int>(0)
    }

    /// `bounds` are the upper ends of the buckets, ascending; one more takes what is above the last.
    public init(_ name: String, _ help: String, bounds: [Duration] = Histogram.networkBounds) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy(<), "bucket bounds ascend")
        self.name = name
        self.help = help
        self.bounds = bounds.map(MetricText.nanoseconds)
        cells = (0...bounds.count).map { _ in Cell() }
    }

    public func observe(_ duration: Duration) {
        let value = MetricText.nanoseconds(duration)
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        cells[bucket].value.wrappingAdd(1, ordering: .relaxed)
        sum.wrappingAdd(value, ordering: .relaxed)
    }

    /// How many durations were observed.
    public var count: Int { cells.reduce(0) { $0 + $1.value.load(ordering: .relaxed) } }

    public func render(into text: inout String) {
        MetricText.head(name, help, kind: "histogram", into: &text)
        renderSeries(labels: "", into: &text)
    }

    /// The series alone, for a family; `labels` is empty or `name="value"`.
    func renderSeries(labels: String, into text: inout String) {
        let inner = labels.isEmpty ? "" : labels + ","
        let outer = labels.isEmpty ? "" : "{\(labels)}"
        var cumulative = 0
        for (bound, cell) in zip(bounds, cells) {
            cumulative += cell.value.load(ordering: .relaxed)
            text += "\(name)_bucket{\(inner)le=\"\(MetricText.seconds(bound))\"} \(cumulative)\n"
        }
        cumulative += cells[bounds.count].value.load(ordering: .relaxed)
        text += "\(name)_bucket{\(inner)le=\"+Inf\"} \(cumulative)\n"
        text += "\(name)_sum\(outer) \(MetricText.seconds(sum.load(ordering: .relaxed)))\n"
        text += "\(name)_count\(outer) \(cumulative)\n"
    }
}
