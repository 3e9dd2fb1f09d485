# SPDX-License-Identifier: Apache-2.0
"""Errors have the specification's shape (the client checks each), the right status, and change nothing."""
import pytest

from harness import oci
from harness.client import codes


def test_base(client):
    answer = client.get("/v2/", expect=200)
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    client.head("/v2/", expect=200)


def test_v2_without_slash(client):
    client.get("/v2", expect=(200, 301, 307, 308, 401, 404))


@pytest.mark.parametrize("path", ["/v2/x", "/v2//", "/v2/a/b/c", "/v2/tests/x/unknown/y", "/v2/_foo", "/v2/tests/x/manifests/",
                                  "/v2/tests/x/blobs/", "/v2/tests/x/tags", "/v2/tests/x/tags/other", "/v2/tests/x/blobs/uploads/a/b"])
def test_unknown_paths_are_errors_of_the_specification(client, path):
    client.get(path, headers={"Authorization": client.basic()}, expect=(400, 404, 405))


@pytest.mark.parametrize("path", ["/nothing", "/api/v2.0/nothing", "/service/nothing", "/api", "/index.php"])
def test_unknown_paths_outside_v2(client, path):
    client.get(path, headers={"Authorization": client.basic()}, expect=404)


@pytest.mark.parametrize(
    "method, what",
    [("POST", "manifests/v1"), ("PATCH", "manifests/v1"), ("PUT", "tags/list"), ("DELETE", "tags/list"), ("POST", "tags/list"),
     ("PUT", "referrers/" + oci.EMPTY_JSON_DIGEST), ("PATCH", "blobs/" + oci.EMPTY_JSON_DIGEST), ("PUT", "blobs/" + oci.EMPTY_JSON_DIGEST)],
)
def test_wrong_method_is_405(repo, method, what):
    repo.push_blob(b"so that the repository exists")
    answer = repo.request(method, f"{repo.base}/{what}", body=b"", expect=405)
    assert codes(answer) == ["UNSUPPORTED"]
    assert "GET" in answer.headers["Allow"]


def test_unknown_method(client):
    client.request("BREW", "/v2/", headers={"Authorization": client.basic()}, expect=(400, 405, 501))


def test_a_failed_push_changes_nothing(repo, registry):
    """Fifty refused requests leave neither rows nor bytes that anybody sees."""
    content = oci.image("nothing")
    wrong = oci.digest_of(b"other")
    for _ in range(10):
        repo.put_manifest(content, "v1", expect=(400, 404))
        repo.put_manifest(content, wrong, expect=(400, 404))
        repo.request("POST", f"{repo.base}/blobs/uploads/?digest={wrong}", body=b"x", expect=400)
        repo.start_upload().put(wrong, b"x", expect=400)
        repo.request("POST", f"{repo.base}/blobs/uploads/?digest=nonsense", body=b"x", expect=400)
    assert repo.tags(expect=(200, 404)).json().get("tags", []) == []
    repo.head_blob(wrong, expect=404)


def test_an_error_while_the_body_still_comes_is_readable(repo):
    """The answer arrives though megabytes of body were never read; a reset would hide it."""
    ghost = f"{repo.base}/blobs/uploads/00000000-0000-4000-8000-000000000000"
    for size in (100_000, 3 << 20):
        answer = repo.request("PATCH", ghost, body=b"x" * size, expect=404)
        assert codes(answer) == ["BLOB_UPLOAD_UNKNOWN"]
    answer = repo.client.request(
        "PUT", repo.manifest_path("v1"), body=b"x" * (8 << 20), headers={"Content-Type": oci.OCI_MANIFEST},
        scopes=(repo.scope,), expect=(400, 413),
    )
    assert codes(answer)


def test_connection_survives_an_error(repo):
    """Small refused bodies do not cost the connection."""
    repo.push_blob(b"so that the repository exists")
    for _ in range(20):
        repo.put_manifest(None, "v1", body=b"{", expect=400)
        repo.get_manifest("nope", expect=404)


def test_request_ids_differ(client):
    first, second = (client.get("/v2/", expect=200).headers.get("X-Request-Id") for _ in range(2))
    assert first != second or first is None


def test_a_name_may_be_255_long_and_no_longer(client):
    fits = client.repository("tests/" + "a" * 249)
    fits.push(oci.image("long"), "v1")
    assert fits.tag_names() == ["v1"]
    headers = {"Authorization": client.basic()}
    client.post("/v2/tests/" + "a" * 250 + "/blobs/uploads/", headers=headers, expect=(400, 404))


@pytest.mark.parametrize("query", ["%", "%zz", "digest=%", "digest=%00", "digest=%ff%fe", "a=b&&&==&", "digest"])
def test_malformed_query(repo, query):
    upload = repo.start_upload()
    upload.request("PUT", location=f"{upload.location.split('?')[0]}?{query}", body=b"x", expect=400)
