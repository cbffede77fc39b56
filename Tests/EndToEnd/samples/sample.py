"""What the tests of the samples share: starting one, reading what it says, ending it."""

import http.client
import os
import signal
import subprocess
import tempfile

from agent import Agent
from harness import eventually

ALL = []
PROGRAMS = None


def test(claim):
    """Registers a function as the test of a claim; it gets the agent's program."""

    def register(function):
        ALL.append((claim, function))
        return function

    return register


def agent(muster):
    """A fresh agent in development mode; use it in a `with` statement."""
    return Agent([muster])


class Sample:
    """A running sample; use it in a `with` statement.

    At the end it is asked to end, as a container's runtime does, and must do so with code 0.
    """

    def __init__(self, agent, name, *arguments):
        self.name = name
        self.command = [os.path.join(PROGRAMS, name), *(str(one) for one in arguments)]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CONSUL_")}
        self.environment = {**kept, "CONSUL_HTTP_ADDR": "%s:%d" % agent.address}

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile(prefix="sample-", suffix=".log")
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=subprocess.STDOUT,
        )
        return self

    def __exit__(self, kind, *_):
        try:
            if self.process.poll() is None and kind is None:
                self.end()
        finally:
            if self.process.poll() is None:
                self.kill()
            if kind is not None:
                print(f"--- {self.name}\n{self.output()[-1500:]}")
            self.log.close()

    def end(self, seconds=15):
        """Asks it to end and waits until it has."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        if code != 0:
            raise AssertionError(f"{self.name} ended with code {code}: {self.output()[-1500:]}")

    def kill(self):
        """Ends it as a crash would."""
        self.process.kill()
        self.process.wait()

    def output(self):
        """All that it has said so far."""
        with open(self.log.name, errors="replace") as file:
            return file.read()

    def says(self, text):
        """Waits until it has said a text."""
        def said():
            if text in self.output():
                return True
            if self.process.poll() is not None and text not in self.output():
                raise AssertionError(f"{self.name} ended: {self.output()[-1500:]}")
            return False

        return eventually(said, f"{self.name} says {text!r}", self.output, seconds=30)


def get(port, path):
    """The status and the body of a GET on the loopback; status 0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except OSError:
        return 0, ""
    finally:
        connection.close()
