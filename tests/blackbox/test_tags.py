# SPDX-License-Identifier: Apache-2.0
"""Tag lists: order, pages, and the corner cases suites and clients look at."""
import pytest

from harness import oci
from harness.client import next_link

NAMES = sorted(["10", "9", "A", "Z", "_x", "a", "a-b", "a.b", "a_b", "aa", "b", "latest", "v1", "v1.0", "v1.0.1", "v10", "v2"])


@pytest.fixture
def tagged(repo):
    content = oci.image("tagged")
    repo.push(content)
    for tag in reversed(NAMES):
        repo.put_manifest(content, tag)
    return repo


def test_list_is_complete_and_sorted(tagged):
    answer = tagged.tags()
    body = answer.json()
    assert body["name"] == tagged.name
    assert body["tags"] == NAMES
    assert answer.headers["Content-Type"].startswith("application/json")
    assert "Link" not in answer.headers


@pytest.mark.parametrize("size", [1, 2, 5, 16, 17, 18, 1000])
def test_pages_join_to_the_whole(tagged, size):
    path, found = f"{tagged.base}/tags/list?n={size}", []
    while path:
        answer = tagged.request("GET", path, expect=200)
        page = answer.json()["tags"]
        assert len(page) <= size
        found += page
        path = next_link(answer)
        if path:
            assert len(page) == size and f"n={size}" in path and "last=" in path
    assert found == NAMES


def test_last_is_exclusive_and_needs_no_n(tagged):
    assert tagged.tags(last="a").json()["tags"] == [tag for tag in NAMES if tag > "a"]


def test_last_need_not_exist(tagged):
    assert tagged.tags(last="a0").json()["tags"] == [tag for tag in NAMES if tag > "a0"]


def test_n_and_last(tagged):
    rest = [tag for tag in NAMES if tag > "b"]
    assert tagged.tags(n=2, last="b").json()["tags"] == rest[:2]


def test_last_after_the_end(tagged):
    answer = tagged.tags(last="zzz")
    assert answer.json()["tags"] == []
    assert "Link" not in answer.headers


def test_no_link_when_the_page_holds_all(tagged):
    assert "Link" not in tagged.tags(n=len(NAMES)).headers


def test_n_zero_is_an_empty_list_without_link(tagged):
    answer = tagged.tags(n=0)
    assert answer.json()["tags"] == []
    assert "Link" not in answer.headers


@pytest.mark.parametrize("n", ["-1", "abc", "1.5", "99999999999999999999999", "", "0x10"])
def test_bad_n_is_400_or_ignored(tagged, n):
    answer = tagged.tags(n=n, expect=(200, 400))
    if answer.status_code == 200:
        assert answer.json()["tags"] == NAMES


def test_huge_n_is_not_an_error(tagged):
    assert tagged.tags(n=10_000_000).json()["tags"] == NAMES


@pytest.mark.parametrize("last", [".bad", "a" * 500, "\u00e4", "a b"])
def test_odd_last_is_400_or_works(tagged, last):
    tagged.tags(last=last, expect=(200, 400))


def test_unknown_repository(other):
    answer = other.tags(expect=(200, 404))
    if answer.status_code == 200:
        assert answer.json()["tags"] == []


def test_repository_with_blobs_only(repo):
    repo.push_blob(b"blob only")
    answer = repo.tags(expect=(200, 404))
    if answer.status_code == 200:
        assert answer.json()["tags"] == []


def test_untagged_manifest_is_not_listed(repo):
    repo.push(oci.image("untagged"))
    assert repo.tags().json()["tags"] == []


def test_after_the_last_tag_is_deleted(repo):
    """distribution#4931: never null."""
    repo.push(oci.image("last"), "only")
    repo.delete_manifest("only")
    answer = repo.tags(expect=(200, 404))
    if answer.status_code == 200:
        assert answer.json()["tags"] == []


def test_tag_that_is_a_prefix_of_another(repo):
    """distribution#4898, #4904: lost when one is a prefix of the other."""
    content = oci.image("prefix")
    repo.push(content)
    for tag in ("v1", "v1.0", "v1.0.0", "v"):
        repo.put_manifest(content, tag)
    repo.delete_manifest("v1.0")
    assert repo.tag_names() == ["v", "v1", "v1.0.0"]


def test_repository_that_is_a_prefix_of_another(client, name):
    outer, inner = client.repository(name), client.repository(name + "/inner")
    inner.push(oci.image("inner"), "in")
    outer.push(oci.image("outer"), "out")
    assert outer.tag_names() == ["out"]
    assert inner.tag_names() == ["in"]


def test_order_is_by_bytes_or_lexical(repo):
    content = oci.image("order")
    repo.push(content)
    for tag in ("b", "B", "a", "A"):
        repo.put_manifest(content, tag)
    assert repo.tag_names() in (["A", "B", "a", "b"], ["A", "a", "B", "b"], ["a", "A", "b", "B"])


def test_head_of_the_list(tagged):
    get, head = tagged.tags(), tagged.request("HEAD", f"{tagged.base}/tags/list", expect=(200, 405))
    if head.status_code == 200:
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


@pytest.mark.own_server
@pytest.mark.slow
def test_long_lists_are_paged_without_being_asked(repo):
    """Clients cap JSON at 4 MiB: beyond about 1-2 MiB the server pages on its own."""
    content = oci.image("long")
    repo.push(content)
    names = [f"{number:04d}-" + "x" * 120 for number in range(1500)]
    for start in range(0, len(names), 10):
        repo.put_manifest(content, content.digest, params=[("tag", tag) for tag in names[start:start + 10]])
    answer = repo.tags()
    assert len(answer.content) < 2 << 20
    assert repo.tag_names() == names
