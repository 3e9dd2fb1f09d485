# SPDX-License-Identifier: Apache-2.0
"""Range requests on blobs, RFC 9110 section 14, as conformance suite and lazy pullers send them."""
import re

import pytest

from harness import oci
from harness.client import codes

SIZE = 100_000
DATA = oci.random_bytes(SIZE, "range")




@pytest.fixture
def ranged(registry, client):
    repo = client.repository("tests/ranges")
    digest = oci.digest_of(DATA)
    if not repo.has_blob(digest):
        repo.push_blob(DATA)

    def get(header, expect=206, **headers):
        return repo.get_blob(digest, expect=expect, headers={"Range": header, **headers})

    get.repo, get.digest = repo, digest
    return get


@pytest.mark.parametrize(
    "header, first, last",
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=500-999", 500, 999),
        ("bytes=99999-", 99999, 99999),
        ("bytes=500-", 500, SIZE - 1),
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=-1", SIZE - 1, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        ("bytes=-999999", 0, SIZE - 1),
        ("bytes=99000-999999", 99000, SIZE - 1),
        ("bytes=0-18446744073709551615", 0, SIZE - 1),
        ("bytes= 10-19", 10, 19),
        ("Bytes=10-19", 10, 19),
        ("bytes=10-19,", 10, 19),
    ],
)
def test_one_range(ranged, header, first, last):
    answer = ranged(header)
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.content == DATA[first:last + 1]
    assert answer.headers["Docker-Content-Digest"] == ranged.digest
    assert answer.headers["Content-Type"] == "application/octet-stream"


@pytest.mark.parametrize("header", ["bytes=100000-", "bytes=100000-100001", "bytes=500-0", "bytes=-0", "bytes=200000-300000,400000-"])
def test_unsatisfiable_range_is_416(ranged, header):
    """Decision 1: 500-0 too, as the conformance suite counts a 200 as unsupported."""
    answer = ranged(header, expect=416)
    assert answer.headers["Content-Range"] == f"bytes */{SIZE}"
    assert codes(answer)


@pytest.mark.parametrize("header", ["bytes=abc", "bytes=", "bytes=1", "bytes=--1", "lines=0-5", "bytes 0-5", "bytes=0x1-2",
                                    "bytes=1-2-3", "bytes=99999999999999999999999-"])
def test_malformed_range_is_ignored_or_refused(ranged, header):
    """RFC 9110: an invalid or foreign Range is ignored; 416 is also tolerated by every client."""
    answer = ranged(header, expect=(200, 416))
    if answer.status_code == 200:
        assert answer.content == DATA


def parts_of(answer):
    """[(first, last, total, body)] of a multipart/byteranges answer."""
    kind = answer.headers["Content-Type"]
    found = re.fullmatch(r'multipart/byteranges; boundary="?([A-Za-z0-9:-]+)"?', kind)
    assert found, f"Content-Type {kind!r}"
    boundary = b"--" + found.group(1).encode()
    body = answer.content
    assert int(answer.headers["Content-Length"]) == len(body)
    pieces = body.split(boundary)
    assert pieces[-1].strip() == b"--", pieces[-1][:100]
    parts = []
    for piece in pieces[1:-1]:
        head, _, data = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        assert data.endswith(b"\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().lower().split("\r\n"))
        numbers = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", fields["content-range"])
        assert numbers, fields
        assert fields.get("content-type") == "application/octet-stream"
        parts.append((*map(int, numbers.groups()), data[:-2]))
    return parts


def check_parts(answer, ranges):
    parts = parts_of(answer)
    assert [(first, last) for first, last, _, _ in parts] == ranges
    for first, last, total, body in parts:
        assert total == SIZE
        assert body == DATA[first:last + 1]


@pytest.mark.parametrize(
    "ranges",
    [
        [(0, 9), (20, 29)],
        [(20, 29), (0, 9)],
        [(0, 9), (10, 19)],
        [(0, 99), (50, 149)],
        [(5, 5), (5, 5), (5, 5)],
        [(0, 0), (99999, 99999)],
    ],
    ids=["apart", "backwards", "adjacent", "overlapping", "repeated", "ends"],
)
def test_multipart_keeps_count_and_order_without_merging(ranged, ranges):
    """containers/storage: "invalid number of chunks" when a server merges."""
    check_parts(ranged("bytes=" + ",".join(f"{first}-{last}" for first, last in ranges)), ranges)


def test_multipart_with_1024_ranges(ranged):
    """A zstd:chunked pull sends up to 1024 ranges in one header of 20-40 kB."""
    ranges = [(start, start + 40) for start in range(0, 1024 * 97, 97)]
    header = "bytes=" + ",".join(f"{first}-{last}" for first, last in ranges)
    check_parts(ranged(header), ranges)


def test_multipart_with_long_numbers_and_blanks(ranged):
    ranges = [(start, start + 3) for start in range(90_000, 99_000, 9)][:1000]
    header = "bytes=" + ", ".join(f"{first:020d}-{last:020d}" for first, last in ranges)
    assert len(header) > 40_000
    check_parts(ranged(header), ranges)


def test_more_ranges_than_allowed_is_not_an_error_for_the_client(ranged):
    """200 with everything, or 400 which makes containers/storage halve the number; never 416 or 501."""
    header = "bytes=" + ",".join(f"{start}-{start}" for start in range(0, 3000, 2))
    answer = ranged(header, expect=(200, 206, 400))
    if answer.status_code == 200:
        assert answer.content == DATA


def test_unsatisfiable_part_is_dropped(ranged):
    answer = ranged(f"bytes=0-9,{SIZE}-{SIZE + 5}")
    if answer.headers["Content-Type"].startswith("multipart/"):
        check_parts(answer, [(0, 9)])
    else:
        assert answer.headers["Content-Range"] == f"bytes 0-9/{SIZE}"
        assert answer.content == DATA[:10]


def test_suffix_and_open_ranges_in_multipart(ranged):
    check_parts(ranged("bytes=0-1,-2,99990-"), [(0, 1), (SIZE - 2, SIZE - 1), (99990, SIZE - 1)])


def test_range_on_head_says_the_whole_size_or_206(ranged):
    answer = ranged.repo.head_blob(ranged.digest, expect=(200, 206), headers={"Range": "bytes=0-9"})
    assert answer.headers["Content-Length"] == (str(SIZE) if answer.status_code == 200 else "10")


@pytest.mark.parametrize("matches", [True, False])
def test_if_range(ranged, matches):
    tag = f'"{ranged.digest}"' if matches else '"sha256:other"'
    answer = ranged("bytes=0-9", expect=206 if matches else 200, **{"If-Range": tag})
    assert answer.content == (DATA[:10] if matches else DATA)


def test_range_of_an_empty_blob(repo):
    digest = repo.push_blob(b"")
    answer = repo.get_blob(digest, expect=(200, 416), headers={"Range": "bytes=0-0"})
    assert answer.status_code == 416 or answer.content == b""


def test_range_of_an_unknown_blob_is_404(repo):
    repo.push_blob(b"x")
    repo.get_blob(oci.digest_of(b"nothing"), expect=404, headers={"Range": "bytes=0-0"})


def test_whole_blob_from_many_ranges(ranged):
    step = 7919
    pieces = [ranged(f"bytes={start}-{start + step - 1}").content for start in range(0, SIZE, step)]
    assert b"".join(pieces) == DATA


def test_manifest_range_is_whole_or_right(repo):
    content = oci.image("range")
    repo.push(content, "v1")
    answer = repo.get_manifest("v1", expect=(200, 206), headers={"Range": "bytes=0-9"})
    assert answer.content == (content.body if answer.status_code == 200 else content.body[:10])
