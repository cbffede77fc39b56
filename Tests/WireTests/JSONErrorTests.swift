import Model
import Testing
import Wire

/// A request body, and the words in which Consul 1.8.7 refuses it.
private struct Refused: Sendable, CustomStringConvertible {
    let body: String
    let message: String

    init(_ body: String, _ message: String) {
        self.body = body
        self.message = message
    }

    var description: String { body }
}

private func message<Record: WireValue>(_ type: Record.Type, _ body: String) -> String? {
    do {
        _ = try JSON.decode(type, from: Array(body.utf8), refusesUnknownKeys: true)
        return nil
    } catch {
        return error.message
    }
}

@Suite("Refused request bodies")
struct JSONErrorTests {
    @Test(
        "Syntax errors have Go's words",
        arguments: [
            Refused("", "EOF"),
            Refused("  \n", "EOF"),
            Refused("{", "unexpected EOF"),
            Refused("x", "invalid character 'x' looking for beginning of value"),
            Refused(
                #"{"Node":"a",,}"#,
                "invalid character ',' looking for beginning of object key string"
            ),
            Refused(
                #"{"Node":"a" "b"}"#,
                #"invalid character '"' after object key:value pair"#
            ),
            Refused(
                #"{"Node":tru}"#,
                "invalid character '}' in literal true (expecting 'e')"
            ),
            Refused(#"{"Node":"\x"}"#, "invalid character 'x' in string escape code"),
            Refused(
                "{\"Node\":\"a\u{1}b\"}",
                #"invalid character '\x01' in string literal"#
            ),
            Refused(#"{"Node":01}"#, "invalid character '1' after object key:value pair"),
            Refused(#"{"Node":-}"#, "invalid character '}' in numeric literal"),
            Refused(
                #"{"Node":1.}"#,
                "invalid character '}' after decimal point in numeric literal"
            ),
            // The syntax of the whole body comes before the types of its fields.
            Refused(
                #"{"SkipNodeUpdate":3,}"#,
                "invalid character '}' looking for beginning of object key string"
            ),
        ]
    )
    private func syntax(_ refused: Refused) {
        #expect(message(RegisterRequest.self, refused.body) == refused.message)
    }

    private static let types = [
        Refused(#"{"Node":1}"#, "number into Go struct field RegisterRequest.Node of type string"),
        Refused(
            #"{"Node":"a","Service":{"Port":"x"}}"#,
            "string into Go struct field NodeService.Service.Port of type int"
        ),
        Refused(
            #"{"Node":"a","Service":{"Port":1.5}}"#,
            "number 1.5 into Go struct field NodeService.Service.Port of type int"
        ),
        Refused(
            #"{"Node":"a","Service":{"Port":1e100}}"#,
            "number 1e100 into Go struct field NodeService.Service.Port of type int"
        ),
        Refused(
            #"{"Node":"a","Service":{"Tags":{}}}"#,
            "object into Go struct field NodeService.Service.Tags of type []string"
        ),
        Refused(
            #"{"Node":"a","Service":{"Tags":[1]}}"#,
            "number into Go struct field NodeService.Service.Tags of type string"
        ),
        Refused(
            #"{"Node":"a","Service":{"Meta":[]}}"#,
            "array into Go struct field NodeService.Service.Meta of type map[string]string"
        ),
        Refused(
            #"{"Node":"a","Service":[]}"#,
            "array into Go struct field RegisterRequest.Service of type structs.NodeService"
        ),
        Refused(
            #"{"Node":"a","Service":{"Proxy":{"Upstreams":[{"LocalBindPort":"x"}]}}}"#,
            "string into Go struct field NodeService.Service.Proxy of type int"
        ),
        Refused(
            #"{"Node":"a","Service":{"TaggedAddresses":{"lan":{"Port":"x"}}}}"#,
            "string into Go struct field ServiceAddress.Service.TaggedAddresses.Port of type int"
        ),
        Refused(
            #"{"Node":"a","Check":{"CheckID":1}}"#,
            "number into Go struct field HealthCheck.Check.CheckID of type types.CheckID"
        ),
        Refused(
            #"{"Node":"a","Check":{"Definition":{"Interval":1,"HTTP":3}}}"#,
            "number into Go struct field HealthCheck.Check.Definition of type string"
        ),
        Refused(
            #"{"Node":"a","Checks":[{"Definition":{"Header":3}}]}"#,
            "number into Go struct field HealthCheck.Checks.Definition of type map[string][]string"
        ),
        Refused("[]", "array into Go value of type structs.RegisterRequest"),
        Refused(
            #"{"SkipNodeUpdate":"x"}"#,
            "string into Go struct field RegisterRequest.SkipNodeUpdate of type bool"
        ),
        Refused(
            #"{"CreateIndex":-1}"#,
            "number -1 into Go struct field RegisterRequest.CreateIndex of type uint64"
        ),
        Refused(
            #"{"ID":3}"#,
            "number into Go struct field RegisterRequest.ID of type types.NodeID"
        ),
    ]

    @Test("Type errors name the field as Go does", arguments: types)
    private func type(_ refused: Refused) {
        let expected = "json: cannot unmarshal " + refused.message
        #expect(message(RegisterRequest.self, refused.body) == expected)
    }

    @Test("Unknown keys are refused, except in a check's definition")
    func unknownKeys() {
        let unknown = #"json: unknown field "Bogus""#
        let inProxy = #"{"Node":"a","Service":{"Proxy":{"Bogus":1}}}"#
        let inDefinition = #"{"Node":"a","Check":{"Definition":{"Bogus":1}}}"#
        #expect(message(RegisterRequest.self, #"{"Bogus":1}"#) == unknown)
        #expect(message(RegisterRequest.self, inProxy) == unknown)
        #expect(message(RegisterRequest.self, inDefinition) == nil)
        #expect(message(SessionBody.self, #"{"Bogus":1}"#) == nil)
    }

    @Test("Types that decode themselves hide their name")
    func anonymousTypes() {
        #expect(
            message(ServiceRegistration.self, #"{"Name":"a","Port":"3"}"#)
                == "json: cannot unmarshal string into Go struct field .Port of type int"
        )
        #expect(
            message(
                ServiceRegistration.self,
                #"{"Name":"a","Checks":[{"ttl":"10s","script_args":3}]}"#
            ) == "json: cannot unmarshal number into Go struct field .Checks of type []string"
        )
        #expect(
            message(
                ServiceRegistration.self,
                #"{"Name":"a","Connect":{"sidecar_service":{"Port":"x"}}}"#
            ) == "json: cannot unmarshal string into Go struct field .Connect of type int"
        )
        #expect(
            message(ServiceRegistration.self, #"{"Name":"a","Weights":{"passing":"x"}}"#)
                == "json: cannot unmarshal string into Go struct field Weights.Weights.Passing"
                + " of type int"
        )
        #expect(
            message(ServiceRegistration.self, #"{"Name":"a","Proxy":{"config":3}}"#)
                == "json: cannot unmarshal number into Go struct field .Proxy"
                + " of type map[string]interface {}"
        )
        #expect(
            message(DeregisterRequest.self, #"{"Node":3}"#)
                == "json: cannot unmarshal number into Go struct field .Node of type string"
        )
        #expect(
            message(DeregisterRequest.self, "[]")
                == "json: cannot unmarshal array into Go value of type "
                + "struct { Address string; *structs.Alias }"
        )
        #expect(
            message(RegisterRequest.self, #"{"Checks":3}"#)
                == "json: cannot unmarshal number into Go struct field RegisterRequest.Checks"
                + " of type structs.HealthChecks"
        )
        #expect(
            message(SessionBody.self, #"{"ServiceChecks":[3]}"#)
                == "json: cannot unmarshal number into Go struct field .ServiceChecks"
                + " of type structs.ServiceCheck"
        )
    }

    @Test("Transactions are refused in Go's words")
    func transactions() {
        let start = "json: cannot unmarshal "
        #expect(
            message(TransactionBody.self, "{}")
                == start + "object into Go value of type api.TxnOps"
        )
        #expect(
            message(TransactionBody.self, #"[{"KV":3}]"#)
                == start + "number into Go struct field TxnOp.KV of type api.KVTxnOp"
        )
        #expect(
            message(TransactionBody.self, #"[{"KV":{"Verb":3}}]"#)
                == start + "number into Go struct field KVTxnOp.KV.Verb of type api.KVOp"
        )
        #expect(
            message(TransactionBody.self, #"[{"KV":{"Verb":"set","Value":"!!"}}]"#)
                == "illegal base64 data at input byte 0"
        )
        #expect(
            message(TransactionBody.self, #"[{"KV":{"Verb":"set","Value":3}}]"#)
                == start + "number into Go struct field KVTxnOp.KV.Value of type []uint8"
        )
    }

    @Test("Durations that do not parse have Go's words")
    func durations() {
        let invalid = #"time: invalid duration "x""#
        let definition = #"{"Node":"a","Check":{"Definition":{"Interval":"x"}}}"#
        #expect(message(RegisterRequest.self, definition) == invalid)
        #expect(message(SessionBody.self, #"{"LockDelay":"x"}"#) == invalid)
        #expect(
            message(CheckDefinitionBody.self, #"{"Name":"a","Timeout":"3"}"#)
                == #"time: missing unit in duration "3""#
        )
    }

    @Test("Input nested beyond the limit is refused, not followed")
    func depth() {
        let open = String(repeating: "[", count: 100_000)
        #expect(throws: WireError(.limit, "exceeded max depth")) {
            try JSON.parse(Array(open.utf8))
        }
        #expect(message(Node.self, #"{"Bogus":"# + open) == "exceeded max depth")
        #expect(throws: WireError(.limit, "exceeded max depth")) {
            try JSON.decode(Node.self, from: Array((#"{"Bogus":"# + open).utf8))
        }
    }

    @Test("Only white space may follow a parsed value")
    func trailing() throws {
        #expect(try JSON.parse(Array("[1] \n".utf8)) == .array([.integer(1)]))
        #expect(throws: WireError(.syntax, "invalid character 'x' after top-level value")) {
            try JSON.parse(Array("{}x".utf8))
        }
    }
}
