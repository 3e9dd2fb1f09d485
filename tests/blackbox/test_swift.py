# SPDX-License-Identifier: Apache-2.0
"""What test_remote.py does not tell of Swift: segments and manifests, tokens, replicas. The server is the one of harness/swift.py;
Ceph's gateway is in the parts `ceph` and `blackbox-s3`."""
import json

import pytest

from harness import oci
from harness.remote import LARGE, MIB, SMALL, assert_nothing_left, assert_says, blob_key, registry_on
from harness.swift import CONTAINER, CREDENTIAL_ID, CREDENTIAL_SECRET, KEY, USER, Large, SwiftServer
from harness.wait import wait_until

pytestmark = pytest.mark.slow  # a server in Python beside each; with the sanitizers test_store_swift.c looks at the same code


@pytest.fixture(scope="module")
def swift_shared():
    with SwiftServer() as server:
        yield server


@pytest.fixture
def swift(swift_shared):
    yield swift_shared
    swift_shared.behave()


@pytest.fixture(scope="module")
def shared(swift_shared, tmp_path_factory):
    with registry_on(swift_shared, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def repo(shared, swift, name):
    swift.left_before = swift.left_of_uploads("shared")
    yield shared.client().repository(name)
    shared.assert_nothing_leaked()


# -- good

@pytest.mark.parametrize("data, large", [(b"", False), (b"x", False), (SMALL, False), (LARGE, True)],
                         ids=["empty", "tiny", "small", "large"])
def test_a_large_blob_is_a_manifest(repo, swift, data, large):
    assert isinstance(swift.objects[blob_key(repo.push_blob(data))], Large) == large


def test_a_large_upload_is_neither_read_nor_copied(repo, swift):
    before = len(swift.requests)
    repo.push_blob(LARGE[1:])
    assert [target for method, target in swift.requests[before:] if method in ("GET", "COPY") and "/segments/" in target] == []


# -- tokens

@pytest.mark.own_server
@pytest.mark.parametrize("v1", [False, True], ids=["keystone", "v1"])
def test_a_token_that_is_refused_is_renewed(make_registry, name, v1):
    with SwiftServer() as swift:
        registry = make_registry(**swift.settings(v1))
        repo = registry.client().repository(name)
        upload = repo.start_upload()
        upload.patch(LARGE[:9 * MIB], 0)
        asked = swift.asked
        swift.revoke()
        upload.patch(LARGE[9 * MIB:], 9 * MIB)
        upload.put(oci.digest_of(LARGE))
        assert swift.asked == asked + 1, "one token for all requests"
        swift.revoke()
        assert repo.get_blob(oci.digest_of(LARGE)).content == LARGE
        registry.assert_fsck_clean()
        assert registry.stop() == 0


@pytest.mark.own_server
@pytest.mark.parametrize("v1", [False, True], ids=["keystone", "v1"])
def test_a_token_is_renewed_before_it_expires(make_registry, name, v1):
    with SwiftServer(lifetime_s=1) as swift:
        registry = make_registry(**swift.settings(v1))
        repo = registry.client().repository(name)
        pushed = iter(range(1 << 30))
        wait_until(lambda: repo.push_blob(b"%d" % next(pushed)) and swift.asked >= 3, what="a third token")
        assert swift.refused == 0
        registry.assert_fsck_clean()
        assert registry.stop() == 0


@pytest.mark.expect_errors("500", "STORAGE")
def test_a_token_that_is_always_refused_is_no_endless_loop(shared, repo, swift):
    swift.misbehave("PUT", "/blobs/", "unauthorized", times=-1)
    answer = repo.start_upload().put(oci.digest_of(b"refused"), b"refused", expect=500)
    assert "token" not in answer.text
    assert_says(shared, "the token is refused")


@pytest.mark.parametrize("trouble", ["internal", "slow_down", "reset"])
def test_a_keystone_that_is_away_for_a_moment_is_asked_again(repo, swift, trouble):
    swift.revoke()
    swift.misbehave("POST", "/v3/auth/tokens", trouble, times=2)
    repo.push_blob(f"after {trouble}".encode())


# -- slow and broken

def test_a_pull_goes_on_with_another_token(repo, swift):
    digest = repo.push_blob(LARGE[7:])
    swift.misbehave("GET", "/blobs/", "half", times=2)
    swift.misbehave("GET", "/blobs/", "unauthorized", times=1, skip=1)
    assert repo.get_blob(digest).content == LARGE[7:]


@pytest.mark.parametrize("data", [SMALL[7:], LARGE[8:]], ids=["small", "large"])
def test_what_is_not_seen_yet_behind_its_put_is_looked_for_again(repo, swift, data):
    """One replica has it, another one is asked."""
    swift.misbehave("HEAD", "/blobs/", "not_found", times=2)
    swift.misbehave("PUT", "multipart-manifest", "not_found", times=2)
    digest = repo.push_blob(data)
    assert repo.get_blob(digest).content == data
    assert_nothing_left(swift)


# -- lying

@pytest.mark.parametrize("data, where", [(SMALL[1:], "/blobs/"), (LARGE[9:], "/segments/[^?]*/00002")], ids=["small", "segment"])
def test_what_was_stored_differently_is_not_acknowledged(shared, repo, swift, data, where):
    swift.misbehave("PUT", where, "corrupt")
    answer = repo.start_upload().put(oci.digest_of(data), data, expect=500)
    assert "etag" not in answer.text
    assert_says(shared, "stored something else")
    repo.head_blob(oci.digest_of(data), expect=404)
    swift.behave()
    assert repo.get_blob(repo.push_blob(data)).content == data


def test_an_etag_that_is_a_lie_is_not_believed(shared, repo, swift):
    since = shared.log_size()
    swift.misbehave("PUT", "/blobs/", "strange_etag")
    repo.start_upload().put(oci.digest_of(SMALL[2:]), SMALL[2:], expect=500)
    assert_says(shared, "its etag is 1-2-3", since)


def test_a_manifest_that_became_something_else_is_not_acknowledged(shared, repo, swift):
    since = shared.log_size()
    swift.misbehave("HEAD", "/blobs/", "strange_etag", skip=1)
    repo.start_upload().put(oci.digest_of(LARGE[10:]), LARGE[10:], expect=500)
    assert_says(shared, "stored something else", since)
    repo.head_blob(oci.digest_of(LARGE[10:]), expect=404)


@pytest.mark.own_server
@pytest.mark.expect_errors("500", "CORRUPT")
@pytest.mark.parametrize("data, where", [(SMALL, "/blobs/"), (LARGE, "/segments/[^?]*/00002")], ids=["small", "large"])
def test_reading_back_finds_what_etags_hide(swift, make_registry, name, data, where):
    prefix = f"content-{len(data)}"
    registry = make_registry(**swift.settings(STORAGE_SWIFT_PREFIX=prefix, STORAGE_SWIFT_VERIFY="content"))
    repo = registry.client().repository(name)
    swift.misbehave("PUT", where, "silent_corrupt")
    repo.start_upload().put(oci.digest_of(data), data, expect=500)
    assert_says(registry, "stored something else")
    assert swift.keys(f"{prefix}/blobs/") == []
    assert repo.get_blob(repo.push_blob(data)).content == data


# -- refusing

@pytest.mark.own_server
@pytest.mark.parametrize("v1, change, words", [
    (False, {"APPLICATION_CREDENTIAL_SECRET": "wrong"}, "keystone refuses the credentials (401)"),
    (True, {"KEY": "wrong"}, "auth v1 refuses the credentials (401)"),
    (False, {"REGION": "mars"}, "no endpoint of an object store with the interface public in region mars"),
    (False, {"CONTAINER": "somebody-elses"}, "there is no container of this name"),
    (False, {"CONTAINER": ""}, "not the name of a container"),
    (False, {"APPLICATION_CREDENTIAL_ID": ""}, "application_credential_id"),
    (False, {"USER": "too"}, "or user and key"),
    (False, {"CA_CERTIFICATE": "/nonexistent"}, "/nonexistent"),
])
def test_a_configuration_that_cannot_work_ends_the_start_in_words(swift, make_registry, v1, change, words):
    settings = swift.settings(v1, **{f"STORAGE_SWIFT_{name}": value for name, value in change.items()})
    registry = make_registry(start=False, **settings)
    registry.spawn()
    assert registry.wait_dead() != 0
    text = registry.log_text()
    assert words in text and CREDENTIAL_SECRET not in text, text


@pytest.mark.own_server
@pytest.mark.expect_errors("500", "STORAGE")
@pytest.mark.parametrize("method, pattern", [("POST", "/v3/auth/tokens"), ("HEAD", f"{CONTAINER}$")])
def test_a_server_that_is_away_at_the_start_may_come_later(swift, make_registry, name, method, pattern):
    swift.misbehave(method, pattern, "reset", times=-1)
    registry = make_registry(**swift.settings(STORAGE_SWIFT_PREFIX="later"))
    swift.behave()
    repo = registry.client().repository(name)
    assert repo.get_blob(repo.push_blob(SMALL)).content == SMALL


@pytest.mark.parametrize("trouble, status", [("forbidden", 500), ("too_large", 507)])
def test_refusals_are_words_in_the_log_and_none_for_the_client(shared, repo, swift, trouble, status):
    since = shared.log_size()
    swift.misbehave("PUT", "/blobs/", trouble, times=-1)
    answer = repo.start_upload().put(oci.digest_of(b"refused"), b"refused", expect=status)
    assert CONTAINER not in answer.text and swift.url not in answer.text
    assert_says(shared, f"container {CONTAINER}", since)
    swift.behave()
    repo.head_blob(oci.digest_of(b"refused"), expect=404)


# -- tenants

@pytest.mark.own_server
@pytest.mark.parametrize("secrets", [
    {"application_credential_id": CREDENTIAL_ID, "application_credential_secret": CREDENTIAL_SECRET}, {"user": USER, "key": KEY},
], ids=["keystone", "v1"])
def test_a_tenant_brings_a_container_and_credentials(make_registry, name, secrets):
    """Beside a server whose own bytes are files."""
    with SwiftServer() as swift:
        registry = make_registry()
        url = f"{swift.url}/auth/v1.0" if "user" in secrets else f"{swift.url}/v3"
        tenant = registry.tenant("bringer", storage={
            "driver": "swift", "location": "below", "settings": {"auth_url": url, "container": CONTAINER, "region": "north"},
            "secrets": secrets,
        })
        repo = tenant.client().repository(name)
        digest = repo.push_blob(LARGE)
        assert repo.get_blob(digest).content == LARGE
        assert blob_key(digest, "below") in swift.objects
        assert registry.stop() == 0
        registry.assert_fsck_clean()


@pytest.mark.parametrize("storage, words", [
    ({"driver": "swift", "settings": {"container": "theirs"}}, "auth_url"),
    ({"driver": "swift", "settings": {"container": "theirs", "auth_url": "http://192.0.2.1/"}}, "application_credential_id"),
    ({"driver": "swift", "settings": {"container": "a/b", "auth_url": "http://192.0.2.1/"}, "secrets": {"user": "a", "key": "b"}},
     "not the name of a container"),
    ({"driver": "swift", "settings": {"container": "theirs", "ca_certificate": "/etc/passwd"}}, "ca_certificate"),
])
def test_a_tenants_place_that_makes_no_sense_is_refused(shared, storage, words):
    answer = shared.client(auth="basic").post(
        "/api/berth/v1/tenants", expect=400, headers={"Content-Type": "application/json"},
        body=json.dumps({"name": "nonsense", "hosts": ["nonsense.example"], "storage": storage}),
    )
    assert words in answer.text


# -- fsck and the check

def test_fsck_finds_a_segment_that_is_gone_or_changed(shared, repo, swift):
    digest = repo.push_blob(LARGE[12:])
    name = swift.objects[blob_key(digest)].segments[1][0]
    kept = swift.objects[name]
    try:
        swift.objects[name] = type(kept)(kept.bytes[:-1] + b"!")
        assert digest in shared.fsck()[1]
        del swift.objects[name]
        status, output = shared.fsck()
        assert status != 0, output
    finally:
        swift.objects[name] = kept
    shared.assert_fsck_clean()


def test_manifests_are_listed_by_their_own_length_at_some_servers(shared, repo, swift):
    repo.push_blob(LARGE[13:])
    swift.lists_manifests = True
    try:
        shared.assert_fsck_clean()
    finally:
        swift.lists_manifests = False


@pytest.mark.parametrize("method, pattern, trouble, mark, words", [
    ("HEAD", f"{CONTAINER}$", "forbidden", "FAILED", "the container answers"),
    ("PUT", "multipart-manifest", "forbidden", "FAILED", "large objects are made of segments"),
    ("GET", "/info", "no_json", "quirk", "does not say what it can do"),
    ("GET", "format=json", "no_json", "FAILED", "a list that cannot be read"),
])
def test_the_check_names_what_differs(shared, swift, method, pattern, trouble, mark, words):
    swift.misbehave(method, pattern, trouble, times=-1)
    status, output = shared.berth("storage", "check")
    assert status == (1 if mark == "FAILED" else 0), output
    assert mark in output and words in output, output
    swift.behave()
    for key in swift.keys("shared/check-"):
        del swift.objects[key]


@pytest.mark.own_server
def test_a_server_without_bulk_delete_is_asked_one_by_one(make_registry, name):
    with SwiftServer(bulk=False) as swift:
        registry = make_registry(**swift.settings(STORAGE_SWIFT_PREFIX="single"))
        upload = registry.client().repository(name).start_upload()
        upload.patch(LARGE, 0)
        upload.request("DELETE", expect=204)
        assert swift.keys("single/") == []
        status, output = registry.berth("storage", "check")
        assert status == 0 and "there is no bulk delete" in output, output
        registry.assert_fsck_clean()
        assert registry.stop() == 0


def test_health_is_asked_of_the_container(shared, swift):
    answer = shared.client(auth="basic").get("/api/v2.0/health", expect=200)
    assert answer.json()["status"] == "healthy"
