# SPDX-License-Identifier: Apache-2.0
"""Bytes at another server, whichever it speaks to: what was acknowledged is there and right, what is not is told in words to the
operator and without them to the client. What only S3 or only Swift has is in test_s3.py and test_swift.py."""
import re

import pytest

from harness import oci
from harness.remote import LARGE, MIB, SMALL, assert_nothing_left, blob_key, registry_on
from harness.s3 import S3Server
from harness.swift import SwiftServer

pytestmark = pytest.mark.slow  # a server in Python beside each; with the sanitizers the units of the drivers look at the same code


@pytest.fixture(scope="module", params=[S3Server, SwiftServer], ids=["s3", "swift"])
def remote_shared(request):
    with request.param() as server:
        yield server


@pytest.fixture
def remote(remote_shared):
    yield remote_shared
    remote_shared.behave()


@pytest.fixture(scope="module")
def shared(remote_shared, tmp_path_factory):
    with registry_on(remote_shared, tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture
def repo(shared, remote, name):
    remote.left_before = remote.left_of_uploads("shared")
    yield shared.client().repository(name)
    shared.assert_nothing_leaked()


# -- good

@pytest.mark.parametrize("data", [b"", b"x", SMALL, LARGE], ids=["empty", "tiny", "small", "large"])
def test_a_blob_is_stored_under_its_digest(repo, remote, data):
    digest = repo.push_blob(data)
    assert remote.objects[blob_key(digest)].bytes == data
    assert repo.get_blob(digest).content == data
    assert_nothing_left(remote)


def test_a_small_blob_is_three_requests(repo, remote):
    """Is there an upload of that name; is the blob there already; and the bytes, whose etag proves them."""
    repo.push_blob(b"first")
    before = len(remote.requests)
    repo.push_blob(b"the second blob", style="single-post")
    assert sorted(method for method, _ in remote.requests[before:]) == ["GET", "HEAD", "PUT"], remote.requests[before:]


def test_ranges(repo):
    digest = repo.push_blob(LARGE[2:])
    for first, last in ((0, 0), (5, 9), (9 * MIB, 9 * MIB + 70_000), (len(LARGE) - 10, len(LARGE) - 3)):
        answer = repo.get_blob(digest, headers={"Range": f"bytes={first}-{last}"}, expect=206)
        assert answer.content == LARGE[2:][first:last + 1]


def test_chunks_over_several_requests(repo, remote):
    data = LARGE[3:]
    upload = repo.start_upload()
    for first in range(0, len(data), 5 * MIB):
        upload.patch(data[first:first + 5 * MIB], first)
    upload.put(oci.digest_of(data))
    assert repo.get_blob(oci.digest_of(data)).content == data
    assert_nothing_left(remote)


@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_a_cancelled_upload_and_a_wrong_digest_leave_nothing(repo, remote, data):
    upload = repo.start_upload()
    upload.patch(data, 0)
    upload.request("DELETE", expect=204)
    assert_nothing_left(remote)
    repo.start_upload().put(oci.digest_of(b"other"), data, expect=400)
    assert_nothing_left(remote)


@pytest.mark.own_server
def test_an_upload_survives_the_server(remote, make_registry, name):
    registry = make_registry(**remote.settings(**remote.prefix("own")))
    repo = registry.client().repository(name)
    upload = repo.start_upload()
    upload.patch(LARGE[:12 * MIB], 0)
    registry.restart()
    upload.patch(LARGE[12 * MIB:], 12 * MIB)
    upload.put(oci.digest_of(LARGE))
    assert repo.get_blob(oci.digest_of(LARGE)).content == LARGE
    assert_nothing_left(remote, "own")


# -- slow, broken and lying

@pytest.mark.parametrize("trouble", ["slow_down", "rate", "internal", "reset", "half"])
def test_what_may_pass_is_tried_again(repo, remote, trouble):
    """Every request of an upload and of a pull goes wrong twice."""
    if trouble not in remote.passes:
        pytest.skip("it has no such trouble")
    data = oci.random_bytes(10 * MIB, trouble)
    for method in ("PUT", "POST", "HEAD", "GET", "DELETE"):
        kind = "reset" if trouble == "half" and method in remote.no_body else trouble
        remote.misbehave(method, ".", kind, times=2)
    digest = repo.push_blob(data)
    remote.misbehave("GET", "/blobs/", trouble, times=2)
    assert repo.get_blob(digest).content == data
    assert_nothing_left(remote)


def test_a_pull_that_breaks_off_goes_on_where_it_was(repo, remote):
    digest = repo.push_blob(LARGE[6:])
    before = len(remote.requests)
    remote.misbehave("GET", "/blobs/", "half", times=6)
    assert repo.get_blob(digest).content == LARGE[6:]
    assert len(remote.requests) - before >= 7


@pytest.mark.expect_errors("503", "BUSY")
def test_a_server_that_stays_slow_is_503(repo, remote):
    remote.misbehave("PUT", "/blobs/", "slow_down", times=-1)
    answer = repo.start_upload().put(oci.digest_of(b"slow"), b"slow", expect=503)
    assert int(answer.headers["Retry-After"]) >= 1
    assert remote.place not in answer.text and "SlowDown" not in answer.text
    remote.behave()
    repo.head_blob(oci.digest_of(b"slow"), expect=404)
    repo.push_blob(b"slow")


def test_an_answer_shorter_than_it_said_is_asked_for_again(repo, remote):
    digest = repo.push_blob(SMALL[2:] * 30)
    remote.misbehave("GET", "/blobs/", "longer", times=3)
    assert repo.get_blob(digest).content == SMALL[2:] * 30


def test_a_size_that_is_a_lie_fails_the_pull_before_its_first_byte(repo, remote):
    digest = repo.push_blob(SMALL[2:] * 31)
    remote.misbehave("GET", "/blobs/", "wrong_total")
    repo.get_blob(digest, expect=500)
    assert repo.get_blob(digest).content == SMALL[2:] * 31


# -- tenants, fsck and the check

@pytest.mark.parametrize("data", [SMALL[4:], LARGE[8:]], ids=["small", "large"])
def test_an_encrypted_storage_shows_nothing(shared, remote, name, data):
    location = f"sealed-{len(data)}"
    tenant = shared.tenant(location, storage={"location": location, "encrypted": True})
    repo = tenant.client().repository(name)
    upload = repo.start_upload()
    upload.patch(data[:50_000], 0)
    upload.patch(data[50_000:], 50_000)
    upload.put(oci.digest_of(data))
    assert repo.get_blob(oci.digest_of(data)).content == data
    place = f"shared/storages/{location}"
    stored = remote.objects[blob_key(oci.digest_of(data), place)].bytes
    assert stored.startswith(b"BERTHENC") and data[1000:1032] not in stored
    assert_nothing_left(remote, place)


def test_fsck_finds_what_is_missing_changed_and_too_much(shared, repo, remote):
    digest = repo.push_blob(SMALL[6:])
    key = blob_key(digest)
    kept = remote.objects[key]
    stray = {"shared/blobs/notes": b"", "shared/uploads/0123": b"", f"shared/blobs/sha256/00/{'0' * 64}": b"orphan", **remote.strays}
    try:
        for name, content in stray.items():
            remote.objects[name] = type(kept)(content)
        remote.objects[key] = type(kept)(kept.bytes[:-1] + b"!")
        status, output = shared.fsck()
        assert status == 1
        for word in (digest, "blobs/notes", "uploads/0123", "0" * 64, *remote.stray_words):
            assert word in output, output
        del remote.objects[key]
        assert digest in shared.fsck(quick=True)[1]
    finally:
        remote.objects[key] = kept
        for name in stray:
            remote.objects.pop(name, None)
    shared.assert_fsck_clean()


def test_the_check_finds_a_good_server_good(shared, remote):
    status, output = shared.berth("storage", "check")
    assert status == 0, output
    assert re.search(r"^\d+ good, 0 quirks, 0 failed$", output, re.M), output
    assert remote.keys("shared/check-") == []
