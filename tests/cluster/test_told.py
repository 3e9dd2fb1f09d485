# SPDX-License-Identifier: Apache-2.0
"""A moved tag is told to other nodes after its commit and before its answer, and also when whoever was to tell it cannot."""
import contextlib
import subprocess

import pytest

from cluster.test_apart import Answer, Meeting
from harness import oci
from harness.wait import wait_until

TELLING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COMMIT;%tell\\_untold%' AND wait_event_type = 'Lock'"
HOLDS = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'SyncRep'"
BEFORE, AFTER = oci.image("before"), oci.image("after")


class Telling(Meeting):
    """Node `quick_node`, where a tag is moved, and node `other`, which has it in memory."""

    def __init__(self, server, database, node, way):
        super().__init__(server, database, node)
        self.way = way
        self.other = node(server.url(database))
        self.here = self.at(self.quick_node)
        self.there = self.at(self.other)
        self.project("tests")
        self.here.push(BEFORE, "latest")
        for blob in AFTER.blobs:
            self.here.push_blob(blob)
        for _ in range(2):
            assert self.there.get_manifest("latest").content == BEFORE.body

    def at(self, registry):
        return registry.client().repository("tests/app")

    def move(self, repository=None, expect=201):
        return (repository or self.here).put_manifest(AFTER, "latest", expect=expect)

    def untold(self):
        return self.query("SELECT payload FROM untold")

    def wait_known(self):
        wait_until(lambda: self.there.get_manifest("latest").content == AFTER.body, what="the other node knowing it")
        wait_until(lambda: self.untold() == [], what="nothing being untold")

    @contextlib.contextmanager
    def nobody_can_tell(self):
        """Somebody who notifies in a transaction that writes is in his commit."""
        self.standby("nobody")
        try:
            wait_until(self.would_wait, what="commits waiting for the standby")
            url = self.server.url(self.database) + "?application_name=holder"
            with subprocess.Popen(["psql", "-X", "-q", "-d", url, "-c", "BEGIN; CREATE TABLE holder (); NOTIFY elsewhere; COMMIT"]) as holder:
                wait_until(lambda: self.query(HOLDS), what="the commit of who holds the lock")
                yield
                self.standby("")
                assert holder.wait(20) == 0
        finally:
            self.standby("")


@pytest.fixture
def telling(servers, database, node, proxy):
    return Telling(servers.primary, database, node, proxy(servers.primary))


def waits_to_tell(telling):
    """The process of the server that has committed, and has not told yet."""
    (pid,) = wait_until(lambda: telling.query(TELLING), what="a push that waits to tell")
    digest = telling.query("SELECT digest FROM tag JOIN manifest m ON m.id = manifest_id WHERE tag.name = 'latest'")
    assert digest == [AFTER.digest], "it is not committed"
    return pid


def test_a_push_is_answered_when_others_were_told_and_not_before(telling):
    with telling.nobody_can_tell():
        answer = Answer(telling.move)
        waits_to_tell(telling)
        assert len(telling.untold()) == 1
        assert not answer.is_there
    assert answer.wait().status_code == 201
    telling.wait_known()


def test_a_node_and_its_server_process_that_die_between_commit_and_telling(telling):
    """What they left is found by another node, and told."""
    with telling.nobody_can_tell():
        answer = Answer(telling.move)
        pid = waits_to_tell(telling)
        telling.quick_node.kill9()
        telling.query(f"SELECT pg_terminate_backend({pid})")
        wait_until(lambda: telling.query(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid}") == [], what="the process's end")
        assert len(telling.untold()) == 1
    wait_until(lambda: answer.is_there, what="the client's noticing it")
    assert answer.problem
    telling.wait_known()


def test_a_node_that_dies_alone_has_told(telling):
    """The server has the whole of it, and goes on without the node."""
    with telling.nobody_can_tell():
        Answer(telling.move)
        waits_to_tell(telling)
        telling.quick_node.kill9()
    telling.wait_known()


def test_an_answer_that_is_lost_while_telling_is_unknown_and_told(telling, node, servers):
    mover = telling.at(node(f"postgresql://postgres@127.0.0.1:{telling.way.port}/{telling.database}", pulls_write_interval="1h"))
    assert mover.get_manifest("latest").content == BEFORE.body
    telling.way.cut_after = b"tell_untold"
    telling.move(mover, expect=503)
    telling.wait_known()
    wait_until(lambda: mover.get_manifest("latest", expect=(200, 503)).content == AFTER.body, what="the mover knowing it, too")
    assert telling.move(mover).headers["Docker-Content-Digest"] == AFTER.digest


def test_a_commit_that_never_left_has_moved_and_told_nothing(telling, node):
    mover = telling.at(node(f"postgresql://postgres@127.0.0.1:{telling.way.port}/{telling.database}", pulls_write_interval="1h"))
    mover.tags()
    telling.way.refuse_word = b"tell_untold"
    telling.move(mover, expect=503)
    telling.way.refuse_word = None
    assert telling.untold() == []
    assert telling.there.get_manifest("latest").content == BEFORE.body
    telling.move(mover)
    telling.wait_known()


def test_who_does_not_say_that_it_tells_notifies_in_its_transaction(telling):
    """A node of the version before, and an operator by hand."""
    telling.here.put_manifest(AFTER, "after")
    by_hand = "UPDATE tag SET manifest_id = (SELECT id FROM manifest WHERE digest = '{}') WHERE name = 'latest'"
    telling.query(by_hand.format(AFTER.digest))
    assert telling.untold() == []
    telling.wait_known()
    telling.query(by_hand.format(BEFORE.digest))  # as it is counted
    wait_until(lambda: telling.there.get_manifest("latest").content == BEFORE.body, what="the way back being known")


def test_what_cannot_be_told_is_not_acknowledged_and_is_told_when_it_can(telling):
    """A client that pushes again has its answer, and what the first push left is told all the same."""
    telling.query("ALTER FUNCTION tell_untold RENAME TO away; ALTER FUNCTION tell_left RENAME TO away_left")
    telling.move(expect=503)
    assert len(telling.untold()) == 1
    telling.move()
    telling.query("ALTER FUNCTION away RENAME TO tell_untold; ALTER FUNCTION away_left RENAME TO tell_left")
    telling.wait_known()
