"""What the scenarios of a cluster share: registration, the network, and small waiting words."""

import contextlib
import functools

import network
from harness import Skip
from servers import Cluster, kind_of, loopback_host

SHORT, LONG = [], []


def always(claim):
    """Registers a test of the short set, which always runs; it gets the program."""
    return lambda function: SHORT.append((claim, function)) or function


def scenario(claim, long=False, needs_network=False, only=None):
    """Registers a scenario; `only` names the product that can do it."""

    def register(function):
        @functools.wraps(function)
        def guarded(program):
            reason = network.enter_namespaces()
            if needs_network and reason:
                raise Skip(reason)
            if only and kind_of(program) != only:
                raise Skip(f"not for {kind_of(program)}")
            return function(program)

        (LONG if long else SHORT).append((claim, guarded))
        return guarded

    return register


@contextlib.contextmanager
def cluster(program, count=3, config=None, prepare=None):
    """A formed cluster; `net` is its network, or nothing where there are no namespaces.

    `prepare` is called with the cluster before its servers start.
    """
    with contextlib.ExitStack() as stack:
        net = None
        if not network.enter_namespaces():
            net = stack.enter_context(network.Network())
    # A server that is only cut off or dead for seconds stays a member.
        settings = {"autopilot": {"cleanup_dead_servers": False}, **(config or {})}
        made = Cluster(program, count, net.host if net else loopback_host, settings)
        made.net = net
        if prepare:
            prepare(made)
        try:
            yield stack.enter_context(made)
        except BaseException:
            made.print_logs()
            raise
