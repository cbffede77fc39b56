"""TLS between servers, with certificates that Consul's own command has made."""

import contextlib
import json
import os
import shutil
import socket
import ssl
import subprocess
import tempfile

from harness import check, eventually, program as find, run
from load import Load
from members import AUTOPILOT
from scenario import cluster, scenario

PREFIX = "dc1-{}-consul-0"


class Authority:
    """A certificate authority and what it has signed, in a directory; used in a `with`."""

    def __init__(self):
        self.consul = find("consul")
        self.holder = tempfile.TemporaryDirectory(prefix="authority-")
        self.directory = self.holder.name

    def __enter__(self):
        self.make("ca", "create")
        for kind in ("server", "client"):
            self.make("cert", "create", f"-{kind}")
        return self

    def __exit__(self, *_):
        self.holder.cleanup()

    def make(self, *words):
        subprocess.run([self.consul, "tls", *words], cwd=self.directory, check=True,
                       capture_output=True, timeout=20)

    def path(self, name):
        return os.path.join(self.directory, name)

    @property
    def file(self):
        return self.path("consul-agent-ca.pem")

    def pair(self, kind="server"):
        """The options of a certificate and its key."""
        name = PREFIX.format(kind)
        return {"cert_file": self.path(f"{name}.pem"), "key_file": self.path(f"{name}-key.pem")}

    def strict(self, kind="server"):
        """Options that protect and verify everything."""
        return {"verify_incoming": True, "verify_outgoing": True, "verify_server_hostname": True,
                "ca_file": self.file, **self.pair(kind)}


def wait_for_line(server, *texts):
    """Waits until the log of a server has a line with all the texts."""

    def has_line():
        with open(server.log, errors="replace") as file:
            return any(all(text in line for text in texts) for line in file)

    eventually(has_line, "a line of", server, "with", texts)


@contextlib.contextmanager
def secured(program):
    """A cluster with an authority's strict options, and its authority."""
    with Authority() as authority:
        with cluster(program, config={**AUTOPILOT, **authority.strict()}) as servers:
            yield servers, authority


def outsider(servers, number=4, **config):
    """One more server whose options are others; the cluster must go on without it."""
    server = servers.add(number)
    original, servers.config = servers.config, {
        name: value for name, value in servers.config.items()
        if not name.startswith(("verify_", "ca_", "cert_", "key_"))}
    server.start(**config)
    servers.config = original
    return server


def remove(servers, server):
    """Ends a server for good, so that the verdict does not ask it."""
    server.kill()
    servers.servers.remove(server)
    shutil.rmtree(server.directory)


@scenario("three servers that verify one another with TLS take writes, come back, admit a fourth",
          only="muster")
def strict_cluster(program):
    with secured(program) as (servers, authority), Load(servers) as load:
        load.run(1)
        for server in servers.servers:
            server.terminate()
            server.start()
            load.wait_for_writes(server)
            servers.wait_until_formed()
        for find_victim in (lambda: servers.followers()[0], servers.leader):
            victim = find_victim()
            victim.kill()
            for survivor in servers.living():
                load.wait_for_writes(survivor)
            victim.start()
            load.wait_for_writes(victim)
            servers.wait_until_formed()
        joined = servers.add(4)
        joined.start()
        eventually(lambda: len(servers.voters()) == 4 and servers.formed(), "four voters",
                   seconds=40)
        for server in servers.servers:
            text = "\n".join(server.log_tail(400))
            check("does not enforce" not in text, text)
        shown = servers.servers[0].get_json("/v1/agent/self")["DebugConfig"]
        check(shown["VerifyIncomingRPC"] and shown["VerifyServerHostname"], shown)
        return load.verify()


@scenario("a server without TLS is refused by servers that ask for it, and both say so",
          only="muster")
def without_tls(program):
    with secured(program) as (servers, _), Load(servers) as load:
        stranger = outsider(servers)
        for server in servers.servers[:3]:
            wait_for_line(server, "speaks without TLS", "set verify_outgoing there")
        wait_for_line(stranger, "this server takes connections with TLS only")
        wait_for_line(servers.leader(among=servers.servers[:3]), "Closed a connection of")
        load.run(0.5)
        check(len(servers.voters()) == 3, servers.voters())
        remove(servers, stranger)
        return load.verify(30)


@scenario("a server whose certificate another authority signed is refused, and both say so",
          only="muster")
def other_authority(program):
    with secured(program) as (servers, authority), Authority() as other, \
            Load(servers) as load:
        # It trusts the cluster; the cluster does not trust it.
        stranger = outsider(servers, verify_outgoing=True, ca_file=authority.file, **other.pair())
        for server in servers.servers[:3]:
            wait_for_line(server, "TLS: the other side's certificate is not valid here",
                          "ca_file or ca_path")
        wait_for_line(stranger, "TLS: the other side refused this server's certificate")
        remove(servers, stranger)
        # And one that does not trust the cluster.
        stranger = outsider(servers, 5, **other.strict())
        wait_for_line(stranger, "TLS: the other side's certificate is not valid here")
        load.run(0.5)
        check(len(servers.voters()) == 3, servers.voters())
        remove(servers, stranger)
        return load.verify(30)


@scenario("a client's certificate does not make a server of its holder", only="muster")
def client_certificate(program):
    with secured(program) as (servers, authority), Load(servers) as load:
        stranger = outsider(servers, verify_outgoing=True, ca_file=authority.file,
                            **authority.pair("client"))
        for server in servers.servers[:3]:
            wait_for_line(server, "its certificate is not for server.dc1.consul")
        wait_for_line(stranger, "refused", "its certificate is not for server.dc1.consul")
        load.run(0.5)
        check(len(servers.voters()) == 3, servers.voters())
        remove(servers, stranger)
        return load.verify(30)


@scenario("a cluster is moved to TLS one server after another, under load", only="muster",
          long=True)
def rolling_move(program):
    with Authority() as authority, cluster(program) as servers, Load(servers) as load:
        load.run(0.5)
        can = {"ca_file": authority.file, **authority.pair()}
        steps = [can, {**can, "verify_outgoing": True}, authority.strict()]
        for step in steps:
            servers.config.update(step)
            for server in servers.servers:
                server.terminate()
                server.start()
                load.wait_for_writes(server)
                servers.wait_until_formed()
        for server in servers.servers:
            check(handshake(server, authority, plain_first=False) is not None, server)
        return load.verify()


def handshake(server, authority, plain_first=True, kind="server"):
    """The names in the certificate that the server port shows; nothing when TLS fails there.

    With `plain_first` Consul's mode byte for TLS leads.
    """
    context = ssl.create_default_context(cafile=authority.file)
    context.check_hostname = False
    pair = authority.pair(kind)
    context.load_cert_chain(pair["cert_file"], pair["key_file"])
    address = server.host.address, server.host.ports["server"]
    with socket.create_connection(address, timeout=5) as connection:
        if plain_first:
            connection.sendall(b"\x03")
        try:
            with context.wrap_socket(connection) as secured_connection:
                return dict(secured_connection.getpeercert())["subjectAltName"]
        except ssl.SSLError:
            return None


@scenario("the port of servers speaks TLS as Consul's does: after a mode byte, and without one")
def port(program):
    with secured(program) as (servers, authority):
        server = servers.servers[0]
        for plain_first in (True, False):
            names = handshake(server, authority, plain_first)
            check(names and ("DNS", "server.dc1.consul") in names, plain_first, names)
        address = f"{server.host.address}:{server.host.ports['server']}"
        pair = authority.pair()
        code, output = run(["openssl", "s_client", "-connect", address, "-CAfile", authority.file,
                            "-cert", pair["cert_file"], "-key", pair["key_file"],
                            "-verify_return_error", "-verify_hostname", "server.dc1.consul",
                            "-brief"])
        check("Verification: OK" in output, code, output)
        check("TLSv1.3" in output or "TLSv1.2" in output, output)
        _, output = run(["openssl", "s_client", "-connect", address, "-tls1_1", "-brief"])
        check("TLSv1.1" not in output or "alert" in output or "error" in output, output)


@scenario("certificates are replaced without a restart: reload reads the new ones", only="muster")
def renewal(program):
    with Authority() as authority:
        with cluster(program, config=authority.strict()) as servers, Load(servers) as load:
            load.run(0.5)
            old = handshake(servers.servers[0], authority)
            pair, node = authority.pair(), "renewed.example"
            # A second pair takes the place of the first.
            authority.make("cert", "create", "-server", f"-additional-dnsname={node}")
            for name, suffix in (("cert_file", ".pem"), ("key_file", "-key.pem")):
                shutil.copy(authority.path(f"dc1-server-consul-1{suffix}"), pair[name])
            for server in servers.servers:
                address = "http://%s:%d" % server.http
                code, output = run([program, "reload", f"-http-addr={address}"])
                check(code == 0, code, output)
                names = handshake(server, authority)
                check(("DNS", node) in names and ("DNS", node) not in old, names)
            # A pair that does not fit is refused, and the old one stays in use.
            shutil.copy(authority.path("dc1-client-consul-0-key.pem"), pair["key_file"])
            server = servers.servers[0]
            address = "http://%s:%d" % server.http
            code, output = run([program, "reload", f"-http-addr={address}"])
            check(code == 1 and "private key does not match public key" in output, code, output)
            names = handshake(server, authority, kind="client")
            check(("DNS", node) in names, "the pair in use", names)
            load.run(0.5)
            return load.verify()


@scenario("files that cannot be used stop the start with their name and what to do", only="muster")
def bad_files(program):
    with Authority() as authority, Authority() as other:
        strict = authority.strict()
        missing = authority.path("nowhere.pem")
        cases = [
            ({"verify_outgoing": True}, "no CA certificate provided"),
            ({**strict, "ca_file": missing}, f"ca_file: open {missing}: No such file"),
            ({**strict, "cert_file": missing}, f"cert_file: open {missing}: No such file"),
            ({**strict, "key_file": other.pair()["key_file"]}, "private key does not match"),
            ({**strict, "tls_min_version": "ssl3"}, "value ssl3 not supported"),
        ]
        with tempfile.TemporaryDirectory() as data:
            for number, (options, text) in enumerate(cases):
                path = os.path.join(data, f"{number}.json")
                with open(path, "w") as file:
                    json.dump({**options, "bind_addr": "127.0.0.1", "server": True,
                               "ports": {"http": -1, "dns": -1}}, file)
                code, output = run([program, "agent", "-data-dir", os.path.join(data, "data"),
                                    "-bootstrap", "-config-file", path])
                check(code == 1 and text in output, options, code, output)
