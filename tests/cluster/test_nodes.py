# SPDX-License-Identifier: Apache-2.0
"""Two nodes on one database: what is changed at one counts at the other, also while notifications do not reach it."""
import json
import subprocess
import time
import uuid
from contextlib import contextmanager

import pytest

from harness import oci
from harness.people import call, make_person
from harness.receivers import HttpReceiver
from harness.registry import ADMIN_PASSWORD
from harness.wait import wait_until
from harness.wire import unique

API = "/api/v2.0"
BERTH = "/api/berth/v1"


class Pair:
    """Node `a`, where things are changed, and node `b`, which has seen what was before."""

    def __init__(self, a, b, project):
        self.a, self.b = a, b
        self.project = project
        self.at_a = a.client()
        self.at_b = b.client()
        self.admin = a.client(auth="basic")

    def both(self, repository):
        name = f"{self.project}/{repository}"
        return self.at_a.repository(name), self.at_b.repository(name)

    def known(self, repository, seed=0):
        """A repository with a tag that b has in memory."""
        here, there = self.both(repository)
        content = oci.image(seed)
        here.push(content, "latest")
        for _ in range(2):
            assert there.get_manifest("latest").content == content.body
        there.get_manifest(content.digest)
        there.get_blob(oci.digest_of(content.blobs[0]))
        return here, there, content


def soon(condition, what):
    return wait_until(condition, timeout=10, what=what)


def status(repo, reference="latest", **options):
    return repo.get_manifest(reference, expect=(200, 401, 403, 404), **options).status_code


@pytest.fixture(scope="module")
def nodes(servers, tmp_path_factory):
    """Of the whole module: a, b, and b's way to the database."""
    from harness.proxy import Proxy
    from harness.registry import Registry

    servers.create_database("berth_nodes")
    root = tmp_path_factory.mktemp("nodes")
    way = Proxy(servers.primary.port)
    urls = [servers.url("berth_nodes", servers.primary), f"postgresql://postgres@127.0.0.1:{way.port}/berth_nodes"]
    made = []
    try:
        for number, url in enumerate(urls):
            registry = Registry(root / f"node-{number}", settings={"database_url": url, "webhooks_allow": "127.0.0.0/8"})
            registry.data = root / "data"
            made.append(registry.start())
        yield (*made, way)
        for registry in made:
            assert registry.stop() == 0
            registry.assert_log_clean()
        made[0].assert_fsck_clean()
        status, output = made[0].berth("audit", "verify")
        assert status == 0, output
    finally:
        for registry in made:
            registry.kill9()
        way.close()


def heard(registry):
    """Whether it says that it hears notifications, by the last line about that."""
    lines = [line.get("msg") or line.get("message") or str(line) for line in registry.log_lines() if "notifications of other nodes" in str(line)]
    return bool(lines) and "not heard" not in lines[-1]


@pytest.fixture(params=["told", "deaf"])
def pair(request, nodes):
    """Once as it should be, once with b's notifications cut off."""
    a, b, way = nodes
    way.refuse_word = b"LISTEN" if request.param == "deaf" else None
    if request.param == "deaf":
        way.cut()
        wait_until(lambda: not heard(b), what="the loss being noticed")
    else:
        wait_until(lambda: heard(b), what="notifications being heard")
    project = unique("nodes")
    a.client(auth="basic").make_project(project)
    yield Pair(a, b, project)
    way.refuse_word = None


def test_a_moved_tag(pair):
    here, there, _ = pair.known("moved")
    other = oci.image(1)
    here.push(other, "latest")
    soon(lambda: there.get_manifest("latest").content == other.body, "the new image")


def test_a_rule_of_immutability(pair):
    here, there, content = pair.known("fixed")
    there.put_manifest(content, "latest")  # b has in memory that there is no rule
    rules = f"{API}/projects/{pair.project}/immutabletagrules"
    selectors = {"tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "latest"}]}
    made = call(pair.admin, "POST", rules, selectors, expect=201).headers["Location"]
    soon(lambda: there.put_manifest(content, "latest", expect=(201, 412)).status_code == 412, "the rule")
    call(pair.admin, "PUT", made, {"disabled": True})
    soon(lambda: there.put_manifest(content, "latest", expect=(201, 412)).status_code == 201, "its being switched off")
    call(pair.admin, "PUT", made, {"disabled": False})
    soon(lambda: there.put_manifest(content, "latest", expect=(201, 412)).status_code == 412, "its being switched on")
    call(pair.admin, "DELETE", made)
    soon(lambda: there.put_manifest(content, "latest", expect=(201, 412)).status_code == 201, "the rule's end")


def test_a_deleted_tag_manifest_and_blob(pair):
    here, there, content = pair.known("deleted")
    here.put_manifest(content, "second")
    there.get_manifest("second")
    call(pair.admin, "DELETE", f"{API}/projects/{pair.project}/repositories/deleted/artifacts/{content.digest}/tags/second")
    soon(lambda: status(there, "second") == 404, "the tag's end")
    here.delete_manifest(content.digest)
    soon(lambda: status(there) == 404 and status(there, content.digest) == 404, "the manifest's end")
    blob = oci.digest_of(content.blobs[0])
    here.delete_blob(blob)
    soon(lambda: there.get_blob(blob, expect=(200, 404)).status_code == 404, "the blob's end")


def test_a_deleted_repository(pair):
    _, there, _ = pair.known("gone")
    call(pair.admin, "DELETE", f"{API}/projects/{pair.project}/repositories/gone")
    soon(lambda: status(there) == 404, "the repository's end")


def test_a_renamed_repository_and_its_alias(pair):
    _, there, content = pair.known("before")
    base = f"{BERTH}/projects/{pair.project}/repositories"
    call(pair.admin, "POST", f"{base}/before/rename", {"name": f"{pair.project}/after", "alias": False})
    soon(lambda: status(there) == 404, "the old name's end")
    new = pair.at_b.repository(f"{pair.project}/after")
    soon(lambda: status(new) == 200, "the new name")
    call(pair.admin, "POST", f"{base}/after/rename", {"name": f"{pair.project}/last", "alias": True})
    soon(lambda: status(new) == 200, "the alias")


def test_a_cold_manifest_by_a_name_that_leads_elsewhere_since(pair):
    """Found by its name alone, it must not be that of who has the name now, nor missed by who goes by an alias."""
    _, there, content = pair.known("first")
    renamed = f"{BERTH}/projects/{pair.project}/repositories"
    call(pair.admin, "POST", f"{renamed}/first/rename", {"name": f"{pair.project}/second", "alias": True})
    second = pair.at_a.repository(f"{pair.project}/second")
    cold = [oci.image(seed) for seed in (1, 2)]
    second.push(cold[0], "cold")
    soon(lambda: status(there, "cold") == 200, "the alias")
    assert there.get_manifest("cold").content == cold[0].body
    call(pair.admin, "DELETE", f"{renamed}/second/aliases/{pair.project}%2Ffirst")
    soon(lambda: status(there, "cold") == 404 and status(there, content.digest) == 404, "the alias's end")
    first = pair.at_a.repository(f"{pair.project}/first")
    first.push(cold[1], "cold")
    soon(lambda: status(there, "cold") == 200, "who has the name now")
    assert there.get_manifest("cold").content == cold[1].body
    assert status(there, content.digest) == 404
    call(pair.admin, "DELETE", f"{API}/projects/{pair.project}/repositories/first")
    soon(lambda: status(there, "cold") == 404, "its end")
    assert status(there, cold[1].digest) == 404


def test_a_cold_manifest_in_a_project_that_was_renamed(pair):
    _, there, content = pair.known("app")
    before, after = pair.project, unique("after")
    base = f"{BERTH}/projects"
    call(pair.admin, "POST", f"{base}/{before}/rename", {"name": after, "alias": True})
    pair.at_a.repository(f"{after}/app").push(oci.image(1), "cold")
    soon(lambda: status(there, "cold") == 200, "the project's alias")
    call(pair.admin, "POST", f"{base}/{after}/repositories/app/rename", {"name": f"{after}/other", "alias": True})
    pair.at_a.repository(f"{after}/other").push(oci.image(2), "colder")
    soon(lambda: status(there, "colder") == 200, "the repository's alias below that of its project")
    call(pair.admin, "DELETE", f"{base}/{after}/aliases/{before}")
    soon(lambda: status(there, "colder") in (401, 404), "the alias's end")
    assert status(there, content.digest) in (401, 404)
    assert status(pair.at_b.repository(f"{after}/app"), "colder") == 200
    call(pair.admin, "DELETE", f"{API}/projects/{after}/repositories/other")
    soon(lambda: status(pair.at_b.repository(f"{after}/app"), "colder") == 404, "its end")


@contextmanager
def mover_of(node, name, place, tmp_path):
    path = tmp_path / "place.json"
    path.write_text(json.dumps(place))
    mover = subprocess.Popen([str(node.program), "storage", "move", name, str(path)], env=node.environment(), cwd=node.root,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield mover
        assert mover.wait(60) == 0, mover.stdout.read()
    finally:
        mover.kill()
        mover.wait()
        mover.stdout.close()


def waits(mover):
    return any("waiting for 1 uploads" in line for line in iter(mover.stdout.readline, ""))


def test_a_tenants_bytes_that_are_moved_and_then_erased(pair, tmp_path):
    """Nobody tells that a blob moved; the other node finds it all the same, and forgets it when its key is destroyed."""
    name = unique("mover")
    here = pair.a.tenant(name, host=f"{name}.example", storage={"location": f"{name}-old"})
    there = object.__new__(type(here))
    there.__dict__.update(here.__dict__, registry=pair.b)
    mine, theirs = (node.client().repository("tests/moved") for node in (here, there))
    blobs = {mine.push_blob(content): content for content in (oci.random_bytes(size, name) for size in (3, 70_000, 300_000))}
    upload = theirs.start_upload()
    upload.patch(b"begun before", 0)
    for digest, content in blobs.items():
        assert theirs.get_blob(digest).content == content
    with mover_of(pair.a, name, {"driver": "filesystem", "location": f"{name}-new", "encrypted": True}, tmp_path) as mover:
        assert waits(mover)
        blobs[theirs.push_blob(b"meanwhile")] = b"meanwhile"
        upload.put(oci.digest_of(b"begun before"))
        blobs[oci.digest_of(b"begun before")] = b"begun before"
    for repo in (mine, theirs):
        for digest, content in blobs.items():
            assert repo.get_blob(digest).content == content
    call(pair.admin, "POST", f"{here.path}/storage/erasure", {"name": name})
    for digest in blobs:
        mine.get_blob(digest, expect=410)
        soon(lambda: theirs.get_blob(digest, expect=(200, 410)).status_code == 410, "the end of what was in memory")


BEGINS_AN_UPLOAD = """BEGIN;
INSERT INTO upload (id, repository_id, storage_id, algorithm, created_at_us, touched_at_us)
SELECT '{id}', r.id, t.storage_id, 1, {now_us}, {now_us} FROM repository r JOIN tenant t ON t.id = r.tenant_id WHERE t.name = '{name}';
SELECT 'began';
"""
WAITS_FOR_A_LOCK = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%LOCK TABLE upload%'"


def test_a_move_waits_for_who_is_just_beginning_an_upload(nodes, servers, tmp_path):
    """Such a transaction saw the tenant before the move, and nobody sees its upload: removing the old bytes would take its own."""
    a, name = nodes[0], unique("mover")
    tenant = a.tenant(name, host=f"{name}.example", storage={"location": f"{name}-old"})
    repo = tenant.client().repository("tests/moved")
    digest = repo.push_blob(b"moves")
    query = lambda text: servers.primary.query(text, "berth_nodes")
    url = servers.url("berth_nodes", servers.primary)
    id = str(uuid.uuid4())
    with subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        other.stdin.write(BEGINS_AN_UPLOAD.format(id=id, name=name, now_us=time.time_ns() // 1000))
        other.stdin.flush()
        assert other.stdout.readline() == "began\n"
        with mover_of(a, name, {"driver": "filesystem", "location": f"{name}-new"}, tmp_path) as mover:
            wait_until(lambda: query(WAITS_FOR_A_LOCK), what="the mover waiting for the transaction")
            other.communicate("COMMIT;\n", timeout=60)
            assert waits(mover)
            query(f"DELETE FROM upload WHERE id = '{id}'")
    assert repo.get_blob(digest).content == b"moves"


def test_a_project_made_private(pair):
    pair.admin.publish_project(pair.project)
    _, there, _ = pair.known("visible")
    stranger = there.as_client(pair.b.anonymous())
    soon(lambda: status(stranger) == 200, "strangers being let in")
    pair.admin.publish_project(pair.project, public=False)
    soon(lambda: status(stranger, headers={"Authorization": None}) == 401, "strangers being refused")


def test_a_role_taken_away(pair):
    _, there, _ = pair.known("role")
    person = make_person(pair.admin)
    made = call(pair.admin, "POST", f"{API}/projects/{pair.project}/members",
                {"role_id": 3, "member_user": {"username": person.name}}, expect=201)
    member = pair.b.client(person.name, "Secret-1234", auth="basic")
    soon(lambda: status(there.as_client(member)) == 200, "the member being let in")
    call(pair.admin, "DELETE", made.headers["Location"])
    soon(lambda: status(there.as_client(member)) in (401, 403, 404), "the member being refused")


def test_a_robot_disabled(pair):
    _, there, _ = pair.known("robot")
    wanted = {
        "name": "puller", "level": "project", "duration": -1,
        "permissions": [{"kind": "project", "namespace": pair.project, "access": [{"resource": "repository", "action": "pull"}]}],
    }
    made = call(pair.admin, "POST", f"{API}/robots", wanted, expect=201).json()
    robot = pair.b.client(made["name"], made["secret"], auth="basic")
    soon(lambda: status(there.as_client(robot)) == 200, "the robot being let in")
    state = pair.admin.get(f"{API}/robots/{made['id']}", expect=200).json()
    call(pair.admin, "PUT", f"{API}/robots/{made['id']}", {**state, "disable": True})
    soon(lambda: status(there.as_client(robot)) == 401, "the robot being refused")


def test_a_user_deleted_with_his_token(pair):
    _, there, _ = pair.known("user")
    pair.admin.publish_project(pair.project)
    person = make_person(pair.admin)
    client = pair.b.client(person.name, "Secret-1234")
    soon(lambda: status(there.as_client(client)) == 200, "his token being accepted")
    call(pair.admin, "DELETE", person.path)
    soon(lambda: status(there.as_client(client)) == 401, "his token being refused")


def test_a_tenant_suspended(pair):
    name = unique("tenant")
    tenant = pair.a.tenant(name)
    there = pair.b.anonymous()
    there.session.headers["Host"] = tenant.host
    soon(lambda: there.session.get(pair.b.url + "/v2/").status_code == 401, "the tenant being known")
    call(pair.admin, "PUT", tenant.path, {"state": "suspended"})
    soon(lambda: there.session.get(pair.b.url + "/v2/").status_code == 403, "the tenant being suspended")
    call(pair.admin, "PUT", tenant.path, {"state": "active"})
    soon(lambda: there.session.get(pair.b.url + "/v2/").status_code == 401, "the tenant being back")


def test_an_erased_storage(pair):
    name = unique("vault")
    tenant = pair.a.tenant(name, storage={"encrypted": True})
    content = oci.image(7)
    here = tenant.client().repository("library/secret")
    tenant.admin.make_project("library")
    here.push(content, "latest")
    elsewhere = pair.b.client("default/admin", ADMIN_PASSWORD, auth="basic")
    elsewhere.session.headers["Host"] = tenant.host
    there = elsewhere.repository("library/secret")
    blob = oci.digest_of(content.blobs[0])
    soon(lambda: there.get_blob(blob, expect=(200, 404)).status_code == 200, "the blob")
    call(pair.admin, "POST", f"{tenant.path}/storage/erasure", {"name": name}, expect=(200, 204))
    soon(lambda: there.get_blob(blob, expect=(200, 410)).status_code == 410, "the end of the bytes")


def test_a_setting(pair):
    call(pair.admin, "PUT", f"{API}/configurations", {"read_only": True})
    try:
        _, there = pair.both("setting")
        soon(lambda: there.start_upload(expect=(202, 403)).answer.status_code == 403, "the mode being known")
    finally:
        call(pair.admin, "PUT", f"{API}/configurations", {"read_only": False})
    soon(lambda: there.start_upload(expect=(202, 403)).answer.status_code == 202, "its end being known")


def test_a_webhook_policy(pair):
    """Node b knows that nobody wants to know; then somebody does."""
    _, there, content = pair.known("hooked")
    there.push(oci.image(1), "before")
    with HttpReceiver() as receiver:
        call(pair.admin, "POST", f"{API}/projects/{pair.project}/webhook/policies", {
            "name": "all", "enabled": True, "event_types": ["PUSH_ARTIFACT"],
            "targets": [{"type": "http", "address": f"http://127.0.0.1:{receiver.port}/"}]}, expect=201)
        soon(lambda: there.push(content, "after") and receiver.taken, "the policy being known")
        assert b":before" not in receiver.taken[0]["body"]


def test_what_changed_while_a_node_was_deaf_is_not_known_after(nodes):
    a, b, way = nodes
    project = unique("deaf")
    a.client(auth="basic").make_project(project)
    pair = Pair(a, b, project)
    wait_until(lambda: heard(b), what="notifications being heard")
    here, there, _ = pair.known("deaf")
    way.refuse_word = b"LISTEN"
    way.cut()
    wait_until(lambda: not heard(b), what="the loss being noticed")
    other = oci.image(1)
    here.push(other, "latest")
    way.refuse_word = None
    wait_until(lambda: heard(b), what="notifications being heard again")
    assert there.get_manifest("latest").content == other.body


def test_an_upload_begun_at_one_is_finished_at_the_other(pair):
    here, there = pair.both("split")
    data = oci.random_bytes(3000)
    upload = here.start_upload()
    upload.patch(data[:2000], 0)
    upload.repository = there
    upload.put(oci.digest_of(data), data[2000:], 2000)
    assert here.get_blob(oci.digest_of(data)).content == data


def test_pushes_of_new_tags_tell_nobody(nodes, servers):
    """Notifications put commits in an order: what nobody can know needs none."""
    a, _, _ = nodes
    project = unique("quiet")
    a.client(auth="basic").make_project(project)
    repo = a.client().repository(f"{project}/quiet")
    repo.push(oci.image(3), "first")
    listening = servers.primary.query(
        "LISTEN berth; SELECT 1", database="berth_nodes")  # that the channel is what it is called
    assert listening == ["1"]
    triggers = servers.primary.query(
        "SELECT tgrelid::regclass || ' ' || tgname FROM pg_trigger WHERE tgname LIKE 'told%' "
        "AND tgtype & 4 <> 0 AND tgrelid::regclass::text IN ('tag', 'manifest', 'repository_blob', 'repository', 'blob', 'upload')",
        database="berth_nodes")
    assert triggers == [], "an insert of content tells"
