# SPDX-License-Identifier: Apache-2.0
"""A request that waits for what others hold is ended in words, in time, and without a trace."""
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import oci
from harness.client import codes

pytestmark = [
    pytest.mark.own_server, pytest.mark.settings(http_request_timeout="2s"), pytest.mark.expect_errors("503"),
]


def assert_ended(answer):
    assert codes(answer) == ["TOOMANYREQUESTS"]
    assert int(answer.headers["Retry-After"]) > 0


def test_push_that_waits_for_a_lock(registry, repo):
    old, new = oci.image("old"), oci.image("new")
    repo.push(old, "v1")
    for blob in new.blobs:
        repo.push_blob(blob)
    with registry.locked_database():
        assert_ended(repo.put_manifest(new, "v1", expect=503))
        assert repo.get_manifest("v1").content == old.body
    repo.get_manifest(new.digest, expect=404)
    assert repo.tag_names() == ["v1"]
    repo.put_manifest(new, "v1")
    assert repo.get_manifest("v1").content == new.body


def test_delete_that_waits_for_a_lock(registry, repo):
    content = oci.image("stays")
    repo.push(content, "v1")
    with registry.locked_database():
        assert_ended(repo.delete_manifest(content.digest, expect=503))
    assert repo.get_manifest("v1").content == content.body
    repo.delete_manifest(content.digest)


def test_upload_that_waits_for_a_lock_can_be_repeated(registry, repo):
    data = oci.random_bytes(100_000, "repeated")
    upload = repo.start_upload()
    upload.patch(data)
    with registry.locked_database():
        assert_ended(repo.request("POST", f"{repo.base}/blobs/uploads/", expect=503))
        assert_ended(upload.put(oci.digest_of(data), expect=503))
        repo.head_blob(oci.digest_of(data), expect=404)
    upload.put(oci.digest_of(data))
    assert repo.get_blob(oci.digest_of(data)).content == data


def test_those_who_wait_do_not_keep_others_from_reading(registry, repo):
    content = oci.image("read meanwhile")
    repo.push(content, "v1")
    with registry.locked_database(), ThreadPoolExecutor(6) as pool:
        waiting = [pool.submit(repo.request, "POST", f"{repo.base}/blobs/uploads/", expect=503) for _ in range(6)]
        assert repo.get_manifest(content.digest).content == content.body
        for blob in content.blobs:
            assert repo.get_blob(oci.digest_of(blob)).content == blob
        for answer in waiting:
            assert_ended(answer.result())
