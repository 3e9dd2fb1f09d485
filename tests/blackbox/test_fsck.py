# SPDX-License-Identifier: Apache-2.0
"""`berth fsck` finds every difference between rows and bytes, names it, and changes nothing."""
import os

import pytest
import requests

from harness import oci

pytestmark = pytest.mark.own_server


@pytest.fixture
def broken(registry, repo, request):
    """A server with one blob, stopped; (registry, path of the blob's file, digest)."""
    content = oci.image("fsck")
    repo.push(content, "v1")
    digest = oci.digest_of(content.blobs[1])
    registry.assert_fsck_clean()
    path = next(path for path in registry.stored_files() if digest.split(":")[1] in str(path))
    registry.stop()
    return registry, path, digest


def test_clean_while_serving(registry, repo):
    repo.push(oci.index([oci.image("f1"), oci.image("f2")]), "multi")
    repo.start_upload().patch(b"under way", 0)
    registry.assert_fsck_clean()


def test_clean_when_stopped_and_when_killed(registry, repo):
    repo.push(oci.image("stopped"), "v1")
    registry.stop()
    registry.assert_fsck_clean()
    registry.start()
    repo.push(oci.image("killed"), "v2")
    registry.kill9()
    registry.assert_fsck_clean()


def test_clean_when_empty(registry):
    registry.assert_fsck_clean()


def test_lost_bytes(broken):
    registry, path, digest = broken
    saved = path.read_bytes()
    path.unlink()
    status, output = registry.fsck()
    assert status == 1 and digest.split(":")[1] in output, output
    path.write_bytes(saved)
    registry.assert_fsck_clean()


def test_flipped_bit(broken):
    registry, path, digest = broken
    saved = path.read_bytes()
    os.chmod(path, 0o644)
    path.write_bytes(bytes([saved[0] ^ 1]) + saved[1:])
    status, output = registry.fsck()
    assert status == 1 and digest.split(":")[1] in output, output
    path.write_bytes(saved)
    registry.assert_fsck_clean()


def test_truncated_bytes(broken):
    registry, path, digest = broken
    saved = path.read_bytes()
    os.chmod(path, 0o644)
    path.write_bytes(saved[:-1])
    status, output = registry.fsck()
    assert status == 1 and digest.split(":")[1] in output, output
    path.write_bytes(saved)


def test_stray_file(broken):
    registry, path, _ = broken
    stray = path.parent / "not-a-digest"
    stray.write_bytes(b"stray")
    status, output = registry.fsck()
    assert status == 1 and "not-a-digest" in output, output
    assert stray.exists(), "fsck reports and never touches"
    stray.unlink()


def test_says_when_it_cannot_run(make_registry, tmp_path):
    registry = make_registry(start=False)
    registry.data.mkdir()
    registry.settings["DATABASE_URL"] = "postgresql:///nowhere?host=/nonexistent"
    registry.database, kept = None, registry.database
    status, output = registry.fsck()
    registry.database = kept
    assert status == 2, output
    assert output.strip()


@pytest.mark.expect_errors("500", "CORRUPT", "STORAGE", "INTERNAL")
def test_corrupt_bytes_are_never_served_silently(broken, client, repo):
    """A blob cut short on disk must not be answered as 200 with the full length."""
    registry, path, digest = broken
    saved = path.read_bytes()
    os.chmod(path, 0o644)
    path.write_bytes(saved[:100])
    registry.start()
    try:
        answer = repo.client.session.get(
            registry.url + repo.blob_path(digest), headers={"Authorization": client.basic()}, timeout=30)
        assert answer.status_code >= 400 or len(answer.content) == 100 != len(saved), answer.status_code
        assert answer.status_code >= 400 or answer.headers["Content-Length"] == "100"
    except requests.exceptions.RequestException:
        pass
    registry.stop()
    path.write_bytes(saved)

