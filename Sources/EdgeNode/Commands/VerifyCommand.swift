import ArgumentParser

package struct VerifyCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read everything in the store and check it against its digests.",
        discussion: """
            Damaged objects are dropped; they are fetched again when somebody asks for them. Works beside a \
            running node. Exits with 1 when something was damaged.
            """)

    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let line = ProgressLine()
        let report = try await StoreAccess.withStore(try options.load().configuration) { store in
            try await store.verify { progress in
                let share = progress.total.map { "\(progress.done) of \($0)" } ?? "\(progress.done)"
                line.show("verifying: \(share) objects, \(ByteSize.rounded(progress.bytes))")
            }
        }
        line.end()
        for damage in report.damaged { Terminal.complain("damaged: \(damage)") }
        Terminal.show(
            "verified \(report.objects) objects, \(ByteSize.rounded(report.bytes)): \(report.damaged.count) damaged"
        )
        guard report.isComplete else {
            throw CommandFailure(.incomplete, "the check was stopped before its end; run it again")
        }
        guard report.damaged.isEmpty else {
            throw CommandFailure(
                .incomplete,
                "\(report.damaged.count) damaged objects were dropped and will be fetched again on demand")
        }
    }
}

package struct CollectCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "gc",
        abstract: "Apply age limits and the size cap now, and free what is not needed.",
        discussion: "The running node does the same by itself; this does it at once and says what it freed.")

    @OptionGroup package var options: ConfigurationOptions
    package init() {}

    package func run() async throws {
        let report = try await StoreAccess.withStore(try options.load().configuration) {
            try await $0.collect()
        }
        Terminal.show(
            "freed \(ByteSize.rounded(report.freedBytes)); the store now holds \(report.objects) objects in"
                + " \(ByteSize.rounded(report.storeBytes))")
    }
}
