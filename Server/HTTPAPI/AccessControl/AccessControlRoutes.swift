import NIOHTTP1

extension RouteTable {
    /// `/v1/acl/…`: what these routes answer while access control is off.
    ///
    /// - Source: Consul: api-docs/acl; every one answers 401 when `acl.enabled` is false.
    mutating func addAccessControlRoutes() {
        let routes: [(String, [HTTPMethod])] = [
            ("bootstrap", [.PUT]), ("create", [.PUT]), ("update", [.PUT]), ("destroy/", [.PUT]),
            ("info/", [.GET]), ("clone/", [.PUT]), ("list", [.GET]), ("login", [.POST]),
            ("logout", [.POST]), ("replication", [.GET]), ("policies", [.GET]), ("policy", [.PUT]),
            ("policy/", [.GET, .PUT, .DELETE]), ("policy/name/", [.GET]), ("roles", [.GET]),
            ("role", [.PUT]), ("role/", [.GET, .PUT, .DELETE]), ("role/name/", [.GET]),
            ("binding-rules", [.GET]), ("binding-rule", [.PUT]),
            ("binding-rule/", [.GET, .PUT, .DELETE]), ("auth-methods", [.GET]),
            ("auth-method", [.PUT]), ("auth-method/", [.GET, .PUT, .DELETE]),
            ("tokens", [.GET]), ("token", [.PUT]), ("token/self", [.GET]),
            ("token/", [.GET, .PUT, .DELETE]),
        ]
        for (path, methods) in routes {
            for method in methods {
                add(method, "/v1/acl/\(path)", .open) { _, _ in
                    .reply(.text(.unauthorized, "ACL support disabled"))
                }
            }
        }
        add(.GET, "/debug/pprof/", .open) { _, _ in
            .reply(.text(.unauthorized, "ACL support disabled"))
        }
    }
}
