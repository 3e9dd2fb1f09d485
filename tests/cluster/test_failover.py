# SPDX-License-Identifier: Apache-2.0
"""The database goes away, can only be read, comes back, or is another server by now: what clients see, and that nobody has to do anything."""
import pytest

from harness import oci
from harness.postgres import Servers
from harness.wait import together, wait_until

HEALTH = "/api/v2.0/health"


@pytest.fixture
def servers():
    """Of the test's own: they will not be the same after it."""
    made = Servers()
    yield made
    made.close()


def pushed(registry, name, seed=0, tag="latest"):
    repo = registry.client().repository(name)
    content = oci.image(seed)
    repo.push(content, tag)
    return repo, content


def accepts(repo, content, tag):
    """Whether a push of a manifest is accepted; when not, it is refused as it should be."""
    answer = repo.put_manifest(content, tag, expect=(201, 503))
    if answer.status_code == 503:
        assert int(answer.headers["Retry-After"]) >= 1
    return answer.status_code == 201


def state_of(registry):
    """By anybody, with whatever credentials: it is answered also while nobody could be asked about them."""
    parts = registry.client(auth="basic").get(HEALTH, expect=200).json()["components"]
    return next(part["status"] for part in parts if part["name"] == "database")


HEARD = "notifications of other nodes are heard"


def logged(registry, text):
    return [line for line in registry.log_lines() if text in str(line)]


def test_a_node_finds_the_new_primary_by_itself(servers, database, node):
    one = node(servers.url(database))
    repo, content = pushed(one, "tests/failover")
    servers.fail_over()
    wait_until(lambda: accepts(repo, content, "after"), what="pushes being accepted by the new primary")
    assert repo.get_manifest("after").content == content.body
    assert repo.get_manifest("latest").content == content.body
    wait_until(lambda: state_of(one) == "healthy", what="health")


def test_while_only_a_standby_answers_pulls_go_on_and_pushes_are_refused(servers, database, node):
    one = node(servers.url(database))
    warm, content = pushed(one, "tests/warm")
    cold, other = pushed(one, "tests/cold", seed=1)
    warm.get_manifest("latest")
    one.restart()
    warm.get_manifest("latest")
    servers.wait_replayed()
    servers.primary.kill9()
    wait_until(lambda: state_of(one) == "unhealthy", what="health")

    pulled = one.client().repository("tests/cold")  # and logs in
    assert wait_until(lambda: pulled.get_manifest("latest", expect=(200, 503)).status_code == 200, what="the standby being read")
    assert pulled.get_manifest("latest").content == other.body
    assert pulled.get_blob(oci.digest_of(other.blobs[0])).content == other.blobs[0]
    assert warm.get_manifest("latest").content == content.body
    assert not accepts(warm, content, "no")
    assert warm.start_upload(expect=503).answer.headers["Retry-After"]
    assert len(logged(one, "can only be read")) == 1
    assert one.anonymous().session.get(one.url + "/readyz").status_code == 200, "it can serve pulls"

    servers.standby.promote()
    wait_until(lambda: accepts(warm, content, "again"), what="pushes being accepted")
    wait_until(lambda: state_of(one) == "healthy", what="health")
    assert len(logged(one, "can be written again")) == 1


def test_a_node_starts_on_a_standby(servers, database, node):
    one = node(servers.url(database))
    repo, content = pushed(one, "tests/start")
    servers.wait_replayed()
    one.stop()
    servers.primary.kill9()
    one.start()
    repo = one.client().repository("tests/start")
    assert repo.get_manifest("latest").content == content.body
    assert not accepts(repo, content, "no")


def test_a_database_made_read_only_refuses_pushes_and_takes_them_again(servers, database, node):
    one = node(servers.url(database, servers.primary))
    repo, content = pushed(one, "tests/frozen")
    servers.primary.freeze()
    wait_until(lambda: not accepts(repo, content, "more"), what="pushes being refused")
    assert repo.get_manifest("latest").content == content.body
    servers.primary.freeze(False)
    wait_until(lambda: accepts(repo, content, "more"), what="pushes being accepted")


def test_without_any_server_warm_pulls_go_on_for_who_has_a_token(servers, database, node):
    one = node(servers.url(database))
    warm, content = pushed(one, "tests/outage")
    before = len(logged(one, HEARD))
    one.restart()
    wait_until(lambda: len(logged(one, HEARD)) > before, what="the node hearing of others: before, it remembers nothing")
    blob = oci.digest_of(content.blobs[1])
    warm.get_manifest("latest")
    warm.get_blob(blob)
    for server in servers.all:
        server.kill9()
    wait_until(lambda: logged(one, "no server of the database answers"), what="the loss being said")

    assert warm.get_manifest("latest").content == content.body
    assert warm.get_blob(blob).content == content.blobs[1]
    assert not accepts(warm, content, "no")
    answer = warm.get_manifest("unknown", expect=503)
    assert int(answer.headers["Retry-After"]) >= 1
    assert one.anonymous().session.get(one.url + "/service/token", auth=("somebody", "else")).status_code == 503
    assert state_of(one) == "unhealthy"
    assert len(logged(one, "no server of the database answers: what is in memory")) == 1

    for server in servers.all:
        server.start()
    wait_until(lambda: accepts(warm, content, "again"), what="pushes being accepted")
    wait_until(lambda: state_of(one) == "healthy", what="health")


def test_what_is_in_memory_is_not_served_longer_than_the_option_says(servers, database, node):
    one = node(servers.url(database, servers.primary), database_outage="0s")
    repo, content = pushed(one, "tests/bound")
    repo.get_manifest("latest")
    servers.primary.kill9()
    wait_until(lambda: repo.get_manifest("latest", expect=(200, 503)).status_code == 503, what="refusal")
    servers.primary.start()
    wait_until(lambda: repo.get_manifest("latest", expect=(200, 503)).status_code == 200, what="recovery")


def test_a_node_never_has_more_connections_than_it_may(servers, database, node):
    one = node(servers.url(database), database_connections=3)
    repo, content = pushed(one, "tests/bound")
    seen = []

    def push(number):
        client = one.client()
        for turn in range(5):
            client.repository("tests/bound").put_manifest(content, f"t{number}-{turn}")
            seen.append(int(servers.primary.query(
                f"SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '{database}' AND backend_type = 'client backend'")[0]))

    together(8, push)
    assert max(seen) <= 4, "three, and the one that hears of other nodes"


def test_a_commit_whose_answer_is_lost_is_said_to_be_unknown(servers, database, node, proxy):
    between = proxy(servers.primary)
    one = node(f"postgresql://postgres@127.0.0.1:{between.port}/{database}", pulls_write_interval="1h")
    repo, content = pushed(one, "tests/unknown")
    tags = iter(f"lost-{number}" for number in range(50))

    def loses_one():
        between.cut_after = b"COMMIT\0"  # not that of READ COMMITTED
        tag = next(tags)
        answer = repo.put_manifest(content, tag, expect=(201, 503))
        between.cut_after = None
        return tag if answer.status_code == 503 and logged(one, "whether it was done is unknown") else None

    tag = wait_until(loses_one, what="a push losing its commit")
    assert wait_until(lambda: accepts(repo, content, tag), what="the same push once more")
    assert repo.get_manifest(tag).content == content.body


def test_an_upload_is_known_after_the_database_crashed(servers, database, node):
    """Its row was committed without waiting for the database's disk: a crash forgot it, and its bytes were nobody's."""
    one = node(servers.url(database, servers.primary))
    repo, content = pushed(one, "tests/crashed")
    servers.primary.query("ALTER SYSTEM SET wal_writer_delay = '10s'")
    servers.primary.query("SELECT pg_reload_conf()")
    data = oci.random_bytes(5000)
    upload = repo.start_upload()
    upload.patch(data[:3000], 0)
    servers.primary.kill9()
    servers.primary.start()
    wait_until(lambda: accepts(repo, content, "again"), what="pushes being accepted")
    assert upload.size() == 3000
    upload.put(oci.digest_of(data), data[3000:], 3000)
    assert repo.get_blob(oci.digest_of(data)).content == data


def test_nobody_hammers_a_server_that_is_away(servers, database, node, proxy):
    between = proxy(servers.primary)
    one = node(f"postgresql://postgres@127.0.0.1:{between.port}/{database}", database_outage="0s")
    repo, content = pushed(one, "tests/backoff")
    between.open = False
    between.cut()
    wait_until(lambda: not accepts(repo, content, "no"), what="the loss")
    before = between.accepted
    for _ in range(200):
        assert not accepts(repo, content, "no")
    assert between.accepted - before < 100
    between.open = True
    wait_until(lambda: accepts(repo, content, "again"), what="pushes being accepted")
