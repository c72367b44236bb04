/// Where a node keeps its data when nobody said where.
package enum DataDirectory {
    /// The state folder that systemd made for the service, else the user's data folder
    /// (XDG Base Directory Specification); nil when neither is known.
    package static func standard(_ environment: [String: String]) -> String? {
        // systemd lists several folders separated by colons; ours is the first.
        if let state = environment["STATE_DIRECTORY"]?.split(separator: ":").first { return String(state) }
        // The specification says to ignore relative paths.
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return data + "/edgenode" }
        if let home = environment["HOME"], home.hasPrefix("/") { return home + "/.local/share/edgenode" }
        return nil
    }
}
