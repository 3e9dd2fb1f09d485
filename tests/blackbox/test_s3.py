# SPDX-License-Identifier: Apache-2.0
"""What test_remote.py does not tell of S3: parts, keys, regions, etags. The server is the one of harness/s3.py; the real one is in
the parts `ceph` and `blackbox-s3`."""
import json
import re
import shutil
import threading

import pytest

from harness import garbage, oci
from harness.remote import LARGE, MIB, SMALL, assert_nothing_left, assert_says, blob_key, registry_on
from harness.s3 import ACCESS_KEY, BUCKET, SECRET_KEY, MetadataServer, S3Server, Stored
from harness.wait import wait_until
from harness.wire import Wire, request

pytestmark = pytest.mark.slow  # a server in Python beside each; with the sanitizers test_store_s3.c looks at the same code


@pytest.fixture(scope="module")
def s3_shared():
    with S3Server() as server:
        yield server


@pytest.fixture
def s3(s3_shared):
    yield s3_shared
    s3_shared.behave()


@pytest.fixture(scope="module")
def shared(s3_shared, tmp_path_factory):
    with registry_on(s3_shared, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def repo(shared, s3, name):
    s3.left_before = s3.left_of_uploads("shared")
    yield shared.client().repository(name)
    shared.assert_nothing_leaked()


# -- good

def test_a_large_upload_is_never_read_back(repo, s3):
    before = len(s3.requests)
    repo.push_blob(LARGE[1:])
    assert [target for method, target in s3.requests[before:] if method == "GET" and re.search(r"/blobs/|[.]data", target)] == []


def second_node(make_registry, first, s3, prefix):
    other = make_registry(start=False, environment={"BERTH_DATABASE_URL": first.database.url}, **s3.settings(STORAGE_S3_PREFIX=prefix))
    other.data.mkdir(mode=0o750)
    shutil.copy(first.data / "master.key", other.data / "master.key")
    return other.start()


@pytest.mark.own_server
def test_an_upload_goes_on_at_another_node(s3, make_registry, name):
    first = make_registry(**s3.settings(STORAGE_S3_PREFIX="nodes"))
    if not first.database:
        pytest.skip("two nodes need PostgreSQL")
    second = second_node(make_registry, first, s3, "nodes")
    here, there = first.client().repository(name), second.client().repository(name)
    upload = here.start_upload()
    upload.patch(LARGE[:9 * MIB], 0)
    location = upload.location
    there.request("PATCH", location, body=LARGE[9 * MIB:12 * MIB], headers={"Content-Range": f"{9 * MIB}-{12 * MIB - 1}"}, expect=202)
    upload.patch(LARGE[12 * MIB:], 12 * MIB)
    there.request("PUT", f"{location}?digest={oci.digest_of(LARGE)}", expect=201)
    for repo in (here, there):
        assert repo.get_blob(oci.digest_of(LARGE)).content == LARGE


# -- garbage collection

def collecting(make_registry, s3, prefix):
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX=prefix, GARBAGE_WINDOW="0s"))
    return registry, registry.client().repository("tests/collected")


def blobs_of(content):
    return [oci.digest_of(blob) for blob in content.blobs]


@pytest.mark.own_server
def test_objects_of_what_was_deleted_go_and_no_others(s3, make_registry):
    registry, repo = collecting(make_registry, s3, "gc")
    gone, kept = oci.image("gone", layers=2), oci.image("kept")
    repo.insist(kept, "kept")
    repo.insist(gone, "gone")
    held = set(s3.keys("gc/blobs/"))
    repo.delete_manifest(gone.digest)
    mine = {blob_key(digest, "gc") for digest in set(blobs_of(gone)) - set(blobs_of(kept))}
    assert mine and mine < held
    wait_until(lambda: not mine & set(s3.keys("gc/blobs/")), what="its objects being removed")
    assert set(s3.keys("gc/blobs/")) == {blob_key(digest, "gc") for digest in blobs_of(kept)}
    for blob in kept.blobs:
        assert repo.get_blob(oci.digest_of(blob)).content == blob


@pytest.mark.own_server
def test_a_removal_whose_answer_was_lost_does_not_take_what_came_back(s3, make_registry):
    """It may arrive at any later time; so what is pushed after it was given up has another key, and the late removal hits nothing."""
    registry, repo = collecting(make_registry, s3, "late")
    data = oci.random_bytes(1000, "late")
    digest = oci.digest_of(data)
    key = blob_key(digest, "late")
    s3.misbehave("DELETE", key, "forbidden", times=-1)
    repo.push_blob(data)
    condemned = f"SELECT 1 FROM blob WHERE digest = '{digest}' AND condemned_at_us IS NOT NULL"
    wait_until(lambda: ("DELETE", f"/{BUCKET}/{key}") in s3.requests and registry.query(condemned), what="the removal that fails")
    assert key in s3.keys("late/")
    s3.behave()
    registry.execute("UPDATE blob SET condemned_at_us = condemned_at_us - 121000000 WHERE condemned_at_us IS NOT NULL")
    wait_until(lambda: key not in s3.keys("late/"), what="the next collector removing it")
    content = oci.image("came back", config=data)
    repo.insist(content, "v1")
    assert key not in s3.keys("late/") and key + ".1" in s3.keys("late/")
    with s3.lock:
        s3.objects.pop(key, None)  # the late one
    assert repo.get_blob(digest).content == data


@pytest.mark.own_server
@pytest.mark.expect_errors("STORAGE", "503")
def test_what_was_tried_for_health_and_stayed_when_the_bucket_went_away_is_swept(s3, make_registry):
    registry, repo = collecting(make_registry, s3, "health")
    repo.insist(oci.image("there"), "v1")
    s3.misbehave("PUT", "/uploads/", "done_and_reset", times=-1)
    for method in ("DELETE", "POST"):
        s3.misbehave(method, "", "reset", times=-1)
    anonymous = registry.anonymous()

    def ready():
        return anonymous.session.get(registry.url + "/readyz").status_code
    wait_until(lambda: ready() == 503 and s3.left_of_uploads("health"), timeout=60, what="a try that fails and leaves something")
    s3.behave()
    wait_until(lambda: ready() == 200, timeout=60, what="its being ready again")
    garbage.run(registry.client(auth="basic"))
    wait_until(lambda: not s3.left_of_uploads("health"), what="its being swept")
    registry.assert_fsck_clean()


MANY = 620


@pytest.fixture
def condemnable(s3, make_registry, name):
    """Many blobs that nobody has, in rows and in the bucket: (registry, their keys)."""
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX=name, GARBAGE_WINDOW="1h"))
    digests = [oci.digest_of(f"{name} {number}".encode()) for number in range(MANY)]
    with s3.lock:
        s3.objects.update({blob_key(digest, name): Stored(digest.encode()) for digest in digests})
    rows = ", ".join(f"(1, '{digest}', {len(digest)}, 1)" for digest in digests)
    registry.execute(f"INSERT INTO blob (storage_id, digest, size_bytes, created_at_us) VALUES {rows}")
    registry.execute("INSERT INTO garbage (blob_id, repository_id, due_at_us) SELECT id, 0, 1 FROM blob")
    s3.requests.clear()
    return registry, [blob_key(digest, name) for digest in digests]


def removals(s3):
    return [target for method, target in s3.requests if method == "DELETE" or "?delete" in target]


@pytest.mark.own_server
def test_a_collector_removed_each_blob_by_a_request_of_its_own(s3, condemnable, name):
    registry, keys = condemnable
    garbage.run(registry.client(auth="basic"), per_second_max=0)
    assert s3.keys(f"{name}/blobs/") == [] and registry.query("SELECT COUNT(*) FROM blob") == ["0"]
    assert len(removals(s3)) == -(-MANY // 250) and len(s3.requests) <= 12, s3.requests


@pytest.mark.own_server
@pytest.mark.parametrize("is_there", [True, False], ids=["refused", "gone"])
def test_a_blob_that_cannot_be_removed_stays_alone(s3, condemnable, name, is_there):
    """In an answer that is 200; it is the next collector's. One that is not there any more counts as removed."""
    registry, keys = condemnable
    admin = registry.client(auth="basic")
    with s3.lock:
        s3.objects[keys[7]].held = is_there
        if not is_there:
            del s3.objects[keys[7]]
    job = garbage.run(admin, per_second_max=0)
    assert job["job_status"] == "Success"
    assert s3.keys(f"{name}/blobs/") == keys[7:8 if is_there else 7]
    left = "SELECT digest FROM blob WHERE condemned_at_us IS NOT NULL"
    digests = [f"sha256:{keys[7].rpartition('/')[2]}"] if is_there else []
    assert registry.query(left) == digests
    assert [digest in registry.log_text() for digest in digests] == [True] * is_there
    if is_there:
        assert "AccessDenied" in registry.log_text()
        s3.objects[keys[7]].held = False
        registry.execute("UPDATE blob SET condemned_at_us = condemned_at_us - 121000000")
        garbage.run(admin)
    assert registry.query("SELECT COUNT(*) FROM blob") == ["0"] and s3.keys(f"{name}/blobs/") == []


@pytest.mark.own_server
@pytest.mark.parametrize("trouble, words", [("slow_down", "SlowDown"), ("refuses_another", "not asked for"), ("reset", "could not")])
def test_blobs_of_a_list_that_fails_stay_condemned(s3, condemnable, name, trouble, words):
    """And the list is sent once: one that nobody heard of might arrive when they have come back."""
    registry, keys = condemnable
    s3.misbehave("POST", "delete=", trouble)
    assert garbage.run(registry.client(auth="basic"), per_second_max=0)["job_status"] == "Success"
    assert len(s3.keys(f"{name}/blobs/")) == 250 and len(removals(s3)) == 3
    assert registry.query("SELECT COUNT(*) FROM blob WHERE condemned_at_us IS NOT NULL") == ["250"]
    assert registry.log_text().count("a blob that nobody has could not be removed") == 250


@pytest.mark.own_server
def test_a_server_that_takes_no_lists_gets_a_removal_for_each_blob(s3, condemnable, name):
    registry, keys = condemnable
    s3.misbehave("POST", "delete=", "no_list", times=-1)
    garbage.run(registry.client(auth="basic"), per_second_max=0)
    assert s3.keys(f"{name}/blobs/") == [] and registry.query("SELECT COUNT(*) FROM blob") == ["0"]
    assert {target.rpartition(f"{BUCKET}/")[2] for method, target in s3.requests if method == "DELETE"} == set(keys)


# -- slow and broken

def test_a_completion_that_answers_200_and_an_error_is_tried_again(repo, s3):
    data = LARGE[4:]
    s3.misbehave("POST", "uploadId", "internal_in_200", times=2)
    s3.misbehave("PUT", "/blobs/", "internal_in_200")
    digest = repo.push_blob(data)
    assert repo.get_blob(digest).content == data


def test_a_completion_whose_answer_is_lost_has_happened(repo, s3):
    data = LARGE[5:]
    s3.misbehave("POST", "uploadId", "done_and_reset")
    digest = repo.push_blob(data)
    assert repo.get_blob(digest).content == data


@pytest.mark.slow
def test_retry_after_is_waited_for(repo, s3):
    s3.misbehave("PUT", "/blobs/", "slow_down_a_second")
    repo.push_blob(b"waits a second")


# -- several parts at a time

HUGE = oci.random_bytes(42 * MIB + 777, "huge")


def test_parts_are_on_their_way_at_a_time(repo, s3):
    """The first one alone: it shows whether the multipart upload is there."""
    s3.meeting = threading.Barrier(3, timeout=60)
    s3.misbehave("PUT", "partNumber=[234]&", "together", times=3)
    digest = repo.push_blob(HUGE)
    assert repo.get_blob(digest).content == HUGE
    assert_nothing_left(s3)


def test_a_part_that_is_not_taken_at_once_is_sent_again(repo, s3):
    data = HUGE[1:]
    s3.misbehave("PUT", "partNumber=2&", "slow_down", times=2)
    s3.misbehave("PUT", "partNumber=3&", "reset", times=3)
    s3.misbehave("PUT", "partNumber=4&", "done_and_reset")
    digest = repo.push_blob(data)
    assert repo.get_blob(digest).content == data


@pytest.mark.parametrize("number", [2, 3, 5])
def test_a_part_that_is_never_taken_ends_the_request_and_no_other_byte_is_lost(repo, s3, number):
    data = HUGE[10 + number:]
    upload = repo.start_upload()
    upload.patch(data[:9 * MIB], 0)
    s3.misbehave("PUT", f"partNumber={number}&", "forbidden", times=-1)
    repo.request("PATCH", upload.location, body=data[9 * MIB:], headers={"Content-Range": f"{9 * MIB}-{len(data) - 1}"}, expect=500)
    s3.behave()
    have = upload.size()
    assert 9 * MIB <= have < len(data)
    upload.patch(data[have:], have)
    upload.put(oci.digest_of(data))
    assert repo.get_blob(oci.digest_of(data)).content == data
    assert_nothing_left(s3)


LEFT_AT = 34 * MIB + 5  # four parts, and a tail


def leave(repo, s3, method, target, end):
    """A client that goes while three parts are on their way; they arrive when it has gone."""
    s3.meeting = threading.Barrier(4, timeout=60)
    s3.misbehave("PUT", "partNumber=[234]&", "together", times=3)
    headers = {"Content-Length": len(HUGE), "Authorization": repo.client.authorization((repo.scope,))}
    wire = Wire(repo.client.registry)
    wire.send(request(method, target, headers) + HUGE[:LEFT_AT])
    wait_until(lambda: s3.meeting.n_waiting == 3, what="three parts on their way")
    getattr(wire, end)()
    s3.meeting.wait()


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("goes_on", [True, False], ids=["goes_on", "gives_up"])
def test_a_client_that_leaves_while_parts_are_on_their_way(repo, s3, end, goes_on):
    """What was received is in the bucket: whoever comes back goes on there, and who gives up leaves nothing."""
    upload = repo.start_upload()
    leave(repo, s3, "PATCH", upload.location, end)
    wait_until(lambda: upload.patch(b"", headers={"Content-Length": "0"}, expect=(202, 416)).status_code == 202,
               what="the writer's place")
    have = upload.size()
    assert have == LEFT_AT if end == "close" else 32 * MIB <= have <= LEFT_AT
    if goes_on:
        upload.patch(HUGE[have:], have)
        upload.put(oci.digest_of(HUGE))
        assert repo.get_blob(oci.digest_of(HUGE)).content == HUGE
    else:
        upload.request("DELETE", expect=204)
    assert_nothing_left(s3)


def test_a_client_that_leaves_an_upload_in_one_request_leaves_nothing(repo, s3):
    leave(repo, s3, "POST", f"{repo.base}/blobs/uploads/?digest={oci.digest_of(HUGE)}", "close")
    wait_until(lambda: s3.left_of_uploads("shared") == s3.left_before, what="the end of all parts")


def multiparts(s3, prefix):
    with s3.lock:
        return [key for key, _ in s3.uploads.values() if key.startswith(prefix)]


def expire(registry):
    registry.execute("UPDATE upload SET touched_at_us = 1")
    wait_until(lambda: registry.query("SELECT id FROM upload") == [], what="the session's end")


@pytest.mark.own_server
@pytest.mark.parametrize("end", ["close", "reset"])
def test_an_upload_that_was_abandoned_leaves_no_parts_when_its_session_ends(s3, make_registry, name, end):
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX=name, UPLOADS_EXPIRY="5s"))
    repo = registry.client().repository(name)
    leave(repo, s3, "PATCH", repo.start_upload().location, end)
    wait_until(lambda: s3.keys(f"{name}/uploads/"), what="its state")
    assert len(multiparts(s3, name)) == 1
    expire(registry)
    wait_until(lambda: not s3.left_of_uploads(name), what="its parts being ended")


def crash(s3, registry, name):
    """Between the beginning of a multipart upload and the first state, which would tell of it; its upload."""
    repo = registry.client().repository(name)
    upload = repo.start_upload()
    s3.victim = registry
    s3.misbehave("PUT", "/uploads/[0-9a-f-]+$", "killed")
    headers = {"Content-Length": len(LARGE), "Authorization": repo.client.authorization((repo.scope,))}
    Wire(registry).send(request("PATCH", upload.location, headers) + LARGE)
    registry.wait_dead()
    assert s3.keys(f"{name}/") == [] and len(multiparts(s3, name)) == 1
    s3.behave()
    registry.start()
    return upload


@pytest.mark.own_server
def test_parts_that_a_crash_left_without_a_state_end_with_the_session(s3, make_registry, name):
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX=name, UPLOADS_EXPIRY="5s"))
    crash(s3, registry, name)
    expire(registry)
    wait_until(lambda: not multiparts(s3, name), what="its being ended")


@pytest.mark.own_server
@pytest.mark.parametrize("goes_on", [True, False])
def test_parts_that_a_crash_left_without_a_state_are_found_when_the_session_is_over(s3, make_registry, name, goes_on):
    """Who goes on begins other ones."""
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX=name))
    upload = crash(s3, registry, name)
    left = multiparts(s3, name)
    if goes_on:
        upload.patch(LARGE, 0)
        upload.put(oci.digest_of(LARGE))
        assert upload.repository.get_blob(oci.digest_of(LARGE)).content == LARGE
    else:
        registry.execute("DELETE FROM upload")
    assert multiparts(s3, name) == left == [f"{name}/uploads/{upload.uuid}.data"]
    status, output = registry.fsck()
    assert status == 1 and upload.uuid in output, output
    garbage.run(registry.client(auth="basic"))
    wait_until(lambda: not multiparts(s3, name), what="its being swept")
    registry.assert_fsck_clean()


def test_an_upload_in_one_request_that_fails_ends_all_its_parts(repo, s3):
    s3.misbehave("PUT", "partNumber=4&", "forbidden", times=-1)
    data = HUGE[3:]
    repo.request("POST", f"{repo.base}/blobs/uploads/?digest={oci.digest_of(data)}", body=data, expect=500)
    s3.behave()
    assert_nothing_left(s3)


def test_a_wrong_digest_ends_all_parts(repo, s3):
    answer = repo.request("POST", f"{repo.base}/blobs/uploads/?digest={oci.digest_of(b'another')}", body=HUGE, expect=400)
    assert "DIGEST_INVALID" in answer.text
    assert_nothing_left(s3)


@pytest.mark.own_server
@pytest.mark.expect_errors("500", "CORRUPT")
def test_a_server_that_compares_no_sha256_is_held_to_its_etags(make_registry, name):
    with S3Server() as s3:
        s3.checks_payloads = False
        registry = make_registry(**s3.settings())
        repo = registry.client().repository(name)
        s3.misbehave("PUT", "partNumber=[23]&", "changed_part")
        repo.start_upload().put(oci.digest_of(LARGE), LARGE, expect=500)
        assert_says(registry, "stored something else")
        assert repo.get_blob(repo.push_blob(LARGE)).content == LARGE
        registry.assert_fsck_clean()
        assert registry.stop() == 0


@pytest.mark.own_server
def test_a_server_is_asked_once_whether_it_compares_sha256(make_registry, name):
    with S3Server() as s3:
        registry = make_registry(**s3.settings())
        repo = registry.client().repository(name)
        for data in (LARGE, LARGE[1:]):
            repo.push_blob(data)
        assert len([target for method, target in s3.requests if "partNumber=10000&" in target]) == 1
        registry.assert_fsck_clean()
        assert registry.stop() == 0


# -- lying

@pytest.mark.parametrize("data", [SMALL[1:], LARGE[7:]], ids=["small", "large"])
def test_what_was_stored_differently_is_not_acknowledged(shared, repo, s3, data):
    """The copy or the object is another one than was sent, and its etag shows it."""
    s3.misbehave("PUT", "/blobs/", "corrupt")
    upload = repo.start_upload()
    answer = upload.put(oci.digest_of(data), data, expect=500)
    assert "etag" not in answer.text
    assert_says(shared, "stored something else")


@pytest.mark.own_server
@pytest.mark.expect_errors("500", "CORRUPT")
def test_reading_back_finds_what_etags_hide(s3, make_registry, name):
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX="content", STORAGE_S3_VERIFY="content"))
    repo = registry.client().repository(name)
    s3.misbehave("PUT", "content/blobs/", "silent_corrupt")
    repo.start_upload().put(oci.digest_of(SMALL), SMALL, expect=500)
    assert_says(registry, "stored something else")
    for key in s3.keys("content/blobs/"):
        del s3.objects[key]
    assert repo.get_blob(repo.push_blob(SMALL)).content == SMALL


@pytest.mark.own_server
def test_a_server_without_md5_is_believed_by_size(s3, make_registry, name):
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX="size", STORAGE_S3_VERIFY="size"))
    repo = registry.client().repository(name)
    s3.misbehave("PUT", "size/", "strange_etag", times=-1)
    assert repo.get_blob(repo.push_blob(SMALL)).content == SMALL


# -- refusing

@pytest.mark.own_server
@pytest.mark.parametrize("change, words", [
    ({"STORAGE_S3_SECRET_KEY": "wrong"}, "the secret key is wrong"),
    ({"STORAGE_S3_ACCESS_KEY": "nobody"}, "the server does not know this access key"),
    ({"STORAGE_S3_BUCKET": "somebody-elses"}, "there is no bucket of this name"),
    ({"STORAGE_S3_REGION": "mars-1"}, "set the region to us-east-1"),
    ({"STORAGE_S3_BUCKET": ""}, "not the name of a bucket"),
    ({"STORAGE_S3_ACCESS_KEY": ""}, "access_key and secret_key"),
    ({"STORAGE_S3_CREDENTIALS_FILE": "/nonexistent", "STORAGE_S3_ACCESS_KEY": "", "STORAGE_S3_SECRET_KEY": ""}, "/nonexistent"),
])
def test_a_configuration_that_cannot_work_ends_the_start_in_words(s3, make_registry, change, words):
    registry = make_registry(start=False, **{**s3.settings(), **change})
    registry.spawn()
    assert registry.wait_dead() != 0
    assert words in registry.log_text(), registry.log_text()


@pytest.mark.own_server
@pytest.mark.parametrize("trouble, words", [
    ("moved", "set the region to eu-west-7"), ("forbidden", "the bucket is somebody else's"), ("no_bucket", "there is no bucket of this name"),
])
def test_a_start_that_the_bucket_refuses(s3, make_registry, trouble, words):
    s3.misbehave("GET", "list-type", trouble)
    registry = make_registry(start=False, **s3.settings())
    registry.spawn()
    assert registry.wait_dead() != 0
    assert words in registry.log_text()


@pytest.mark.own_server
@pytest.mark.expect_errors("500", "STORAGE")
def test_a_server_that_is_away_at_the_start_may_come_later(s3, make_registry, name):
    s3.misbehave("GET", "list-type", "reset", times=-1)
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX="later"))
    s3.behave()
    repo = registry.client().repository(name)
    assert repo.get_blob(repo.push_blob(SMALL)).content == SMALL


@pytest.mark.parametrize("trouble, status", [("forbidden", 500), ("no_bucket", 500), ("full", 507)])
def test_refusals_are_words_in_the_log_and_none_for_the_client(shared, repo, s3, trouble, status):
    since = shared.log_size()
    s3.misbehave("PUT", "/blobs/", trouble, times=-1)
    answer = repo.start_upload().put(oci.digest_of(b"refused"), b"refused", expect=status)
    assert BUCKET not in answer.text and s3.url not in answer.text
    assert_says(shared, f"bucket {BUCKET}", since)
    s3.behave()
    repo.head_blob(oci.digest_of(b"refused"), expect=404)


@pytest.mark.own_server
@pytest.mark.expect_errors("500", "STORAGE")
def test_a_key_that_is_not_found_is_no_blob_that_is_absent(s3, make_registry, name):
    """The gateway of Versity answers 404 to a key that it does not know any more."""
    registry = make_registry(**s3.settings(STORAGE_S3_PREFIX="revoked"))
    repo = registry.client().repository(name)
    digest = repo.push_blob(LARGE)
    s3.misbehave("GET", "revoked/blobs/", "user_unknown", times=-1)
    repo.get_blob(digest, expect=500)
    s3.behave()
    assert repo.get_blob(digest).content == LARGE


# -- keys

def file_of(path, *key, profile="default"):
    path.write_text(f"[other]\naws_access_key_id = x\n[{profile}]\naws_access_key_id = {key[0]}\naws_secret_access_key={key[1]}\n")


@pytest.mark.own_server
def test_keys_from_a_file_are_read_again_when_it_changes(s3, make_registry, name, tmp_path):
    path = tmp_path / "credentials"
    file_of(path, ACCESS_KEY, SECRET_KEY, profile="berth")
    registry = make_registry(**s3.settings(
        STORAGE_S3_PREFIX="file", STORAGE_S3_ACCESS_KEY="", STORAGE_S3_SECRET_KEY="", STORAGE_S3_CREDENTIALS_FILE=path,
        STORAGE_S3_PROFILE="berth",
    ))
    repo = registry.client().repository(name)
    repo.push_blob(SMALL)
    s3.secret = "another-secret"
    try:
        file_of(path, ACCESS_KEY, "another-secret", profile="berth")
        repo.push_blob(SMALL[1:])
    finally:
        s3.secret = SECRET_KEY
    file_of(path, ACCESS_KEY, SECRET_KEY, profile="berth")


@pytest.mark.own_server
def test_keys_from_the_metadata_service_are_renewed(make_registry, name):
    with S3Server(session_token="a-token") as s3, MetadataServer() as metadata:
        registry = make_registry(**s3.settings(
            STORAGE_S3_ACCESS_KEY="", STORAGE_S3_SECRET_KEY="", STORAGE_S3_METADATA_ENDPOINT=metadata.url,
        ))
        repo = registry.client().repository(name)
        repo.push_blob(SMALL)
        assert metadata.asked == 1
        s3.session_token, metadata.key = "b-token", (ACCESS_KEY, SECRET_KEY, "b-token")
        repo.push_blob(SMALL[1:])
        assert metadata.asked == 2
        registry.assert_fsck_clean()
        assert registry.stop() == 0


@pytest.mark.own_server
def test_a_key_is_renewed_before_it_ends(make_registry, name):
    with S3Server(session_token="a-token") as s3, MetadataServer() as metadata:
        metadata.lasts = 200
        registry = make_registry(**s3.settings(
            STORAGE_S3_ACCESS_KEY="", STORAGE_S3_SECRET_KEY="", STORAGE_S3_METADATA_ENDPOINT=metadata.url))
        repo = registry.client().repository(name)
        digest = repo.push_blob(LARGE)
        metadata.lasts = 6 * 3600
        wait_until(lambda: repo.get_blob(digest) and metadata.asked == 2, what="the next key, which nothing was refused for")
        for _ in range(5):
            repo.get_blob(digest)
        assert metadata.asked == 2
        registry.assert_fsck_clean()
        assert registry.stop() == 0


@pytest.mark.own_server
def test_all_requests_waited_for_a_metadata_service_that_hung(make_registry, name):
    """Each in its turn, although the key that was there would have done."""
    with S3Server(session_token="a-token") as s3, MetadataServer() as metadata:
        metadata.lasts = 200
        registry = make_registry(**s3.settings(
            STORAGE_S3_ACCESS_KEY="", STORAGE_S3_SECRET_KEY="", STORAGE_S3_METADATA_ENDPOINT=metadata.url))
        repo = registry.client().repository(name)
        digest = repo.push_blob(LARGE)
        metadata.silent.set()
        one = threading.Thread(target=lambda: wait_until(lambda: repo.get_blob(digest) and metadata.waiting, what="somebody asking for the next"))
        one.start()
        wait_until(lambda: metadata.waiting, what="its being asked")
        other = repo.as_client(registry.client())
        for _ in range(20):
            assert other.get_blob(digest).content == LARGE
        assert metadata.waiting < 10, "not each of them waits"
        metadata.silent.clear()
        metadata.answers.set()
        one.join()
        registry.assert_fsck_clean()
        assert registry.stop() == 0


@pytest.mark.own_server
def test_keys_from_the_environment(s3, make_registry, name):
    registry = make_registry(
        environment={"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY},
        **s3.settings(STORAGE_S3_PREFIX="environment", STORAGE_S3_ACCESS_KEY="", STORAGE_S3_SECRET_KEY=""),
    )
    registry.client().repository(name).push_blob(SMALL)


# -- tenants

def test_a_tenants_storage_is_a_part_of_the_servers_bucket(shared, s3, name):
    tenant = shared.tenant("acme", storage={"location": "acme"})
    repo = tenant.client().repository(name)
    digest = repo.push_blob(SMALL[3:])
    assert blob_key(digest, "shared/storages/acme") in s3.objects
    assert repo.get_blob(digest).content == SMALL[3:]


@pytest.fixture
def tenants_s3():
    with S3Server(secret="the-tenants-own") as server:
        yield server


@pytest.mark.own_server
def test_a_tenant_brings_a_bucket_and_a_key(tenants_s3, make_registry, name):
    """Beside a server whose own bytes are files."""
    registry = make_registry()
    tenant = registry.tenant("bringer", storage={
        "driver": "s3", "location": "below", "settings": {"endpoint": tenants_s3.url, "bucket": BUCKET},
        "secrets": {"access_key": ACCESS_KEY, "secret_key": "the-tenants-own"},
    })
    repo = tenant.client().repository(name)
    digest = repo.push_blob(SMALL[5:])
    assert repo.get_blob(digest).content == SMALL[5:]
    assert [key for key in tenants_s3.keys("below/blobs/") if key.endswith(digest.split(":")[1])]


@pytest.mark.parametrize("storage, words", [
    ({"driver": "s3", "settings": {"bucket": "theirs"}}, "access_key and secret_key"),
    ({"driver": "s3", "settings": {"bucket": "a/b"}, "secrets": {"access_key": "a", "secret_key": "b"}}, "not the name of a bucket"),
    ({"driver": "s3", "settings": {"bucket": "theirs", "credentials_file": "/etc/passwd"}}, "credentials_file"),
    ({"driver": "s3", "settings": {"bucket": "theirs", "endpoint": "file:///etc"}, "secrets": {"access_key": "a", "secret_key": "b"}}, "endpoint"),
])
def test_a_tenants_place_that_makes_no_sense_is_refused(shared, storage, words):
    answer = shared.client(auth="basic").post(
        "/api/berth/v1/tenants", expect=400, headers={"Content-Type": "application/json"},
        body=json.dumps({"name": "nonsense", "hosts": ["nonsense.example"], "storage": storage}),
    )
    assert words in answer.text


@pytest.mark.own_server
def test_s3_without_a_server_of_ones_own_is_refused(make_registry):
    registry = make_registry()
    answer = registry.client(auth="basic").post(
        "/api/berth/v1/tenants", expect=400, headers={"Content-Type": "application/json"},
        body=json.dumps({"name": "nonsense", "hosts": ["nonsense.example"], "storage": {"driver": "s3"}}),
    )
    assert "no s3 storage of its own" in answer.text


# -- fsck and the check

@pytest.mark.parametrize("method, pattern, trouble, mark, words", [
    ("GET", "list-type", "forbidden", "FAILED", "the bucket answers"),
    ("HEAD", "check-[^/]*/a$", "strange_etag", "quirk", "etags are no MD5"),
    ("POST", "uploads=", "no_list", "FAILED", "large objects are made of parts"),
    ("GET", "uploads=", "no_list", "quirk", "cannot be listed"),
    ("GET", r"uploads=.*prefix=[^&]*check-[^&]*%2F&|prefix=[^&]*check-[^&]*%2F&.*uploads=", "empty", "quirk", "by their whole name only"),
    ("GET", "check-[^/]*/absent$", "user_unknown", "FAILED", "the server refuses"),
])
def test_the_check_names_what_differs(shared, s3, method, pattern, trouble, mark, words):
    s3.misbehave(method, pattern, trouble, times=-1)
    status, output = shared.berth("storage", "check")
    assert status == (1 if mark == "FAILED" else 0), output
    assert mark in output and words in output, output
    s3.behave()
    for key in s3.keys("shared/check-"):
        del s3.objects[key]
    s3.uploads.clear()


def test_the_check_of_files_says_so(make_registry):
    registry = make_registry()
    status, output = registry.berth("storage", "check")
    assert status == 2 and "nothing to check" in output
    assert registry.berth("storage")[0] == 2


def test_a_list_that_the_server_does_not_take_is_removed_one_by_one(repo, s3):
    s3.misbehave("POST", "delete=", "no_list", times=-1)
    upload = repo.start_upload()
    upload.patch(SMALL, 0)
    upload.request("DELETE", expect=204)
    assert_nothing_left(s3)


def test_health_is_asked_of_the_bucket(shared, s3):
    answer = shared.client(auth="basic").get("/api/v2.0/health", expect=200)
    assert answer.json()["status"] == "healthy"
