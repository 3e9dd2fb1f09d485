# SPDX-License-Identifier: Apache-2.0
"""What deploy/ ships, as it is: real proxies in front of three nodes on PostgreSQL, and the units of systemd."""
import signal

import pytest

from cluster.conftest import AWAY
from harness.front import FRONTS
from harness.load import Book, Load
from harness.postgres import Servers
from harness.proxy import Proxy
from harness.registry import Registry
from harness.wait import wait_until


class Site:
    """Three nodes, their way to the database, and one proxy before them."""

    def __init__(self):
        self.servers, self.way, self.nodes, self.front, self.book = Servers(), None, [], None, Book()

    def start(self, root, kind, authority):
        self.servers.create_database("berth")
        self.way = Proxy(self.servers.primary.port)
        url = f"postgresql://postgres@127.0.0.1:{self.way.port}/berth"
        for number in range(3):
            node = Registry(root / f"node-{number}", settings={
                "database_url": url, "http_trusted_proxies": "127.0.0.1", "http_drain_delay": "3s"})
            node.data = root / "data"
            self.nodes.append(node)
            node.start()
        self.front = FRONTS[kind](root / kind, authority, self.nodes)
        self.front.start()
        self.front.client(auth="basic").make_project("load")
        with Load(self.front, self.book) as load:  # something to pull
            load.more(pushes=4)

    def serving(self, node):
        """Whether the proxy sends it something: the node says so of each connection it has."""
        return bool(node.connections())

    def close(self):
        for part in (self.front, self.way, self.servers):
            if part:
                part.close()
        for node in self.nodes:
            node.kill9()


@pytest.fixture(scope="module", params=sorted(FRONTS))
def site(request, tmp_path_factory, authority):
    made = Site()
    try:
        made.start(tmp_path_factory.mktemp("site"), request.param, authority)
        yield made
        for node in made.nodes:
            node.signal(signal.SIGTERM)  # and once more by stop(): now
        for node in made.nodes:
            assert node.stop() == 0, node.log_text()[-4000:]
            node.assert_log_clean(0, AWAY)
        made.nodes[0].assert_fsck_clean()
    finally:
        made.close()


@pytest.fixture
def front(site):
    wait_until(lambda: all(node.running() for node in site.nodes), what="three nodes")
    return site.front
