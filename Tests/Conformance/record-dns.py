#!/usr/bin/env python3
"""Records what a real Consul answers to DNS queries, for the tests of the DNS server to replay.

Usage: record-dns.py /path/to/consul Tests/DNSAPITests/Golden [first free port]

Runs `consul agent -dev` once per set of settings on loopback, fills its catalog with
`registrations.json`, sends every query and writes `<settings>.jsonl`: one exchange per line
with the query and the answer in hexadecimal. `random` marks answers that hold a random part of
the records.
"""

import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

TYPES = {
    "A": 1,
    "NS": 2,
    "CNAME": 5,
    "SOA": 6,
    "PTR": 12,
    "MX": 15,
    "TXT": 16,
    "AAAA": 28,
    "SRV": 33,
    "OPT": 41,
    "AXFR": 252,
    "ANY": 255,
}

SETTINGS = {
    "default": {},
    "tuned": {
        "alt_domain": "example.",
        "node_name": "dns1",
        "dns_config": {
            "node_ttl": "7s",
            "service_ttl": {"*": "11s", "web": "13s", "man*": "17s"},
            "only_passing": True,
            "enable_truncate": True,
            "a_record_limit": 2,
            "enable_additional_node_meta_txt": False,
            "udp_answer_limit": 5,
            "soa": {"refresh": 1, "retry": 2, "expire": 3, "min_ttl": 4},
        },
    },
    "uncompressed": {"dns_config": {"disable_compression": True}},
}


def registrations():
    """Catalog registrations that have at least one case of everything an answer depends on."""

    def node(name, address, meta=None, tagged=None, **rest):
        body = {"Node": name, "Address": address, "NodeMeta": meta or {}, "TaggedAddresses": tagged}
        return {**body, **rest}

    def service(name, ident=None, **rest):
        return {"ID": ident or name, "Service": name, **rest}

    def check(status, service_id=""):
        return {
            "CheckID": f"c-{status}-{service_id}",
            "Name": "c",
            "Status": status,
            "ServiceID": service_id,
        }

    yield node("plain", "10.1.0.1", {"env": "prod", "rfc1035-note": "only the value"})
    yield node(
        "plain",
        "10.1.0.1",
        {"env": "prod", "rfc1035-note": "only the value"},
        Service=service("web", Port=8001, Tags=["v1", "a.b"], Weights={"Passing": 5, "Warning": 2}),
    )
    yield node(
        "warned",
        "10.1.0.2",
        Service=service("web", Port=8002, Tags=["v2"], Weights={"Passing": 5, "Warning": 2}),
        Check=check("warning", "web"),
    )
    yield node(
        "failed", "10.1.0.3", Service=service("web", Port=8003), Check=check("critical", "web")
    )
    yield node("sick", "10.1.0.4", Service=service("web", Port=8004), Check=check("critical"))
    yield node("six", "fd00::1", Service=service("six", Port=6))
    yield node("name", "db.example.com", Service=service("named", Port=1))
    yield node("odd", "10.1.0.5", {" a=`b ": "c`d=e", "long": "x" * 300})
    yield node("Upper", "10.1.0.6", Service=service("Cased", Port=2, Tags=["Tag"]))
    yield node("dotted.name", "10.1.0.7", Service=service("dotted", Port=2))
    yield node("under_score", "10.1.0.8", Service=service("under_score", Port=2))
    yield node("own", "10.1.0.9", Service=service("own", Port=3, Address="10.2.0.9"))
    yield node("own6", "10.1.0.10", Service=service("own6", Port=3, Address="fd00:2::9"))
    yield node("host", "10.1.0.11", Service=service("host", Port=3, Address="svc.example.com"))
    yield node("loop", "10.1.0.12", Service=service("loop", Port=3, Address="loop.service.consul"))
    yield node("inner", "10.1.0.13", Service=service("inner", Port=3, Address="plain.node.consul"))
    yield node(
        "inner2", "10.1.0.14", Service=service("inner2", Port=3, Address="web.service.consul")
    )
    yield node(
        "tagged",
        "10.1.0.15",
        None,
        {"lan_ipv4": "10.1.0.15", "lan_ipv6": "fd00::15", "wan": "198.51.100.15"},
        Service=service("tagged", Port=3),
    )
    yield node(
        "tagged2",
        "10.1.0.16",
        Service=service(
            "tagged2",
            Port=3,
            Address="10.2.0.16",
            TaggedAddresses={
                "lan_ipv4": {"Address": "10.3.0.16", "Port": 4},
                "lan_ipv6": {"Address": "fd00:3::16", "Port": 5},
                "wan": {"Address": "198.51.100.16", "Port": 6},
            },
        ),
    )
    yield node("mapped", "::ffff:10.1.0.17", Service=service("mapped", Port=3))
    yield node("noaddr", "", Service=service("noaddr", Port=3))
    yield node(
        "big",
        "10.1.0.18",
        Service=service("weights", Port=70000 - 5000, Weights={"Passing": 65535, "Warning": 0}),
    )
    yield node("native", "10.1.0.19", Service=service("mesh", Port=3, Connect={"Native": True}))
    yield node(
        "proxy",
        "10.1.0.20",
        Service={
            "Kind": "connect-proxy",
            "ID": "mesh-proxy",
            "Service": "mesh-proxy",
            "Port": 21000,
            "Proxy": {"DestinationServiceName": "mesh"},
        },
    )
    yield node(
        "maint",
        "10.1.0.21",
        Service=service("maint", Port=3),
        Check={
            "CheckID": "_service_maintenance:maint",
            "Name": "m",
            "Status": "critical",
            "ServiceID": "maint",
        },
    )
    for copy in range(2):
        yield node("double", "10.1.0.22", Service=service("double", f"double{copy}", Port=3 + copy))
    for copy in range(2):
        yield node(
            "same", "10.1.0.23", Service=service("same", f"same{copy}", Port=3, Address="10.2.0.23")
        )
    for name, count in [("three", 3), ("four", 4), ("many", 40), ("huge", 1200)]:
        for index in range(count):
            yield node(
                f"{name}-{index:04}",
                f"10.{9 + len(name)}.{index // 250}.{index % 250}",
                Service=service(name, Port=1000),
            )
    for index in range(12):
        yield node(
            f"mixed-{index}",
            f"10.30.0.{index}" if index % 2 else f"fd00:30::{index:x}",
            Service=service("mixed", Port=1000),
        )


def name(text):
    return (
        b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"
    )


def query(text, kind, edns=None, subnet=None, flags=0x0100, klass=1, dnssec=False):
    message = struct.pack(">HHHHHH", 0x1234, flags, 1, 0, 0, 1 if edns else 0)
    message += name(text) + struct.pack(">HH", TYPES[kind], klass)
    if edns:
        option = b""
        if subnet:
            option = struct.pack(">HHHBB", 8, 4 + len(subnet[2]), *subnet[:2], 0) + subnet[2]
        message += (
            b"\0" + struct.pack(">HHIH", 41, edns, 0x8000 if dnssec else 0, len(option)) + option
        )
    return message


def queries():
    """Each is (transport, whether the answer is a random part, the bytes)."""
    names = """
        plain.node warned.node sick.node six.node name.node odd.node upper.node Upper.Node
        dotted.name.node tagged.node mapped.node noaddr.node nonode.node plain.node.dc1
        plain.node.nodc plain.node.dc1.more web.service v1.web.service V1.WeB.SerVice
        a.b.web.service nope.web.service six.service named.service cased.service
        Tag.Cased.service dotted.service under_score.service own.service own6.service
        host.service loop.service inner.service inner2.service tagged.service tagged2.service
        mapped.service noaddr.service weights.service mesh.service mesh.connect
        mesh-proxy.service mesh-proxy.connect x.mesh.connect web.ingress maint.service
        double.service same.service three.service nosuch.service web.service.dc1
        web.service.nodc web.service.dc1.more _web._v1.service _web._tcp.service _web._tcp
        _web._tcp.dc1 _web._nope.service _web._tcp.nodc _Web._TCP.service x._web._tcp.service
        _web.service consul.service 0a000001.addr 0a000001.addr.dc1 0a000001.addr.nodc
        fd000000000000000000000000000001.addr zz000001.addr 0a0001.addr x.0a000001.addr service
        node connect addr query x.query web web.nosuch dc1 ns nosuch.x.y
    """
    for text in names.split():
        for kind in ["A", "AAAA", "SRV", "ANY", "TXT"]:
            yield "udp", text.startswith("three"), query(text + ".consul", kind)
    for text in ["plain.node", "web.service", "nosuch.service", "nonode.node", "x", ""]:
        for kind in ["SOA", "NS", "MX", "CNAME", "PTR", "AXFR"]:
            yield "udp", False, query(text + ".consul" if text else "consul", kind)
    for kind in ["A", "ANY", "SOA", "NS", "TXT", "SRV"]:
        yield "udp", False, query("consul", kind)
        yield "udp", False, query("", kind)
        yield "udp", False, query("example.com", kind)
    for text in [
        "plain.node.example",
        "web.service.example",
        "nosuch.service.example",
        "own.service.example",
        "example",
        "0a000001.addr.example",
        "plain.node.consul.example",
        "loop.service.example",
    ]:
        for kind in ["A", "SRV", "SOA", "NS", "ANY"]:
            yield "udp", False, query(text, kind)
    for text in [
        "1.0.1.10.in-addr.arpa",
        "9.0.2.10.in-addr.arpa",
        "1.0.0.127.in-addr.arpa",
        "9.9.9.9.in-addr.arpa",
        "6.0.1.10.IN-ADDR.arpa",
        "arpa",
        "1.0.1.in-addr.arpa",
        "99.0.2.10.x.arpa",
        "1." + "0." * 27 + "0.d.f.ip6.arpa",
        "9." + "0." * 23 + "2.0.0.0.0.0.d.f.ip6.arpa",
    ]:
        for kind in ["PTR", "ANY", "A", "SOA"]:
            yield "udp", False, query(text, kind)
    for text, kind in [
        ("plain.node", "A"),
        ("web.service", "SRV"),
        ("nosuch.service", "A"),
        ("web.service", "ANY"),
        ("consul", "SOA"),
        ("six.service", "AAAA"),
    ]:
        full = text if text == "consul" else text + ".consul"
        for edns in [100, 512, 1232, 4096, 65535]:
            yield "udp", False, query(full, kind, edns)
        yield "udp", False, query(full, kind, 4096, (1, 24, bytes([198, 51, 100])))
        yield "udp", False, query(full, kind, 4096, (2, 56, bytes([0x20, 1, 0xD, 0xB8, 0, 0, 0])))
        yield "udp", False, query(full, kind, 4096, dnssec=True)
        yield "tcp", False, query(full, kind)
    for text in ["four", "many", "huge", "mixed"]:
        # Where kinds of addresses mix, the sizes of random answers differ.
        for kind in ["A", "AAAA", "SRV", "ANY"][: 2 if text == "mixed" else 4]:
            for edns in [None, 512, 1232, 4096]:
                yield "udp", True, query(text + ".service.consul", kind, edns)
            yield "tcp", True, query(text + ".service.consul", kind)
    yield from raw()


def raw():
    """Queries that are wrong or unusual below the level of names."""
    good = query("plain.node.consul", "A")
    for flags in [
        0x0000,
        0x0110,
        0x0120,
        0x0130,
        0x8100,
        0x0900,
        0x1100,
        0x2100,
        0x2900,
        0x7900,
        0x0140,
        0x0500,
        0x0300,
        0x0181,
    ]:
        yield "udp", False, query("plain.node.consul", "A", flags=flags)
    for klass in [0, 3, 255]:
        yield "udp", False, query("plain.node.consul", "A", klass=klass)
    for length in [0, 1, 11, 12, 13, 20, 30, len(good) - 4, len(good) - 1]:
        yield "udp", False, good[:length]
    yield "udp", False, good + b"\0\0\0"
    for counts in [
        (0, 0, 0, 0),
        (2, 0, 0, 0),
        (1, 1, 0, 0),
        (1, 0, 1, 0),
        (1, 0, 0, 1),
        (1, 2, 0, 0),
        (1, 0, 0, 3),
    ]:
        yield "udp", False, good[:4] + struct.pack(">HHHH", *counts) + good[12:]
    yield "udp", False, good[:12] + b"\xc0\x0c" + good[-4:]
    yield "udp", False, good[:12] + b"\xc0\xff" + good[-4:]
    yield "udp", False, good[:12] + b"\x40abc\0" + good[-4:]
    yield "udp", False, good[:12] + b"\x3fabc"
    yield "udp", False, good[:12] + b"\x3f" + b"a" * 63 + (b"\x3f" + b"b" * 63) * 3 + b"\0" + good[
        -4:
    ]
    yield "udp", False, good[:12] + (b"\x3f" + b"b" * 63) * 3 + b"\x06consul\0" + good[-4:]
    yield "udp", False, good[:12] + b"\x03a.b\x04node\x06consul\0" + good[-4:]
    yield "udp", False, good[:12] + b"\x03a\x00b\x04node\x06consul\0" + good[-4:]
    yield "udp", False, good[:12] + b"\x03a\xffb\x04node\x06consul\0" + good[-4:]
    yield "udp", False, query("plain.node.consul", "OPT")
    record = name("plain.node.consul") + struct.pack(">HHIH", 1, 1, 0, 4) + b"\1\2\3\4"
    yield "udp", False, good[:4] + struct.pack(">HHHH", 1, 1, 0, 0) + good[12:] + record
    yield "udp", False, good[:4] + struct.pack(">HHHH", 1, 0, 0, 1) + good[12:] + record
    yield "udp", False, good[:4] + struct.pack(">HHHH", 1, 0, 0, 1) + good[12:] + record[:-1]
    edns = query("plain.node.consul", "A", 4096)
    yield "udp", False, edns[:-6] + b"\x00\x01" + edns[-4:]
    yield "udp", False, edns[:10] + b"\0\2" + edns[12:] + edns[-11:]
    yield "udp", False, query("plain.node.consul", "A", 4096, (1, 33, bytes([1, 2, 3, 4])))
    yield "udp", False, query("plain.node.consul", "A", 4096, (3, 8, bytes([1])))
    yield "udp", False, query("plain.node.consul", "A", 4096, (1, 24, bytes([1, 2, 3, 4, 5])))


def ask(transport, port, message):
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as connection:
        connection.settimeout(3 if len(message) >= 40 else 0.4)
        connection.connect(("127.0.0.1", port))
        try:
            if transport == "udp":
                connection.send(message)
                return connection.recv(65535)
            connection.sendall(struct.pack(">H", len(message)) + message)
            answer = b""
            while len(answer) < 2 or len(answer) < 2 + struct.unpack(">H", answer[:2])[0]:
                part = connection.recv(65535)
                if not part:
                    break
                answer += part
            return answer[2:]
        except TimeoutError:
            return None


def call(port, path, body=None):
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data, method="PUT" if data else "GET"
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read())


def wait_until_ready(port):
    for _ in range(100):
        try:
            if call(port, "/v1/health/service/consul"):
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the agent did not start")


def record(consul, settings, base, output):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        json.dump(settings, config)
        config.flush()
        ports = [
            "-http-port",
            base,
            "-dns-port",
            base + 1,
            "-server-port",
            base + 2,
            "-serf-lan-port",
            base + 3,
            "-serf-wan-port",
            base + 4,
            "-grpc-port",
            -1,
        ]
        command = [
            consul,
            "agent",
            "-dev",
            "-node",
            "dns1",
            "-log-level",
            "err",
            "-config-file",
            config.name,
        ]
        agent = subprocess.Popen(command + [str(port) for port in ports], stdout=subprocess.DEVNULL)
        try:
            wait_until_ready(base)
            for registration in registrations():
                try:
                    call(base, "/v1/catalog/register", registration)
                except urllib.error.HTTPError as error:
                    print("refused:", registration["Node"], error.read().decode(), file=sys.stderr)
            with open(output, "w", encoding="utf-8") as lines:
                chosen = list(queries())
                if settings.get("dns_config", {}).get("disable_compression"):
                    chosen = chosen[::9]
                for transport, is_random, message in chosen:
                    answer = ask(transport, base + 1, message)
                    exchange = {"transport": transport, "query": message.hex()}
                    if is_random:
                        exchange["random"] = True
                    exchange["answer"] = answer.hex() if answer is not None else None
                    if is_random and answer and len(answer) > 4096:
                        # The sizes say enough, and the file stays small.
                        exchange["answer"] = answer[:12].hex()
                        exchange["length"] = len(answer)
                    lines.write(json.dumps(exchange) + "\n")
        finally:
            agent.terminate()
            agent.wait()


def main():
    consul, directory = sys.argv[1], sys.argv[2]
    base = int(sys.argv[3]) if len(sys.argv) > 3 else 18500
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "registrations.json"), "w", encoding="utf-8") as file:
        itself = {
            "Node": "dns1",
            "Address": "127.0.0.1",
            "NodeMeta": {"consul-network-segment": ""},
            "TaggedAddresses": {"lan_ipv4": "127.0.0.1"},
            "Service": {"ID": "consul", "Service": "consul", "Port": base + 2},
        }
        # The tests know how the instances of the great services are called.
        compact = [r for r in registrations() if not r["Node"].startswith(("many-", "huge-"))]
        compact = [itself] + [r for r in compact if r["Address"]]
        file.write("[\n" + ",\n".join(json.dumps(r) for r in compact) + "\n]\n")
    for label, settings in SETTINGS.items():
        record(consul, settings, base, os.path.join(directory, label + ".jsonl"))


if __name__ == "__main__":
    main()
