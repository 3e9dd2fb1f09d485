# SPDX-License-Identifier: Apache-2.0
"""The faults, each a function that breaks something under load, lets the load go on, and mends it. One more is one more function
and a row of FAULTS."""
import random

from harness.wait import wait_until

SKEW_S = 120  # nodes may be five minutes apart (docs/postgresql.md); two of them are four here


def kill_nodes(site, load):
    """`kill -9` of each node, one after the other, in the middle of what it does."""
    for node in random.sample(site.nodes, len(site.nodes)):
        load.more(pushes=2, pulls=10)
        node.kill9()
        load.more(pushes=3, pulls=15)
        node.start()
        wait_until(node.connections, what="HAProxy using it again")


def restart_database(site, load):
    """Both servers of PostgreSQL are stopped, at once, and started again."""
    for server in (site.servers.primary, site.servers.standby):
        server.stop("immediate")
    refused = len(load.failed_pushes)
    wait_until(lambda: len(load.failed_pushes) >= refused + 2, timeout=120, what="pushes being refused")
    for server in (site.servers.primary, site.servers.standby):
        server.start()


def fail_over(site, load):
    """The primary is killed, its standby takes over, and a new standby is made of what was the primary."""
    servers = site.servers
    servers.primary.kill9()
    refused = len(load.failed_pushes)
    wait_until(lambda: len(load.failed_pushes) > refused, timeout=120, what="a push being refused")
    servers.standby.promote()
    servers.primary, servers.standby = servers.standby, servers.primary
    servers.primary.query("ALTER SYSTEM RESET synchronous_standby_names")
    load.more(pushes=2, pulls=5)
    servers.rebuild()
    site.synchronise()


def stop_gateway(site, load):
    """The S3 gateway is gone, and comes back."""
    site.gateway.stop()
    refused = len(load.failed_pushes)
    wait_until(lambda: len(load.failed_pushes) > refused, timeout=180, what="a push being refused")
    site.gateway.start()


def everybody(site):
    return [site.gateway.port, site.front.port, *(server.port for server in site.servers.all), *(node.port for node in site.nodes)]


def lose_packets(site, load):
    """One packet of a hundred is lost between all parts, and all are delayed."""
    site.network.slow()
    site.network.lose(everybody(site), "0.01")
    load.more(pushes=3, pulls=6, timeout=240)
    site.network.heal()


def cut_off_database(site, load):
    """Packets between the nodes and the primary are swallowed: nobody is told that it is gone."""
    site.network.swallow([site.servers.primary.port])
    refused = len(load.failed_pushes)
    wait_until(lambda: len(load.failed_pushes) > refused, timeout=240, what="a push being refused")
    site.network.heal()


def fill_disk(site, load):
    """The primary's disk is full. Whether PostgreSQL survives that is its own affair; it is started again where not."""
    primary = site.servers.primary
    disk = site.disk_of(primary)
    disk.fill()
    refused = len(load.failed_pushes)
    wait_until(lambda: len(load.failed_pushes) >= refused + 2, timeout=120, what="pushes being refused")
    disk.clear()
    if not primary.answers():
        primary.stop("immediate")
        primary.start()


def skew_clocks(site, load):
    """One node is two minutes ahead, another two behind; both leave and come back meanwhile."""
    for node, seconds in zip(site.nodes, (SKEW_S, -SKEW_S)):
        site.skew(node, seconds)
        wait_until(node.connections, what="HAProxy using it again")
    load.more(pushes=6, pulls=30)
    for node in site.nodes[:2]:
        site.skew(node, 0)
        wait_until(node.connections, what="HAProxy using it again")


# They need a kernel that loses packets by rule.
OF_PACKETS = {stop_gateway, lose_packets, cut_off_database}

# Whether every pull must have been done, by clients that try twice.
FAULTS = {
    kill_nodes: True,
    restart_database: False,
    fail_over: False,
    stop_gateway: False,
    lose_packets: True,
    cut_off_database: False,
    fill_disk: False,
    skew_clocks: True,
}
