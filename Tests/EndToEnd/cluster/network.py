"""Hosts with a network of their own: one bridge, a network namespace per host, and cable cutters.

Everything lives in namespaces that end with the run, so nothing of the machine's network is
touched and nothing is left behind. A cut sends the frames to a hardware address that nobody has:
they vanish silently, in one direction or both, as they do when a cable is pulled.
"""

import os
import subprocess
import time

from harness import eventually
from servers import DEFAULT_PORTS, Host

MARK = "MUSTER_TESTS_IN_NAMESPACES"
NOWHERE = "02:00:00:ff:ff:ff"
OWN = "10.77.0.254"


def enter_namespaces():
    """Starts this program again in namespaces of its own; returns why that is impossible."""
    if os.environ.get(MARK):
        return None if os.environ[MARK] == "yes" else os.environ[MARK]
    separate = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.getuid() != 0:
        separate += ["--user", "--map-root-user"]
    probe = "ip link set lo up && ip link add probe type bridge && mount -t tmpfs none /mnt " \
            "&& command -v nsenter"
    try:
        done = subprocess.run([*separate, "sh", "-c", probe], capture_output=True, text=True,
                              timeout=20)
        reason = done.stderr.strip().splitlines()[-1] if done.returncode else None
    except (OSError, IndexError) as error:
        reason = str(error)
    os.environ[MARK] = f"no network namespaces here ({reason})" if reason else "yes"
    if reason:
        return os.environ[MARK]
    import sys
    os.execvp(separate[0], [*separate, sys.executable, *sys.argv])


def command(*words):
    """Runs a program of the system that has to succeed."""
    subprocess.run(words, check=True, capture_output=True, timeout=10)


class Network:
    """A bridge and the hosts on it; use it in a `with` statement."""

    def __init__(self):
        self.keepers = {}
        self.addresses = {}

    def __enter__(self):
        command("ip", "link", "set", "lo", "up")
        command("ip", "link", "add", "bridge0", "type", "bridge")
        command("ip", "address", "add", f"{OWN}/24", "dev", "bridge0")
        command("ip", "link", "set", "bridge0", "up")
        return self

    def __exit__(self, *_):
        for keeper in self.keepers.values():
            keeper.kill()
            keeper.wait()
        command("ip", "link", "delete", "bridge0")
        for number in self.keepers:
            # The cable may already have gone with its namespace.
            subprocess.run(["ip", "link", "delete", f"cable{number}"], capture_output=True)

    def host(self, number):
        """A host with a namespace, a cable to the bridge, an address, and the default ports."""
        keeper = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.keepers[number] = keeper
        own = os.readlink("/proc/self/ns/net")
        eventually(lambda: os.readlink(f"/proc/{keeper.pid}/ns/net") != own, "a namespace")
        cable, inside = f"cable{number}", ["nsenter", f"--net=/proc/{keeper.pid}/ns/net"]
        command("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0",
                "netns", str(keeper.pid))
        command("ip", "link", "set", cable, "master", "bridge0", "up")
        command(*inside, "ip", "link", "set", "lo", "up")
        command(*inside, "ip", "link", "set", "eth0", "address", self.hardware(number), "up")
        host = Host(f"10.77.0.{number}", DEFAULT_PORTS, inside)
        host.number = number
        command(*inside, "ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        self.addresses[number] = host.address
        return host

    def hardware(self, number):
        return f"02:00:00:00:00:{number:02x}"

    def move(self, host, last):
        """Gives a host another address, whose last number is given."""
        command(*host.prefix, "ip", "address", "flush", "dev", "eth0", "scope", "global")
        host.address = f"10.77.0.{last}"
        command(*host.prefix, "ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        self.addresses[host.number] = host.address

    def cut(self, sender, receiver):
        """From now on nothing that one host sends arrives at the other; the way back is open."""
        self.send_to(sender, receiver, NOWHERE)

    def isolate(self, host, others):
        """Cuts a host off from others, both ways; the clients still reach it."""
        for other in others:
            self.cut(host, other)
            self.cut(other, host)

    def heal(self, hosts):
        """Ends all cuts between hosts."""
        for sender in hosts:
            for receiver in hosts:
                if sender is not receiver:
                    self.send_to(sender, receiver, self.hardware(receiver.number))

    def send_to(self, sender, receiver, hardware):
        command(*sender.prefix, "ip", "neighbor", "replace", receiver.address, "lladdr", hardware,
                "nud", "permanent", "dev", "eth0")


class SmallDisk:
    """A file system of a few megabytes, mounted while a `with` statement lasts."""

    def __init__(self, path, megabytes):
        self.path, self.megabytes = path, megabytes
        self.ballast = os.path.join(path, "ballast")

    def __enter__(self):
        os.makedirs(self.path, exist_ok=True)
        command("mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m", "none", self.path)
        return self

    def __exit__(self, *_):
        for _ in range(50):
            if subprocess.run(["umount", self.path], capture_output=True).returncode == 0:
                return
            time.sleep(0.1)

    def fill(self):
        """Takes all the space that is left."""
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 65536)
            except OSError:
                pass  # Full: that is what was wanted.

    def free(self):
        """Gives the space back."""
        os.remove(self.ballast)
