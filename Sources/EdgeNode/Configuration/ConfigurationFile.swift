import Foundation

/// Finds, reads and parses the configuration file.
package enum ConfigurationFile {
    /// The file that is read when none is named, if it exists.
    package static let systemWide = "/etc/edgenode/cluster.toml"

    /// The configuration of this process: the file named by `path`, else by `EDGENODE_CONFIG`, else the
    /// user's, else the machine's; none of these existing, the defaults. The environment overrides the file.
    /// - Throws: `ConfigurationError`; a file that was named must exist.
    package static func load(
        _ path: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) -> (parsed: Configuration.Parsed, file: String?) {
        let named = path ?? environment["EDGENODE_CONFIG"]?.nilIfEmpty
        guard
            let file = named
                ?? candidates(environment).first(where: { FileManager.default.fileExists(atPath: $0) })
        else {
            return (try Configuration.parse("", environment: environment), nil)
        }
        guard access(file, R_OK) == 0, let data = FileManager.default.contents(atPath: file) else {
            throw ConfigurationError(
                file: file,
                issues: [
                    ConfigurationIssue(
                        .document, key: "", "cannot be read: \(String(cString: strerror(errno)))")
                ])
        }
        guard let text = String(validatingUTF8Bytes: data) else {
            throw ConfigurationError(
                file: file,
                issues: [ConfigurationIssue(.document, key: "", "is not UTF-8 text; save it as such")])
        }
        return (try Configuration.parse(text, environment: environment, file: file), file)
    }

    private static func candidates(_ environment: [String: String]) -> [String] {
        var paths: [String] = []
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
            paths.append(folder + "/edgenode/cluster.toml")
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            paths.append(home + "/.config/edgenode/cluster.toml")
        }
        return paths + [systemWide]
    }
}

extension String {
    init?(validatingUTF8Bytes data: Data) {
        guard let text = String(validating: data, as: UTF8.self) else { return nil }
        self = text
    }
}
