# SPDX-License-Identifier: Apache-2.0
"""`berth storage move`: a tenant's bytes go to another storage while it is pulled from and pushed to, whatever drivers are on the two
sides; who is killed goes on; wrong bytes stay and are told; the old ones go when all is proved."""
import json
import os
import pty
import re
import signal
import subprocess
import threading
import time
import uuid

import pytest
import requests

from harness import oci
from harness.people import call
from harness.registry import ADMIN_PASSWORD
from harness.s3 import ACCESS_KEY, BUCKET, SECRET_KEY, S3Server
from harness.swift import CONTAINER, CREDENTIAL_ID, CREDENTIAL_SECRET, SwiftServer
from harness.wait import wait_until

pytestmark = pytest.mark.slow

MIB = 1 << 20
LARGE = oci.random_bytes(9 * MIB + 4321, "large")


@pytest.fixture(scope="module")
def s3():
    with S3Server() as server:
        yield server


@pytest.fixture(scope="module")
def swift():
    with SwiftServer() as server:
        yield server


@pytest.fixture
def who():
    """The tenant's name."""
    return f"t-{uuid.uuid4().hex}"


@pytest.fixture
def places(s3, swift, who):
    """What a storage of each kind is described with."""
    yield {
        "files": {"driver": "filesystem", "location": f"{who}/files"},
        "sealed": {"driver": "filesystem", "location": f"{who}/sealed", "encrypted": True},
        "third": {"driver": "filesystem", "location": f"{who}/third"},
        "s3": {"driver": "s3", "location": f"{who}/s3", "settings": {"endpoint": s3.url, "bucket": BUCKET},
               "secrets": {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}},
        "swift": {"driver": "swift", "location": f"{who}/swift", "encrypted": True,
                  "settings": {"auth_url": swift.url, "region": "north", "container": CONTAINER},
                  "secrets": {"application_credential_id": CREDENTIAL_ID, "application_credential_secret": CREDENTIAL_SECRET}},
    }
    s3.behave()


def words_of(registry, tenant, place):
    """The command's, with where to in a file."""
    if place is None:
        return ["storage", "move", tenant]
    path = registry.root / "place.json"
    path.write_text(json.dumps(place))
    return ["storage", "move", tenant, str(path)]


def move(registry, tenant, place, *options, expect=0):
    status, output = registry.berth(*words_of(registry, tenant, place), *options)
    assert status == expect, output
    return output


@pytest.fixture
def spawn(registry):
    """Movers that end with the test, whatever becomes of it."""
    running = []

    def make(tenant, place):
        running.append(subprocess.Popen(
            [str(registry.program), *words_of(registry, tenant, place)], env=registry.environment(), cwd=registry.root,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ))
        return running[-1]

    yield make
    for mover in running:
        if mover.poll() is None:
            mover.kill()
            mover.wait()
        mover.stdout.close()


def waits(mover):
    """Until it says that it waits for uploads."""
    return next((line for line in iter(mover.stdout.readline, "") if "waiting" in line), "it ended")


def small(count, name="small"):
    return [oci.random_bytes(20_000 + 13 * number, f"{name}-{number}") for number in range(count)]


def push_all(repo, contents):
    return {repo.push_blob(content): content for content in contents}


def assert_all(repo, blobs):
    for digest, content in blobs.items():
        assert repo.get_blob(digest).content == content


def files_of(registry, places):
    return registry.data / "storages" / places["files"]["location"]


def keys_destroyed(registry, who):
    return int(registry.query(f"SELECT COUNT(*) FROM storage WHERE name LIKE '{who}%' AND encrypted = 1 AND data_key IS NULL AND secrets = ''")[0])


def moves(registry, who):
    return int(registry.query(f"SELECT COUNT(*) FROM tenant WHERE name = '{who}' AND left_id IS NOT NULL")[0]) == 1


def blobs_below(path):
    return [found for found in path.glob("blobs/**/*") if found.is_file()]


# -- from anywhere to anywhere

@pytest.mark.own_server
def test_bytes_go_round_all_drivers(registry, places, s3, swift, name, who):
    """Files, encrypted files, S3, encrypted in Swift, and back to files: clean after each, and nothing is left."""
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, [b"", b"x", LARGE, *small(5)])
    assert_all(repo, blobs)  # the server remembers where they are
    for kind in ("sealed", "s3", "swift"):
        output = move(registry, who, places[kind])
        assert f"{len(blobs)} blobs moved" in output
        registry.assert_fsck_clean()
        assert_all(repo, blobs)
        blobs.update(push_all(repo, small(1, kind)))
    root = registry.data / "storages" / who
    assert blobs_below(root / "files") == blobs_below(root / "sealed") == []
    assert s3.keys(places["s3"]["location"]) == []
    assert len(swift.keys(f"{places['swift']['location']}/blobs/")) == len(blobs)
    move(registry, who, places["files"])
    assert swift.keys(places["swift"]["location"]) == []
    assert len(blobs_below(root / "files")) == len(blobs)
    assert_all(repo, blobs)
    registry.restart()
    assert_all(repo, blobs)
    repo.push_blob(b"x", style="single-post")  # what is there is there once


@pytest.mark.own_server
def test_the_default_tenants_bytes_leave_the_data_directory(registry, places, name):
    repo = registry.client().repository(name)
    blobs = push_all(repo, [LARGE, *small(3)])
    image = oci.image("moves")
    repo.push(image, "v1")
    move(registry, "default", places["sealed"])
    assert blobs_below(registry.data) == []
    assert_all(repo, blobs)
    assert repo.get_manifest("v1").content == image.body
    repo.get_blob(oci.digest_of(image.blobs[0]))
    blobs.update(push_all(repo, small(2, "after")))
    assert blobs_below(registry.data) == []
    registry.restart()
    assert_all(repo, blobs)
    repo.delete_blob(next(iter(blobs)))


def test_fsck_finds_a_blob_that_no_move_took_along(registry, places, name, who):
    """What such a row means is erased, and was moved: nothing else would miss it."""
    digest = registry.tenant(who, storage=places["files"]).client().repository(name).push_blob(b"moves")
    move(registry, who, places["sealed"])
    of_this = f"digest = '{digest}' AND storage_id = (SELECT storage_id FROM tenant WHERE name = '{who}')"
    place, = registry.query(f"SELECT place_id FROM blob WHERE {of_this}")
    registry.execute(f"UPDATE blob SET place_id = NULL WHERE {of_this}")
    status, output = registry.fsck(quick=True)
    assert status == 1 and re.search(f"blob has a row but no bytes: {digest} .storage {who}", output), output
    registry.execute(f"UPDATE blob SET place_id = {place} WHERE {of_this}")
    status, output = registry.fsck(quick=True)
    assert status == 0 and f"storage {who}" not in output, output


def test_a_key_that_is_left_is_destroyed(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["sealed"])
    push_all(tenant.client().repository(name), small(2))
    move(registry, who, places["files"])
    assert keys_destroyed(registry, who) == 1


def test_the_audit_trail_says_when_it_began_and_ended(registry, places, name, who):
    registry.tenant(who, storage=places["files"])
    move(registry, who, {"driver": "tape"}, expect=2)
    move(registry, who, places["sealed"])
    answer = registry.client(auth="basic").get("/api/berth/v1/audit/records", params={"q": f"resource={who}"})
    ended, began, _ = answer.json()["records"]  # and its making
    assert began["actor"] == ended["actor"] == "berth storage move" and began["actor_type"] == "system"
    assert began["after"] == ended["before"] == {"storage_moves": True} and ended["after"] == {"storage_moves": False}
    status, output = registry.berth("audit", "verify")
    assert status == 0, output


# -- while it is used

def test_pushes_and_pulls_go_on_meanwhile(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(60))
    stop, failures, pushed = threading.Event(), [], {}

    def use(number):
        mine = tenant.client().repository(name)
        for turn in range(1 << 30):
            if stop.is_set():
                return
            try:
                content = oci.random_bytes(30_000, f"{number}-{turn}")
                pushed[mine.push_blob(content)] = content
                for digest in list(blobs)[(turn * 7 + number) % 50:][:5]:
                    assert mine.get_blob(digest).content == blobs[digest]
                again = list(blobs.values())[(turn * 3 + number) % 60]
                mine.push_blob(again)
            except Exception as error:  # whatever it is, the test fails by it
                failures.append(error)
                return

    def look():
        for _ in range(3):
            status, output = registry.fsck(quick=True)  # an upload that ends while it looks is a difference to it, and no matter here
            if status == 2 or re.search("blob (?:has|does)", output):
                failures.append(output)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(3)] + [threading.Thread(target=look)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(pushed) > 3, what="pushes")
        for kind in ("sealed", "files-2"):
            move(registry, who, places.get(kind) or {"driver": "filesystem", "location": kind})
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert_all(repo, {**blobs, **pushed})
    assert blobs_below(files_of(registry, places)) == []
    registry.assert_fsck_clean()


def test_an_upload_that_began_before_ends_where_it_began_and_is_moved_then(registry, places, spawn, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(3))
    upload = repo.start_upload()
    upload.patch(LARGE[:MIB], 0)
    mover = spawn(who, places["sealed"])
    assert waits(mover) == "waiting for 1 uploads in the old storage\n"
    blobs.update(push_all(repo, small(2, "meanwhile")))
    assert_all(repo, blobs)
    upload.patch(LARGE[MIB:], MIB)
    upload.put(oci.digest_of(LARGE))
    blobs[oci.digest_of(LARGE)] = LARGE
    assert mover.wait(60) == 0, mover.stdout.read()
    assert blobs_below(files_of(registry, places)) == []
    assert_all(repo, blobs)
    registry.assert_fsck_clean()


# -- garbage

def collect(registry, digest):
    """One run, to which this blob is due."""
    registry.execute(f"UPDATE garbage SET due_at_us = 0 WHERE blob_id IN (SELECT id FROM blob WHERE digest = '{digest}')")
    admin = registry.client(auth="basic")
    job = call(admin, "POST", "/api/v2.0/system/gc/schedule", {"schedule": {"type": "Manual"}}, expect=201).headers["Location"]
    wait_until(lambda: admin.get(job, expect=200).json()["job_status"] == "Success", what="its end")


def has_row(registry, digest):
    return int(registry.query(f"SELECT COUNT(*) FROM blob WHERE digest = '{digest}'")[0]) == 1


def test_garbage_waits_for_the_end_of_a_move(registry, places, spawn, name, who):
    """Collected in one of two places its bytes would come back in the other one."""
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    kept, gone = (repo.push_blob(f"{which} {who}".encode()) for which in ("kept", "gone"))
    upload = repo.start_upload()
    upload.patch(b"waits", 0)
    mover = spawn(who, places["sealed"])
    waits(mover)
    repo.delete_blob(gone)
    collect(registry, gone)
    assert has_row(registry, gone)
    upload.request("DELETE", expect=204)
    assert mover.wait(60) == 0, mover.stdout.read()
    collect(registry, gone)
    wait_until(lambda: not has_row(registry, gone), what="the end of the blob")
    assert len(blobs_below(registry.data / "storages" / places["sealed"]["location"])) == 1
    assert blobs_below(files_of(registry, places)) == []
    repo.get_blob(kept)
    registry.assert_fsck_clean()


def test_what_was_condemned_before_a_move_does_not_come_along(registry, places, name, who):
    """Whoever condemned it died. Its row is removed by the next one, two minutes later, and its content can be pushed again."""
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    content = f"gone {who}".encode()
    kept, gone = repo.push_blob(b"kept"), repo.push_blob(content)
    repo.delete_blob(gone)
    registry.execute(f"UPDATE blob SET condemned_by = 'who died', condemned_at_us = {time.time_ns() // 1000} WHERE digest = '{gone}'")
    assert "1 blobs moved" in move(registry, who, places["sealed"])
    assert blobs_below(files_of(registry, places)) == []
    assert len(blobs_below(registry.data / "storages" / places["sealed"]["location"])) == 1
    assert has_row(registry, gone)
    registry.execute(f"UPDATE blob SET condemned_at_us = 1 WHERE digest = '{gone}'")
    collect(registry, gone)
    wait_until(lambda: not has_row(registry, gone), what="the end of the row")
    assert repo.push_blob(content) == gone
    for digest in (kept, gone):
        repo.get_blob(digest)
    registry.assert_fsck_clean()


# -- killed

def test_who_is_killed_goes_on(registry, places, s3, spawn, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, [*small(30), LARGE])
    place = places["s3"]
    for _ in range(4):  # each comes a little further
        mover = spawn(who, place)
        first = mover.stdout.readline()
        assert " of 31 blobs" in first, first
        mover.stdout.readline()
        mover.send_signal(signal.SIGKILL)
        mover.wait(60)
        registry.assert_fsck_clean()  # a move is no difference, wherever it stands
        assert_all(repo, blobs)
        place = None
        if not moves(registry, who):
            break
    else:
        move(registry, who, None)
    assert blobs_below(files_of(registry, places)) == []
    assert s3.left_of_uploads(places["s3"]["location"]) == set(), "what the killed ones were writing"
    assert_all(repo, blobs)
    registry.assert_fsck_clean()


def test_the_second_process_takes_over_and_the_first_one_fails(registry, places, spawn, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(3))
    upload = repo.start_upload()
    upload.patch(b"waits", 0)
    first = spawn(who, places["sealed"])
    waits(first)
    second = spawn(who, None)
    assert first.wait(60) == 2, "it need not have anything to do to see that"
    assert "another process moves this tenant now" in first.stdout.read()
    waits(second)
    upload.request("DELETE", expect=204)
    assert second.wait(60) == 0, second.stdout.read()
    assert_all(repo, blobs)
    registry.assert_fsck_clean()


def test_who_was_overtaken_while_he_removed_removes_nothing_more(registry, places, s3, spawn, name, who):
    """The tenant may have come back by then, and its bytes be where the old ones were."""
    tenant = registry.tenant(who, storage=places["s3"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(5))
    old = f"{places['s3']['location']}/blobs/"
    s3.meeting = threading.Barrier(2, timeout=60)
    s3.misbehave("DELETE", old, "together")
    mover = spawn(who, places["files"])
    wait_until(lambda: s3.meeting.n_waiting, what="its first removal")
    registry.execute(f"UPDATE tenant SET mover = '{uuid.uuid4()}' WHERE name = '{who}'")
    s3.meeting.wait()
    assert mover.wait(60) == 2
    assert "another process moves this tenant now" in mover.stdout.read()
    assert len(s3.keys(old)) == 4
    move(registry, who, None)
    assert s3.keys(old) == []
    assert_all(repo, blobs)
    registry.assert_fsck_clean()


# -- wrong bytes

def test_wrong_bytes_stay_and_nothing_is_removed(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(6))
    wrong, gone, *_ = blobs
    folder = files_of(registry, places)
    paths = {digest: next(folder.glob(f"blobs/sha256/*/{digest[7:]}")) for digest in blobs}
    kept = paths[wrong].read_bytes()
    paths[wrong].chmod(0o640)
    paths[wrong].write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    lost = paths[gone].read_bytes()
    paths[gone].unlink()
    output = move(registry, who, places["sealed"], expect=1)
    assert f"not moved: {wrong}: it does not match its digest" in output
    assert f"not moved: {gone}: it has a row but no bytes" in output
    assert "4 blobs moved" in output and "2 blobs could not be moved" in output
    assert len(blobs_below(folder)) == 5, "nothing is removed"
    assert_all(repo, {digest: blobs[digest] for digest in list(blobs)[2:]})
    assert move(registry, who, None, expect=1).count("not moved") == 2
    for content in (kept, lost):  # the content again, to the new storage
        upload = repo.start_upload()
        upload.put(oci.digest_of(content), content)
    assert "2 blobs moved" in move(registry, who, None)
    assert blobs_below(folder) == []
    assert_all(repo, blobs)


@pytest.mark.parametrize("kind", ["silent_corrupt", "corrupt"])
def test_bytes_that_arrive_wrong_are_not_believed(registry, places, s3, name, kind, who):
    """The old storage keeps them until the new one gives back what it was given."""
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(3))
    s3.misbehave("PUT", f"{places['s3']['location']}/blobs/", kind, times=1)
    output = move(registry, who, places["s3"], expect=1 if kind == "silent_corrupt" else 2)
    assert ("the new storage gave other bytes back" if kind == "silent_corrupt" else "stored something else") in output
    assert len(blobs_below(files_of(registry, places))) == 3
    assert_all(repo, blobs)
    move(registry, who, None)
    assert_all(repo, blobs)


@pytest.mark.parametrize("kind, words", [("forbidden", "the key may not do this"), ("full", "QuotaExceeded")])
def test_a_new_storage_that_fails_stops_the_move_and_nothing_is_lost(registry, places, s3, name, kind, words, who):
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(5))
    s3.misbehave("PUT", f"{places['s3']['location']}/blobs/", kind, times=-1, skip=2)
    output = move(registry, who, places["s3"], expect=2)
    assert words in output and SECRET_KEY not in output
    s3.behave()
    assert_all(repo, blobs)
    move(registry, who, None)
    assert_all(repo, blobs)


# -- words

@pytest.mark.parametrize("place, words", [
    (None, "the tenant is not being moved: say where to"),
    ({"driver": "tape"}, "unknown storage driver"),
    ({"driver": "filesystem", "location": "../x"}, "location"),
    ("files", "another storage is at, above or below"),
    ({"driver": "s3"}, "no s3 storage of its own"),
    ({"driver": "s3", "settings": {"bucket": "theirs"}}, "access_key and secret_key"),
])
def test_a_move_that_cannot_be_is_refused_in_words(registry, places, who, place, words):
    registry.tenant(who, storage=places["files"])
    assert words in move(registry, who, places.get(place) if isinstance(place, str) else place, expect=2)
    assert not moves(registry, who)


def test_wrong_words_and_files_are_told(registry):
    assert "no tenant nobody" in move(registry, "nobody", {"driver": "filesystem"}, expect=2)
    assert "usage:" in registry.berth("storage", "move")[1]
    assert "usage:" in registry.berth("storage")[1]
    assert registry.berth("storage", "move", "default", "/nonexistent")[0] == 2
    path = registry.root / "no.json"
    path.write_text("{")
    assert registry.berth("storage", "move", "default", str(path))[0] == 2


def test_a_tenant_on_the_move_is_neither_deleted_nor_erased_nor_moved_again(registry, places, spawn, name, who):
    tenant = registry.tenant(who, storage=places["sealed"])
    repo = tenant.client().repository(name)
    upload = repo.start_upload()
    upload.patch(b"waits", 0)
    mover = spawn(who, places["files"])
    waits(mover)
    assert "the tenant's bytes are being moved to another storage" in erase(registry, tenant, expect=412).text
    registry.client(auth="basic").delete(tenant.path, expect=412)
    assert "is being moved already" in move(registry, who, places["third"], expect=2)
    upload.request("DELETE", expect=204)
    assert mover.wait(60) == 0, mover.stdout.read()


def test_what_is_changed_on_a_move_is_the_new_storage(registry, places, s3, name, who):
    """A key that the new place does not know stops the move, and pushes; who may change it mends both."""
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(3))
    wrong = {**places["s3"], "secrets": {"access_key": ACCESS_KEY, "secret_key": "another"}}
    move(registry, who, wrong, expect=2)
    registry.client(auth="basic").put(
        f"{tenant.path}/storage", expect=200, headers={"Content-Type": "application/json"},
        body=json.dumps({"secrets": places["s3"]["secrets"]}),
    )
    blobs.update(push_all(repo, small(1, "meanwhile")))
    move(registry, who, None)
    assert_all(repo, blobs)


@pytest.mark.own_server
def test_the_default_tenants_storage_can_be_changed_when_it_is_not_the_servers_own(registry, places, name):
    def change(expect):
        return registry.client(auth="basic").put(
            "/api/berth/v1/tenants/1/storage", expect=expect, headers={"Content-Type": "application/json"},
            body=json.dumps({"secrets": places["s3"]["secrets"]}),
        )

    assert "precondition" in change(412).text
    repo = registry.client().repository(name)
    blobs = push_all(repo, small(2))
    move(registry, "default", places["s3"])
    change(200)
    assert_all(repo, blobs)


# -- what is left

def erase(registry, tenant, expect=200):
    return registry.client(auth="basic").post(
        f"{tenant.path}/storage/erasure", expect=expect, headers={"Content-Type": "application/json"}, body=json.dumps({"name": tenant.name}),
    )


def test_what_was_in_memory_before_the_move_is_erased_too(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(2))
    assert_all(repo, blobs)
    move(registry, who, places["sealed"])
    assert_all(repo, dict(list(blobs.items())[:1]))
    erase(registry, tenant)
    for digest in blobs:
        repo.get_blob(digest, expect=410)
    assert "the tenant's storage is erased" in move(registry, who, places["third"], expect=2)


def test_a_deleted_tenants_key_goes_though_its_storage_moved(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    move(registry, who, places["sealed"])
    registry.client(auth="basic").delete(tenant.path, expect=200)
    assert keys_destroyed(registry, who) == 1
    assert f"no tenant {who}" in move(registry, who, places["files"], expect=2)


def test_what_a_crash_left_of_uploads_goes_with_the_rest(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    push_all(tenant.client().repository(name), small(1))
    left = files_of(registry, places) / "uploads" / str(uuid.uuid4())
    left.write_bytes(b"of nobody's")
    move(registry, who, places["sealed"])
    assert not left.exists()


def test_who_may_not_remove_the_old_bytes_can_keep_them(registry, places, s3, name, who):
    """All is in the new storage then; the old place is not used again, because it is not empty."""
    tenant = registry.tenant(who, storage=places["s3"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(3))
    s3.misbehave("DELETE", places["s3"]["location"], "forbidden", times=-1)
    s3.misbehave("POST", "delete", "forbidden", times=-1)
    output = move(registry, who, places["files"], expect=2)
    assert "removing the old bytes (--keep leaves them): " in output
    assert_all(repo, blobs)
    assert "0 blobs moved" in move(registry, who, None, "--keep")
    s3.behave()
    assert len(s3.keys(places["s3"]["location"])) == 3
    assert_all(repo, blobs)
    registry.assert_fsck_clean()
    assert "another storage is at" in move(registry, who, places["s3"], expect=2)


def test_nobody_is_sent_to_the_bucket_that_was_left(make_registry, places, s3, name, who):
    """Where a blob was is in memory, and a client is sent there without a look: not any more when it has moved."""
    registry = make_registry(http_trusted_proxies="127.0.0.1")
    inside = {"X-Forwarded-For": "192.0.2.7"}

    def sends(kind):
        place = {**places["s3"], "location": f"{places['s3']['location']}-{kind}"}
        return {**place, "settings": {**place["settings"], "redirect_networks": "192.0.2.0/24"}}

    tenant = registry.tenant(who, storage=sends("a"))
    repo = tenant.client().repository(name)
    digest = repo.push_blob(LARGE)
    old = repo.get_blob(digest, expect=307, headers=inside).headers["Location"]
    move(registry, who, sends("b"))
    new = repo.get_blob(digest, expect=307, headers=inside).headers["Location"]
    assert "-a/blobs/" in old and "-b/blobs/" in new
    with requests.Session() as session:
        session.trust_env = False
        assert session.get(old, timeout=60).status_code == 404, "its client asks again, and is sent to the new one"
        assert session.get(new, timeout=60).content == LARGE
    move(registry, who, places["files"])
    assert repo.get_blob(digest, headers=inside).content == LARGE


# -- what is seen

def test_on_a_terminal_there_is_a_bar(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    push_all(tenant.client().repository(name), small(5))
    ours, theirs = pty.openpty()
    mover = subprocess.Popen([str(registry.program), *words_of(registry, who, places["sealed"])], env=registry.environment(),
                             cwd=registry.root, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 4096):
            seen += piece
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    assert mover.wait(60) == 0, seen
    text = seen.decode()
    assert re.search(r"\r\[#{30}\] 100% 5 of 5 blobs", text), text
    assert text.count("\n") == 2, "one line, again and again, and the result"


def test_elsewhere_there_are_lines(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    push_all(tenant.client().repository(name), small(40))
    lines = move(registry, who, places["sealed"]).splitlines()
    assert "\r" not in "".join(lines)
    assert lines[0].startswith("  0% 0 of 40 blobs") and 5 < len(lines) < 16, lines
    assert lines[-2:] == ["all is moved and proved; removing the old bytes", lines[-1]] and "40 blobs moved" in lines[-1]


@pytest.mark.own_server
def test_nobody_needs_a_server(registry, places, name, who):
    tenant = registry.tenant(who, storage=places["files"])
    repo = tenant.client().repository(name)
    blobs = push_all(repo, small(3))
    assert registry.stop() == 0
    move(registry, who, places["sealed"])
    registry.start()
    assert_all(repo, blobs)
    assert ADMIN_PASSWORD not in move(registry, who, {"driver": "filesystem", "location": "x"})
