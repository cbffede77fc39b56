"""A server whose disk is small, and fills up while the others go on."""

import time

from connection import Connection, Failure
from harness import check
from load import Load
from network import SmallDisk
from scenario import cluster, scenario

DISK_MEGABYTES = 600
# A log that sets space aside has room for a while: these are more than it can hold.
BULK_BYTES, BULK_COUNT, BULK_SECONDS = 400_000, 400, 10


def write_bulk(server):
    """Writes large values under the same few keys; how many were acknowledged."""
    deadline, count = time.monotonic() + BULK_SECONDS, 0
    body = "x" * BULK_BYTES
    with Connection(server.http, 8) as connection:
        while count < BULK_COUNT and time.monotonic() < deadline:
            try:
                count += connection.ask("PUT", f"/v1/kv/bulk/{count % 8}", body).status == 200
            except Failure:
                pass  # A change of the leader: the next one counts.
    return count


def full_disk(program, of_leader):
    """Fills one server's disk under load, empties it again, and lets the server catch up."""
    disks = {}

    def prepare(servers):
        for server in servers.servers:
            disks[server] = servers.mounts.enter_context(SmallDisk(server.data, DISK_MEGABYTES))

    with cluster(program, prepare=prepare) as servers, Load(servers) as load:
        load.run(1)
        victim = servers.leader() if of_leader else servers.followers()[0]
        others = [server for server in servers.servers if server is not victim]
        disks[victim].fill()
        written = write_bulk(others[0])
        check(written > 20, "only", written, "large values were written")
        servers.leader(among=others)
        for other in others:
            load.wait_for_writes(other)
        said = "ran on" if victim.alive else f"ended with code {victim.process.returncode}"
        if not victim.alive:
            text = "\n".join(victim.log_tail(50)).lower()
            check("no space" in text or "space" in text, "it ended without a word:", text[-500:])
        disks[victim].free()
        victim.kill()
        victim.start()
        load.wait_for_writes(victim)
        return f"the full server {said}; {written} large values, " + load.verify(100)


@scenario("a follower whose disk is full stops nobody, says so, and catches up with space again",
          needs_network=True)
def full_follower(program):
    return full_disk(program, of_leader=False)


@scenario("a leader whose disk is full gives way, says so, and catches up with space again",
          long=True, needs_network=True)
def full_leader(program):
    return full_disk(program, of_leader=True)
