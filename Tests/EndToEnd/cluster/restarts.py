"""Servers that are stopped and started: all at once, one after another, at new addresses."""

from harness import check
from load import Load
from scenario import cluster, scenario


def rest(servers):
    """The load's verdict on a first life of the cluster, with everything killed at its end."""
    with Load(servers) as load:
        load.run(2)
        load.stop()
        for server in servers.servers:
            server.kill()
        return load


def start_all(servers):
    for server in servers.servers:
        server.start()
    servers.wait_until_formed()


@scenario("all servers killed at once come back with everything that was acknowledged")
def kill_all(program):
    with cluster(program) as servers:
        load = rest(servers)
        start_all(servers)
        note = load.verify()
        with Load(servers, seed=2) as second:
            second.run(1)
        return f"{note}; then {second.verify(20)}"


@scenario("all servers killed under load and started again at new addresses are the same cluster",
          needs_network=True)
def new_addresses(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1.5)
        for server in servers.servers:
            server.kill()
        for number, server in enumerate(servers.servers, start=1):
            servers.net.move(server.host, 100 + number)
        for server in servers.servers:
            server.start()
        for server in servers.servers:
            load.wait_for_writes(server)
        if servers.kind == "muster":  # Consul makes new members of the followers, by and by.
            servers.wait_until_formed()
            check(len(servers.voters()) == 3, servers.voters())
        load.run(0.5)
        return load.verify()


@scenario("one server that comes back at a new address is the same member", long=True,
          needs_network=True, only="muster")
def one_new_address(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1)
        server = servers.followers()[0]
        server.kill()
        servers.net.move(server.host, 77)
        server.start()
        load.wait_for_writes(server)
        servers.wait_until_formed()
        check(len(servers.voters()) == 3, servers.voters())
        return load.verify()


@scenario("a rolling restart by SIGTERM under load loses nothing")
def rolling_restart(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1)
        for server in servers.servers:
            server.terminate()
            server.start()
            load.wait_for_writes(server)
            servers.wait_until_formed()
        load.run(0.5)
        return load.verify()


@scenario("SIGTERM of the leader hands its leadership over before it ends", long=True,
          only="muster")
def hand_over(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1)
        for _ in range(3):
            leader = servers.leader()
            leader.terminate()
            load.wait_for_writes()
            leader.start()
            load.wait_for_writes(leader)
        note = load.verify()
        check(load.longest_gap() < 2, "longest gap", load.longest_gap(), "s")
        return note


@scenario("all servers killed again and again, each time under load", long=True)
def kill_all_again(program):
    with cluster(program) as servers, Load(servers) as load:
        for _ in range(4):
            load.run(1)
            for server in servers.servers:
                server.kill()
            start_all(servers)
        load.run(1)
        return load.verify()
