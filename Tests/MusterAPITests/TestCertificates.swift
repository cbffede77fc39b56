/// Certificates made for these tests, good from 2020 to 2120; their keys protect nothing.
///
/// The server's names are `registry.internal` and `localhost`; it has no address in it.
enum TestCertificates {
    /// The authority of the two below.
    static let authority = """
        -----BEGIN CERTIFICATE-----
        MIIBYjCCAQmgAwIBAgIBATAKBggqhkjOPQQDAjAgMR4wHAYDVQQDDBVNdXN0ZXIg
        dGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBa
        MCAxHjAcBgNVBAMMFU11c3RlciB0ZXN0IGF1dGhvcml0eTBZMBMGByqGSM49AgEG
        CCqGSM49AwEHA0IABJxIp6HlrZKw2nWsRfgKFkTZavxZRncDEC7seiM4eVSbT7qX
        GPAJd1q7Nqm+3iqgAPVfIZDXRek/WIq1mcHNlWejMjAwMA8GA1UdEwEB/wQFMAMB
        Af8wHQYDVR0OBBYEFE/O3Br7B6i4JIpyhfBF9/kL+wx9MAoGCCqGSM49BAMCA0cA
        MEQCIDReTF/j3GGE7ZIOz64z/PgGKPA8rUvCARB7ljaas5+2AiB/3Z7c/3v1pEUm
        wZpsOZUloo1SAN/12J5/chhBXGpXyQ==
        -----END CERTIFICATE-----
        """

    /// An authority that signed nothing here.
    static let otherAuthority = """
        -----BEGIN CERTIFICATE-----
        MIIBXDCCAQGgAwIBAgIBAjAKBggqhkjOPQQDAjAcMRowGAYDVQQDDBFBbm90aGVy
        IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowHDEa
        MBgGA1UEAwwRQW5vdGhlciBhdXRob3JpdHkwWTATBgcqhkjOPQIBBggqhkjOPQMB
        BwNCAAQk06yUB9JJ0Eiq7H0m9KhM3jrGX0lbvyFO/244LB3Uyg3iWxdw3+MmIHJZ
        y26pueevllGP1sXcnyx8UQ2LejYfozIwMDAPBgNVHRMBAf8EBTADAQH/MB0GA1Ud
        DgQWBBTW295EJIWgBJaLod2EEfeLukvJSTAKBggqhkjOPQQDAgNJADBGAiEAkMFI
        lh6vS8OXfVOOD/tnKcadfct04NFEWzcs89/kl8ECIQD7UuphqWPkJCTvjDjNtuo8
        URRpH8qO4kt80430ngmZoA==
        -----END CERTIFICATE-----
        """

    /// The server's certificate.
    static let server = """
        -----BEGIN CERTIFICATE-----
        MIIBoTCCAUmgAwIBAgIBAzAKBggqhkjOPQQDAjAgMR4wHAYDVQQDDBVNdXN0ZXIg
        dGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBa
        MBExDzANBgNVBAMMBnNlcnZlcjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJ1O
        SoNsd2G3ytgLVkLQXZjzKwYykLBpUhZ3UTyN0JhwkLhC7GESeLuPiWZ6s0uG2pbI
        yBkVT5i4UYxHj3JfPgyjgYAwfjAnBgNVHREEIDAeghFyZWdpc3RyeS5pbnRlcm5h
        bIIJbG9jYWxob3N0MBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBTtink2
        hVe76kwJ3VC5td5Mcv9SrDAfBgNVHSMEGDAWgBRPztwa+weouCSKcoXwRff5C/sM
        fTAKBggqhkjOPQQDAgNGADBDAiB6ARaqPWjvsPZBfKYu2VhrpqokmT+nZ3mkyM9F
        c8zF0QIfV6z62OSxRIfmHuEdLk+RFKhTp/TXFtjFvH9gMGNZIA==
        -----END CERTIFICATE-----
        """

    /// The server's key.
    static let serverKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLnJJ9lMe33ezRlpj
        bCZxijppIu1rE2jbV+/RxtxdxfqhRANCAASdTkqDbHdht8rYC1ZC0F2Y8ysGMpCw
        aVIWd1E8jdCYcJC4QuxhEni7j4lmerNLhtqWyMgZFU+YuFGMR49yXz4M
        -----END PRIVATE KEY-----
        """

    /// A client's certificate.
    static let client = """
        -----BEGIN CERTIFICATE-----
        MIIBeDCCAR+gAwIBAgIBBDAKBggqhkjOPQQDAjAgMR4wHAYDVQQDDBVNdXN0ZXIg
        dGVzdCBhdXRob3JpdHkwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBa
        MBExDzANBgNVBAMMBmNsaWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABMLn
        663DqOPwahJxjSQ9tMu3TrpQ0CHNq5VC+X+j7OWnSHW9f3Jiih1jAQBv0LkoqUUO
        ZfF8mMBIECUuGL/07TmjVzBVMBMGA1UdJQQMMAoGCCsGAQUFBwMCMB0GA1UdDgQW
        BBTj/4VUHqRoYJinQJakyKieNhi+RzAfBgNVHSMEGDAWgBRPztwa+weouCSKcoXw
        Rff5C/sMfTAKBggqhkjOPQQDAgNHADBEAiBhgjWzbbeEwCJVNiGp8Wxy/c8msWYO
        l+35XeisNSUEjwIgNZ+oPdwC6FvFyWB0RdbHIDEBRPcgrCvkRi3bE3DvZ3g=
        -----END CERTIFICATE-----
        """

    /// The client's key.
    static let clientKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0z8s7bzPKxYfWpEJ
        80vAwz/4IPToG4RHwk5284zF88qhRANCAATC5+utw6jj8GoScY0kPbTLt066UNAh
        zauVQvl/o+zlp0h1vX9yYoodYwEAb9C5KKlFDmXxfJjASBAlLhi/9O05
        -----END PRIVATE KEY-----
        """
}
