import Configuration
import MusterAPI
import MusterConfiguration
import MusterTesting
import Testing

/// What keys and values mean to a reader of configuration.
@Suite(.timeLimit(.minutes(1)))
struct ReadingTests {
    @Test func aKeyIsReadFromBelowThePrefixWithSlashesForDots() async throws {
        try await withProvider(["app/http/timeout": "30", "app/name": "orders", "app/http/": ""]) {
            provider,
            _,
            _ in
            let config = ConfigReader(provider: provider)
            #expect(config.int(forKey: "http.timeout") == 30)
            #expect(config.scoped(to: "http").int(forKey: "timeout") == 30)
            #expect(config.string(forKey: "name") == "orders")
            #expect(config.string(forKey: "http") == nil)
            #expect(config.string(forKey: "absent") == nil)
            #expect(provider.prefix == "app/")
            let found = try provider.value(forKey: ["http", "timeout"], type: .int)
            #expect(found.encodedKey == "app/http/timeout")
        }
    }

    @Test func everyTypeIsRead() async throws {
        let values = [
            "app/int": " -12\n", "app/double": "2.5\n", "app/yes": "Yes", "app/no": "0",
            "app/texts": "a, b,,c", "app/ints": "1, 2", "app/doubles": "1.5,2", "app/none": " ",
            "app/bools": "true, no", "app/chunks": "aGk=,AAE=", "app/text": " as it is\n",
        ]
        try await withProvider(values) { provider, _, _ in
            let config = ConfigReader(provider: provider)
            #expect(config.int(forKey: "int") == -12)
            #expect(config.double(forKey: "double") == 2.5)
            #expect(config.bool(forKey: "yes") == true)
            #expect(config.bool(forKey: "no") == false)
            #expect(config.string(forKey: "text") == " as it is\n")
            #expect(config.stringArray(forKey: "texts") == ["a", "b", "", "c"])
            #expect(config.intArray(forKey: "ints") == [1, 2])
            #expect(config.doubleArray(forKey: "doubles") == [1.5, 2])
            #expect(config.boolArray(forKey: "bools") == [true, false])
            #expect(config.byteChunkArray(forKey: "chunks") == [[104, 105], [0, 1]])
            #expect(config.stringArray(forKey: "none") == [])
        }
    }

    @Test func bytesAreTakenAsTheyAreAndAreNoText() async throws {
        try await withProvider(["app/blob": [0, 255, 10]]) { provider, _, _ in
            let config = ConfigReader(provider: provider)
            #expect(config.bytes(forKey: "blob") == [0, 255, 10])
            #expect(throws: KeyValueConfigError.self) { try config.requiredString(forKey: "blob") }
        }
    }

    @Test func theListSeparatorIsASetting() async throws {
        try await withProvider(["app/list": "a;b,c"]) {
            $0.listSeparator = ";"
        } _: { provider, _, _ in
            let config = ConfigReader(provider: provider)
            #expect(config.stringArray(forKey: "list") == ["a", "b,c"])
        }
    }

    @Test(arguments: [
        ("12x", ConfigType.int), ("", .int), ("1,x", .intArray), ("maybe", .bool),
        ("1.2.3", .double), ("*", .byteChunkArray), ("99999999999999999999", .int),
    ])
    func aValueOfAnotherTypeIsAnErrorThatNamesTheKey(text: String, type: ConfigType) async throws {
        try await withProvider(["app/http/timeout": text]) { provider, _, _ in
            let error = #expect(throws: KeyValueConfigError.self) {
                try provider.value(forKey: ["http", "timeout"], type: type)
            }
            #expect(error?.code == .invalidValue)
            #expect(error?.key == "app/http/timeout")
            #expect(error?.description.contains("app/http/timeout") == true)
            #expect(error?.description.contains("\"\(text)\"") == true)
        }
    }

    @Test func secretsAreMarkedAndNotShownInErrors() async throws {
        try await withProvider(["app/http/token": "hunter2", "app/name": "x"]) {
            $0.secrets = .dynamic { key, _ in key.hasSuffix("token") }
        } _: { provider, _, _ in
            let secret = try provider.value(forKey: ["http", "token"], type: .string)
            #expect(secret.value?.isSecret == true)
            let open = try provider.value(forKey: ["name"], type: .string)
            #expect(open.value?.isSecret == false)
            let error = #expect(throws: KeyValueConfigError.self) {
                try provider.value(forKey: ["http", "token"], type: .int)
            }
            #expect(error?.description.contains("hunter2") == false)
            #expect(error?.description.contains("app/http/token") == true)
        }
    }

    @Test func fetchingAsksTheRegistryForTheValueOfNow() async throws {
        try await withProvider(["app/a": "1"]) { provider, registry, _ in
            let config = ConfigReader(provider: provider)
            async let fetched = config.fetchInt(forKey: "a")
            await registry.next("/v1/kv/app/a").answer(200, index: 9, pairs(["app/a": "2"]))
            let now = try await fetched
            #expect(now == 2)
            #expect(config.int(forKey: "a") == 1)
            async let gone = config.fetchInt(forKey: "a")
            await registry.next("/v1/kv/app/a").answer(404, index: 10)
            let absent = try await gone
            #expect(absent == nil)
        }
    }
}
