# SPDX-License-Identifier: Apache-2.0
"""Pushes to different repositories do not meet: not at a row, and not at a lock.

A push is held where it has everything that it will ever hold: in its commit. One node's commits wait for a standby that does not
exist, the other's wait for nobody. So a real push stands there with all its locks for as long as it takes, and whoever meets it
waits as long: the server logs each wait, and the client has no answer.
"""
import contextlib
import subprocess
import threading

import pytest

from harness import oci
from harness.quota import Project
from harness.wait import wait_until

MIB = 1 << 20
# Pushes: a node commits things of its own, too.
HELD = ("SELECT COUNT(*) FROM pg_stat_activity a WHERE datname = current_database() AND wait_event = 'SyncRep' AND query LIKE 'COMMIT%' AND EXISTS "
        "(SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.relation = 'manifest'::regclass AND l.mode = 'RowExclusiveLock')")
HELD_TABLES = ("SELECT DISTINCT l.relation::regclass FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
               "WHERE a.wait_event = 'SyncRep' AND l.mode = 'RowExclusiveLock' AND l.relation IS NOT NULL")
WAITING = "SELECT wait_event FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


class Answer:
    """Of a request that somebody else waits for."""

    def __init__(self, request):
        self.value = self.problem = None
        self.request = request
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.value = self.request()
        except Exception as problem:  # told to who asks for the answer
            self.problem = problem

    @property
    def is_there(self):
        return not self.thread.is_alive()

    def wait(self):
        self.thread.join(20)
        assert self.is_there, "no answer"
        if self.problem:
            raise self.problem
        return self.value


class Meeting:
    """Two nodes on one database; `slow`'s commits can be held."""

    def __init__(self, server, database, node):
        self.server, self.database = server, database
        for setting in ("log_lock_waits = on", "deadlock_timeout = '20ms'"):
            server.query(f"ALTER DATABASE {database} SET {setting}")
        url = server.url(database) + "?options=-c%20synchronous_commit%3D"
        self.quick_node = node(url + "local")
        self.slow_node = node(url + "on", jobs_workers=0)
        self.admin = self.quick_node.client(auth="basic")
        self.quick, self.slow = self.quick_node.client(), self.slow_node.client()
        self.log_at = server.log.stat().st_size

    def project(self, name, limit=None):
        return Project(self.quick, self.admin, name, limit)

    def query(self, sql):
        return self.server.query(sql, self.database)

    def standby(self, name):
        self.server.query(f"ALTER SYSTEM SET synchronous_standby_names = '{name}'")
        self.server.query("SELECT pg_reload_conf()")

    def would_wait(self):
        """The server reads its configuration when it comes to it."""
        url = self.server.url() + "?application_name=probe"
        with subprocess.Popen(["psql", "-X", "-q", "-d", url, "-c", "DROP TABLE IF EXISTS probe", "-c", "CREATE TABLE probe ()"],
                              stderr=subprocess.DEVNULL) as probe:
            in_commit = "FROM pg_stat_activity WHERE application_name = 'probe' AND wait_event = 'SyncRep'"
            wait_until(lambda: probe.poll() is not None or self.server.query(f"SELECT 1 {in_commit}"), what="the probe's end, or its waiting")
            waited = probe.poll() is None
            while probe.poll() is None:
                self.server.query(f"SELECT pg_cancel_backend(pid) {in_commit}")
        return waited

    @contextlib.contextmanager
    def held(self, *requests):
        """With these requests' transactions in their commits; the answers come behind the block."""
        self.standby("nobody")
        try:
            wait_until(self.would_wait, what="commits waiting for the standby")
            answers = [Answer(request) for request in requests]
            wait_until(lambda: self.count_held() == len(answers) or [answer.wait() for answer in answers if answer.is_there],
                       what="the transactions being in their commits")
            yield answers
            assert self.count_held() == len(answers) and not any(answer.is_there for answer in answers)
        finally:
            self.standby("")

    def count_held(self):
        return int(self.query(HELD)[0])

    def waits(self):
        """What the server's log says of waits for locks."""
        with open(self.server.log, encoding="utf-8", errors="replace") as log:
            log.seek(self.log_at)
            return [line.strip() for line in log if "still waiting for" in line]


@pytest.fixture
def meeting(servers, database, node):
    return Meeting(servers.primary, database, node)


def uploaded(repository, content):
    """The blobs are there, and the manifest is not."""
    for blob in content.blobs:
        repository.push_blob(blob)
    return content


def like(content, note):
    """Another manifest of the same layers."""
    return oci.Content({**content.document, "annotations": {"note": note}}, content.media_type, content.blobs)


def push_all_kinds(repository_of, name, content, source):
    """New content, into a repository that is there and into a new one; what the held push has, uploaded and mounted."""
    known = repository_of("known")
    known.push(oci.image(f"{name}/more", layers=2), "more")
    repository_of("new").push(oci.image(f"{name}/new"), "latest")
    repository_of("shared").push(like(content, name), "latest")
    mounted = repository_of("mounted")
    for blob in content.blobs:
        mounted.mount(oci.digest_of(blob), source, expect=(201, 202))
        if not mounted.has_blob(oci.digest_of(blob)):
            mounted.push_blob(blob)
    mounted.put_manifest(like(content, name + "/mounted"), "latest")


def test_pushes_go_on_while_others_are_in_their_commits(meeting):
    plain, limited, other = meeting.project("plain"), meeting.project("limited", 1024 * MIB), meeting.project("other")
    tenant = meeting.quick_node.tenant("acme")
    tenant.admin.make_project("vault")
    content = oci.image("held", layers=3, layer_size=10_000)
    for project in (plain, limited, other):
        uploaded(project.repository("app"), content)
        project.repository("known").push(oci.image("known"), "latest")
    at_tenant = tenant.client()
    at_tenant.repository("vault/known").push(oci.image("known"), "latest")
    slow = [meeting.slow.repository(f"{project.name}/app") for project in (plain, limited)]
    for repository in slow:
        repository.tags(expect=(200, 404))  # has its token
    with meeting.held(*(lambda repository=repository: repository.put_manifest(content, "v1") for repository in slow)):
        assert {"manifest", "artifact", "tag", "project_manifest", "quota_stripe"} <= set(meeting.query(HELD_TABLES))
        for project in (plain, limited, other):
            push_all_kinds(project.repository, project.name, content, f"{project.name}/app")
        push_all_kinds(lambda rest: at_tenant.repository(f"vault/{rest}"), "vault", content, "vault/known")
        assert meeting.query(WAITING) == []
        assert meeting.waits() == []
        for repository in slow:  # seen by nobody yet
            meeting.quick.repository(repository.name).get_manifest("v1", expect=404)
    for repository in slow:
        wait_until(lambda repository=repository: meeting.quick.repository(repository.name).get_manifest("v1", expect=(200, 404)).content == content.body,
                   what="the held push")


def test_moved_and_deleted_tags_go_on_while_others_are_in_their_commits(meeting):
    """Both tell the other nodes, and PostgreSQL commits what sends notifications one after another: so pushes do not send them."""
    one, two = meeting.project("one"), meeting.project("two")
    for project in (one, two):
        project.repository().push(oci.image("before"), "latest")
        uploaded(project.repository(), oci.image("after"))
    slow, quick = meeting.slow.repository("one/app"), two.repository()
    slow.tags()
    with meeting.held(lambda: slow.put_manifest(oci.image("after"), "latest")):
        assert "untold" in meeting.query(HELD_TABLES)
        quick.put_manifest(oci.image("after"), "latest")
        quick.put_manifest(oci.image("after"), "second")
        quick.delete_manifest("second")
        quick.delete_manifest(oci.image("before").digest)
        quick.delete_blob(oci.digest_of(oci.image("before").blobs[0]))
        assert meeting.query(WAITING) == []
        assert meeting.waits() == []
        assert quick.get_manifest("latest").content == oci.image("after").body
        assert meeting.quick.repository("one/app").get_manifest("latest").content == oci.image("before").body
    wait_until(lambda: meeting.quick.repository("one/app").get_manifest("latest").content == oci.image("after").body, what="the held push")
    assert meeting.query("SELECT COUNT(*) FROM untold") == ["0"]


class TestWhatMeets:
    """Where the answer depends on what the other one does. Also: that the above can fail."""

    def check(self, meeting, first, second, expect):
        """`second` waits for `first` alone, and has the right answer then."""
        bystander = meeting.project("bystander")
        with meeting.held(first) as (one,):
            two = Answer(second)
            wait_until(lambda: meeting.query(WAITING), what="the second waiting")
            bystander.repository().push(oci.image("bystander"), "latest")
            assert not two.is_there
        assert one.wait().status_code == 201
        assert two.wait().status_code == expect
        assert meeting.waits()

    def test_the_same_manifest_in_one_project(self, meeting):
        """It counts once, for whichever comes first."""
        project, content = meeting.project("twice"), oci.image("twice")
        for name in ("a", "b"):
            uploaded(project.repository(name), content)
        slow = meeting.slow.repository("twice/a")
        slow.tags(expect=(200, 404))
        self.check(meeting, lambda: slow.put_manifest(content, "v1"), lambda: project.repository("b").put_manifest(content, "v1"), 201)
        assert project.used == len(content.body) + sum(map(len, content.blobs))

    def test_the_last_bytes_of_a_quota(self, meeting):
        """Whether the second fits depends on the first."""
        project, first, second = meeting.project("tight"), oci.image("first"), oci.image("second")
        for name, content in (("a", first), ("b", second)):
            uploaded(project.repository(name), content)
        project.limit(storage=project.used + len(first.body) + len(second.body) - 1)
        slow = meeting.slow.repository("tight/a")
        slow.tags(expect=(200, 404))
        self.check(meeting, lambda: slow.put_manifest(first, "v1"),
                   lambda: project.repository("b").put_manifest(second, "v1", expect=403), 403)
