# SPDX-License-Identifier: Apache-2.0
"""Projects: made by the first push or by the API, private or public, invisible to those who may not know."""
import json

import pytest

from harness import oci
from harness.client import codes
from harness.wire import unique


@pytest.fixture
def project():
    return unique("project")


def test_first_push_makes_a_private_project(client, anonymous, project):
    repository = client.repository(f"{project}/app")
    repository.push(oci.image("first"), "v1")
    found = client.get(f"/api/v2.0/projects/{project}", headers={"Authorization": client.basic()}, expect=200).json()
    assert found["name"] == project
    assert found["metadata"]["public"] == "false"
    repository.as_client(anonymous).get_manifest("v1", expect=401)


def test_project_by_api(client, project):
    client.make_project(project)
    found = client.get(f"/api/v2.0/projects/{project}", headers={"Authorization": client.basic()}, expect=200).json()
    assert found["name"] == project and isinstance(found["project_id"], int)
    by_id = client.get(f"/api/v2.0/projects/{found['project_id']}", headers={"Authorization": client.basic()}, expect=(200, 404))
    if by_id.status_code == 200:
        assert by_id.json()["name"] == project


def test_project_twice_is_409(client, project):
    client.make_project(project)
    client.make_project(project, expect=409)


@pytest.mark.parametrize("bad", ["", "UPPER", "a/b", "-x", "..", "a" * 300, "sp ace", "ümlaut", None, 7])
def test_bad_project_names_are_400(client, bad):
    client.post(
        "/api/v2.0/projects", headers={"Authorization": client.basic(), "Content-Type": "application/json"},
        body=json.dumps({"project_name": bad}), expect=400,
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b'{"metadata":{}}', b"\xff"])
def test_bad_project_bodies_are_400(client, body):
    client.post("/api/v2.0/projects", headers={"Authorization": client.basic(), "Content-Type": "application/json"}, body=body, expect=400)


def test_unknown_fields_are_ignored(client, project):
    client.post(
        "/api/v2.0/projects", headers={"Authorization": client.basic(), "Content-Type": "application/json"}, expect=201,
        body=json.dumps({"project_name": project, "storage_limit": -1, "count_limit": 7, "metadata": {"public": "true", "x": "y"}}),
    )


def test_public_project_is_pulled_anonymously(client, anonymous, project):
    client.make_project(project, public=True)
    repository = client.repository(f"{project}/app")
    content = oci.image("public")
    repository.push(content, "v1")
    visitor = anonymous.repository(f"{project}/app")
    visitor.scope = f"repository:{project}/app:pull"
    assert visitor.get_manifest("v1").content == content.body
    assert visitor.head_manifest("v1").status_code == 200
    for blob in content.blobs:
        assert visitor.get_blob(oci.digest_of(blob)).content == blob
    assert visitor.tag_names() == ["v1"]
    assert visitor.referrers(content.digest).status_code == 200


def test_public_project_without_any_token(client, anonymous, project):
    """curl without credentials: either served at once or challenged, never refused for good."""
    client.make_project(project, public=True)
    repository = client.repository(f"{project}/app")
    repository.push(oci.image("bare"), "v1")
    answer = anonymous.get(repository.manifest_path("v1"), headers={"Authorization": None}, expect=(200, 401))
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_public_project_is_not_writable_anonymously(client, anonymous, project):
    client.make_project(project, public=True)
    repository = client.repository(f"{project}/app")
    content = oci.image("read only")
    repository.push(content, "v1")
    visitor = repository.as_client(anonymous)
    visitor.request("POST", f"{repository.base}/blobs/uploads/", expect=401)
    visitor.put_manifest(content, "v2", expect=401)
    visitor.delete_manifest("v1", expect=401)
    visitor.delete_blob(oci.digest_of(content.blobs[0]), expect=401)
    assert repository.tag_names() == ["v1"]


def test_project_turns_public_and_back(client, anonymous, project):
    repository = client.repository(f"{project}/app")
    content = oci.image("turns")
    repository.push(content, "v1")
    token_scope = f"repository:{project}/app:pull"

    def pull(expect):
        token = anonymous.fetch_token(token_scope)["token"]
        anonymous.get(repository.manifest_path("v1"), headers={"Authorization": f"Bearer {token}"}, expect=expect)

    pull(401)
    client.publish_project(project)
    pull(200)
    client.publish_project(project, public=False)
    pull(401)


def test_private_and_absent_look_the_same_to_strangers(client, anonymous, project):
    """Unknown and forbidden look the same to those who may not know."""
    client.repository(f"{project}/app").push(oci.image("hidden"), "v1")

    def look(path):
        answer = anonymous.get(path, headers={"Authorization": None}, expect=401)
        return codes(answer), answer.json()["errors"][0].get("message")

    assert look(f"/v2/{project}/app/manifests/v1") == look("/v2/absent-project/app/manifests/v1")
    assert look(f"/v2/{project}/app/tags/list") == look("/v2/absent-project/app/tags/list")
    digest = oci.digest_of(b"x")
    assert look(f"/v2/{project}/app/referrers/{digest}") == look(f"/v2/absent-project/app/referrers/{digest}")


def test_private_project_is_401_for_strangers_in_the_api(client, anonymous, project):
    client.make_project(project)
    for name in (project, "absent-project"):
        anonymous.get(f"/api/v2.0/projects/{name}", headers={"Authorization": None}, expect=401)


def test_api_needs_credentials(anonymous, project):
    anonymous.post("/api/v2.0/projects", headers={"Authorization": None}, body=json.dumps({"project_name": project}), expect=401)
    anonymous.put(f"/api/v2.0/projects/{project}", headers={"Authorization": None}, body="{}", expect=401)


def test_unknown_project_is_404_for_the_admin(client):
    answer = client.get("/api/v2.0/projects/absent-project", headers={"Authorization": client.basic()}, expect=404)
    assert codes(answer) == ["NOT_FOUND"]
    client.publish_project("absent-project", expect=404)


@pytest.mark.settings(projects_auto_create="false")
class TestWithoutAutoCreate:
    def test_push_into_an_absent_project_is_refused(self, client, project):
        repository = client.repository(f"{project}/app")
        repository.request("POST", f"{repository.base}/blobs/uploads/", expect=(401, 403, 404))
        client.get(f"/api/v2.0/projects/{project}", headers={"Authorization": client.basic()}, expect=404)

    def test_push_after_making_it(self, client, project):
        client.make_project(project)
        client.repository(f"{project}/app").push(oci.image("made"), "v1")


def test_pull_makes_no_project(client, project):
    client.repository(f"{project}/app").get_manifest("v1", expect=404)
    client.get(f"/api/v2.0/projects/{project}", headers={"Authorization": client.basic()}, expect=404)


def test_a_mount_does_not_cross_into_what_the_token_may_not_read(client, anonymous, project):
    """A public target and a private source: strangers may not fetch the bytes by mounting."""
    private = client.repository(f"{project}-private/app")
    digest = private.push_blob(b"secret bytes")
    client.make_project(project, public=True)
    client.repository(f"{project}/app").push(oci.image("target"), "v1")
    path = f"/v2/{project}/app/blobs/uploads/?mount={digest}&from={private.name}"
    anonymous.post(path, headers={"Authorization": None}, expect=401)
    anonymous.get(f"/v2/{project}/app/blobs/{digest}", headers={"Authorization": None}, expect=(401, 404))
