"""Cables that are pulled: servers that others no longer hear, while the clients still reach all."""

from connection import Connection
from harness import check, eventually
from load import Load
from scenario import cluster, scenario

CUT_SECONDS = 4


def hosts(servers):
    return [server.host for server in servers]


def last_contact(server):
    """What a server says of a stale read: (milliseconds since the leader, a leader is known)."""
    with Connection(server.http, 5) as connection:
        headers = connection.ask("GET", "/v1/kv/watched?stale").headers
        return int(headers["X-Consul-LastContact"]), headers["X-Consul-KnownLeader"] == "true"


@scenario("a leader that is cut off from the others acknowledges nothing that is lost, and a new "
          "one serves meanwhile", needs_network=True)
def isolated_leader(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1.5)
        leader, others = servers.leader(), servers.followers()
        servers.net.isolate(leader.host, hosts(others))
        load.run(0.5)
        new = servers.leader(among=others)
        check(new is not leader, "the isolated server still leads")
        load.wait_for_writes(new)
        load.run(2)
        servers.net.heal(hosts(servers.servers))
        load.wait_for_writes(leader)
        load.run(1)
        return load.verify()


@scenario("a leader that can send but not receive gives way", long=True, needs_network=True)
def deaf_leader(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1.5)
        leader, others = servers.leader(), servers.followers()
        for other in others:
            servers.net.cut(other.host, leader.host)
        load.run(1)
        new = servers.leader(among=others)
        check(new is not leader, "the deaf server still leads")
        load.wait_for_writes(new)
        servers.net.heal(hosts(servers.servers))
        load.wait_for_writes(leader)
        return load.verify()


@scenario("a leader that can receive but not send is replaced", long=True, needs_network=True)
def mute_leader(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1.5)
        leader, others = servers.leader(), servers.followers()
        for other in others:
            servers.net.cut(leader.host, other.host)
        load.run(1)
        new = servers.leader(among=others)
        check(new is not leader, "the mute server still leads")
        load.wait_for_writes(new)
        servers.net.heal(hosts(servers.servers))
        load.wait_for_writes(leader)
        return load.verify()


@scenario("a follower that is cut off serves stale reads with honest contact times, and does not "
          "disturb the leader when it is back", long=True, needs_network=True)
def isolated_follower(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1.5)
        leader, followers = servers.leader(), servers.followers()
        check(last_contact(followers[0])[0] < 1000, "no contact", last_contact(followers[0]))
        servers.net.isolate(followers[0].host, hosts([leader, followers[1]]))
        load.run(CUT_SECONDS)
        contact, known = last_contact(followers[0])
        check(1000 * CUT_SECONDS * 0.7 < contact, "last contact", contact, "ms")
        check(not known, "the cut-off server says that it knows a leader")
        servers.net.heal(hosts(servers.servers))
        load.wait_for_writes(followers[0])
        if servers.kind == "muster":  # Consul's Raft has no pre-vote: there the leader may change.
            check(servers.leader() is leader, "the leader changed")
        eventually(lambda: last_contact(followers[0])[0] < 1000, "contact again")
        return load.verify()


@scenario("two followers that cannot hear each other do not disturb the cluster", long=True,
          needs_network=True)
def cut_between_followers(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1)
        leader, (one, other) = servers.leader(), servers.followers()
        servers.net.isolate(one.host, [other.host])
        load.run(CUT_SECONDS)
        check(servers.leader() is leader, "the leader changed")
        servers.net.heal(hosts(servers.servers))
        load.wait_for_writes(one)
        return load.verify()


@scenario("cables that are pulled and put back again and again lose nothing", long=True,
          needs_network=True)
def flapping(program):
    with cluster(program) as servers, Load(servers) as load:
        everyone = hosts(servers.servers)
        for turn in range(6):
            load.run(0.7)
            out = everyone[turn % 3]
            servers.net.isolate(out, [host for host in everyone if host is not out])
            load.run(1.2)
            servers.net.heal(everyone)
        for server in servers.servers:
            load.wait_for_writes(server)
        return load.verify()
