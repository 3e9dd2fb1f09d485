# SPDX-License-Identifier: Apache-2.0
"""Who moved which tag from what to what, and one call to go back."""
import pytest

from harness import oci
from harness.members import add_member
from harness.people import API, PASSWORD, call, make_person
from harness.wait import wait_until
from harness.wire import unique

BERTH = "/api/berth/v1"


class Project:
    def __init__(self, client, admin):
        self.name = unique("story")
        self.client, self.admin = client, admin
        client.make_project(self.name)
        self.repo = client.repository(f"{self.name}/app")
        self.artifacts = f"{API}/projects/{self.name}/repositories/app/artifacts"

    def tag(self, name="v1", repository="app"):
        return f"{BERTH}/projects/{self.name}/repositories/{repository}/tags/{name}"

    def push(self, seed, tag="v1"):
        content = oci.image(seed)
        self.repo.push(content, tag)
        return content.digest

    def history(self, name="v1", client=None, **query):
        path = f"{self.tag(name)}/history?" + "&".join(f"{key}={value}" for key, value in query.items())
        return call(client or self.admin, "GET", path).json()

    def told(self, name="v1"):
        """Oldest first: how, from what, to what."""
        return [(item["how"], item.get("from"), item.get("to")) for item in reversed(self.history(name)["items"])]

    def revert(self, name="v1", expect=200, **body):
        return call(self.admin, "POST", f"{self.tag(name)}/revert", body, expect=expect)


@pytest.fixture
def project(client, admin):
    return Project(client, admin)


def test_each_change_is_told_and_nothing_else(project, client, admin):
    one, two = project.push("one"), project.push("two")
    project.push("two")
    call(admin, "POST", f"{project.artifacts}/{one}/tags", {"name": "stable"}, expect=201)
    project.repo.delete_manifest("v1")
    assert project.told() == [("push", None, one), ("push", one, two), ("delete", two, None)]
    assert project.told("stable") == [("retag", None, one)]
    project.repo.delete_manifest(one)
    assert project.told("stable") == [("retag", None, one), ("delete", one, None)]
    source = client.repository(f"{project.name}/source")
    source.push(oci.image("three"), "v1")
    call(admin, "POST", f"{project.artifacts}?from={project.name}/source:v1", expect=201)
    assert project.told()[3:] == [("copy", None, oci.image("three").digest)]
    assert project.told("never") == []


def test_who_is_named_as_in_the_audit_trail(project, registry, admin):
    person = make_person(admin)
    add_member(admin, project.name, "developer", username=person.name)
    project.push("one")
    registry.client(person.name, PASSWORD).repository(project.repo.name).push(oci.image("two"), "v1")
    newest, oldest = project.history()["items"]
    assert (newest["actor_type"], newest["actor"], oldest["actor"]) == ("user", person.name, "admin")
    assert newest["id"] > oldest["id"] and newest["time"] >= oldest["time"]


def test_page_by_page(project):
    digests = [project.push(f"{number}") for number in range(5)]
    seen, before = [], {}
    while True:
        page = project.history(limit=2, **before)
        seen += [item["to"] for item in page["items"]]
        if "next" not in page:
            break
        before = {"before": page["next"]}
    assert seen == digests[::-1]


class TestRevert:
    def test_before_the_last_change_and_back_again(self, project):
        one, two = project.push("one"), project.push("two")
        assert project.revert().json() == {"digest": one}
        assert oci.digest_of(project.repo.get_manifest("v1").content) == one
        project.revert()
        assert oci.digest_of(project.repo.get_manifest("v1").content) == two
        assert project.told()[2:] == [("revert", two, one), ("revert", one, two)]

    def test_before_one_change(self, project):
        digests = [project.push(f"{number}") for number in range(4)]
        second = project.history()["items"][-2]["id"]
        assert project.revert(id=second).json() == {"digest": digests[0]}

    def test_to_a_digest(self, project):
        one = project.push("one")
        project.push("two")
        project.revert(digest=one)
        project.revert(digest=one)
        assert project.told()[2:] == [("revert", project.told()[1][2], one)], "where it is already, nothing moves"

    def test_a_deleted_tag_is_made_again(self, project, admin):
        one = project.push("one")
        project.push("one", "other")
        project.repo.delete_manifest("v1")
        project.revert()
        assert project.repo.tag_names() == ["other", "v1"]
        tags = admin.get(f"{project.artifacts}/{one}", expect=200).json()["tags"]
        assert sorted(tag["name"] for tag in tags) == ["other", "v1"]

    def test_what_the_repository_has_no_more_is_404(self, project):
        one = project.push("one")
        two = project.push("two")
        project.repo.delete_manifest(one)
        assert project.revert(expect=404).json()["errors"][0]["code"] == "NOT_FOUND"
        assert oci.digest_of(project.repo.get_manifest("v1").content) == two

    @pytest.mark.parametrize("body, status, said", [
        ({}, 422, "made the tag: there is nothing before it"),
        ({"digest": "sha256:1"}, 400, "digest: it is malformed"),
        ({"digest": "sha256:" + "0" * 64}, 404, None),
        ({"id": 0}, 400, "id: it is a change's, from 1 on"),
        ({"id": 9223372036854775807}, 404, None),
        ({"id": "1"}, 422, "id"),
        ({"id": 1, "digest": "sha256:" + "0" * 64}, 400, "either digest or id"),
    ])
    def test_bad_input(self, project, body, status, said):
        project.push("one")
        error = project.revert(expect=status, **body).json()["errors"][0]
        assert said is None or said in error["detail"]

    def test_a_change_of_another_tag_is_unknown(self, project):
        for number in range(2):
            project.push(f"{number}")
            project.push(f"{number}", "other")
        project.revert(id=project.history("other")["items"][0]["id"], expect=404)
        project.revert("never", expect=404)

    def test_an_immutable_tag_stays(self, project, admin):
        project.push("one")
        two = project.push("two")
        call(admin, "POST", f"{API}/projects/{project.name}/immutabletagrules", {
            "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": "v*"}]}, expect=201)
        project.revert(expect=412)
        assert oci.digest_of(project.repo.get_manifest("v1").content) == two

    def test_is_recorded(self, project, admin):
        one = project.push("one")
        project.push("two")
        project.revert()
        (record,) = call(admin, "GET", f"{API}/projects/{project.name}/auditlog-exts?q=operation=update,resource_type=tag").json()
        assert record["resource"] == f"{project.name}/app:v1" and record["username"] == "admin" and one

    def test_who_may_not_move_it_learns_of_nobody(self, project, client, admin):
        guest = make_person(admin)
        add_member(admin, project.name, "guest", username=guest.name)
        project.push("one")
        project.push("two")
        client.publish_project(project.name)
        call(guest.client, "GET", f"{project.tag()}/history", expect=403)
        call(guest.client, "POST", f"{project.tag()}/revert", {}, expect=403)


def test_a_renamed_repository_keeps_it_and_a_deleted_one_does_not(project, registry, admin):
    one = project.push("one")
    call(admin, "POST", f"{BERTH}/projects/{project.name}/repositories/app/rename", {"name": f"{project.name}/moved"})
    history = call(admin, "GET", f"{project.tag(repository='moved')}/history").json()
    assert [item["to"] for item in history["items"]] == [one]
    call(admin, "DELETE", f"{API}/projects/{project.name}/repositories/moved")
    assert registry.query("SELECT count(*) FROM tag_event WHERE repository_id NOT IN (SELECT id FROM repository)") == ["0"]
    call(admin, "GET", f"{project.tag(repository='moved')}/history", expect=404)


@pytest.mark.settings(tag_history_keep="0s")
def test_none_is_written_when_none_is_kept(project):
    project.push("one")
    assert project.told() == []
    project.push("two")
    project.revert(expect=404)


def test_what_is_too_old_is_purged(project, registry, admin):
    project.push("one")
    registry.execute("UPDATE tag_event SET at_us = at_us - 91 * 86400000000")
    project.push("two")
    registry.execute("UPDATE job_schedule SET next_at_us = 1 WHERE name = 'purge_tag_history'")
    wait_until(lambda: len(project.told()) == 1, what="the purge")
