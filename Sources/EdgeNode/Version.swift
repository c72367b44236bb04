/// The version of this program, as its package and its clients see it.
package enum Version {
    package static let text = "0.1.0"
}
