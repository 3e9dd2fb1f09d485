# SPDX-License-Identifier: Apache-2.0
"""What only a real S3 server can say: the one that BERTH_TEST_S3 names (tests/tools/with-ceph, with-s3-program). Without one there is
nothing here; what every storage must do is told by the other files, which use that server as well."""
import os
import re

import pytest
import requests

from harness import oci
from harness.remote import MIB
from harness.wait import wait_until

pytestmark = pytest.mark.skipif("BERTH_TEST_S3" not in os.environ, reason="no real server")
LARGE = oci.random_bytes(42 * MIB + 99, "real")


@pytest.fixture
def repo(make_registry, name):
    return make_registry(STORAGE_S3_REDIRECT_NETWORKS="127.0.0.1", STORAGE_S3_REDIRECT_EXPIRY="60s").client().repository(name)


def test_the_check_fails_nowhere(repo):
    status, output = repo.client.registry.berth("storage", "check")
    assert status == 0, output
    assert re.search(r"^\d+ good, \d quirks?, 0 failed$", output, re.M), output


def test_parts_that_leave_together_become_the_blob_and_its_url_is_accepted(repo):
    """Whole, a range of it, and nothing else."""
    digest = repo.push_blob(LARGE)
    url = repo.get_blob(digest, expect=307).headers["Location"]
    with requests.Session() as session:
        session.trust_env = False
        whole = session.get(url, timeout=60)
        assert whole.status_code == 200 and whole.content == LARGE
        assert whole.headers["Content-Type"] == "application/octet-stream"
        piece = session.get(url, timeout=60, headers={"Range": "bytes=8388600-8388620"})
        assert piece.status_code == 206 and piece.content == LARGE[8388600:8388621]
        assert session.get(url.replace("X-Amz-Expires=60", "X-Amz-Expires=600"), timeout=60).status_code == 403
        assert session.put(url, b"x", timeout=60).status_code == 403


def test_an_upload_in_chunks_goes_on_behind_each(repo):
    upload = repo.start_upload()
    for start in range(0, len(LARGE), 11 * MIB):
        upload.patch(LARGE[start:start + 11 * MIB], start)
    upload.put(oci.digest_of(LARGE))
    answer = repo.get_blob(oci.digest_of(LARGE), headers={"Range": "bytes=0-9,41943040-"}, expect=206)
    assert LARGE[41943040:] in answer.content


def test_what_was_deleted_is_collected_and_can_come_back(make_registry, name):
    registry = make_registry(GARBAGE_WINDOW="0s")
    repo = registry.client().repository(name)
    content = oci.image("collected", layers=2)
    digests = [oci.digest_of(blob) for blob in content.blobs]
    for _ in range(2):
        repo.insist(content, "v1")
        assert [repo.get_blob(digest).content for digest in digests] == list(content.blobs)
        repo.delete_manifest(content.digest)
        named = ", ".join(f"'{digest}'" for digest in digests)
        wait_until(lambda: not registry.query(f"SELECT id FROM blob WHERE digest IN ({named})"), what="its blobs being collected")
        for digest in digests:
            repo.head_blob(digest, expect=404)
    registry.assert_fsck_clean()


def test_an_upload_that_is_cancelled_leaves_nothing(repo):
    upload = repo.start_upload()
    upload.patch(LARGE[:20 * MIB], 0)
    upload.cancel()
    repo.request("GET", upload.location, expect=404)
    repo.head_blob(oci.digest_of(LARGE), expect=404)
