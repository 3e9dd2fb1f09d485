# SPDX-License-Identifier: Apache-2.0
"""Blob uploads: every style, every order, both algorithms, and every way to get them wrong."""
import urllib.parse

import pytest

from harness import oci, spec
from harness.client import STYLES, codes

ALGORITHMS = ["sha256", "sha512"]
SIZES = [1, 2, 42, 4095, 65536, 300_001]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_style_stores_the_bytes(repo, size, style, algorithm):
    data = oci.random_bytes(size, f"{style}/{algorithm}")
    digest = repo.push_blob(data, algorithm, style)
    assert repo.get_blob(digest).content == data


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_created_answer(repo, style, algorithm):
    data = oci.random_bytes(500, "created")
    digest = oci.digest_of(data, algorithm)
    answer = STYLES[style](repo, data, digest, 201)
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Location"] == repo.blob_path(digest)
    assert repo.request("GET", answer.headers["Location"], expect=200).content == data


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_wrong_digest_is_400_and_stores_nothing(repo, style, algorithm):
    data = oci.random_bytes(1000, "wrong")
    wrong = oci.digest_of(b"something else", algorithm)
    answer = STYLES[style](repo, data, wrong, 400)
    assert codes(answer) == ["DIGEST_INVALID"]
    repo.head_blob(wrong, expect=404)
    repo.head_blob(oci.digest_of(data, algorithm), expect=404)


@pytest.mark.parametrize("style", ["post-put", "single-post", "stream"])
@pytest.mark.parametrize(
    "digest", ["sha256:baddigeststring", "sha256:" + "A" * 64, "md5:" + "0" * 32, "sha256", "", "sha256:", ":", "sha256:" + "0" * 65]
)
def test_malformed_digest_is_400(repo, style, digest):
    assert codes(STYLES[style](repo, b"data", digest, 400))[0] in ("DIGEST_INVALID", "BLOB_UPLOAD_INVALID")


def test_put_without_digest_is_400(repo):
    upload = repo.start_upload()
    answer = upload.request("PUT", body=b"data", expect=400)
    assert codes(answer)[0] in ("DIGEST_INVALID", "BLOB_UPLOAD_INVALID")


def test_start_answers_a_session(repo):
    upload = repo.start_upload()
    assert upload.location.startswith(f"{repo.base}/blobs/uploads/")
    session = upload.location.removeprefix(f"{repo.base}/blobs/uploads/")
    assert "/" not in session.split("?")[0], "the conformance suite finds the repository by this shape"
    assert spec.UUID.search(session)
    assert upload.answer.headers["Docker-Upload-UUID"] == upload.uuid
    assert upload.answer.headers["Range"] == "0-0"
    assert upload.answer.headers["Content-Length"] == "0"


def test_two_sessions_differ(repo):
    assert repo.start_upload().uuid != repo.start_upload().uuid


def test_session_state_is_in_the_path(repo):
    """zb drops the query of Location; distribution#2867: bad clients append a second "?"."""
    upload = repo.start_upload()
    upload.patch(b"state", 0)
    bare = upload.location.split("?")[0]
    assert upload.put(oci.digest_of(b"state"), location=bare).status_code == 201


def test_status_of_a_fresh_session(repo):
    """Decision 3: 0-0, the only value that every client parses."""
    upload = repo.start_upload()
    answer = upload.get()
    assert answer.headers["Range"] == "0-0"
    assert answer.headers["Location"].startswith("/v2/")
    assert answer.headers["Docker-Upload-UUID"] == upload.uuid


def test_range_is_cumulative(repo):
    """regclient#961, distribution-spec#580: Range covers the whole blob so far, not the last chunk."""
    data = oci.random_bytes(1000, "cumulative")
    upload = repo.start_upload()
    for start in range(0, 1000, 100):
        answer = upload.patch(data[start:start + 100], start)
        assert answer.headers["Range"] == f"0-{start + 99}"
        assert answer.headers["Docker-Upload-UUID"] == upload.uuid
        assert upload.get().headers["Range"] == f"0-{start + 99}"
    upload.put(oci.digest_of(data))


def test_patches_without_content_range_append(repo):
    """sdk-container-builds#471."""
    upload = repo.start_upload()
    for piece in (b"one ", b"two ", b"three"):
        upload.patch(piece)
    upload.put(oci.digest_of(b"one two three"))


def test_streamed_patches_append(repo):
    upload = repo.start_upload()
    upload.patch(iter([b"a" * 10, b"b" * 10]))
    answer = upload.patch(iter([b"c" * 10]))
    assert answer.headers["Range"] == "0-29"
    upload.put(oci.digest_of(b"a" * 10 + b"b" * 10 + b"c" * 10))


def test_styles_may_be_mixed(repo):
    upload = repo.start_upload()
    upload.patch(b"counted", 0)
    upload.patch(iter([b"stream", b"ed"]))
    upload.patch(b"bare")
    upload.put(oci.digest_of(b"countedstreamedbarelast"), iter([b"la", b"st"]))


@pytest.mark.parametrize("form", ["{0}-{1}", "bytes {0}-{1}/{2}", "bytes {0}-{1}/*", "bytes={0}-{1}"])
def test_content_range_forms(repo, form):
    """distribution#4892: clients also send the form of RFC 9110."""
    data = oci.random_bytes(200, "forms")
    upload = repo.start_upload()
    for start in (0, 100):
        header = form.format(start, start + 99, 200)
        expect = 202 if not form.startswith("bytes=") else (202, 400, 416)
        answer = upload.patch(data[start:start + 100], headers={"Content-Range": header}, expect=expect)
        if answer.status_code != 202:
            return
    upload.put(oci.digest_of(data))


@pytest.mark.parametrize(
    "start, length", [(101, 10), (99, 10), (0, 100), (0, 10), (1000, 1), (50, 50)],
    ids=["ahead", "overlap", "repeat", "restart", "far-ahead", "inside"],
)
def test_chunk_out_of_order_is_416_and_appends_nothing(repo, start, length):
    """The 416 carries Location and Range so that a client can recover (apple/container#1895)."""
    data = oci.random_bytes(150, "order")
    upload = repo.start_upload()
    upload.patch(data[:100], 0)
    answer = upload.patch(b"x" * length, start, expect=416)
    assert codes(answer)
    assert answer.headers["Range"] == "0-99"
    assert spec.UUID.search(answer.headers["Location"]).group() == upload.uuid
    assert upload.size() == 100
    upload.patch(data[100:], 100)
    upload.put(oci.digest_of(data))


def test_final_put_out_of_order_is_416_and_appends_nothing(repo):
    """distribution-spec#590."""
    data = oci.random_bytes(200, "final")
    upload = repo.start_upload()
    upload.patch(data[:100], 0)
    for start in (0, 50, 101):
        answer = upload.put(oci.digest_of(data), data[100:], start, expect=416)
        assert answer.headers["Range"] == "0-99"
        assert spec.UUID.search(answer.headers["Location"]).group() == upload.uuid
    assert upload.size() == 100
    upload.put(oci.digest_of(data), data[100:], 100)
    assert repo.get_blob(oci.digest_of(data)).content == data


def test_first_chunk_must_start_at_zero(repo):
    upload = repo.start_upload()
    answer = upload.patch(b"late", 5, expect=416)
    assert answer.headers["Range"] == "0-0"
    upload.patch(b"late", 0)
    upload.put(oci.digest_of(b"late"))


@pytest.mark.parametrize("header", ["5-2", "abc", "0", "-5", "0-", "0-99999999999999999999999", "bytes", "0-3-4", "0-3x"])
def test_malformed_content_range_is_refused(repo, header):
    upload = repo.start_upload()
    upload.patch(b"data", headers={"Content-Range": header}, expect=(400, 416))
    upload.patch(b"data", 0)
    upload.put(oci.digest_of(b"data"))


@pytest.mark.parametrize("last", [2, 10])
def test_content_range_that_contradicts_content_length(repo, last):
    upload = repo.start_upload()
    upload.patch(b"12345", headers={"Content-Range": f"0-{last}"}, expect=(400, 416))
    assert upload.get().headers["Range"] == "0-0"
    upload.patch(b"12345", 0)
    upload.put(oci.digest_of(b"12345"))


def test_zero_byte_patch(repo):
    upload = repo.start_upload()
    assert upload.patch(b"", headers={"Content-Length": "0"}).headers["Range"] == "0-0"
    upload.patch(b"abc", 0)
    assert upload.patch(b"", headers={"Content-Length": "0"}).headers["Range"] == "0-2"
    upload.put(oci.digest_of(b"abc"))


def test_old_locations_keep_working(repo):
    """The old conformance suite calls it a stale blob upload."""
    upload = repo.start_upload()
    for number in range(4):
        upload.patch(b"x" * 10, number * 10)
    for location in upload.locations:
        answer = upload.get(location=location)
        assert answer.headers["Range"] == "0-39"
    upload.put(oci.digest_of(b"x" * 40), location=upload.locations[0])


def test_session_ends_with_its_blob(repo):
    upload = repo.start_upload()
    upload.put(oci.digest_of(b"done"), b"done")
    assert codes(upload.get(expect=404)) == ["BLOB_UPLOAD_UNKNOWN"]
    upload.patch(b"more", expect=404)
    upload.put(oci.digest_of(b"done"), b"done", expect=404)


def test_unknown_session_is_404(repo):
    repo.push_blob(b"so that the repository exists")
    ghost = f"{repo.base}/blobs/uploads/00000000-0000-4000-8000-000000000000"
    for method in ("GET", "PATCH", "DELETE"):
        assert codes(repo.request(method, ghost, body=b"x" if method == "PATCH" else None, expect=404)) == ["BLOB_UPLOAD_UNKNOWN"]
    answer = repo.request("PUT", ghost + "?digest=" + oci.digest_of(b"x"), body=b"x", expect=404)
    assert codes(answer) == ["BLOB_UPLOAD_UNKNOWN"]


@pytest.mark.parametrize("session", ["x", "..%2f..%2fetc%2fpasswd", "%2e%2e", "a" * 300, "00000000-0000-4000-8000-00000000000Z"])
def test_malformed_session_is_404(repo, session):
    repo.push_blob(b"so that the repository exists")
    repo.request("GET", f"{repo.base}/blobs/uploads/{session}", expect=(400, 404))
    repo.request("PATCH", f"{repo.base}/blobs/uploads/{session}", body=b"x", expect=(400, 404))


def test_session_of_another_repository_is_404(repo, other):
    upload = repo.start_upload()
    other.push_blob(b"so that the repository exists")
    stolen = f"{other.base}/blobs/uploads/{upload.uuid}"
    other.request("GET", stolen, expect=404)
    other.request("PATCH", stolen, body=b"x", expect=404)
    other.request("DELETE", stolen, expect=404)
    assert upload.size() == 1
    upload.cancel()


def test_cancel(repo):
    upload = repo.start_upload()
    upload.patch(b"never mind", 0)
    upload.cancel()
    upload.get(expect=404)
    upload.patch(b"x", expect=404)
    upload.cancel(expect=404)


def test_cancel_removes_the_bytes(repo, registry):
    before = set(registry.stored_files("uploads"))
    upload = repo.start_upload()
    upload.patch(b"x" * 100_000, 0)
    upload.cancel()
    assert set(registry.stored_files("uploads")) <= before


def test_cancel_needs_push_only(repo, client):
    """containers/image cancels under a push-only token; distribution wrongly wants delete."""
    token = client.fetch_token(f"repository:{repo.name}:push")["token"] if client.realm() else None
    upload = repo.start_upload()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    upload.request("DELETE", headers=headers, expect=204)


def test_mismatch_leaves_the_session_or_ends_it_cleanly(repo):
    """After a failed close the session either goes on or is gone; it never becomes another blob."""
    data = b"right bytes"
    upload = repo.start_upload()
    upload.patch(data, 0)
    upload.put(oci.digest_of(b"wrong"), expect=400)
    again = upload.put(oci.digest_of(data), expect=(201, 404))
    assert repo.has_blob(oci.digest_of(data)) == (again.status_code == 201)


def test_digest_algorithm_is_announced(repo):
    """(dev) digest-algorithm on POST."""
    data = oci.random_bytes(1000, "announced")
    upload = repo.start_upload(**{"digest-algorithm": "sha512"})
    upload.patch(data[:500], 0)
    upload.put(oci.digest_of(data, "sha512"), data[500:], 500)
    assert repo.get_blob(oci.digest_of(data, "sha512")).content == data


def test_unannounced_sha512_after_patches(repo):
    """The conformance suite pushes sha512 without announcing it."""
    data = oci.random_bytes(100_000, "unannounced")
    upload = repo.start_upload()
    upload.patch(data[:60_000], 0)
    upload.patch(iter([data[60_000:90_000], data[90_000:]]))
    upload.put(oci.digest_of(data, "sha512"))
    assert repo.get_blob(oci.digest_of(data, "sha512")).content == data


def test_announced_sha512_closed_as_sha256(repo):
    data = oci.random_bytes(1000, "changed mind")
    upload = repo.start_upload(**{"digest-algorithm": "sha512"})
    upload.patch(data, 0)
    upload.put(oci.digest_of(data), expect=(201, 400))


@pytest.mark.parametrize("algorithm", ["md5", "blake9", "", "sha256%00"])
def test_unknown_digest_algorithm_is_400(repo, algorithm):
    answer = repo.request("POST", f"{repo.base}/blobs/uploads/?digest-algorithm={algorithm}", expect=400)
    assert codes(answer)[0] in ("DIGEST_INVALID", "BLOB_UPLOAD_INVALID", "UNSUPPORTED")


def test_query_is_percent_decoded(repo):
    data = b"percent"
    digest = oci.digest_of(data)
    upload = repo.start_upload()
    quoted = upload.location + ("&" if "?" in upload.location else "?") + "digest=" + urllib.parse.quote(digest, safe="")
    upload.request("PUT", location=quoted, body=data, expect=201)
    assert repo.get_blob(digest).content == data


def test_same_blob_twice(repo):
    digest = repo.push_blob(b"twice")
    assert repo.push_blob(b"twice") == digest
    assert repo.get_blob(digest).content == b"twice"


def test_first_post_to_a_new_repository_makes_it_pushable(client, name):
    fresh = client.repository(name + "/deep/er/still")
    fresh.head_blob(oci.digest_of(b"new"), expect=404)
    fresh.push_blob(b"new")


def test_post_without_trailing_slash(repo):
    """Some clients leave the slash away; a redirect or a refusal is fine, a 500 is not."""
    answer = repo.request("POST", f"{repo.base}/blobs/uploads", expect=(202, 301, 307, 308, 404))
    if answer.status_code == 202:
        repo.request("DELETE", answer.headers["Location"], expect=204)


def test_single_post_of_a_large_blob(repo):
    data = oci.random_bytes(5 << 20, "large")
    digest = repo.push_blob(data, style="single-post")
    assert repo.head_blob(digest).headers["Content-Length"] == str(len(data))


def test_many_small_chunks(repo):
    data = oci.random_bytes(400, "small")
    upload = repo.start_upload()
    for position in range(0, 400, 2):
        upload.patch(data[position:position + 2], position)
    upload.put(oci.digest_of(data))


def test_no_minimum_chunk_is_announced_or_it_is_kept(repo):
    upload = repo.start_upload()
    assert int(upload.answer.headers.get("OCI-Chunk-Min-Length", "0")) <= 21
    upload.cancel()
