# SPDX-License-Identifier: Apache-2.0
"""Pull: manifests and blobs by GET and HEAD, conditional requests, and what the headers say."""
import urllib.parse

import pytest

from harness import oci
from harness.client import codes

ALGORITHMS = ["sha256", "sha512"]


@pytest.fixture
def pushed(repo):
    content = oci.image("pull", layers=2)
    repo.push(content, "v1")
    return content


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_manifest_comes_back_byte_for_byte(repo, pushed, by):
    reference = "v1" if by == "tag" else pushed.digest
    answer = repo.get_manifest(reference)
    assert answer.content == pushed.body
    assert answer.headers["Content-Type"] == pushed.media_type
    assert answer.headers["Content-Length"] == str(len(pushed.body))
    assert answer.headers["Docker-Content-Digest"] == pushed.digest


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_manifest_head_equals_get(repo, pushed, by):
    reference = "v1" if by == "tag" else pushed.digest
    get, head = repo.get_manifest(reference), repo.head_manifest(reference)
    for field in ("Content-Type", "Content-Length", "Docker-Content-Digest", "ETag"):
        assert get.headers[field] == head.headers[field], field


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_blob_comes_back_byte_for_byte(repo, algorithm):
    data = oci.random_bytes(100_000, algorithm)
    digest = repo.push_blob(data, algorithm)
    answer = repo.get_blob(digest)
    assert answer.content == data
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_blob_head_equals_get(repo, algorithm):
    digest = repo.push_blob(oci.random_bytes(5_000, "head"), algorithm)
    get, head = repo.get_blob(digest), repo.head_blob(digest)
    for field in ("Content-Type", "Content-Length", "Docker-Content-Digest", "ETag", "Accept-Ranges"):
        assert get.headers[field] == head.headers[field], field


def test_digest_header_is_in_the_algorithm_asked_for(repo):
    """A sha512 GET answered with a sha256 header fails dozens of checks of the conformance suite."""
    data = oci.random_bytes(1000, "both")
    for algorithm in ALGORITHMS:
        digest = repo.push_blob(data, algorithm)
        assert repo.head_blob(digest).headers["Docker-Content-Digest"] == digest
    content = oci.image("both")
    repo.push(content)
    for algorithm in ALGORITHMS:
        digest = content.digest_as(algorithm)
        repo.put_manifest(content, digest)
        assert repo.get_manifest(digest).headers["Docker-Content-Digest"] == digest
        assert repo.head_manifest(digest).headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize("style", ["post-put", "single-post", "chunks-last-in-put"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_empty_blob(repo, style, algorithm):
    digest = repo.push_blob(b"", algorithm, style)
    assert repo.get_blob(digest).content == b""
    head = repo.head_blob(digest)
    assert head.headers["Content-Length"] == "0"


def test_unknown_things_are_404(repo, pushed):
    nothing = oci.digest_of(b"nothing")
    assert codes(repo.get_manifest("nope", expect=404)) == ["MANIFEST_UNKNOWN"]
    assert codes(repo.get_manifest(nothing, expect=404)) == ["MANIFEST_UNKNOWN"]
    assert codes(repo.get_blob(nothing, expect=404)) == ["BLOB_UNKNOWN"]
    repo.head_manifest("nope", expect=404)
    repo.head_manifest(nothing, expect=404)
    repo.head_blob(nothing, expect=404)


def test_unknown_repository_is_404(other):
    nothing = oci.digest_of(b"nothing")
    assert codes(other.get_manifest("v1", expect=404))[0] in ("NAME_UNKNOWN", "MANIFEST_UNKNOWN")
    assert codes(other.get_blob(nothing, expect=404))[0] in ("NAME_UNKNOWN", "BLOB_UNKNOWN")
    other.head_manifest("v1", expect=404)
    other.head_manifest(nothing, expect=404)
    other.head_blob(nothing, expect=404)


def test_unknown_project_is_404_for_the_admin(client):
    nowhere = client.repository("no-such-project/no-such-repository")
    nowhere.get_manifest("v1", expect=404)
    nowhere.head_blob(oci.digest_of(b"x"), expect=404)


def test_blob_of_another_repository_is_404(repo, other):
    digest = repo.push_blob(b"only here")
    other.get_blob(digest, expect=404)
    other.head_blob(digest, expect=404)


def test_manifest_of_another_repository_is_404(repo, other, pushed):
    other.push_blob(b"so that the repository exists")
    other.get_manifest(pushed.digest, expect=404)
    other.head_manifest("v1", expect=404)


@pytest.mark.parametrize("reference", [".INVALID_MANIFEST_NAME", "-x", "a" * 129, "sp%20ace", "a:b:c", "%C3%A4"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_invalid_tag_is_404_on_pull(repo, pushed, reference, method):
    """Decision 2: the old conformance suite wants 404, not 400."""
    status = repo.request(method, repo.manifest_path(reference)).status_code
    assert status == 404 or (":" in reference and status == 400)


@pytest.mark.parametrize("digest", ["sha256:totallywrong", "sha256:" + "A" * 64, "sha256:" + "a" * 63, "md5:" + "a" * 32, "sha512:" + "a" * 64])
def test_invalid_digest_on_pull(repo, pushed, digest):
    assert codes(repo.get_blob(digest, expect=(400, 404)))[0] in ("DIGEST_INVALID", "BLOB_UNKNOWN")
    assert codes(repo.get_manifest(digest, expect=(400, 404)))[0] in ("DIGEST_INVALID", "MANIFEST_UNKNOWN")


@pytest.mark.parametrize("accept", [None, "*/*", "text/html", "application/vnd.docker.distribution.manifest.v1+json",
                                    "application/json;q=0.1, image/png"])
def test_accept_never_hides_a_manifest(repo, pushed, accept):
    """oc-mirror#677, docker-drag#41, cup#132: 404 because of Accept breaks clients."""
    repo.client.session.headers.pop("Accept", None)
    assert repo.get_manifest("v1", accept=accept).content == pushed.body


def test_accept_never_rewrites_an_index(repo):
    """No platform selection on the server: an index stays an index."""
    content = oci.index([oci.image("a"), oci.image("b")])
    repo.push(content, "multi")
    answer = repo.get_manifest("multi", accept=oci.OCI_MANIFEST)
    assert answer.content == content.body
    assert answer.headers["Content-Type"] == oci.OCI_INDEX


@pytest.mark.parametrize("encoding", ["zstd;q=1.0, gzip;q=0.8, deflate;q=0.5", "gzip", "br"])
def test_nothing_is_ever_encoded(repo, pushed, encoding):
    digest = repo.push_blob(b"a" * 100_000)
    answer = repo.get_blob(digest, headers={"Accept-Encoding": encoding})
    assert answer.content == b"a" * 100_000 and answer.headers["Content-Length"] == "100000"
    answer = repo.get_manifest("v1", headers={"Accept-Encoding": encoding})
    assert answer.content == pushed.body


def test_percent_encoded_segments(repo, pushed):
    digest = repo.push_blob(b"percent")
    encoded = digest.replace(":", "%3A")
    assert repo.get_blob(encoded).content == b"percent"
    assert repo.get_manifest(pushed.digest.replace(":", "%3a")).content == pushed.body
    whole = urllib.parse.quote(repo.name, safe="")
    answer = repo.request("GET", f"/v2/{whole}/manifests/v1", expect=(200, 404))
    if answer.status_code == 200:
        assert answer.content == pushed.body


def test_ns_parameter_is_ignored(repo, pushed):
    assert repo.get_manifest("v1", params={"ns": "docker.io"}).content == pushed.body


def test_etag_is_the_quoted_digest(repo, pushed):
    digest = repo.push_blob(b"etag")
    assert repo.head_blob(digest).headers["ETag"] == f'"{digest}"'
    assert repo.head_manifest("v1").headers["ETag"] == f'"{pushed.digest}"'


@pytest.mark.parametrize("tag", ['"{0}"', '"nothing", "{0}"', 'W/"{0}"', "*"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_if_none_match_answers_304(repo, pushed, tag, method):
    digest = repo.push_blob(b"304")
    answer = repo.request(method, repo.blob_path(digest), expect=304, headers={"If-None-Match": tag.format(digest)})
    assert answer.headers["ETag"] == f'"{digest}"'
    answer = repo.request(
        method, repo.manifest_path("v1"), expect=304, headers={"If-None-Match": tag.format(pushed.digest)}
    )
    assert answer.headers["ETag"] == f'"{pushed.digest}"'


def test_if_none_match_of_something_else_answers_200(repo, pushed):
    assert repo.get_manifest("v1", headers={"If-None-Match": '"sha256:other"'}).content == pushed.body


def test_if_none_match_of_an_unknown_manifest_is_404(repo, pushed):
    repo.get_manifest("nope", expect=404, headers={"If-None-Match": "*"})


def test_blobs_may_be_cached(repo):
    digest = repo.push_blob(b"cache me")
    assert "max-age" in repo.get_blob(digest).headers["Cache-Control"]


def test_many_repositories_share_bytes_but_not_names(client, registry, name):
    data = oci.random_bytes(3000, name)
    repositories = [client.repository(f"{name}/{number}") for number in range(5)]
    digests = {repository.push_blob(data) for repository in repositories}
    assert len(digests) == 1
    hexadecimal = digests.pop().split(":")[1]
    files = [path for path in registry.stored_files() if hexadecimal in str(path)]
    assert len(files) <= 1, f"stored {len(files)} times"
    for repository in repositories:
        assert repository.get_blob("sha256:" + hexadecimal).content == data


def test_docker_types_are_served_like_oci(repo):
    content = oci.image("docker", media_type=oci.DOCKER_MANIFEST)
    listing = oci.index([content], media_type=oci.DOCKER_LIST)
    repo.push(listing, "list")
    assert repo.get_manifest("list").headers["Content-Type"] == oci.DOCKER_LIST
    assert repo.get_manifest(content.digest).headers["Content-Type"] == oci.DOCKER_MANIFEST


def test_manifest_digest_under_blobs_is_consistent(repo, pushed):
    """containerd#7390: HEAD 200 and GET 404 on /blobs/<manifest digest> poisoned nodes."""
    head = repo.head_blob(pushed.digest, expect=(200, 404)).status_code
    get = repo.get_blob(pushed.digest, expect=(200, 404))
    assert head == get.status_code
    if head == 200:
        assert get.content == pushed.body


@pytest.mark.own_server
def test_large_blob_streams(repo):
    data = oci.random_bytes(16 << 20, "large")
    digest = repo.push_blob(data)
    answer = repo.get_blob(digest, stream=True)
    assert b"".join(answer.iter_content(1 << 20)) == data


def test_extension_discovery(repo, client, pushed):
    answer = client.get("/v2/_oci/ext/discover", expect=200)
    assert isinstance(answer.json()["extensions"], list)
    answer = repo.request("GET", f"{repo.base}/_oci/ext/discover", expect=200)
    assert isinstance(answer.json()["extensions"], list)
