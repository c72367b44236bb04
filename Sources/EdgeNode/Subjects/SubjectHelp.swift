/// How modules and images are told apart, in the words of the help texts.
enum SubjectHelp {
    static let text = """
        A name with a colon, with a digest, or without a dot before its first slash is an image (nginx, nginx:1.27, \
        localhost:5000/app), and so is one that begins with a registry of the configuration (quay.io/team/app); \
        everything else is a module. oci: or go: before it says it outright.
        """
}
