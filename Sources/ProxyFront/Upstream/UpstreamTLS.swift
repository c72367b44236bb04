import NIOSSL

/// What TLS towards an upstream trusts and shows besides the ordinary. Two made of the same files are equal.
public struct UpstreamTLS: Sendable, Hashable {
    private let files: [String?]
    private let authorities: [NIOSSLCertificate]
    private let chain: [NIOSSLCertificate]
    private let key: NIOSSLPrivateKey?

    /// Reads the files, which blocks: to be made when the node starts.
    /// - Parameters:
    ///   - caFiles: PEM files with authorities that are trusted besides the system's.
    ///   - clientCertificateFile: PEM file with the node's own certificate, the chain behind it.
    ///   - clientKeyFile: PEM file with its key; nil = in the file of the certificate.
    /// - Throws: `UpstreamClientError` naming the file that cannot be used.
    public init(
        caFiles: [String], clientCertificateFile: String? = nil, clientKeyFile: String? = nil
    ) throws(UpstreamClientError) {
        files = [clientCertificateFile, clientKeyFile] + caFiles
        var authorities: [NIOSSLCertificate] = []
        for file in caFiles { authorities += try Self.certificates(in: file) }
        self.authorities = authorities
        guard let clientCertificateFile else {
            (chain, key) = ([], nil)
            return
        }
        chain = try Self.certificates(in: clientCertificateFile)
        let keyFile = clientKeyFile ?? clientCertificateFile
        do { key = try NIOSSLPrivateKey(file: keyFile, format: .pem) } catch {
            throw .clientKey(file: keyFile, reason: "\(error)")
        }
    }

    private static func certificates(in file: String) throws(UpstreamClientError) -> [NIOSSLCertificate] {
        let certificates: [NIOSSLCertificate]
        do { certificates = try NIOSSLCertificate.fromPEMFile(file) } catch {
            throw .certificateAuthority(file: file, reason: "\(error)")
        }
        guard !certificates.isEmpty else { throw .noCertificate(file) }
        return certificates
    }

    func extending(_ base: TLSConfiguration, showsCertificate: Bool) -> TLSConfiguration {
        var tls = base
        if !authorities.isEmpty { tls.additionalTrustRoots.append(.certificates(authorities)) }
        if showsCertificate, let key {
            tls.certificateChain = chain.map { .certificate($0) }
            tls.privateKey = .privateKey(key)
        }
        return tls
    }

    public static func == (a: UpstreamTLS, b: UpstreamTLS) -> Bool { a.files == b.files }
    public func hash(into hasher: inout Hasher) { hasher.combine(files) }
}

/// Why the client towards the upstreams cannot be set up.
public enum UpstreamClientError: Error, CustomStringConvertible {
    case certificateAuthority(file: String, reason: String)
    case noCertificate(String)
    case clientKey(file: String, reason: String)

    public var description: String {
        switch self {
        case .certificateAuthority(let file, let reason):
            "the certificates in \(file) cannot be used: \(reason)"
        case .noCertificate(let file): "\(file) holds no certificate in PEM form"
        case .clientKey(let file, let reason): "the key in \(file) cannot be used: \(reason)"
        }
    }
}
