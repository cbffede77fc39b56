"""What the end-to-end tests share: registration, skipping, waiting, raw HTTP and raw DNS."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import time
import urllib.parse

from agent import Agent

ALL = []
TEST_SECONDS = 60
WAIT_SECONDS = 10


class Skip(Exception):
    """The test needs something that is not here; the text says what."""


def test(claim):
    """Registers a function as the test of a claim; it gets the program under test."""

    def register(function):
        ALL.append((claim, function))
        return function

    return register


def check(condition, *what):
    """Fails with the values that were seen."""
    if not condition:
        raise AssertionError(" ".join(str(part)[:1500] for part in what))


def eventually(probe, *what, seconds=WAIT_SECONDS):
    """Waits until `probe()` is true and returns its value."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("never came true: " + " ".join(str(part) for part in what))
        time.sleep(0.05)


def program(name, variable=None):
    """The path of a stranger's program, or Skip."""
    path = shutil.which(os.environ.get(variable or name.upper() + "_BINARY", name))
    if not path:
        raise Skip(f"{name} not installed")
    return path


def run(command, environment=None, seconds=20):
    """Runs a program to its end: (exit code, output)."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=seconds,
        env={**os.environ, **(environment or {})},
    )
    return done.returncode, done.stdout


class Running:
    """A stranger's program while a `with` statement lasts."""

    def __init__(self, command, directory):
        self.log = open(os.path.join(directory, "stranger.log"), "wb")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT, cwd=directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.log.close()


def limited(function, *arguments):
    """Calls a test, interrupts it when it takes too long, and returns what it returns."""

    def expired(*_):
        raise AssertionError(f"took longer than {TEST_SECONDS} s")

    signal.signal(signal.SIGALRM, expired)
    signal.alarm(TEST_SECONDS)
    try:
        return function(*arguments)
    finally:
        signal.alarm(0)


def register(agent, name, port, **more):
    """Registers a service with the agent and waits until the catalog has it."""
    status, body = agent.ask("PUT", "/v1/agent/service/register",
                             {"Name": name, "Port": port, **more})
    check(status == 200, "register", status, body)
    identity = more.get("ID", name)
    path = f"/v1/catalog/service/{urllib.parse.quote(name)}"
    eventually(lambda: f'"{identity}"' in agent.get(path)[1], identity, "in the catalog")


def exchange_raw(address, data, seconds=5, family=socket.AF_INET):
    """Sends bytes and returns all that comes back until the peer closes or falls silent."""
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(seconds)
        connection.connect(address)
        received = b""
        try:
            connection.sendall(data)
            while chunk := connection.recv(65536):
                received += chunk
        except (socket.timeout, ConnectionResetError, BrokenPipeError):
            pass
        return received


def dns_message(name, kind, identity=0x4d55):
    """A DNS query for one name."""
    question = b"".join(
        bytes([len(label)]) + label.encode() for label in name.rstrip(".").split("."))
    header = struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 0)
    return header + question + b"\0" + struct.pack(">HH", kind, 1)


A, SOA, AAAA, SRV = 1, 6, 28, 33


class DNSAnswer:
    """The parts of a DNS answer that the tests look at."""

    def __init__(self, data):
        self.identity, self.flags, questions, answers, authorities, extras = struct.unpack(
            ">HHHHHH", data[:12])
        self.code = self.flags & 15
        offset = 12
        for _ in range(questions):
            offset = skip_name(data, offset) + 4
        self.answers, offset = records(data, offset, answers)
        self.authorities, offset = records(data, offset, authorities)
        self.extras, offset = records(data, offset, extras)


def skip_name(data, offset):
    """The offset behind a name."""
    while data[offset]:
        if data[offset] & 0xC0:
            return offset + 2
        offset += data[offset] + 1
    return offset + 1


def records(data, offset, count):
    """`count` records: a list of (type, TTL, data), and the offset behind them."""
    found = []
    for _ in range(count):
        offset = skip_name(data, offset)
        kind, _, ttl, length = struct.unpack(">HHIH", data[offset:offset + 10])
        found.append((kind, ttl, data[offset + 10:offset + 10 + length]))
        offset += 10 + length
    return found, offset


def resolve(agent, name, kind, tcp=False, seconds=5):
    """Asks the agent's DNS server."""
    query = dns_message(name, kind)
    address = ("127.0.0.1", agent.ports["dns"])
    family = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, family) as connection:
        connection.settimeout(seconds)
        connection.connect(address)
        if not tcp:
            return DNSAnswer(ask_datagram(connection, query, seconds))
        connection.sendall(struct.pack(">H", len(query)) + query)
        length = struct.unpack(">H", read_exactly(connection, 2))[0]
        return DNSAnswer(read_exactly(connection, length))


def ask_datagram(connection, query, seconds):
    """The answer to a datagram, which is sent again each second as resolvers do."""
    connection.settimeout(1)
    for _ in range(seconds):
        connection.send(query)
        try:
            while True:
                answer = connection.recv(65536)
                if answer[:2] == query[:2]:
                    return answer
        except socket.timeout:
            continue
    raise AssertionError("no answer over UDP")


def read_exactly(connection, count):
    """Reads `count` bytes."""
    data = b""
    while len(data) < count:
        chunk = connection.recv(count - len(data))
        check(chunk, "the connection ended early")
        data += chunk
    return data


def agent(muster, config=None, **more):
    """An agent in development mode, for a `with` statement."""
    return Agent([muster], config, **more)
