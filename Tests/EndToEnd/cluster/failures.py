"""Servers that die or stand still under load."""

from load import Load
from harness import check
from scenario import cluster, scenario

# Longer than the lease and the election timeout of both, with raft_multiplier 1.
PAUSE_SECONDS = 2


@scenario("kill -9 of the leader under load loses nothing, and the dead server catches up")
def kill_leader(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1.5)
        leader = servers.leader()
        leader.kill()
        load.run(0.3)
        servers.leader(among=servers.living())
        load.wait_for_writes()
        leader.start()
        load.wait_for_writes(leader)
        load.run(1)
        return load.verify()


@scenario("a leader that stands still for longer than its lease answers nothing from its past")
def pause_leader(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1.5)
        leader = servers.leader()
        others = servers.followers()
        load.hurry(others, 1)  # Only those who asked the leader itself wait for it.
        leader.pause()
        load.run(PAUSE_SECONDS)
        new = servers.leader(among=others)
        check(new is not leader, "the paused server still leads")
        load.wait_for_writes()
        load.run(1)  # What the paused server knows is the past now, and reads wait in its sockets.
        leader.resume()
        load.wait_for_writes(leader)
        load.run(1.5)
        return load.verify()


@scenario("kill -9 of a follower under load stops nothing, and it catches up", long=True)
def kill_follower(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1.5)
        leader = servers.leader()
        follower = servers.followers()[0]
        follower.kill()
        load.run(2)
        check(servers.leader() is leader, "the leader changed")
        follower.start()
        load.wait_for_writes(follower)
        load.run(1)
        return load.verify()


@scenario("a follower that stands still stops nothing, and catches up", long=True)
def pause_follower(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1)
        follower = servers.followers()[0]
        for _ in range(3):
            follower.pause()
            load.run(1.5)
            follower.resume()
            load.run(1)
        load.wait_for_writes(follower)
        return load.verify()


@scenario("stale reads are caught when they are judged as if they were linearizable", long=True)
def harness_sees(program):
    with cluster(program) as servers:
        # The server reads this as "stale"; the clients do not know the word.
        with Load(servers, modes=("?st%61le",)) as load:
            load.run(3)
        try:
            load.verify(50)
        except AssertionError as complaint:
            check("not linearizable" in str(complaint), complaint)
            return
        check(False, "no stale read was found")


@scenario("five leaders in a row die and come back", long=True)
def kill_leaders(program):
    with cluster(program) as servers, Load(servers) as load:
        for _ in range(5):
            leader = servers.leader()
            leader.kill()
            load.wait_for_writes()
            leader.start()
            load.wait_for_writes(leader)
        return load.verify()
