# SPDX-License-Identifier: Apache-2.0
"""Repositories by Harbor's API: lists and their filters, counts, descriptions, and deleting one with all it holds."""
import json
import urllib.parse

import pytest

from harness import oci
from harness.wire import unique

API = "/api/v2.0"
JSON = {"Content-Type": "application/json"}


def twice(name):
    """As Harbor's clients put a name with slashes into a path."""
    return urllib.parse.quote(urllib.parse.quote(name, safe=""), safe="")


@pytest.fixture
def project(client):
    name = unique("repos")
    client.make_project(name)
    return name


@pytest.fixture
def push(client, project):
    def push(rest, reference="v1", seed=None):
        content = oci.image(seed or f"{rest} {reference}")
        client.repository(f"{project}/{rest}").push(content, reference)
        return content
    return push


def names(answer):
    return [entry["name"] for entry in answer.json()]


def test_list_of_a_project(admin, project, push):
    for rest in ("a", "b/c", "b"):
        push(rest)
    answer = admin.get(f"{API}/projects/{project}/repositories", expect=200)
    assert names(answer) == [f"{project}/a", f"{project}/b", f"{project}/b/c"]
    assert answer.headers["X-Total-Count"] == "3"
    first = answer.json()[0]
    assert first["artifact_count"] == 1 and first["pull_count"] == 0
    assert first["creation_time"] <= first["update_time"]


def test_an_empty_list_is_a_list(admin, project):
    answer = admin.get(f"{API}/projects/{project}/repositories", expect=200)
    assert answer.json() == [] and answer.headers["X-Total-Count"] == "0"


@pytest.mark.parametrize("encode", [twice, lambda name: urllib.parse.quote(name, safe="")])
def test_a_name_with_slashes(admin, project, push, encode):
    push("deep/er/one")
    found = admin.get(f"{API}/projects/{project}/repositories/{encode('deep/er/one')}", expect=200).json()
    assert found["name"] == f"{project}/deep/er/one"


def test_unknown_repositories(admin, anonymous, project):
    admin.get(f"{API}/projects/{project}/repositories/nothing", expect=404)
    anonymous.get(f"{API}/projects/{project}/repositories/nothing", expect=401)
    admin.get(f"{API}/projects/{unique('no')}/repositories", expect=404)


@pytest.mark.parametrize("query, found", [
    ("q=name=~pp", ["apple", "upper"]),
    ("q=name=apple", ["apple"]),
    ("q=name%253D~pp", ["apple", "upper"]),
    ("q=name=~%2525", []),
    ("q=name=~_", []),
    ("sort=-name", ["upper", "pear", "apple"]),
    ("sort=name", ["apple", "pear", "upper"]),
    ("sort=-creation_time", ["pear", "apple", "upper"]),
    ("sort=nonsense", ["apple", "pear", "upper"]),
    ("page=2&page_size=2", ["upper"]),
    ("page=3&page_size=2", []),
])
def test_filters_order_and_pages(admin, project, push, query, found):
    for rest in ("upper", "apple", "pear"):
        push(rest)
    answer = admin.get(f"{API}/projects/{project}/repositories?{query}", expect=200)
    assert names(answer) == [f"{project}/{rest}" for rest in found]


def test_whole_name_in_q(admin, project, push):
    push("one")
    answer = admin.get(f"{API}/projects/{project}/repositories?q=name={project}/one", expect=200)
    assert names(answer) == [f"{project}/one"]


def test_by_a_blob_it_holds(admin, project, push):
    content = push("one")
    push("two")
    digest = oci.digest_of(content.blobs[1])
    answer = admin.get(f"{API}/projects/{project}/repositories?q=blob_digest={digest}", expect=200)
    assert names(answer) == [f"{project}/one"]


def test_malformed_q_is_400(admin, project):
    admin.get(f"{API}/projects/{project}/repositories?q=name", expect=400)


def test_links(admin, project, push):
    for number in range(3):
        push(f"r{number}")
    answer = admin.get(f"{API}/projects/{project}/repositories?page=2&page_size=1&sort=name", expect=200)
    assert 'rel="prev"' in answer.headers["Link"] and 'rel="next"' in answer.headers["Link"]
    assert "sort=name" in answer.headers["Link"]


def test_description(admin, project, push):
    push("app")
    path = f"{API}/projects/{project}/repositories/app"
    text = "# Ünïcode\n" + "x" * 5000
    admin.put(path, headers=JSON, body=json.dumps({"description": text}), expect=200)
    assert admin.get(path, expect=200).json()["description"] == text
    admin.put(path, headers=JSON, body=json.dumps({}), expect=200)
    assert admin.get(path, expect=200).json()["description"] == text
    admin.put(path, headers=JSON, body=json.dumps({"description": ""}), expect=200)
    assert admin.get(path, expect=200).json()["description"] == ""


@pytest.mark.parametrize("body, status", [("{", 400), ('{"description": 7}', 422), ('{"description":"' + "x" * 60000 + '"}', 200)])
def test_bad_descriptions(admin, project, push, body, status):
    push("app")
    admin.put(f"{API}/projects/{project}/repositories/app", headers=JSON, body=body, expect=status)


def test_description_of_an_unknown_repository(admin, project):
    admin.put(f"{API}/projects/{project}/repositories/none", headers=JSON, body='{"description":"x"}', expect=404)


def test_all_repositories_are_those_one_may_see(admin, anonymous, client, project, push):
    open_project = unique("repos-open")
    client.make_project(open_project, public=True)
    client.repository(f"{open_project}/seen").push(oci.image("seen"), "v1")
    push("hidden")
    query = f"{API}/repositories?page_size=100&q=name=~repos-"
    everything = names(admin.get(query, expect=200))
    assert f"{project}/hidden" in everything and f"{open_project}/seen" in everything
    public = names(anonymous.get(query, expect=200))
    assert f"{open_project}/seen" in public and f"{project}/hidden" not in public


def test_artifact_count_follows_pushes_and_deletes(admin, client, project):
    repo = client.repository(f"{project}/counted")
    path = f"{API}/projects/{project}/repositories/counted"

    def count():
        return admin.get(path, expect=200).json()["artifact_count"]

    one, two = oci.image("one"), oci.image("two")
    repo.push(one, "a")
    repo.push(one, "b")
    assert count() == 1
    repo.push(two, "a")
    assert count() == 2, "the first one has a tag left"
    repo.delete_manifest("b")
    assert count() == 2, "untagged is still an artifact"
    index = oci.index([one, two])
    repo.push(index, "multi")
    assert count() == 2, "the untagged child is shown by its index alone"
    repo.delete_manifest(index.digest)
    assert count() == 1, "the untagged child went with its only index"
    repo.get_manifest(one.digest, expect=404)
    repo.delete_manifest(two.digest)
    assert count() == 0


class TestDelete:
    def test_with_everything_in_it(self, admin, client, project, push):
        content = push("gone")
        repo = client.repository(f"{project}/gone")
        repo.push(oci.index([oci.image("x"), oci.image("y")]), "multi")
        repo.push(oci.artifact("application/x", subject=content.descriptor()))
        push("stays")
        path = f"{API}/projects/{project}/repositories/gone"
        admin.delete(path, expect=200)
        admin.get(path, expect=404)
        admin.delete(path, expect=404)
        repo.get_manifest("v1", expect=404)
        repo.get_blob(oci.digest_of(content.blobs[1]), expect=404)
        assert names(admin.get(f"{API}/projects/{project}/repositories", expect=200)) == [f"{project}/stays"]

    def test_and_pushed_again(self, admin, client, project, push):
        """Ids that were given twice would let caches serve what was deleted."""
        old = push("again", seed="old")
        repo = client.repository(f"{project}/again")
        repo.get_manifest("v1")
        repo.get_blob(oci.digest_of(old.blobs[1]))
        before = admin.get(f"{API}/projects/{project}/repositories/again", expect=200).json()["id"]
        admin.delete(f"{API}/projects/{project}/repositories/again", expect=200)
        push("again", "v2", seed="new")
        assert admin.get(f"{API}/projects/{project}/repositories/again", expect=200).json()["id"] != before
        repo.get_manifest("v1", expect=404)
        repo.get_manifest(old.digest, expect=404)
        repo.get_blob(oci.digest_of(old.blobs[1]), expect=404)

    def test_with_an_upload_that_nobody_writes_to(self, admin, client, project, push):
        push("uploading")
        upload = client.repository(f"{project}/uploading").start_upload()
        upload.patch(b"half")
        admin.delete(f"{API}/projects/{project}/repositories/uploading", expect=200)
        upload.get(expect=404)

    def test_wants_the_permission(self, anonymous, project, push):
        push("kept")
        anonymous.delete(f"{API}/projects/{project}/repositories/kept", expect=401)
