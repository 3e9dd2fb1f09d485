# SPDX-License-Identifier: Apache-2.0
"""Search and statistics: everything that fits, of what one may see, and nothing of the rest."""
import json

import pytest

from harness import oci
from harness.wire import unique

API = "/api/v2.0"


@pytest.fixture
def names(client):
    """A private and a public project with a repository each; the word occurs in both."""
    word = unique("needle")
    for public in (False, True):
        project = f"{word}-{'open' if public else 'closed'}"
        client.make_project(project, public=public)
        client.repository(f"{project}/sub/app").push(oci.image(project), "v1")
    return word


def search(client, text, expect=200):
    return client.get(f"{API}/search", params={"q": text}, expect=expect).json()


def found(answer):
    return [p["name"] for p in answer["project"]], [r["repository_name"] for r in answer["repository"]]


def test_everything_for_the_administrator(admin, names):
    answer = search(admin, names)
    assert found(answer) == ([f"{names}-closed", f"{names}-open"], [f"{names}-closed/sub/app", f"{names}-open/sub/app"])
    project, repository = answer["project"][1], answer["repository"][1]
    assert project["repo_count"] == 1 and project["metadata"]["public"] == "true"
    assert repository["project_id"] == project["project_id"] and repository["project_name"] == f"{names}-open"
    assert repository["project_public"] is True and repository["artifact_count"] == 1


def test_what_is_public_for_the_others(anonymous, names):
    assert found(search(anonymous, names)) == ([f"{names}-open"], [f"{names}-open/sub/app"])
    assert found(search(anonymous, "closed")) == ([], [])


def test_a_token_for_one_repository_shows_no_more_than_a_stranger_sees(registry, client, admin, anonymous, names):
    """Lists had two ideas of what is seen: one took whoever a token was made for to be there himself."""
    body = {"username": names, "email": f"{names}@example.com", "realname": "Member", "password": "Correct-Horse-8"}
    headers = {"Content-Type": "application/json"}
    admin.request("POST", f"{API}/users", body=json.dumps(body), headers=headers, expect=201)
    admin.request("POST", f"{API}/projects/{names}-closed/members", headers=headers, expect=201,
                  body=json.dumps({"role_id": 2, "member_user": {"username": names}}))
    member = registry.client(names, "Correct-Horse-8", auth="basic")
    assert len(found(search(member, names))[1]) == 2
    token = member.fetch_token(f"repository:{names}-open/sub/app:pull")["token"]
    answer = anonymous.get(f"{API}/search", params={"q": names}, headers={"Authorization": f"Bearer {token}"}, expect=200).json()
    assert found(answer) == found(search(anonymous, names))


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "no such thing", "NEEDLE"])
def test_texts_are_no_patterns(admin, names, text):
    assert found(search(admin, text)) == ([], [])


def test_without_a_text(anonymous, names):
    projects, repositories = found(search(anonymous, ""))
    assert f"{names}-open" in projects and f"{names}-open/sub/app" in repositories


def test_too_long(admin):
    search(admin, "x" * 256, expect=400)


def test_a_robot_sees_its_project(registry, admin, names):
    body = {"name": unique("bot"), "level": "project", "duration": -1, "permissions": [
        {"kind": "project", "namespace": f"{names}-closed", "access": [{"resource": "repository", "action": "list"}]}]}
    made = admin.post(f"{API}/robots", headers={"Content-Type": "application/json"}, body=json.dumps(body), expect=201).json()
    robot = registry.client(made["name"], made["secret"], auth="basic")
    assert found(search(robot, names))[0] == [f"{names}-closed", f"{names}-open"]


@pytest.mark.own_server
def test_statistics(make_registry):
    registry = make_registry()
    client, admin = registry.client(), registry.client(auth="basic")
    before = admin.get(f"{API}/statistics", expect=200).json()
    client.make_project("open", public=True)
    client.make_project("closed")
    content = oci.image("counted")
    for name in ("open/a", "open/b", "closed/a"):
        client.repository(name).push(content, "v1")
    after = admin.get(f"{API}/statistics", expect=200).json()
    grown = {key: after[key] - before[key] for key in after}
    assert grown == {
        "private_project_count": 1, "private_repo_count": 1, "public_project_count": 1, "public_repo_count": 2,
        "total_project_count": 2, "total_repo_count": 3, "total_storage_consumption": sum(map(len, content.blobs)),
    }


def test_statistics_count_what_one_sees(registry, admin, anonymous, names):
    anonymous.get(f"{API}/statistics", expect=401)
    body = {"name": unique("bot"), "level": "project", "duration": -1, "permissions": [
        {"kind": "project", "namespace": f"{names}-closed", "access": [{"resource": "repository", "action": "list"}]}]}
    made = admin.post(f"{API}/robots", headers={"Content-Type": "application/json"}, body=json.dumps(body), expect=201).json()
    counts = registry.client(made["name"], made["secret"], auth="basic").get(f"{API}/statistics", expect=(200, 403))
    if counts.status_code == 200:
        counts = counts.json()
        assert (counts["private_project_count"], counts["private_repo_count"]) == (1, 1)
        assert counts["total_project_count"] == counts["total_repo_count"] == counts["total_storage_consumption"] == 0
