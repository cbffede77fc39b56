"""Starts and ends the servers of a cluster, Consul's or Muster's, with the same options.

Both are given the same flags and the same configuration file. They differ in one thing: the
addresses that a server is told to join are those of the gossip in Consul, and those of the other
servers' RPC port in Muster.
"""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import time

from agent import StartFailure, free_ports
from connection import Connection, Failure

DEFAULT_PORTS = {"http": 8500, "dns": 8600, "serf_lan": 8301, "serf_wan": 8302, "server": 8300}
FORM_SECONDS = 30
STOP_SECONDS = 15


def kind_of(program):
    """The name of the product: "consul" or "muster"."""
    done = subprocess.run([program, "version"], capture_output=True, text=True, timeout=20)
    return "consul" if done.stdout.startswith("Consul") else "muster"


class Host:
    """A place for a server: an address, ports, and how a program is started there."""

    def __init__(self, address, ports, prefix=()):
        self.address, self.ports, self.prefix = address, {**ports, "grpc": -1}, list(prefix)


def loopback_host(number):
    """A place at an address of the loopback interface, with ports that nobody uses."""
    return Host(f"127.0.0.{number}", dict(zip(DEFAULT_PORTS, free_ports(len(DEFAULT_PORTS)))))


class Server:
    """One server: it can be started, killed, paused and asked."""

    def __init__(self, cluster, name, host):
        self.cluster, self.name, self.host = cluster, name, host
        self.directory = os.path.join(cluster.directory, name)
        os.makedirs(self.directory)
        self.data = os.path.join(self.directory, "data")
        self.log = os.path.join(self.directory, "log")
        self.process = None
        self.starts = 0

    def __repr__(self):
        return self.name

    @property
    def raft_address(self):
        """What the other servers call this one."""
        return f"{self.host.address}:{self.host.ports['server']}"

    @property
    def join_address(self):
        """What another server is told to join."""
        port = "serf_lan" if self.cluster.kind == "consul" else "server"
        return f"{self.host.address}:{self.host.ports[port]}"

    @property
    def http(self):
        """Where its HTTP API listens."""
        return self.host.address, self.host.ports["http"]

    @property
    def ports(self):
        return self.host.ports

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def start(self, **config):
        """Starts the process; it does not wait for anything."""
        path = os.path.join(self.directory, "server.json")
        with open(path, "w") as file:
            json.dump({**self.cluster.config, **config, "ports": self.host.ports}, file)
        others = [other for other in self.cluster.servers if other is not self]
        command = [
            *self.host.prefix, self.cluster.program, "agent", "-server", "-node", self.name,
            *(["-bootstrap-expect", str(self.cluster.expect)] if self.cluster.expect else []),
            "-data-dir", self.data, "-bind", self.host.address, "-client", self.host.address,
            *(part for other in others for part in ("-retry-join", other.join_address)),
            "-config-file", path,
        ]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self.starts += 1

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, and waits for the end."""
        if self.alive:
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.process = None

    def terminate(self):
        """SIGTERM, and waits for the end."""
        self.signal(signal.SIGTERM)
        self.process.wait(timeout=STOP_SECONDS)
        self.process = None

    def pause(self):
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.signal(signal.SIGCONT)

    def ask(self, method, path, body=None, seconds=5):
        """The status and the body of one request, on a connection of its own; or Failure."""
        with Connection(self.http, seconds) as connection:
            answer = connection.ask(method, path, body)
            return answer.status, answer.text

    def get_json(self, path, seconds=5):
        """The decoded body of a GET, or nothing if there is none."""
        try:
            status, text = self.ask("GET", path, seconds=seconds)
        except Failure:
            return None
        return json.loads(text) if status == 200 else None

    def log_tail(self, lines=8):
        """The last lines that the process wrote."""
        try:
            with open(self.log, "rb") as file:
                return file.read()[-8000:].decode(errors="replace").splitlines()[-lines:]
        except OSError:
            return []

    def processor_seconds(self):
        """The processor time that the process has taken until now."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self):
        """The resident memory of the process now."""
        with open(f"/proc/{self.process.pid}/status") as file:
            line = next(line for line in file if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


class Cluster:
    """Servers that form one cluster; use it in a `with` statement."""

    def __init__(self, program, count=3, host=loopback_host, config=None, parent=None):
        self.program, self.kind, self.expect = program, kind_of(program), count
        self.make_host = host
        self.holder = tempfile.TemporaryDirectory(prefix="cluster-", dir=parent)
        self.directory = self.holder.name
        self.config = {
            "performance": {"raft_multiplier": 1}, "disable_update_check": True,
            "connect": {"enabled": False}, "retry_interval": "1s", "log_level": "info",
            "limits": {"http_max_conns_per_client": 6000}, **(config or {}),
        }
        self.servers = []
        self.mounts = contextlib.ExitStack()  # What is below the servers' directories.
        for number in range(1, count + 1):
            self.add(number)

    def add(self, number):
        """One more server, not started yet."""
        server = Server(self, f"s{number}", self.make_host(number))
        self.servers.append(server)
        return server

    def __enter__(self):
        try:
            for server in self.servers:
                server.start()
            self.wait_until_formed()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for server in self.servers:
            server.kill()
        self.mounts.close()
        self.holder.cleanup()

    def wait_until_formed(self, seconds=FORM_SECONDS):
        """Waits until every living server knows the leader and all of them are voters."""
        deadline = time.monotonic() + seconds
        while not self.formed():
            for server in self.servers:
                if server.process and not server.alive:
                    raise StartFailure(
                        f"{server} ended with code {server.process.returncode}:\n"
                        + "\n".join(server.log_tail()))
            if time.monotonic() > deadline:
                raise StartFailure(f"no cluster after {seconds} s: voters {self.voters()}")
            time.sleep(0.05)

    def formed(self):
        """Whether all living servers are voters, and each answers a read that needs the leader."""
        living = self.living()
        wanted = {server.raft_address for server in living}
        if set(self.voters()) != wanted:
            return False
        return all(server.get_json("/v1/catalog/nodes", seconds=2) is not None
                   for server in living)

    def living(self):
        """The servers whose process runs."""
        return [server for server in self.servers if server.alive]

    def voters(self):
        """The addresses of the voters, as the first server says that knows them."""
        for server in self.living():
            found = server.get_json("/v1/operator/raft/configuration", seconds=2)
            if found:
                return sorted(one["Address"] for one in found["Servers"] if one["Voter"])
        return []

    def find_leader(self, among=None):
        """The server that a majority of the living, or of those named, calls the leader."""
        asked = among or self.living()
        names = [server.get_json("/v1/status/leader", seconds=1) for server in asked]
        for server in asked:
            if names.count(server.raft_address) * 2 > len(asked):
                return server
        return None

    def leader(self, among=None, seconds=FORM_SECONDS):
        """Waits for a leader and returns it."""
        deadline = time.monotonic() + seconds
        while True:
            found = self.find_leader(among)
            if found:
                return found
            if time.monotonic() > deadline:
                raise AssertionError(f"no leader among {among or self.living()} in {seconds} s")
            time.sleep(0.02)

    def followers(self):
        """The living servers that do not lead."""
        leader = self.leader()
        return [server for server in self.living() if server is not leader]

    def print_logs(self):
        """Prints the last lines of every server's log."""
        for server in self.servers:
            for line in server.log_tail():
                print(f"     {server}: {line[:200]}")
