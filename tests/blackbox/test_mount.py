# SPDX-License-Identifier: Apache-2.0
"""Cross-repository mounts: never an error, at worst a session."""
import pytest

from harness import oci
from harness.client import Upload


def finish(repo, answer, data):
    """Uses the session of a 202; a mount that did not happen must still lead to a push."""
    assert answer.status_code == 202
    assert answer.headers["Location"].startswith(f"{repo.base}/blobs/uploads/")
    Upload(repo, answer).put(oci.digest_of(data), data)
    assert repo.get_blob(oci.digest_of(data)).content == data


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_mount_from_another_repository(repo, other, algorithm):
    data = oci.random_bytes(1000, "mount")
    digest = repo.push_blob(data, algorithm)
    answer = other.mount(digest, repo.name)
    assert answer.headers["Location"] == other.blob_path(digest)
    assert answer.headers["Docker-Content-Digest"] == digest
    assert other.get_blob(digest).content == data


def test_mount_stores_nothing_twice(repo, other, registry):
    digest = repo.push_blob(oci.random_bytes(1000, "once"))
    before = registry.stored_files()
    other.mount(digest, repo.name)
    assert registry.stored_files() == before


def test_mount_without_from(repo, other):
    """(1.1) automatic mount: 201 if found, a session otherwise."""
    data = oci.random_bytes(1000, "automatic")
    digest = repo.push_blob(data)
    answer = other.mount(digest, expect=(201, 202))
    if answer.status_code == 202:
        finish(other, answer, data)
    assert other.get_blob(digest).content == data


def test_mount_without_from_of_an_unknown_blob(repo):
    data = oci.random_bytes(50, "missing")
    finish(repo, repo.mount(oci.digest_of(data), expect=202), data)


def test_mount_of_an_unknown_blob_is_a_session(repo, other):
    repo.push_blob(b"so that the repository exists")
    data = oci.random_bytes(60, "unknown")
    finish(other, other.mount(oci.digest_of(data), repo.name, expect=202), data)


def test_mount_from_an_unknown_repository_is_a_session(repo):
    data = oci.random_bytes(70, "unknown repository")
    finish(repo, repo.mount(oci.digest_of(data), "tests/never-existed", expect=202), data)


def test_mount_from_an_unknown_project_is_a_session(repo):
    data = oci.random_bytes(71, "unknown project")
    finish(repo, repo.mount(oci.digest_of(data), "never/existed", expect=202), data)


@pytest.mark.parametrize("source", ["UPPER/case", "..", "a//b", "a%2F..%2Fb", "x" * 300])
def test_mount_from_an_invalid_name(repo, source):
    digest = oci.digest_of(b"whatever")
    repo.request("POST", f"{repo.base}/blobs/uploads/?mount={digest}&from={source}", expect=(202, 400))


@pytest.mark.parametrize("digest", ["sha256:short", "nonsense", "", "md5:" + "0" * 32])
def test_mount_of_a_malformed_digest(repo, digest):
    repo.push_blob(b"so that the repository exists")
    repo.request("POST", f"{repo.base}/blobs/uploads/", params={"mount": digest, "from": repo.name}, expect=(202, 400))


def test_mount_into_itself(repo):
    digest = repo.push_blob(b"self")
    assert repo.mount(digest, repo.name, expect=(201, 202)).status_code == 201


def test_mount_with_percent_encoded_from(repo, other):
    digest = repo.push_blob(b"encoded")
    encoded = repo.name.replace("/", "%2F")
    answer = other.request(
        "POST", f"{other.base}/blobs/uploads/?mount={digest.replace(':', '%3A')}&from={encoded}",
        scopes=(f"repository:{repo.name}:pull",), expect=201,
    )
    assert answer.headers["Location"] == other.blob_path(digest)


def test_mounted_blob_survives_the_source(repo, other):
    data = oci.random_bytes(900, "survivor")
    digest = repo.push_blob(data)
    other.mount(digest, repo.name)
    repo.delete_blob(digest)
    repo.head_blob(digest, expect=404)
    assert other.get_blob(digest).content == data


def test_deleted_blob_cannot_be_mounted(repo, other):
    data = oci.random_bytes(901, "gone")
    digest = repo.push_blob(data)
    repo.delete_blob(digest)
    answer = other.mount(digest, repo.name, expect=202)
    finish(other, answer, data)


def test_mount_without_right_on_the_source_is_a_session(registry, client, repo, other):
    """Decision 7 (containerd#14086, buildkit#2454): 202, never 401 or 403, and nothing leaks."""
    data = oci.random_bytes(902, "private")
    digest = repo.push_blob(data)
    if not client.realm():
        pytest.skip("the server asks for no credentials")
    token = client.fetch_token(f"repository:{other.name}:pull,push")["token"]
    answer = other.request(
        "POST", f"{other.base}/blobs/uploads/", params={"mount": digest, "from": repo.name},
        headers={"Authorization": f"Bearer {token}"}, expect=202,
    )
    other.head_blob(digest, expect=404)
    finish(other, answer, data)


def test_mount_with_origin_parameter(repo, other):
    """ggcr adds origin=."""
    digest = repo.push_blob(b"origin")
    other.request(
        "POST", f"{other.base}/blobs/uploads/", params={"mount": digest, "from": repo.name, "origin": "registry.test"},
        scopes=(f"repository:{repo.name}:pull",), expect=201,
    )


def test_cancelling_the_session_of_a_failed_mount(repo):
    """containers/image sends DELETE after a 202 to a mount and wants 204."""
    answer = repo.mount(oci.digest_of(b"never pushed"), "tests/never-existed", expect=202)
    Upload(repo, answer).cancel()
