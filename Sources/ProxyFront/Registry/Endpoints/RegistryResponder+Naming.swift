/// Which repository a request means.
extension RegistryResponder {
    func resolve(_ asked: RegistryRequest) throws(RegistryError) -> (Repository, RegistryUpstream) {
        do throws(RegistryDirectoryError) {
            return try directory.resolve(path: asked.path, namespace: asked.namespace)
        } catch {
            throw RegistryError(error)
        }
    }

    /// The registry that a namespace means.
    func registry(_ namespace: String) throws(RegistryError) -> RegistryHost {
        let host: RegistryHost
        do throws(RegistryNameError) { host = try RegistryHost(namespace) } catch {
            throw RegistryError(.name(error))
        }
        guard let upstream = directory.upstream(host) else { throw RegistryError(.unknown(host)) }
        return upstream.host
    }
}

extension RegistryError {
    init(_ error: RegistryDirectoryError) {
        switch error {
        case .name: self.init(.badRequest, .nameInvalid, "\(error)")
        case .unknown, .noRegistry, .taken, .noDefault: self.init(.notFound, .nameUnknown, "\(error)")
        }
    }
}
