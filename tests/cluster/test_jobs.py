# SPDX-License-Identifier: Apache-2.0
"""Jobs in a cluster: schedules fire once, whatever the clocks say and whoever dies; and the keys that sign tokens are changed
without a request that is refused."""
import base64
import json
import os
from pathlib import Path

import pytest
import requests

from cluster.test_nodes import heard
from harness.people import Browser, call
from harness.registry import ADMIN_PASSWORD, binary
from harness.wait import wait_until

NOW = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
MINUTES_US = 60_000_000
DAY_US = 86_400_000_000


@pytest.fixture
def ask(servers, database):
    """ask(sql): the rows that the primary answers, as texts."""
    return lambda sql: servers.primary.query(sql, database)


@pytest.fixture
def skewed(node, servers, database):
    """skewed(seconds) starts a node whose clock is wrong by so much; it needs a build with fault points."""
    program = Path(os.environ.get("BERTH_BINARY_FAULTS") or binary())

    def make(seconds, **settings):
        one = node(servers.url(database), start=False, uploads_expiry="1s", jobs_lease="2s", **settings)
        one.program = program
        one.extra_environment = {"BERTH_FAULT_CLOCK_S": str(seconds)}
        return one.start()

    status = os.popen(f"{program} version").read()
    assert "fault points" in status, f"{program} has no fault points: BERTH_BINARY_FAULTS names a build that has"
    return make


def schedule(ask, name, in_us, kind="purge_expired"):
    ask(
        "INSERT INTO job_schedule (name, kind, tenant_id, arguments, cron, next_at_us, created_at_us) "
        f"VALUES ('{name}', '{kind}', 0, '', '@daily', {NOW} + {in_us}, {NOW})"
    )


def states(ask, name):
    return ask(f"SELECT state || ' ' || attempts || ' ' || losses FROM job WHERE subject = '{name}'")


def ran(ask):
    """How many jobs of the fastest schedule were done so far."""
    return int(ask("SELECT COUNT(*) FROM job WHERE kind = 'expire_uploads' AND state = 3")[0])


def wait_for_turns(ask, count=3):
    """Until every node had the time to look whether something is to be done."""
    seen = ran(ask)
    wait_until(lambda: ran(ask) >= seen + count, what="jobs going on")


def test_a_schedule_fires_once_among_nodes_whose_clocks_differ(skewed, ask):
    ahead, right, behind = skewed(600), skewed(0), skewed(-600)
    wait_for_turns(ask)
    schedule(ask, "now", 500_000)
    schedule(ask, "later", 5 * MINUTES_US)
    schedule(ask, "missed", -3 * DAY_US)
    wait_until(lambda: states(ask, "now") == ["3 1 0"], what="the schedule firing")
    wait_for_turns(ask)
    assert states(ask, "now") == ["3 1 0"]
    assert states(ask, "missed") == ["3 1 0"], "once, however often it was missed"
    assert states(ask, "later") == [], "the node that is ahead fired it"
    for registry in (ahead, right):
        assert registry.stop() == 0
    schedule(ask, "by the one that is behind", 500_000)
    wait_until(lambda: states(ask, "by the one that is behind") == ["3 1 0"], what="its firing")
    assert ask(f"SELECT next_at_us % {DAY_US} = 0 AND next_at_us > {NOW} FROM job_schedule WHERE name = 'missed'") == ["t"]
    assert ask("SELECT COUNT(*) FROM job WHERE losses > 0") == ["0"], "somebody took what was another's"
    assert behind.running()


def test_jobs_of_a_node_that_dies_are_done_by_another(node, servers, database, ask):
    settings = {"jobs_lease": "1s"}
    one = node(servers.url(database), **settings)
    wait_until(lambda: ask("SELECT kind FROM job_kind WHERE kind = 'purge_expired'"), what="the first turn")
    # It takes a job and dies in it: the row of the kind's only place is held by nobody who is alive.
    ask(
        "INSERT INTO job (kind, tenant_id, subject, once, arguments, state, due_at_us, ready_at_us, created_at_us, owner, fence, "
        f"attempts, lease_until_us) VALUES ('purge_expired', 0, 'it', 'it', '', 2, 0, 0, {NOW}, 'a node that died', 1, 1, {NOW} + 1000000)"
    )
    two = node(servers.url(database), **settings)
    one.kill9()
    wait_until(lambda: states(ask, "it") == ["3 2 1"], what="the other one doing it")
    assert "its node went away" in two.log_text()


def test_the_job_service_is_that_of_the_cluster(node, servers, database, ask):
    """Pools are all nodes, and a queue that is paused at one of them is paused at the other; it goes on with what was asked for meanwhile."""
    one, two = (node(servers.url(database), uploads_expiry="1s") for _ in range(2))
    asks, other = (registry.client(auth="basic") for registry in (one, two))
    pools = wait_until(lambda: len(other.get("/api/v2.0/jobservice/pools", expect=200).json()) == 2 and other.get("/api/v2.0/jobservice/pools").json(),
                       what="both nodes")
    assert len({pool["worker_pool_id"] for pool in pools}) == 2 and {pool["pid"] for pool in pools} == {one.process.pid, two.process.pid}
    assert len(asks.get("/api/v2.0/jobservice/pools/all/workers", expect=200).json()) == sum(pool["concurrency"] for pool in pools)
    queue = "/api/v2.0/jobservice/queues/rotate_keys"
    call(asks, "PUT", queue, {"action": "pause"}, expect=200)
    schedule(ask, "while paused", -MINUTES_US, kind="rotate_keys")
    wait_for_turns(ask)
    assert states(ask, "while paused") == ["1 0 0"]
    assert other.get("/api/v2.0/schedules/rotate_keys/paused", expect=200).json() == {"paused": True}
    assert one.stop() == 0
    assert len(other.get("/api/v2.0/jobservice/pools", expect=200).json()) == 1
    call(other, "PUT", queue, {"action": "resume"}, expect=200)
    wait_until(lambda: states(ask, "while paused") == ["3 1 0"], what="its being done")


def key_of(token):
    head = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]


def token_of(registry):
    return registry.client().fetch_token()["token"]


def accepts(registry, token):
    return registry.anonymous().session.get(f"{registry.url}/v2/", headers={"Authorization": f"Bearer {token}"}).status_code == 200


def unknown_key(token):
    """What makes a node ask for keys that it does not know, which it does once a second."""
    head, body, signature = token.split(".")
    changed = json.dumps({"alg": "ES256", "kid": "A" * 43, "typ": "JWT"}).encode()
    return ".".join((base64.urlsafe_b64encode(changed).decode().rstrip("="), body, signature))


@pytest.mark.parametrize("deaf", [False, True], ids=["told", "deaf"])
def test_signing_keys_are_changed_without_a_gap(node, servers, database, proxy, ask, deaf):
    """A token of either node is accepted at the other at once, before, while and after a key is changed, also by a node that
    hears nothing and has just asked."""
    way = proxy(servers.primary)
    a = node(servers.url(database, servers.primary))
    b = node(f"postgresql://postgres@127.0.0.1:{way.port}/{database}")
    nodes = (a, b)
    wait_until(lambda: heard(b), what="notifications being heard")
    if deaf:
        way.refuse_word = b"LISTEN"
        way.cut()
        wait_until(lambda: not heard(b), what="the loss being noticed")
        wait_until(lambda: requests.get(f"{b.url}/v2/", timeout=10).status_code == 401, what="its other connections being new")
    tokens = [token_of(one) for one in nodes]

    def all_accepted():
        tokens.extend(token_of(one) for one in nodes)
        for one in nodes:
            for token in tokens:
                assert accepts(one, token), f"{one.root.name}: a token of {key_of(token)}"

    all_accepted()
    first = {key_of(token) for token in tokens}
    assert len(first) == 1
    ask(f"UPDATE signing_key SET created_at_us = created_at_us - 31 * {DAY_US}")
    assert not accepts(b, unknown_key(tokens[0]))  # from here on it does not ask again for a second
    a.restart()  # which makes the new key
    assert ask("SELECT COUNT(*) FROM signing_key") == ["2"]
    all_accepted()
    assert {key_of(token) for token in tokens} == first, "signed with a key that others cannot know"
    b.restart()  # it reads them, as it does twice a minute
    ask(f"UPDATE signing_key SET created_at_us = created_at_us - {11 * MINUTES_US}")
    a.restart()  # from here on the new one signs there
    all_accepted()
    assert key_of(token_of(a)) not in first
    b.restart()
    all_accepted()
    assert key_of(token_of(b)) == key_of(token_of(a))


def test_a_session_of_one_node_is_one_of_all(node, servers, database):
    a, b = node(servers.url(database)), node(servers.url(database))
    browser = Browser(a)
    browser.log_in("admin", ADMIN_PASSWORD)
    for one in (a, b):
        browser.client.registry = one
        assert browser.who() == "admin"
    browser.client.registry = a  # a token against forged requests is the other one's, too
    browser.who()
    browser.client.registry = b
    browser.call("POST", "/api/v2.0/projects", {"project_name": "of-all"}, expect=201)
