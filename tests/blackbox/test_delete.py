# SPDX-License-Identifier: Apache-2.0
"""Deleting tags, manifests and blobs: at once, exactly what was named, and nothing more."""
import pytest

from harness import oci
from harness.client import codes


def test_tag(repo):
    content = oci.image("tag")
    repo.push(content, "v1")
    repo.put_manifest(content, "v2")
    repo.delete_manifest("v1")
    repo.head_manifest("v1", expect=404)
    repo.get_manifest("v1", expect=404)
    assert repo.get_manifest("v2").content == content.body
    assert repo.get_manifest(content.digest).content == content.body
    assert repo.tag_names() == ["v2"]


def test_last_tag_keeps_the_manifest(repo):
    content = oci.image("last tag")
    repo.push(content, "only")
    repo.delete_manifest("only")
    assert repo.get_manifest(content.digest).content == content.body


def test_manifest_by_digest_takes_its_tags(repo):
    """distribution#3828, nora#697."""
    content, stays = oci.image("digest"), oci.image("stays")
    repo.push(stays, "stays")
    repo.push(content, "v1")
    repo.put_manifest(content, "v2")
    repo.delete_manifest(content.digest)
    for reference in ("v1", "v2", content.digest):
        repo.head_manifest(reference, expect=404)
        repo.get_manifest(reference, expect=404)
    assert repo.tag_names() == ["stays"]


def test_blob(repo):
    digest = repo.push_blob(b"delete me")
    repo.delete_blob(digest)
    repo.head_blob(digest, expect=404)
    repo.get_blob(digest, expect=404)


def test_sha512(repo):
    data = oci.random_bytes(100, "512")
    digest = repo.push_blob(data, "sha512")
    repo.delete_blob(digest)
    repo.head_blob(digest, expect=404)
    content = oci.image("512")
    repo.push(content)
    repo.put_manifest(content, content.digest_as("sha512"))
    repo.delete_manifest(content.digest_as("sha512"))
    repo.head_manifest(content.digest_as("sha512"), expect=404)


def test_absent_things_are_404(repo):
    repo.push_blob(b"so that the repository exists")
    assert codes(repo.delete_manifest("nope", expect=404)) == ["MANIFEST_UNKNOWN"]
    assert codes(repo.delete_manifest(oci.digest_of(b"nope"), expect=404)) == ["MANIFEST_UNKNOWN"]
    assert codes(repo.delete_blob(oci.digest_of(b"nope"), expect=404)) == ["BLOB_UNKNOWN"]


def test_second_delete_is_404(repo):
    content = oci.image("second")
    repo.push(content, "v1")
    repo.delete_manifest("v1")
    repo.delete_manifest("v1", expect=404)
    repo.delete_manifest(content.digest)
    repo.delete_manifest(content.digest, expect=404)
    digest = oci.digest_of(content.blobs[0])
    repo.delete_blob(digest)
    repo.delete_blob(digest, expect=404)


def test_unknown_repository_is_404(other):
    other.delete_manifest("v1", expect=404)
    other.delete_blob(oci.digest_of(b"x"), expect=404)


@pytest.mark.parametrize("reference", ["sha256:short", ".bad", "sha256:" + "A" * 64])
def test_malformed_reference(repo, reference):
    repo.push_blob(b"so that the repository exists")
    repo.delete_manifest(reference, expect=(400, 404))


def test_blob_delete_is_from_this_repository_only(repo, other):
    digest = repo.push_blob(b"shared")
    other.push_blob(b"shared")
    repo.delete_blob(digest)
    repo.head_blob(digest, expect=404)
    assert other.get_blob(digest).content == b"shared"


def test_manifest_delete_is_from_this_repository_only(repo, other):
    content = oci.image("shared manifest")
    repo.push(content, "v1")
    other.push(content, "v1")
    repo.delete_manifest(content.digest)
    assert other.get_manifest("v1").content == content.body


def test_blob_in_use(repo):
    """The specification says 202: it is gone from this repository; a refusal would be 405."""
    content = oci.image("in use")
    repo.push(content, "v1")
    digest = oci.digest_of(content.blobs[1])
    answer = repo.delete_blob(digest, expect=(202, 405))
    assert repo.has_blob(digest) == (answer.status_code == 405)
    assert repo.get_manifest("v1").content == content.body


def test_child_of_an_index(repo):
    index = oci.index([oci.image("child 1"), oci.image("child 2")])
    repo.push(index, "multi")
    child = index.children[0]
    repo.delete_manifest(child.digest)
    repo.get_manifest(child.digest, expect=404)
    assert repo.get_manifest("multi").content == index.body


def test_index_keeps_its_children(repo):
    """distribution#3178: children of a tagged index must not go with anything else."""
    index = oci.index([oci.image("k1"), oci.image("k2")])
    other_index = oci.index([index.children[0]])
    repo.push(index, "multi")
    repo.push(other_index, "single")
    repo.delete_manifest(other_index.digest)
    for child in index.children:
        assert repo.get_manifest(child.digest).content == child.body


def test_deleted_then_pushed_again(repo):
    """distribution#4269, #4868: "layer already exists", then MANIFEST_UNKNOWN, from a stale cache."""
    content = oci.image("again")
    for _ in range(3):
        repo.push(content, "v1")
        assert repo.get_manifest("v1").content == content.body
        for blob in content.blobs:
            assert repo.get_blob(oci.digest_of(blob)).content == blob
        repo.delete_manifest(content.digest)
        for blob in content.blobs:
            repo.delete_blob(oci.digest_of(blob))
            repo.head_blob(oci.digest_of(blob), expect=404)


@pytest.mark.settings(registry_delete="false")
class TestDeleteDisabled:
    """Decision 5: 405, and for manifests the code UNSUPPORTED."""

    def test_blob(self, repo):
        digest = repo.push_blob(b"keep me")
        assert codes(repo.delete_blob(digest, expect=405)) == ["UNSUPPORTED"]
        assert repo.get_blob(digest).content == b"keep me"

    def test_manifest_and_tag(self, repo):
        content = oci.image("keep")
        repo.push(content, "v1")
        assert codes(repo.delete_manifest("v1", expect=(400, 405))) == ["UNSUPPORTED"]
        assert codes(repo.delete_manifest(content.digest, expect=(400, 405))) == ["UNSUPPORTED"]
        assert repo.get_manifest("v1").content == content.body

    def test_upload_cancel_still_works(self, repo):
        repo.start_upload().cancel()
