/// Replies recorded from Consul 1.8.7, as its HTTP API printed them.
enum PeerReplies {
    static let catalogNodes = #"""
        [
            {
                "ID": "",
                "Node": "n1",
                "Address": "10.0.0.1",
                "Datacenter": "dc1",
                "TaggedAddresses": {
                    "lan": "10.0.0.1",
                    "wan": "1.2.3.4"
                },
                "Meta": {
                    "a": "\u003cb\u003e\u0026\u2028",
                    "z": "1"
                },
                "CreateIndex": 20,
                "ModifyIndex": 20
            },
            {
                "ID": "",
                "Node": "n2",
                "Address": "10.0.0.3",
                "Datacenter": "dc1",
                "TaggedAddresses": null,
                "Meta": null,
                "CreateIndex": 21,
                "ModifyIndex": 21
            },
            {
                "ID": "",
                "Node": "n3",
                "Address": "10.0.0.4",
                "Datacenter": "dc1",
                "TaggedAddresses": null,
                "Meta": null,
                "CreateIndex": 22,
                "ModifyIndex": 22
            },
            {
                "ID": "",
                "Node": "n4",
                "Address": "10.0.0.9",
                "Datacenter": "dc1",
                "TaggedAddresses": null,
                "Meta": null,
                "CreateIndex": 186,
                "ModifyIndex": 186
            },
            {
                "ID": "c7a8af85-8333-13e2-8549-959a5f94d811",
                "Node": "n7",
                "Address": "1.1.1.1",
                "Datacenter": "dc1",
                "TaggedAddresses": null,
                "Meta": null,
                "CreateIndex": 93,
                "ModifyIndex": 93
            },
            {
                "ID": "176fa3db-c8f9-991f-69fe-10c892824b6e",
                "Node": "vm",
                "Address": "127.0.0.1",
                "Datacenter": "dc1",
                "TaggedAddresses": {
                    "lan": "127.0.0.1",
                    "lan_ipv4": "127.0.0.1",
                    "wan": "127.0.0.1",
                    "wan_ipv4": "127.0.0.1"
                },
                "Meta": {
                    "consul-network-segment": ""
                },
                "CreateIndex": 10,
                "ModifyIndex": 12
            }
        ]
        """#

    static let healthService = #"""
        [
            {
                "Node": {
                    "ID": "",
                    "Node": "n1",
                    "Address": "10.0.0.1",
                    "Datacenter": "dc1",
                    "TaggedAddresses": {
                        "lan": "10.0.0.1",
                        "wan": "1.2.3.4"
                    },
                    "Meta": {
                        "a": "\u003cb\u003e\u0026\u2028",
                        "z": "1"
                    },
                    "CreateIndex": 20,
                    "ModifyIndex": 20
                },
                "Service": {
                    "ID": "web1",
                    "Service": "web",
                    "Tags": [
                        "a",
                        "b"
                    ],
                    "Address": "10.0.0.2",
                    "TaggedAddresses": {
                        "lan": {
                            "Address": "10.0.0.2",
                            "Port": 80
                        }
                    },
                    "Meta": {
                        "v": "1"
                    },
                    "Port": 80,
                    "Weights": {
                        "Passing": 3,
                        "Warning": 2
                    },
                    "EnableTagOverride": false,
                    "Proxy": {
                        "MeshGateway": {},
                        "Expose": {}
                    },
                    "Connect": {},
                    "CreateIndex": 20,
                    "ModifyIndex": 20
                },
                "Checks": [
                    {
                        "Node": "n1",
                        "CheckID": "c1",
                        "Name": "check",
                        "Status": "passing",
                        "Notes": "no",
                        "Output": "out\u0007\u0008\n",
                        "ServiceID": "web1",
                        "ServiceName": "web",
                        "ServiceTags": [
                            "a",
                            "b"
                        ],
                        "Type": "grpc",
                        "Definition": {
                            "Interval": "10s",
                            "OutputMaxSize": 3,
                            "Timeout": "1m30s",
                            "DeregisterCriticalServiceAfter": "1h30m0s",
                            "HTTP": "http://x",
                            "TLSSkipVerify": true,
                            "Header": {
                                "a": [
                                    "x",
                                    "y"
                                ],
                                "b": [
                                    "1"
                                ]
                            },
                            "Method": "GET",
                            "Body": "b",
                            "TCP": "a:1",
                            "ScriptArgs": [
                                "a"
                            ],
                            "DockerContainerID": "d",
                            "Shell": "sh",
                            "GRPC": "g",
                            "GRPCUseTLS": true,
                            "AliasNode": "n",
                            "AliasService": "s",
                            "TTL": 3000000000
                        },
                        "CreateIndex": 20,
                        "ModifyIndex": 20
                    }
                ]
            }
        ]
        """#

    static let healthServiceBare = #"""
        [
            {
                "Node": {
                    "ID": "",
                    "Node": "n3",
                    "Address": "10.0.0.4",
                    "Datacenter": "dc1",
                    "TaggedAddresses": null,
                    "Meta": null,
                    "CreateIndex": 22,
                    "ModifyIndex": 22
                },
                "Service": {
                    "ID": "bare",
                    "Service": "bare",
                    "Tags": [],
                    "Address": "",
                    "Meta": null,
                    "Port": 0,
                    "Weights": {
                        "Passing": 1,
                        "Warning": 1
                    },
                    "EnableTagOverride": false,
                    "Proxy": {
                        "MeshGateway": {},
                        "Expose": {}
                    },
                    "Connect": {},
                    "CreateIndex": 22,
                    "ModifyIndex": 22
                },
                "Checks": []
            }
        ]
        """#

    static let healthServiceProxy = #"""
        [
            {
                "Node": {
                    "ID": "",
                    "Node": "n2",
                    "Address": "10.0.0.3",
                    "Datacenter": "dc1",
                    "TaggedAddresses": null,
                    "Meta": null,
                    "CreateIndex": 21,
                    "ModifyIndex": 21
                },
                "Service": {
                    "Kind": "connect-proxy",
                    "ID": "webp",
                    "Service": "webp",
                    "Tags": [],
                    "Address": "",
                    "Meta": null,
                    "Port": 81,
                    "Weights": {
                        "Passing": 1,
                        "Warning": 1
                    },
                    "EnableTagOverride": false,
                    "Proxy": {
                        "DestinationServiceName": "web",
                        "DestinationServiceID": "web1",
                        "LocalServiceAddress": "127.0.0.1",
                        "LocalServicePort": 99,
                        "Config": {
                            "a": 1.5e+30,
                            "b": 1,
                            "d": 9007199254740992,
                            "e": 1e-7
                        },
                        "Upstreams": [
                            {
                                "DestinationType": "",
                                "DestinationName": "db",
                                "Datacenter": "",
                                "LocalBindPort": 3,
                                "Config": {
                                    "x": 1
                                },
                                "MeshGateway": {}
                            },
                            {
                                "DestinationType": "prepared_query",
                                "DestinationName": "q",
                                "Datacenter": "dc2",
                                "LocalBindAddress": "1.1.1.1",
                                "LocalBindPort": 4,
                                "Config": null,
                                "MeshGateway": {
                                    "Mode": "local"
                                }
                            }
                        ],
                        "MeshGateway": {
                            "Mode": "remote"
                        },
                        "Expose": {
                            "Checks": true,
                            "Paths": [
                                {
                                    "ListenerPort": 1,
                                    "Path": "/x",
                                    "LocalPathPort": 2,
                                    "Protocol": "http2",
                                    "ParsedFromCheck": false
                                }
                            ]
                        }
                    },
                    "Connect": {},
                    "CreateIndex": 21,
                    "ModifyIndex": 35
                },
                "Checks": [
                    {
                        "Node": "n2",
                        "CheckID": "c1",
                        "Name": "check",
                        "Status": "warning",
                        "Notes": "",
                        "Output": "",
                        "ServiceID": "",
                        "ServiceName": "",
                        "ServiceTags": [],
                        "Type": "",
                        "Definition": {},
                        "CreateIndex": 21,
                        "ModifyIndex": 21
                    }
                ]
            }
        ]
        """#

    static let healthServiceEscapes = #"""
        [
            {
                "Node": {
                    "ID": "",
                    "Node": "n4",
                    "Address": "10.0.0.9",
                    "Datacenter": "dc1",
                    "TaggedAddresses": null,
                    "Meta": null,
                    "CreateIndex": 186,
                    "ModifyIndex": 186
                },
                "Service": {
                    "ID": "esc",
                    "Service": "esc",
                    "Tags": [
                        "ü😀",
                        "a\"b\\c/d",
                        "\u2028\u2029",
                        "\u003ctag\u003e\u0026",
                        "\u0000\u001f"
                    ],
                    "Address": "",
                    "Meta": {
                        "a": "",
                        "b": "\t\r\n\u000c"
                    },
                    "Port": 0,
                    "Weights": {
                        "Passing": 1,
                        "Warning": 1
                    },
                    "EnableTagOverride": false,
                    "Proxy": {
                        "MeshGateway": {},
                        "Expose": {}
                    },
                    "Connect": {},
                    "CreateIndex": 186,
                    "ModifyIndex": 186
                },
                "Checks": []
            }
        ]
        """#

    static let catalogService = #"""
        [
            {
                "ID": "",
                "Node": "n1",
                "Address": "10.0.0.1",
                "Datacenter": "dc1",
                "TaggedAddresses": {
                    "lan": "10.0.0.1",
                    "wan": "1.2.3.4"
                },
                "NodeMeta": {
                    "a": "\u003cb\u003e\u0026\u2028",
                    "z": "1"
                },
                "ServiceKind": "",
                "ServiceID": "web1",
                "ServiceName": "web",
                "ServiceTags": [
                    "a",
                    "b"
                ],
                "ServiceAddress": "10.0.0.2",
                "ServiceTaggedAddresses": {
                    "lan": {
                        "Address": "10.0.0.2",
                        "Port": 80
                    }
                },
                "ServiceWeights": {
                    "Passing": 3,
                    "Warning": 2
                },
                "ServiceMeta": {
                    "v": "1"
                },
                "ServicePort": 80,
                "ServiceEnableTagOverride": false,
                "ServiceProxy": {
                    "MeshGateway": {},
                    "Expose": {}
                },
                "ServiceConnect": {},
                "CreateIndex": 20,
                "ModifyIndex": 20
            }
        ]
        """#

    static let catalogServiceBare = #"""
        [
            {
                "ID": "",
                "Node": "n3",
                "Address": "10.0.0.4",
                "Datacenter": "dc1",
                "TaggedAddresses": null,
                "NodeMeta": null,
                "ServiceKind": "",
                "ServiceID": "bare",
                "ServiceName": "bare",
                "ServiceTags": [],
                "ServiceAddress": "",
                "ServiceWeights": {
                    "Passing": 1,
                    "Warning": 1
                },
                "ServiceMeta": {},
                "ServicePort": 0,
                "ServiceEnableTagOverride": false,
                "ServiceProxy": {
                    "MeshGateway": {},
                    "Expose": {}
                },
                "ServiceConnect": {},
                "CreateIndex": 22,
                "ModifyIndex": 22
            }
        ]
        """#

    static let sessions = #"""
        [
            {
                "ID": "fbf54cea-78a0-51ac-694b-d36702a6cac0",
                "Name": "lock \u003c\u0026\u003e",
                "Node": "vm",
                "LockDelay": 15000000000,
                "Behavior": "delete",
                "TTL": "3600s",
                "NodeChecks": [
                    "serfHealth"
                ],
                "ServiceChecks": null,
                "CreateIndex": 184,
                "ModifyIndex": 184
            }
        ]
        """#

    static let keys = #"""
        [
            {
                "LockIndex": 1,
                "Key": "locked",
                "Flags": 18446744073709551615,
                "Value": "dg==",
                "Session": "fbf54cea-78a0-51ac-694b-d36702a6cac0",
                "CreateIndex": 183,
                "ModifyIndex": 185
            }
        ]
        """#

    static let keyWithoutValue = #"""
        [
            {
                "LockIndex": 0,
                "Key": "b",
                "Flags": 42,
                "Value": null,
                "CreateIndex": 26,
                "ModifyIndex": 26
            }
        ]
        """#

    static let coordinates = #"""
        [
            {
                "Node": "vm",
                "Segment": "",
                "Coord": {
                    "Vec": [
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0
                    ],
                    "Error": 1.5,
                    "Adjustment": 0,
                    "Height": 0.00001
                }
            }
        ]
        """#

    static let autopilot = #"""
        {
            "CleanupDeadServers": false,
            "LastContactThreshold": "3ns",
            "MaxTrailingLogs": 0,
            "MinQuorum": 0,
            "ServerStabilizationTime": "0s",
            "RedundancyZoneTag": "",
            "DisableUpgradeMigration": false,
            "UpgradeVersionTag": "",
            "CreateIndex": 4,
            "ModifyIndex": 153
        }
        """#
}
