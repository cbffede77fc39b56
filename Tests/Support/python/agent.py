"""Starts and ends one agent (Consul or Muster) on free loopback ports, with a fresh state.

Consul runs as a server with a data directory, not with -dev: its development mode indents every
JSON answer as if ?pretty were given, and the compact form is the one that matters.
"""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time

NODE_NAME = "golden-node"
NODE_ID = "11111111-2222-3333-4444-555555555555"
PORT_NAMES = ("http", "dns", "serf_lan", "serf_wan", "server")
START_SECONDS = 20


class StartFailure(Exception):
    """The agent ended or did not become ready."""


# Below the range from which the system takes the ports of outgoing connections.
PORT_RANGE = range(20000, 32000)
given = set()
giving = threading.Lock()


def is_free(port):
    """Whether a port can be bound now, for both TCP and UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_ports(count):
    """Port numbers that nobody uses now and that were not given before in this process."""
    found = []
    with giving:
        while len(found) < count:
            port = random.choice(PORT_RANGE)
            if port not in given and is_free(port):
                given.add(port)
                found.append(port)
    return found


class Agent:
    """A running agent; use it in a `with` statement."""

    def __init__(self, command, config=None, dev=True, log=None):
        ports = (config or {}).get("ports")
        if ports is None:
            ports = dict(zip(PORT_NAMES, free_ports(len(PORT_NAMES))), grpc=-1)
        self.ports = ports
        self.address = ("127.0.0.1", ports["http"])
        self.command = [*command, "agent", *(["-dev"] if dev else [])]
        self.log = log
        self.config = {
            "node_name": NODE_NAME, "node_id": NODE_ID, "disable_update_check": True,
            "connect": {"enabled": True}, **(config or {}), "ports": ports,
        }
        if not dev:
            self.config.update(
                server=True, bootstrap=True, bind_addr="127.0.0.1",
                performance={"raft_multiplier": 1},
            )

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="golden-")
        path = self.config_path = os.path.join(self.directory.name, "agent.json")
        if self.config.get("server") and "data_dir" not in self.config:
            self.config["data_dir"] = os.path.join(self.directory.name, "data")
        with open(path, "w") as file:
            json.dump(self.config, file)
        self.output = open(self.log or os.path.join(self.directory.name, "log"), "ab")
        self.process = subprocess.Popen(
            [*self.command, "-config-file", path],
            stdout=self.output, stderr=subprocess.STDOUT,
        )
        try:
            self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        self.output.close()
        self.directory.cleanup()

    def wait_until_ready(self):
        """Waits for the leader and for the agent's own node to be in the catalog."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                with open(self.output.name, "rb") as file:
                    tail = file.read()[-2000:].decode(errors="replace")
                raise StartFailure(f"the agent ended with code {self.process.returncode}:\n{tail}")
            if self.answers("/v1/status/leader", ":") and self.answers(
                f"/v1/catalog/node/{NODE_NAME}", '"consul-network-segment"'
            ) and self.answers(f"/v1/health/node/{NODE_NAME}", "serfHealth"):
                return
            time.sleep(0.02)
        raise StartFailure("the agent was not ready in time")

    def answers(self, path, text):
        """Whether a GET of `path` is answered by 200 and a body that contains `text`."""
        try:
            status, body = self.get(path, timeout=2)
        except (OSError, http.client.HTTPException):
            return False
        return status == 200 and text in body

    def get(self, path, timeout=10):
        """The status and the body of a GET."""
        return self.ask("GET", path, timeout=timeout)

    def ask(self, method, path, body=None, timeout=10):
        """The status and the body of one request, on a connection of its own."""
        connection = http.client.HTTPConnection(*self.address, timeout=timeout)
        try:
            payload = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
            connection.request(method, path, payload)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def resident_megabytes(self):
        """The resident memory of the process now."""
        with open(f"/proc/{self.process.pid}/status") as file:
            line = next(line for line in file if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024
