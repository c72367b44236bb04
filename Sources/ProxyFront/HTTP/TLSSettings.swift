import NIOCore
import NIOSSL

/// The certificate that the front shows, as files.
public struct TLSSettings: Sendable, Equatable {
    /// PEM: the certificate, followed by its intermediates.
    public var certificateFile: String
    /// PEM: the private key, not encrypted.
    public var keyFile: String

    public init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }

    /// Reads both files and says whether they can be used together. Blocks.
    ///
    /// - Throws: `TLSSettingsError`, naming the file and what to do.
    public func check() throws(TLSSettingsError) { _ = try context() }

    /// Reads both files. Blocks.
    ///
    /// - Throws: `TLSSettingsError`, naming the file and what to do.
    func context() throws(TLSSettingsError) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certificateFile) } catch {
            throw .certificate(file: certificateFile, cause: "\(error)")
        }
        guard !chain.isEmpty else { throw .certificate(file: certificateFile, cause: "it holds none") }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: keyFile, format: .pem) } catch {
            throw .key(file: keyFile, cause: "\(error)")
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        do { return try NIOSSLContext(configuration: configuration) } catch {
            throw .mismatch(certificateFile: certificateFile, keyFile: keyFile, cause: "\(error)")
        }
    }
}

public enum TLSSettingsError: Error, Equatable, CustomStringConvertible {
    case certificate(file: String, cause: String)
    case key(file: String, cause: String)
    case mismatch(certificateFile: String, keyFile: String, cause: String)

    public var description: String {
        switch self {
        case .certificate(let file, let cause):
            "cannot read a PEM certificate from \(file): \(cause). Give a readable file that starts with "
                + "-----BEGIN CERTIFICATE-----, the server's own certificate first."
        case .key(let file, let cause):
            "cannot read a PEM private key from \(file): \(cause). Give a readable, unencrypted file that "
                + "starts with -----BEGIN PRIVATE KEY-----."
        case .mismatch(let certificateFile, let keyFile, let cause):
            "the certificate in \(certificateFile) and the key in \(keyFile) cannot be used together: \(cause). "
                + "Give the key that the certificate was made for."
        }
    }
}
