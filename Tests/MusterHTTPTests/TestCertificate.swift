import NIOSSL

/// A self-signed certificate of `localhost` and 127.0.0.1 for tests; its key protects nothing.
enum TestCertificate {
    static func serverContext() throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(key)
            )
        )
    }

    /// What a client needs that trusts it.
    static func clientConfiguration() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        let roots = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
        configuration.trustRoots = .certificates(roots)
        return configuration
    }

    private static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBmzCCAUGgAwIBAgIURoCPqk0gkvoI/P+Vi8MnBMUKsA0wCgYIKoZIzj0EAwIw
        FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTAxMjkzM1oYDzIxMjYxMDI4
        MDEyOTMzWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
        PQMBBwNCAATP56MWUJMFoVnmFBudnSIfQCNYmSwS2fk0Nyq4lpsmIiVhMvjxds8S
        wxuF8ypmJL0IJelXI4JNOLbGZyAry1oro28wbTAdBgNVHQ4EFgQUmfeFrCGe3gx4
        l9jHcryVkHm5oY8wHwYDVR0jBBgwFoAUmfeFrCGe3gx4l9jHcryVkHm5oY8wDwYD
        VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
        zj0EAwIDSAAwRQIgTYzt5dlRzoU2hoguNS/qMF4CL14VwhuMUqaGb+tZxwQCIQDb
        n2Wa8ytPwLemE354vj8vSrLZJjlTbkQ7asV5YMrM6A==
        -----END CERTIFICATE-----
        """

    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCljJ4E6pkptp21u0
        O91NyJctyCqi29rnmeEcOSQWwNahRANCAATP56MWUJMFoVnmFBudnSIfQCNYmSwS
        2fk0Nyq4lpsmIiVhMvjxds8SwxuF8ypmJL0IJelXI4JNOLbGZyAry1or
        -----END PRIVATE KEY-----
        """
}
