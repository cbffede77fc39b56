#!/usr/bin/env python3
"""A real Consul's snapshot goes through ours and back into a real Consul, record by record.

Usage: snapshot_interchange.py --consul PATH (--muster PATH | --recode PROGRAM) [--keep FILE]
Fills a real Consul with some of everything, saves it, has the archive restored and saved by a
Muster server (or by PROGRAM, called with the two file names), and restores what comes out into a
second real Consul, which saves it again. All three must hold the same records. Exits 1 otherwise.
--keep writes the first archive to FILE.
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request

FORMATS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
           0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
LENGTHS = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I",
           0xDC: ">H", 0xDD: ">I", 0xDE: ">H", 0xDF: ">I"}


def value(data, at):
    """The MessagePack value at an offset, and the offset behind it."""
    tag = data[at]
    at += 1
    if tag < 0x80:
        return tag, at
    if tag >= 0xE0:
        return tag - 256, at
    if tag in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[tag], at
    if tag in FORMATS:
        end = at + struct.calcsize(FORMATS[tag])
        return struct.unpack(FORMATS[tag], data[at:end])[0], end
    if tag in LENGTHS:
        end = at + struct.calcsize(LENGTHS[tag])
        count = struct.unpack(LENGTHS[tag], data[at:end])[0]
        at = end
    else:
        count = tag & (0x1F if tag >= 0xA0 else 0x0F)
    if 0x80 <= tag < 0x90 or tag in (0xDE, 0xDF):
        pairs = []
        for _ in range(count):
            key, at = value(data, at)
            item, at = value(data, at)
            pairs.append((key, item))
        return dict(pairs), at
    if 0x90 <= tag < 0xA0 or tag in (0xDC, 0xDD):
        items = []
        for _ in range(count):
            item, at = value(data, at)
            items.append(item)
        return items, at
    return data[at:at + count], at + count


def records(path):
    """The header and the records of an archive: (type, value, bytes)."""
    with tarfile.open(path) as archive:
        data = archive.extractfile("state.bin").read()
    header, at = value(data, 0)
    found = [(None, header, data[:at])]
    while at < len(data):
        item, end = value(data, at + 1)
        found.append((data[at], item, data[at:end]))
        at = end
    return found


class Agent:
    """A server of its own in a folder of its own."""

    def __init__(self, program, folder, port, extra=None):
        self.program, self.base = program, f"http://127.0.0.1:{port}"
        self.token = ""
        os.makedirs(folder)
        settings = {
            "server": True, "bootstrap": True, "data_dir": os.path.join(folder, "data"),
            "bind_addr": "127.0.0.1", "client_addr": "127.0.0.1", "node_name": "s1",
            "datacenter": "dc1", "log_level": "warn", "performance": {"raft_multiplier": 1},
            "ports": {"http": port, "server": port + 1, "serf_lan": port + 2,
                      "serf_wan": port + 3, "dns": port + 4, "grpc": -1},
            **(extra or {}),
        }
        path = os.path.join(folder, "agent.json")
        with open(path, "w") as file:
            json.dump(settings, file)
        self.log = open(os.path.join(folder, "log"), "w")
        self.process = subprocess.Popen(
            [program, "agent", "-config-file", path], stdout=self.log, stderr=self.log)
        self.wait(lambda: json.loads(self.ask("GET", "/v1/status/leader")))

    def wait(self, done, seconds=20):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if done():
                    return
            except (OSError, ValueError):
                pass
            time.sleep(0.1)
        raise SystemExit(f"{self.base}: not ready in {seconds} s")

    def ask(self, method, path, body=None):
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, method=method)
        request.add_header("X-Consul-Token", self.token)
        try:
            with urllib.request.urlopen(request) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            raise OSError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def run(self, *words):
        environment = dict(os.environ, CONSUL_HTTP_ADDR=self.base, CONSUL_HTTP_TOKEN=self.token)
        return subprocess.run([self.program, *words], env=environment, check=True,
                              capture_output=True, text=True).stdout

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def fill(agent):
    """Some of everything that a snapshot can hold."""
    agent.token = json.loads(agent.ask("PUT", "/v1/acl/bootstrap"))["SecretID"]
    put = lambda path, body: agent.ask("PUT", path, body)  # noqa: E731
    put("/v1/acl/policy", {"Name": "p1", "Rules": 'key_prefix "a" { policy = "read" }'})
    put("/v1/acl/role", {"Name": "r1", "Policies": [{"Name": "p1"}]})
    put("/v1/acl/token", {"Description": "t", "Policies": [{"Name": "p1"}], "ExpirationTTL": "23h"})
    key = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"],
                         check=True, capture_output=True).stdout
    public = subprocess.run(["openssl", "ec", "-pubout"], input=key, check=True,
                            capture_output=True).stdout.decode()
    put("/v1/acl/auth-method", {"Name": "am", "Type": "jwt", "Config": {
        "JWTValidationPubKeys": [public], "ClaimMappings": {"a": "b"}, "BoundIssuer": "x"}})
    put("/v1/acl/binding-rule", {"AuthMethod": "am", "BindType": "service", "BindName": "x"})
    node = {"Node": "N1", "Address": "10.0.0.1", "ID": "40e4a748-2192-161a-0510-9bf59fe950b5",
            "TaggedAddresses": {"lan": "10.0.0.1"}, "NodeMeta": {"a": "b"}}
    put("/v1/catalog/register", {
        **node,
        "Service": {"ID": "web1", "Service": "web", "Tags": ["v1", "x"], "Port": 80,
                    "Meta": {"k": "v"}, "Weights": {"Passing": 3, "Warning": 2},
                    "TaggedAddresses": {"lan": {"Address": "1.2.3.4", "Port": 5}}},
        "Checks": [
            {"CheckID": "c1", "Name": "c", "Status": "passing", "ServiceID": "web1",
             "Definition": {"HTTP": "http://x", "Interval": "10s", "Header": {"a": ["b"]}}},
            {"CheckID": "nc", "Name": "n", "Status": "warning", "Output": "oo"}]})
    for service in (
            {"Service": "db"}, {"Service": "gone"},
            {"Kind": "connect-proxy", "ID": "webp", "Service": "web-proxy", "Port": 99,
             "Proxy": {"DestinationServiceName": "web",
                       "Config": {"x": 1, "y": [1.5, "s", None, True, {"z": -7}]},
                       "Upstreams": [{"DestinationType": "service", "DestinationName": "db",
                                      "LocalBindPort": 9, "Config": {"t": 3}}]}},
            {"Kind": "ingress-gateway", "ID": "ig", "Service": "ig", "Port": 8443},
            {"ID": "nat", "Service": "nat", "Port": 1, "Connect": {"Native": True}}):
        put("/v1/catalog/register", {"Node": "n2", "Address": "10.0.0.2", "Service": service})
    put("/v1/catalog/deregister", {"Node": "n2", "ServiceID": "gone"})
    for path, content in (("a/b", b"hello"), ("a/c?flags=42", b""), ("dead", b"x"),
                          ("tree/1", b"x"), ("tree/2", b"x"), ("bytes", bytes(range(256)))):
        put("/v1/kv/" + path, content)
    agent.ask("DELETE", "/v1/kv/dead")
    agent.ask("DELETE", "/v1/kv/tree/?recurse")
    session = json.loads(put("/v1/session/create", {
        "Node": "N1", "Name": "se", "NodeChecks": ["nc"], "ServiceChecks": [{"ID": "c1"}],
        "TTL": "600s", "LockDelay": "5s"}))["ID"]
    put("/v1/session/create", {"Node": "n2", "Behavior": "delete", "NodeChecks": []})
    put(f"/v1/kv/lock?acquire={session}", b"held")
    post = lambda path, body: agent.ask("POST", path, body)  # noqa: E731
    post("/v1/query", {"Name": "q1", "Service": {"Service": "web", "Tags": ["v1"]},
                       "DNS": {"TTL": "10s"}})
    post("/v1/query", {"Name": "geo-", "Template": {"Type": "name_prefix_match"},
                       "Service": {"Service": "${name.full}"}})
    post("/v1/connect/intentions", {"SourceName": "a", "DestinationName": "b", "Action": "allow"})
    put("/v1/config", {"Kind": "service-defaults", "Name": "web", "Protocol": "http"})
    put("/v1/config", {"Kind": "proxy-defaults", "Name": "global", "Config": {"a": 1}})
    put("/v1/config", {"Kind": "ingress-gateway", "Name": "ig", "Listeners": [
        {"Port": 3456, "Protocol": "tcp", "Services": [{"Name": "db"}]}]})
    put("/v1/operator/autopilot/configuration", {
        "CleanupDeadServers": True, "LastContactThreshold": "300ms", "MaxTrailingLogs": 250,
        "ServerStabilizationTime": "11s"})
    put("/v1/coordinate/update", {"Node": "N1", "Coord": {
        "Vec": [1, 2, 3, 4, 5, 6, 7, 8], "Error": 1.5, "Adjustment": 0.1, "Height": 0.001}})
    agent.wait(lambda: json.loads(agent.ask("GET", "/v1/coordinate/node/N1")))


def compare(what, one, two):
    """Prints the records that differ; maps without an order may differ in their bytes alone."""
    faults = 0
    if len(one) != len(two):
        print(f"{what}: {len(one)} records and {len(two)}")
        faults += 1
    for left, right in zip(one, two):
        if left[:2] != right[:2]:
            print(f"{what}: {left[:2]}\n    and {right[:2]}")
            faults += 1
    same = sum(left[2] == right[2] for left, right in zip(one, two))
    print(f"{what}: {len(two)} records, {same} alike to the byte, {faults} different")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--consul", required=True)
    parser.add_argument("--muster")
    parser.add_argument("--recode")
    parser.add_argument("--keep")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="snapshot-interchange-")
    first, ours, again = (
        os.path.join(folder, name + ".snap") for name in ("first", "ours", "again"))
    agents = []

    def start(program, name, port, extra=None):
        agents.append(Agent(program, os.path.join(folder, name), port, extra))
        return agents[-1]

    secured = {"acl": {"enabled": True, "default_policy": "deny"}, "connect": {"enabled": True}}
    try:
        source = start(options.consul, "source", 29500, secured)
        fill(source)
        source.run("snapshot", "save", first)
        if options.keep:
            shutil.copy(first, options.keep)
        if options.recode:
            subprocess.run([options.recode, first, ours], check=True)
        else:
            middle = start(options.muster, "middle", 29520)
            middle.run("snapshot", "restore", first)
            middle.run("snapshot", "save", ours)
            print(middle.run("snapshot", "inspect", first), end="")
        target = start(options.consul, "target", 29540)
        target.token = source.token
        print(target.run("snapshot", "inspect", ours), end="")
        target.run("snapshot", "restore", ours)
        target.run("snapshot", "save", again)
        kept = [record for record in records(first)]
        faults = compare("ours against the first", kept, records(ours))
        faults += compare("the second Consul against the first", kept, records(again))
        sys.exit(1 if faults else 0)
    finally:
        for agent in agents:
            agent.stop()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
