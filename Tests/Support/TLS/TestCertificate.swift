package import NIOSSL

/// A self-signed certificate that is valid for a hundred years; its key protects nothing.
package struct TestCertificate: Sendable {
    /// In PEM.
    package let certificate: String
    /// In PEM.
    package let key: String

    /// For a side that others connect to.
    ///
    /// With `verifying`, clients must show that certificate.
    package func serverContext(verifying client: TestCertificate? = nil) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try chain().map { .certificate($0) },
            privateKey: .privateKey(try privateKey())
        )
        if let client {
            configuration.trustRoots = .certificates(try client.chain())
            configuration.certificateVerification = .noHostnameVerification
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// For a client of a side that shows this certificate.
    ///
    /// With `showing`, the client shows that one; without `verifiesName`, the name under which the
    /// server is reached does not count.
    package func clientContext(
        showing client: TestCertificate? = nil,
        verifiesName: Bool = true
    ) throws -> NIOSSLContext {
        try NIOSSLContext(
            configuration: clientConfiguration(showing: client, verifiesName: verifiesName)
        )
    }

    /// What ``clientContext(showing:verifiesName:)`` is made of.
    package func clientConfiguration(
        showing client: TestCertificate? = nil,
        verifiesName: Bool = true
    ) throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try chain())
        if !verifiesName { configuration.certificateVerification = .noHostnameVerification }
        if let client {
            configuration.certificateChain = try client.chain().map { .certificate($0) }
            configuration.privateKey = .privateKey(try client.privateKey())
        }
        return configuration
    }

    private func chain() throws -> [NIOSSLCertificate] {
        try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
    }

    private func privateKey() throws -> NIOSSLPrivateKey {
        try NIOSSLPrivateKey(bytes: Array(key.utf8), format: .pem)
    }

    /// For `localhost` and 127.0.0.1.
    package static let localhost = TestCertificate(
        certificate: """
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
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgCljJ4E6pkptp21u0
            O91NyJctyCqi29rnmeEcOSQWwNahRANCAATP56MWUJMFoVnmFBudnSIfQCNYmSwS
            2fk0Nyq4lpsmIiVhMvjxds8SwxuF8ypmJL0IJelXI4JNOLbGZyAry1or
            -----END PRIVATE KEY-----
            """
    )

    /// For `server.dc1.consul`, `localhost` and 127.0.0.1.
    package static let server = TestCertificate(
        certificate: """
            -----BEGIN CERTIFICATE-----
            MIIBwDCCAWagAwIBAgIUIt2udKfqaUVZ4rTweM5ItedOImMwCgYIKoZIzj0EAwIw
            HDEaMBgGA1UEAwwRc2VydmVyLmRjMS5jb25zdWwwIBcNMjYxMTIxMDY1NzM0WhgP
            MjEyNjEwMjgwNjU3MzRaMBwxGjAYBgNVBAMMEXNlcnZlci5kYzEuY29uc3VsMFkw
            EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAErq2y2vDJvZyT6UJ6ETJ2WjpbjMTmH+Ch
            kmnfYXpjRWqIntFZyh9yjGYq6wOz3AZYT2tS6kzJkUnIBMsbCWr0YKOBgzCBgDAd
            BgNVHQ4EFgQUVI3fvGAvy1imhLYgtWnP+ZrbAdcwHwYDVR0jBBgwFoAUVI3fvGAv
            y1imhLYgtWnP+ZrbAdcwDwYDVR0TAQH/BAUwAwEB/zAtBgNVHREEJjAkghFzZXJ2
            ZXIuZGMxLmNvbnN1bIIJbG9jYWxob3N0hwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
            IQDn0tXT7fE+cHAZc5y8vktdWsItlAiIBt52dn7hz5cDZwIgH9deH7SnApQ4L2op
            1Glcox9GZLRSyIGMoIiVmb5jl5I=
            -----END CERTIFICATE-----
            """,
        key: """
            -----BEGIN PRIVATE KEY-----
            MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpK14xOW/lyDFL5eD
            o3mBttZFqT2YdV5auWTRhctJaFOhRANCAASurbLa8Mm9nJPpQnoRMnZaOluMxOYf
            4KGSad9hemNFaoie0VnKH3KMZirrA7PcBlhPa1LqTMmRScgEyxsJavRg
            -----END PRIVATE KEY-----
            """
    )
}
