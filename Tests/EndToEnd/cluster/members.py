"""Members that come and go: joining, replacement, removal, transfer, and a lost quorum."""

import os
import shutil

from connection import Failure
from harness import check, eventually, run
from load import Load
from scenario import cluster, scenario

# A new server becomes a voter after a second, and a dead one is removed as soon as it is replaced.
AUTOPILOT = {"autopilot": {
    "cleanup_dead_servers": True, "server_stabilization_time": "1s",
    "last_contact_threshold": "1s"}}
REPLACE_SECONDS = 40
# Ours gives a server up only after a minute.
REMOVE_SECONDS = 80


def operator(servers, server, *words, good=True):
    """Runs `operator raft` with a server and returns what it prints."""
    address = "http://%s:%d" % server.http
    code, output = run([servers.program, "operator", "raft", words[0], f"-http-addr={address}",
                        *words[1:]])
    check((code == 0) is good, "operator raft", *words, "ended with", code, output)
    return output


def configuration(server):
    """The members of the cluster, as one server says: name -> entry."""
    found = server.get_json("/v1/operator/raft/configuration") or {"Servers": []}
    return {entry["Node"]: entry for entry in found["Servers"]}


@scenario("a fourth server joins under load, catches up, and becomes a voter")
def join(program):
    with cluster(program, config=AUTOPILOT) as servers, Load(servers) as load:
        load.run(1)
        joined = servers.add(4)
        joined.start()
        eventually(lambda: len(servers.voters()) == 4 and servers.formed(), "four voters",
                   seconds=REPLACE_SECONDS)
        load.run(0.5)
        return load.verify()  # It compares the new server's copy as well.


@scenario("a server that died for good is replaced by a new one, and removed by autopilot",
          long=True)
def replace(program):
    with cluster(program, config=AUTOPILOT) as servers, Load(servers) as load:
        load.run(1)
        dead = servers.followers()[0]
        dead.kill()
        new = servers.add(4)
        new.start()
        eventually(lambda: new.raft_address in servers.voters(), "the new voter",
                   seconds=REPLACE_SECONDS)
        load.run(0.5)
        load.stop()
        wanted = sorted(one.raft_address for one in servers.servers if one is not dead)
        eventually(lambda: servers.voters() == wanted and servers.formed(), "the dead one is gone",
                   seconds=REMOVE_SECONDS)
        check(len(configuration(servers.leader())) == 3, configuration(servers.leader()))
        return load.verify()


@scenario("a server that lost its data comes back empty under its old name", long=True)
def wiped(program):
    with cluster(program, config=AUTOPILOT) as servers, Load(servers) as load:
        load.run(1)
        server = servers.followers()[0]
        server.kill()
        shutil.rmtree(server.data)
        server.start()
        eventually(lambda: len(servers.voters()) == 3 and servers.formed(), "three voters",
                   seconds=REPLACE_SECONDS)
        load.wait_for_writes(server)
        return load.verify()


@scenario("operator raft list-peers shows the cluster, remove-peer takes a dead server out of it")
def remove_peer(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(0.5)
        leader, victim = servers.leader(), servers.followers()[0]
        listed = operator(servers, victim, "list-peers").splitlines()
        check(listed[0].split() == ["Node", "ID", "Address", "State", "Voter", "RaftProtocol"],
              listed)
        check(len(listed) == 4 and sum(" leader " in line for line in listed) == 1, listed)
        check(sum(" true " in f"{line} " for line in listed) == 3, listed)
        victim.kill()
        output = operator(servers, leader, "remove-peer", f"-address={victim.raft_address}")
        check("Removed peer" in output, output)
        check(victim.name not in configuration(leader), configuration(leader))
        check(len(configuration(leader)) == 2, configuration(leader))
        output = operator(servers, leader, "remove-peer", "-address=10.9.9.9:8300", good=False)
        check("not found in the Raft configuration" in output, output)
        load.wait_for_writes()
        return load.verify(50)


@scenario("operator raft transfer-leader moves the leadership under load", only="muster")
def transfer(program):
    with cluster(program) as servers, Load(servers) as load:
        load.run(1)
        old = servers.leader()
        chosen = servers.followers()[1]
        operator(servers, old, "transfer-leader", f"-id={configuration(old)[chosen.name]['ID']}")
        eventually(lambda: servers.find_leader() is chosen, "the chosen leader")
        operator(servers, old, "transfer-leader")
        eventually(lambda: servers.find_leader() not in (None, chosen), "another leader")
        load.run(0.5)
        note = load.verify()
        check(load.longest_gap() < 2, "longest gap", load.longest_gap(), "s")
        return note


def recover_consul(servers, server):
    """Consul's way out: a file that says who the members are."""
    with open(os.path.join(server.data, "node-id")) as file:
        identity = file.read().strip()
    with open(os.path.join(server.data, "raft", "peers.json"), "w") as file:
        file.write(f'[{{"id": "{identity}", "address": "{server.raft_address}"}}]')


def recover_muster(servers, server):
    """Ours: a command while the server is stopped, which has to be confirmed."""
    command = [servers.program, "operator", "raft", "recover", "-data-dir", server.data]
    code, output = run(command)
    check(code == 1 and "-yes" in output, "without -yes it ended with", code, output)
    code, output = run([*command, "-yes"])
    check(code == 0, "operator raft recover ended with", code, output)


@scenario("one server of three survives: without a quorum it refuses writes, and after recovery it "
          "serves all that it had", long=True)
def lost_quorum(program):
    with cluster(program, config=AUTOPILOT) as servers:
        with Load(servers) as load:
            load.run(1.5)
            load.verify(30)
        survivor = servers.followers()[0]
        for server in servers.servers:
            if server is not survivor:
                server.kill()
        eventually(lambda: survivor.ask("PUT", "/v1/kv/x", "y", seconds=15)[0] == 500,
                   "a write that is refused")
        check(survivor.ask("GET", "/v1/kv/watched?stale")[0] == 200, "no stale read")
        survivor.terminate()
        {"consul": recover_consul, "muster": recover_muster}[servers.kind](servers, survivor)
        survivor.start()
        servers.wait_until_formed()
        note = load.verify(30)
        check(survivor.ask("PUT", "/v1/kv/x", "y") == (200, "true"), "no write")
        check(servers.voters() == [survivor.raft_address], servers.voters())
        for server in servers.servers:
            if server is not survivor:
                shutil.rmtree(server.data)
                server.start()
        eventually(lambda: len(servers.voters()) == 3 and servers.formed(), "three voters again",
                   seconds=REPLACE_SECONDS)
        return note


def has_own(server):
    """Whether a server still has the key of its own cluster."""
    try:
        return server.ask("GET", "/v1/kv/own?raw&stale") == (200, "z")
    except Failure:
        return False


@scenario("a server of another cluster is refused, and neither cluster is disturbed", long=True,
          only="muster", needs_network=True)
def strangers(program):
    with cluster(program) as servers, Load(servers) as load:
        other = servers.add(5)
        servers.expect, kept = 1, servers.servers
        servers.servers = [other]
        other.start()
        servers.wait_until_formed()
        check(other.ask("PUT", "/v1/kv/own", "z") == (200, "true"), "the other cluster")
        other.kill()
        servers.servers = kept
        other.start()  # Now it is told to join the first three.
        load.run(3)
        eventually(lambda: not other.alive or has_own(other), "its own data, or its end")
        check(len(configuration(servers.leader(among=kept[:3]))) == 3, "it became a member")
        other.kill()
        return load.verify()
