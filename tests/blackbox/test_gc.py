# SPDX-License-Identifier: Apache-2.0
"""Garbage collection: what nothing refers to goes, bytes and all, while the registry is used; what somebody has or relies on stays."""
import threading
import time

import pytest

from harness import oci
from harness.garbage import API, end, run, start
from harness.jobs import progress
from harness.people import call
from harness.wait import together, wait_until
from harness.wire import unique

ITEMS = "/api/berth/v1/gc"
RUNS = 4  # of the collector, beside pushes
now = pytest.mark.settings(garbage_window="0s")
later = pytest.mark.settings(garbage_window="1h")


def blobs_of(content):
    return [oci.digest_of(blob) for blob in content.blobs]


def rows(registry, digests):
    """Those of the digests that have a row, whoever has them."""
    named = ", ".join(f"'{digest}'" for digest in digests)
    return sorted(registry.query(f"SELECT digest FROM blob WHERE digest IN ({named})"))


def items(admin, job, **query):
    return call(admin, "GET", f"{ITEMS}/{job['id']}/items?" + "&".join(f"{k}={v}" for k, v in query.items())).json()


def collected(registry, digests):
    wait_until(lambda: not rows(registry, digests), what="their being collected")


def stored(registry, digest):
    """Where the bytes are files that can be looked at."""
    return [path for path in registry.stored_files() if digest.split(":")[1] in str(path)]


@now
def test_blobs_of_a_deleted_manifest_go_by_themselves(registry, repo):
    content = oci.image("gone", layers=2)
    repo.insist(content, "v1")
    digests = blobs_of(content)
    assert rows(registry, digests) == sorted(digests)
    repo.delete_manifest(content.digest)
    collected(registry, digests)
    assert not any(stored(registry, digest) for digest in digests)
    for digest in digests:
        repo.head_blob(digest, expect=404)
    registry.assert_fsck_clean()


@now
def test_the_report_of_what_went_by_itself_was_gone_after_an_hour(registry, admin, repo):
    """What removed something is kept as long as executions are; a collection that found nothing, an hour."""
    content = oci.image("reported")
    repo.insist(content, "v1")
    repo.delete_manifest(content.digest)
    collected(registry, blobs_of(content))
    kept = "SELECT CAST((keep_until_us - finished_at_us) / 3600000000 AS BIGINT) FROM job WHERE kind = 'collect' AND state > 2 AND id"
    reports = "(SELECT job_id FROM garbage_freed)"
    hours = wait_until(lambda: registry.query(f"{kept} IN {reports}"), what="the end of the job that did it")
    assert set(map(int, hours)) == {30 * 24}
    hours = wait_until(lambda: registry.query(f"{kept} NOT IN {reports}"), what="the end of a job that did nothing")
    assert set(map(int, hours)) == {1}


@now
def test_what_another_manifest_or_repository_has_stays(registry, admin, repo, other):
    one, two, third = (oci.image("shared", config=oci.random_bytes(200, which)) for which in ("one", "two", "third"))
    shared = one.blobs[1]
    repo.insist(one, "one")
    repo.insist(two, "two")
    other.insist(third, "third")
    repo.delete_manifest(one.digest)
    job = run(admin)
    assert job["job_status"] == "Success"
    for content, holder in ((two, repo), (third, other)):
        for digest in blobs_of(content):
            holder.get_blob(digest)
    repo.delete_manifest(two.digest)
    only = [digest for digest in blobs_of(two) if digest not in blobs_of(third)]
    collected(registry, only)
    repo.head_blob(oci.digest_of(shared), expect=404)
    assert other.get_blob(oci.digest_of(shared)).content == shared


@now
def test_a_blob_that_no_manifest_came_for_goes_too(registry, repo):
    digest = repo.push_blob(oci.random_bytes(500, "alone"))
    collected(registry, [digest])
    repo.head_blob(digest, expect=404)


@now
def test_a_deleted_repository_leaves_nothing(registry, admin, repo, name):
    content = oci.image("all of it")
    repo.insist(content, "v1")
    project, _, rest = repo.name.partition("/")
    admin.request("DELETE", f"/api/v2.0/projects/{project}/repositories/{rest.replace('/', '%252F')}", expect=200)
    collected(registry, blobs_of(content))


@later
def test_who_was_told_that_it_is_there_can_rely_on_it(registry, admin, repo, other):
    content = oci.image("relied on")
    repo.push(content, "v1")
    digests = blobs_of(content)
    repo.delete_manifest(content.digest)
    assert run(admin)["job_status"] == "Success"
    assert rows(registry, digests) == sorted(digests), "the window is not over"
    registry.execute("UPDATE garbage SET due_at_us = due_at_us - 3500000000")  # nearly
    repo.head_blob(digests[0])
    registry.execute("UPDATE garbage SET due_at_us = due_at_us - 200000000")
    run(admin)
    assert rows(registry, digests) == [digests[0]], "a HEAD renews it"
    other.mount(digests[0], repo.name)
    registry.execute(f"UPDATE garbage SET due_at_us = 1 WHERE repository_id = (SELECT id FROM repository WHERE name = '{repo.name}')")
    run(admin)
    repo.head_blob(digests[0], expect=404)
    other.head_blob(digests[0])
    registry.execute("UPDATE garbage SET due_at_us = 1")
    run(admin)
    assert not rows(registry, digests)


@later
def test_what_is_left_of_uploads_that_are_over_goes_with_a_run(registry, admin, repo):
    over, goes_on = repo.start_upload(), repo.start_upload()
    for upload in (over, goes_on):
        upload.patch(b"some bytes", 0)
    registry.execute(f"DELETE FROM upload WHERE id = '{over.uuid}'")
    assert f"upload has bytes but no session: {over.uuid}" in registry.fsck()[1]
    for parameters, left in (({"dry_run": True}, True), ({}, False)):
        job = run(admin, **parameters)
        mine = [item for item in items(admin, job)["items"] if item["kind"] == "upload"]
        assert [(item["upload"], item["size"], item["reason"]) for item in mine] == [(over.uuid, 10, "its upload is over")]
        assert "1 uploads that were over" in call(admin, "GET", f"{API}/{job['id']}/log").text
        assert any(over.uuid in str(path) for path in registry.stored_files("uploads")) == left or not registry.stored_files("uploads")
    registry.assert_fsck_clean()
    goes_on.patch(b", and more", 10)
    goes_on.cancel()


@later
def test_a_dry_run_says_what_would_go_and_removes_nothing(registry, admin, repo):
    content, loose = oci.image("dry"), oci.image("loose")
    repo.push(content, "v1")
    repo.push(loose)
    repo.delete_manifest(content.digest)
    registry.execute("UPDATE garbage SET due_at_us = 1")
    registry.execute("UPDATE artifact SET pushed_at_us = 1")
    job = run(admin, dry_run=True, delete_untagged=True)
    listed = items(admin, job)["items"]
    assert {item["digest"] for item in listed if item["kind"] == "blob"} == {*blobs_of(content), *blobs_of(loose)}
    assert [(item["digest"], item["repository"]) for item in listed if item["kind"] == "artifact"] == [(loose.digest, repo.name)]
    assert all(item["reason"] and item["size"] > 0 for item in listed)
    repo.get_manifest(loose.digest)
    assert rows(registry, blobs_of(content)) == sorted(blobs_of(content))
    assert "dry run" in admin.get(f"{API}/{job['id']}/log", expect=200).text
    real = run(admin, delete_untagged=True)
    assert {item["digest"] for item in items(admin, real)["items"]} == {*blobs_of(content), loose.digest}
    repo.get_manifest(loose.digest, expect=404)
    first = items(admin, real, limit=1)
    assert first["items"] == items(admin, real)["items"][:1] and items(admin, real, after=first["next"])["items"] == items(admin, real)["items"][1:]


def signature_of(content, seed):
    return oci.artifact("application/vnd.example.signature", content.descriptor(), seed=seed)


def fill(admin, repo, other):
    """Untagged and tagged artifacts that share blobs, children and signatures, in two repositories of a project: what of it goes with those,
    and what goes anyway."""
    def with_layer_of(seed):
        return oci.image(seed, config=oci.random_bytes(300, f"another with {seed}"))

    def config_of(content):
        return blobs_of(content)[:1]

    alone, shared, neighbour, elsewhere, away = oci.image("alone"), oci.image("in one"), with_layer_of("in one"), oci.image("in two"), with_layer_of("in two")
    here, there, mixed, deleted = oci.image("both"), with_layer_of("both"), oci.image("mixed"), with_layer_of("mixed")
    for content in (alone, shared, elsewhere, here, mixed):
        repo.push(content)
    repo.push(neighbour, "neighbour")
    other.push(away, "away")
    other.push(there)
    repo.push(deleted, "deleted")
    repo.delete_manifest(deleted.digest)
    goes = [*blobs_of(alone), *config_of(shared), *config_of(elsewhere), *blobs_of(here), *config_of(there), *blobs_of(mixed)]

    only, twice, kept, tagged, held = (oci.image(f"child {word}") for word in ("only", "twice", "kept", "tagged", "held"))
    inner = oci.image("child of a child")
    for parent in (oci.index([only, twice, kept, tagged]), oci.index([twice, oci.index([inner])])):
        repo.push(parent)
    repo.push(tagged, "tagged")
    repo.push(oci.index([kept]), "index")
    repo.push(oci.index([held]))
    call(admin, "POST", "/api/berth/v1/inventory", {"cluster": unique("cluster"), "digests": [held.digest]}, expect=200)
    goes += [*blobs_of(only), *blobs_of(twice), *blobs_of(inner)]

    # All signatures have the same empty config, which goes with none of them as long as one stays.
    signed, signature = oci.image("signed"), signature_of(oci.image("signed"), 1)
    of_signature, fixed = signature_of(signature, 2), signature_of(signed, 3)
    repo.push(signed)
    for content, tag in ((signature, "sig"), (of_signature, None), (fixed, "fixed")):
        repo.push(content, tag)
    return goes + [*blobs_of(signed), blobs_of(signature)[1], blobs_of(of_signature)[1]], config_of(deleted)


@later
@pytest.mark.own_server
def test_a_dry_run_listed_no_blobs_of_the_untagged_artifacts_that_it_would_take(registry):
    """All that a run removes when the window is over is what the dry run before it has listed."""
    client, admin = registry.client(), registry.client(auth="basic")
    client.make_project("dry")
    call(admin, "POST", "/api/v2.0/projects/dry/immutabletagrules", {
        "action": "immutable", "template": "immutable_template", "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "fixed"}],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}}, expect=201)
    along, anyway = fill(admin, client.repository("dry/one"), client.repository("dry/two"))
    registry.execute("UPDATE garbage SET due_at_us = 1")
    registry.execute("UPDATE artifact SET pushed_at_us = 1, untagged_at_us = NULL")
    everything = "SELECT digest FROM blob"
    before = set(registry.query(everything))
    assert [item["digest"] for item in items(admin, run(admin, dry_run=True))["items"]] == anyway
    job = run(admin, dry_run=True, delete_untagged=True)
    listed = [item for item in items(admin, job, limit=100)["items"] if item["kind"] == "blob"]
    assert sorted(item["digest"] for item in listed) == sorted(along + anyway)
    assert {item["digest"]: item["reason"] for item in listed} == {
        **dict.fromkeys(along, "no repository has it when what has no tag is gone"), **dict.fromkeys(anyway, "no repository has it")}
    log = admin.get(f"{API}/{job['id']}/log", expect=200).text
    assert f"would be removed: {len(listed)} blobs ({sum(item['size'] for item in listed)} bytes)" in log
    assert set(registry.query(everything)) == before
    assert registry.query("SELECT COUNT(*) FROM doomed_manifest") == registry.query("SELECT COUNT(*) FROM doomed_link") == ["0"]
    registry.restart(garbage_window="0s")
    assert run(registry.client(auth="basic"), delete_untagged=True)["job_status"] == "Success"
    assert before - set(registry.query(everything)) == {*along, *anyway}
    registry.assert_fsck_clean()


@now
def test_untagged_artifacts_go_only_when_told_and_children_and_referrers_never_alone(registry, admin, repo):
    child, tagged, loose, moved = oci.image("child"), oci.image("tagged"), oci.image("loose"), oci.image("moved")
    parent = oci.index([child])
    repo.insist(parent, "index")
    repo.insist(tagged, "v1")
    signature = oci.artifact("application/vnd.example.signature", tagged.descriptor())
    repo.insist(signature)
    repo.insist(loose)
    repo.insist(moved, "latest")
    repo.insist(oci.image("newer"), "latest")
    run(admin)
    for content in (child, parent, tagged, signature, loose, moved):
        repo.get_manifest(content.digest)
    job = run(admin, delete_untagged=True)
    assert {item["digest"] for item in items(admin, job)["items"] if item["kind"] == "artifact"} == {loose.digest, moved.digest}
    for content in (child, parent, tagged, signature):
        repo.get_manifest(content.digest)
    collected(registry, [digest for content in (loose, moved) for digest in blobs_of(content)])
    repo.delete_manifest(parent.digest)
    collected(registry, blobs_of(child))


@now
def test_what_a_cluster_runs_was_deleted_as_untagged(registry, admin, repo):
    """A pod goes by the digest that a tag had when it started: that one, and all that leads to it, stays as long as it is reported."""
    old, amd, idle = oci.image("runs"), oci.image("runs on amd64"), oci.image("idle")
    inner = oci.index([amd])
    outer = oci.index([inner])
    for content in (old, amd, inner, outer, idle):
        repo.insist(content)
    inventory = "/api/berth/v1/inventory"
    call(admin, "POST", inventory, {"cluster": "one", "digests": [old.digest, amd.digest]}, expect=200)
    job = run(admin, delete_untagged=True)
    assert [item["digest"] for item in items(admin, job)["items"] if item["kind"] == "artifact"] == [idle.digest]
    for content in (old, amd, inner, outer):
        repo.get_manifest(content.digest)
    admin.delete(f"{inventory}/one", expect=200)
    job = run(admin, delete_untagged=True)
    assert {item["digest"] for item in items(admin, job)["items"] if item["kind"] == "artifact"} >= {old.digest, outer.digest}


@later
def test_an_artifact_that_was_pushed_long_ago_went_as_soon_as_it_lost_its_tag(registry, admin, repo):
    """What counts is when it lost its last tag, was pushed again without one, or came back, not its first push."""
    moved, untagged, repushed, never = (oci.image(word) for word in ("moved", "untagged", "repushed", "never had one"))
    repo.insist(moved, "latest")
    repo.insist(untagged, "v1")
    repo.insist(repushed)
    repo.insist(never)
    registry.execute("UPDATE artifact SET pushed_at_us = 1")
    repo.insist(oci.image("newer"), "latest")
    repo.delete_manifest("v1")
    repo.put_manifest(repushed, expect=201)
    job = run(admin, delete_untagged=True)
    assert [item["digest"] for item in items(admin, job)["items"]] == [never.digest]
    for content in (moved, untagged, repushed):
        repo.get_manifest(content.digest)
    registry.execute("UPDATE artifact SET untagged_at_us = untagged_at_us - 3601000000")
    job = run(admin, delete_untagged=True)
    assert {item["digest"] for item in items(admin, job)["items"]} == {moved.digest, untagged.digest, repushed.digest}


@pytest.mark.settings(garbage_window="0s", garbage_per_second_max="30")  # so that some pushes are faster
def test_pushes_of_what_is_just_being_collected_lose_nothing(registry, admin, repo):
    """Pushers and collectors on the same few blobs: what a manifest refers to that was acknowledged is there, byte for byte, as long as it is."""
    contents = [oci.image(f"contended {i}", layers=2) for i in range(3)]
    pushers, acknowledged, over = 3, [], threading.Event()

    def push_and_look(mine, content, tag):
        for blob in content.blobs:
            mine.push_blob(blob)
        if mine.put_manifest(content, tag, expect=(201, 404)).status_code == 404:
            return  # there is no window: they were collected before it came
        acknowledged.append(content)
        for blob in content.blobs * 3:
            answer = mine.get_blob(oci.digest_of(blob), expect=(200, 404))
            if answer.status_code == 200:
                assert answer.content == blob
            else:  # nobody else sets this tag, so it cannot have come back meanwhile
                mine.get_manifest(tag, expect=404)

    def work(number):
        try:
            (push if number < pushers else collect)(number)
        finally:  # also when it failed
            over.set()

    def collect(_):
        done = 0
        while not over.is_set() and (done < RUNS or len(acknowledged) < RUNS):
            assert run(admin)["job_status"] == "Success"
            done += 1

    def push(number):
        mine, turn = repo.as_client(registry.client(auth="basic")), 0
        while not over.is_set():
            content = contents[(number + turn) % len(contents)]
            push_and_look(mine, content, f"t{number}")
            mine.delete_manifest(content.digest if turn % 2 else f"t{number}", expect=(202, 404))
            turn += 1
    together(pushers + 1, work)
    assert len(acknowledged) >= RUNS
    registry.assert_fsck_clean()


@later
def test_two_workers_of_a_run_waited_for_each_other_until_postgresql_ended_one(registry, admin):
    """Each had reported what it removed, which holds the job's row a little, before it made sure that the job still was its own, which held it alone."""
    if not registry.database:
        pytest.skip("SQLite has one writer")
    numbers = "FROM generate_series(1, 6000) AS s(n)"
    registry.execute(f"INSERT INTO blob (storage_id, digest, size_bytes, created_at_us) SELECT 1, 'sha256:' || lpad(to_hex(n), 64, '0'), 1, 1 {numbers}")
    registry.execute("INSERT INTO garbage (blob_id, repository_id, due_at_us) SELECT id, 0, 1 FROM blob WHERE digest LIKE 'sha256:00000000%'")
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = registry.query(deadlocks)
    job = run(admin, workers=4, per_second_max=0)
    assert job["job_status"] == "Success" and registry.query("SELECT COUNT(*) FROM blob WHERE digest LIKE 'sha256:00000000%'") == ["0"]
    assert registry.query(f"SELECT COUNT(*) FROM garbage_freed WHERE job_id = {job['id']}") == ["6000"]
    assert registry.query(deadlocks) == before


def test_a_schedule_is_made_changed_shown_and_ended(admin):
    path = f"{API}/schedule"
    assert admin.get(path, expect=200).content == b""
    call(admin, "POST", path, {"schedule": {"type": "Custom", "cron": "0 0 3 * * *"}, "parameters": {"delete_untagged": True, "workers": 2}}, expect=201)
    shown = admin.get(path, expect=200).json()
    assert shown["schedule"]["type"] == "Custom" and shown["schedule"]["cron"] == "0 0 3 * * *" and shown["schedule"]["next_scheduled_time"]
    assert '"delete_untagged":true' in shown["job_parameters"] and shown["job_name"] == "GARBAGE_COLLECTION"
    call(admin, "PUT", path, {"schedule": {"type": "Daily"}, "parameters": {}})
    assert admin.get(path, expect=200).json()["schedule"]["type"] == "Daily"
    assert "GARBAGE_COLLECTION" in {row["vendor_type"] for row in admin.get("/api/v2.0/schedules?page_size=100", expect=200).json()}
    call(admin, "PUT", path, {"schedule": {"type": "None"}})
    assert admin.get(path, expect=200).content == b""


@pytest.mark.parametrize("body, words", [
    ({"schedule": {"type": "Custom", "cron": "0 0 25 * * *"}}, "near byte"),
    ({"schedule": {"type": "Sometimes"}}, "Hourly"),
    ({}, "schedule"),
    ({"schedule": {"type": "Manual"}, "parameters": {"workers": 11}}, "workers"),
    ({"schedule": {"type": "Manual"}, "parameters": {"per_second_max": -1}}, "per_second_max"),
    ({"schedule": {"type": "Manual"}, "parameters": []}, "parameters"),
])
def test_what_makes_no_sense_is_refused_with_where(admin, body, words):
    assert words in call(admin, "POST", f"{API}/schedule", body, expect=(400, 422)).text


def test_history_log_and_stop(admin):
    job = run(admin)
    history = admin.get(f"{API}?page_size=5", expect=200)
    assert history.json()[0]["id"] == job["id"] and history.json()[0]["job_kind"] == "MANUAL" and int(history.headers["X-Total-Count"]) >= 1
    assert "collecting" in admin.get(f"{API}/{job['id']}/log", expect=200).text
    admin.request("PUT", f"{API}/{job['id']}", expect=200)
    assert admin.get(f"{API}/{job['id']}", expect=200).json()["job_status"] == "Success", "what is over stays"
    for path in (f"{API}/0", f"{API}/0/log", f"{ITEMS}/0/items"):
        admin.get(path, expect=404)
    admin.request("PUT", f"{API}/0", expect=404)


BATCH = 250  # of the collector, who waits between two as long as he must


def let_go(registry, repo, count):
    """So many blobs that are due."""
    digests = [repo.push_blob(oci.random_bytes(40, f"{repo.name} {number}")) for number in range(count)]
    registry.execute("UPDATE garbage SET due_at_us = 1")
    return digests


@later
@pytest.mark.own_server
def test_a_run_that_is_stopped_while_it_runs_leaves_the_rest_to_a_later_one(registry):
    admin, repo = registry.client(auth="basic"), registry.client().repository("tests/stopped")
    digests = let_go(registry, repo, BATCH + 30)
    path = start(admin, per_second_max=1)
    wait_until(lambda: len(rows(registry, digests)) == 30, what="the first batch")
    assert admin.get(path, expect=200).json()["job_status"] == "Running"
    wait_until(lambda: f"{BATCH} of {len(digests)}" in progress(admin, "gc"), what="its progress")
    admin.request("PUT", path, expect=200)
    job = end(admin, path)
    assert job["job_status"] == "Stopped" and job["id"] in [row["id"] for row in admin.get(API, expect=200).json() if row["job_status"] == "Stopped"]
    left = rows(registry, digests)
    assert len(left) == 30 and all(bool(stored(registry, digest)) == (digest in left) for digest in digests)
    assert {item["digest"] for item in items(admin, job, limit=1000)["items"]} == set(digests) - set(left)
    for digest in left:
        repo.get_blob(digest)
    registry.assert_fsck_clean()
    assert run(admin)["job_status"] == "Success" and not rows(registry, digests)
    registry.assert_fsck_clean()


@later
@pytest.mark.own_server
@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_removes_no_more_per_second_than_it_may(registry, workers):
    admin, repo = registry.client(auth="basic"), registry.client().repository("tests/paced")
    digests = let_go(registry, repo, BATCH + 50)
    before = time.monotonic()
    assert run(admin, per_second_max=200, workers=workers)["job_status"] == "Success"
    assert time.monotonic() - before >= len(digests) / 200
    assert not rows(registry, digests)


def test_strangers_see_nothing_of_it(admin, anonymous):
    anonymous.get(API, expect=401)
    call(anonymous, "POST", f"{API}/schedule", {"schedule": {"type": "Manual"}}, expect=(401, 403))
