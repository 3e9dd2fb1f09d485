# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL servers that may be broken, and nodes on one database.

A node is a `berth serve` of its own; those of a test share the folder of the bytes, as they would a bucket. After a test every
node ends with 0, its log has no failure that the test did not expect, and fsck finds nothing.
"""
import itertools

import pytest

from harness.postgres import Servers
from harness.proxy import Proxy
from harness.registry import Registry

numbers = itertools.count(1)
AWAY = {"503", "DATABASE"}  # what the log may say where a server of the database was taken away


@pytest.fixture(scope="module")
def servers():
    made = Servers()
    yield made
    made.close()


@pytest.fixture
def database(servers):
    """The name of an empty one."""
    name = f"berth_{next(numbers)}"
    servers.create_database(name)
    return name


@pytest.fixture
def proxy():
    """proxy(server) stands before it."""
    made = []

    def make(server):
        made.append(Proxy(server.port))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def node(tmp_path, proxy):
    """node(url, **settings) starts one."""
    made = []

    def make(url, *, start=True, **settings):
        name = f"node-{len(made)}"
        registry = Registry(tmp_path / name, settings={"database_url": url, **settings})
        registry.data = tmp_path / "data"
        made.append(registry)
        return registry.start() if start else registry

    yield make
    try:
        served = [registry for registry in made if registry.running()]
        for registry in served:
            assert registry.stop() == 0, registry.log_text()[-4000:]
        for registry in made:
            registry.assert_log_clean(0, AWAY)
        if served:
            served[-1].assert_fsck_clean()
    finally:
        for registry in made:
            registry.kill9()
