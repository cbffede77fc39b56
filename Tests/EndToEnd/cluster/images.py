"""Old images of a server's data directory that are put back: its peers must know them."""

import os
import shutil

from harness import check, eventually
from load import Load
from members import AUTOPILOT, REPLACE_SECONDS
from scenario import cluster, scenario

REFUSE_SECONDS = 15


def copy(server):
    """A copy of a server's data directory as it is at one moment, while it runs or not."""
    path = server.data + ".image"
    if server.alive:
        server.pause()
    shutil.copytree(server.data, path)
    if server.alive:
        server.resume()
    return path


def put_back(server, image):
    """Replaces the data directory of a stopped server by an image."""
    os.rename(server.data, server.data + ".newest")
    os.rename(image, server.data)


def expect_refusal(server, servers):
    """Waits until a server ends by itself, and checks what it says."""
    eventually(lambda: not server.alive, "the end of", server, seconds=REFUSE_SECONDS)
    check(server.process.returncode not in (0, None), "exit code", server.process.returncode)
    text = "\n".join(server.log_tail(60))
    for part in (server.data, "an old image of the disk", "start with an empty one"):
        check(part in text, "the log does not say", repr(part), "but", text[-1500:])
    server.process = None
    said = [other for other in servers.living()
            if "an old image of the disk" in "\n".join(other.log_tail(200))]
    check(said, "no other server logged the reason")


def begin_anew(server, servers):
    """Does what the refusal says: an empty directory and with it a new id."""
    os.rename(server.data, server.data + ".refused")
    server.start()
    eventually(lambda: len(servers.voters()) == 3 and servers.formed(), "three voters",
               seconds=REPLACE_SECONDS)


@scenario("an image of a running server's directory, put back after it wrote on, is refused",
          only="muster")
def present_start(program):
    with cluster(program, config=AUTOPILOT) as servers, Load(servers) as load:
        load.run(1)
        victim = servers.followers()[0]
        image = copy(victim)
        load.run(1.5)
        victim.kill()
        put_back(victim, image)
        victim.start()
        expect_refusal(victim, servers)
        for other in servers.living():
            load.wait_for_writes(other)
        begin_anew(victim, servers)
        load.run(0.5)
        return load.verify()


@scenario("the same image of a leader is refused", long=True, only="muster")
def present_leader(program):
    with cluster(program, config=AUTOPILOT) as servers, Load(servers) as load:
        load.run(1)
        victim = servers.leader()
        image = copy(victim)
        load.run(2.5)
        victim.kill()
        servers.leader(among=servers.living())
        put_back(victim, image)
        victim.start()
        expect_refusal(victim, servers)
        begin_anew(victim, servers)
        load.run(0.5)
        return load.verify()


@scenario("an image of an earlier start is refused, after all servers were killed at once",
          only="muster")
def earlier_start(program):
    with cluster(program, config=AUTOPILOT) as servers, Load(servers) as load:
        load.run(0.7)
        victim = servers.followers()[0]
        victim.kill()
        image = copy(victim)
        victim.start()
        load.wait_for_writes(victim)
        load.run(0.5)
        for server in servers.servers:
            server.kill()
        put_back(victim, image)
        # As often as the server was started since: the count alone would not tell.
        for server in servers.servers:
            server.start()
        expect_refusal(victim, servers)
        for other in servers.living():
            load.wait_for_writes(other)
        begin_anew(victim, servers)
        load.run(0.5)
        return load.verify()


@scenario("an image is refused though its peers were restarted in between", long=True,
          only="muster")
def restarted_peers(program):
    with cluster(program, config=AUTOPILOT) as servers, Load(servers) as load:
        load.run(0.7)
        victim = servers.followers()[0]
        image = copy(victim)
        load.run(1.5)
        victim.kill()
        for other in servers.living():
            other.terminate()
            other.start()
            load.wait_for_writes(other)
        put_back(victim, image)
        victim.start()
        expect_refusal(victim, servers)
        begin_anew(victim, servers)
        return load.verify()
