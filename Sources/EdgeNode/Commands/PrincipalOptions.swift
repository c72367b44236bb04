import ArgumentParser
import ProxyFront

/// Whom a line of the credentials file is for.
package struct PrincipalOptions: ParsableArguments {
    @Argument(help: "What rules and logs call the user or token.")
    package var name: String
    @Option(help: "\"viewer\", \"operator\" or \"admin\".")
    package var role = AccessRole.viewer

    package init() {}

    package func validate() throws {
        guard PrincipalName.isValid(name) else { throw ValidationError(PrincipalName.complaint(name)) }
    }
}

extension AccessRole: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
    public static var allValueStrings: [String] { allCases.map(\.name) }
    public var defaultValueDescription: String { name }
}
