# SPDX-License-Identifier: Apache-2.0
"""Projects: made by the first push or by the API, private or public, invisible to those who may not know."""
import json

import pytest
import requests

from harness import oci
from harness.client import codes
from harness.members import recorded
from harness.wait import wait_until
from harness.wire import unique


@pytest.fixture
def project():
    return unique("project")


def test_first_push_makes_a_private_project(client, anonymous, project):
    repository = client.repository(f"{project}/app")
    repository.push(oci.image("first"), "v1")
    found = client.get(f"/api/v2.0/projects/{project}", headers={"Authorization": client.basic()}, expect=200).json()
    assert found["name"] == project
    assert found["metadata"]["public"] == "false" and found["owner_name"] == "admin"
    repository.as_client(anonymous).get_manifest("v1", expect=401)
    wait_until(lambda: f"create project {project}" in recorded(client.registry, project))


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


@pytest.mark.parametrize("bad", ["", "UPPER", "a/b", "-x", "..", "a" * 300, "sp ace", "ümlaut", None])
def test_bad_project_names_are_400(client, bad):
    client.post(
        "/api/v2.0/projects", headers={"Authorization": client.basic(), "Content-Type": "application/json"},
        body=json.dumps({"project_name": bad}), expect=400,
    )


@pytest.mark.parametrize("body", [
    {"project_name": 7}, {"project_name": "x", "metadata": []}, {"project_name": "x", "metadata": {"public": True}},
    {"project_name": "x", "public": "yes"}, {"project_name": "x", "storage_limit": "1"}, {"project_name": "x", "cve_allowlist": []},
    {"project_name": "x", "cve_allowlist": {"items": [7]}}, {"project_name": "x", "cve_allowlist": {"items": {}}},
])
def test_members_of_the_wrong_type_are_422(admin, body):
    admin.post("/api/v2.0/projects", body=json.dumps(body), expect=422)
    admin.head("/api/v2.0/projects?project_name=x", expect=404)


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


# -- as Harbor's clients see them

API = "/api/v2.0/projects"


def make(admin, name, expect=201, **body):
    return admin.post(API, body=json.dumps({"project_name": name, **body}), expect=expect)


def change(admin, name, expect=200, **body):
    return admin.put(f"{API}/{name}", body=json.dumps(body), expect=expect)


def test_a_new_project_is_found_at_its_location(admin, project):
    location = make(admin, project).headers["Location"]
    found = admin.get(location, expect=200).json()
    assert location == f"{API}/{found['project_id']}"
    assert found["name"] == project and found["owner_name"] == "admin" and found["owner_id"] == 1
    assert found["repo_count"] == 0 and found["deleted"] is False and found["togglable"] is True
    assert found["current_user_role_id"] == 1 and found["current_user_role_ids"] == [1]
    assert found["metadata"] == {"public": "false"}
    assert found["cve_allowlist"]["items"] == []


def test_the_location_names_it_when_asked(admin, project):
    answer = admin.post(API, body=json.dumps({"project_name": project}), headers={"X-Resource-Name-In-Location": "true"}, expect=201)
    assert answer.headers["Location"] == f"{API}/{project}"
    admin.get(answer.headers["Location"], expect=200)


@pytest.mark.parametrize("body, public", [
    ({}, "false"), ({"public": True}, "true"), ({"metadata": {"public": "true"}}, "true"), ({"metadata": {"public": "True"}}, "true"),
    ({"public": True, "metadata": {"public": "false"}}, "false"),
])
def test_public_is_said_in_either_way(admin, project, body, public):
    make(admin, project, **body)
    assert admin.get(f"{API}/{project}", expect=200).json()["metadata"]["public"] == public


def test_settings_are_kept_and_changed_one_by_one(admin, project):
    given = {"public": "true", "auto_scan": "true", "prevent_vul": "true", "severity": "High", "enable_content_trust_cosign": "false"}
    make(admin, project, metadata={**given, "retention_id": "7", "proxy_speed_kb": "-1", "unknown": "x"})
    kept = {**given, "severity": "high"}
    assert admin.get(f"{API}/{project}", expect=200).json()["metadata"] == kept
    change(admin, project, metadata={"severity": "low", "public": "false"})
    assert admin.get(f"{API}/{project}", expect=200).json()["metadata"] == {**kept, "severity": "low", "public": "false"}


@pytest.mark.parametrize("metadata", [{"public": "maybe"}, {"severity": "awful"}, {"auto_scan": "2"}])
def test_a_setting_that_cannot_be_is_400_and_changes_nothing(admin, project, metadata):
    make(admin, project, metadata=metadata, expect=400)
    make(admin, project)
    change(admin, project, metadata=metadata, expect=400)
    assert admin.get(f"{API}/{project}", expect=200).json()["metadata"] == {"public": "false"}


def test_the_cve_allowlist_is_part_of_an_update(admin, project):
    make(admin, project, cve_allowlist={"items": [{"cve_id": "CVE-2024-1"}]})
    change(admin, project, metadata={"reuse_sys_cve_allowlist": "false"}, cve_allowlist={"expires_at": 1900000000, "items": [{"cve_id": "CVE-2025-2"}, {"cve_id": "CVE-2025-3"}]})
    found = admin.get(f"{API}/{project}", expect=200).json()
    assert [item["cve_id"] for item in found["cve_allowlist"]["items"]] == ["CVE-2025-2", "CVE-2025-3"]
    assert found["cve_allowlist"]["expires_at"] == 1900000000
    assert found["cve_allowlist"]["project_id"] == found["project_id"]
    change(admin, project, metadata={"auto_scan": "true"})
    assert len(admin.get(f"{API}/{project}", expect=200).json()["cve_allowlist"]["items"]) == 2
    change(admin, project, cve_allowlist={"items": [{"cve_id": "twice"}, {"cve_id": "twice"}]}, expect=400)


@pytest.mark.parametrize("limit, status", [(-1, 201), (1, 201), (0, 400), (-2, 400), (1 << 60, 400)])
def test_a_storage_limit_is_bytes_or_none(admin, project, limit, status):
    make(admin, project, storage_limit=limit, expect=status)


def test_a_proxy_cache_is_refused_in_words(admin, project):
    assert "not part of this version" in make(admin, project, registry_id=3, expect=501).text
    make(admin, project, registry_id=None)


def test_head_says_whether_it_is_there(admin, anonymous, project):
    admin.head(f"{API}?project_name={project}", expect=404)
    make(admin, project)
    admin.head(f"{API}?project_name={project}", expect=200)
    admin.head(API, expect=422)
    anonymous.head(f"{API}?project_name={project}", expect=401)


class TestList:
    @pytest.fixture
    def three(self, admin, project):
        names = [f"{project}-{letter}" for letter in "cab"]
        for name in names:
            make(admin, name, metadata={"public": "true" if name.endswith("a") else "false", "auto_scan": "true"})
        return names

    def names(self, client, query, **options):
        return [found["name"] for found in client.get(f"{API}?{query}", expect=200, **options).json()]

    def test_by_name_and_in_order(self, admin, project, three):
        assert self.names(admin, f"name={project}") == sorted(three)
        assert self.names(admin, f"q=name=~{project}&sort=-name") == sorted(three, reverse=True)
        assert self.names(admin, f"q=name=~{project}&sort=creation_time") == three
        assert self.names(admin, f"q=name=~{project}&sort=-project_id") == three[::-1]
        assert self.names(admin, f"q=name={three[0]}") == [three[0]]
        assert self.names(admin, f"q=name={{'{three[0]}' '{three[2]}'}}") == sorted([three[0], three[2]])
        assert self.names(admin, f"q=name={project}") == []

    def test_wildcards_of_sql_are_letters(self, admin, project, three):
        assert self.names(admin, "name=%25") == []
        assert self.names(admin, f"q=name=~{project[:-1]}_") == []

    def test_by_publicity_and_owner(self, admin, project, three):
        assert self.names(admin, f"name={project}&public=true") == [f"{project}-a"]
        assert self.names(admin, f"q=name=~{project},public=false") == [f"{project}-b", f"{project}-c"]
        assert self.names(admin, f"name={project}&owner=admin") == sorted(three)
        assert self.names(admin, f"q=name=~{project},owner=nobody") == []

    def test_page_by_page(self, admin, project, three):
        answer = admin.get(f"{API}?name={project}&page_size=2", expect=200)
        assert answer.headers["X-Total-Count"] == "3" and 'rel="next"' in answer.headers["Link"]
        assert [found["name"] for found in answer.json()] == sorted(three)[:2]
        assert self.names(admin, f"name={project}&page_size=2&page=2") == sorted(three)[2:]
        assert self.names(admin, f"name={project}&page_size=2&page=3") == []

    def test_details_only_when_wanted(self, admin, project, three):
        short = admin.get(f"{API}?name={project}&with_detail=false", expect=200).json()[0]
        assert "repo_count" not in short and short["metadata"]["auto_scan"] == "true"
        assert admin.get(f"{API}?name={project}", expect=200).json()[0]["repo_count"] == 0

    def test_strangers_see_the_public_ones(self, anonymous, project, three):
        assert self.names(anonymous, f"name={project}", headers={"Authorization": None}) == [f"{project}-a"]
        assert self.names(anonymous, f"name={project}&public=false", headers={"Authorization": None}) == []

    @pytest.mark.parametrize("query", ["public=perhaps", "with_detail=7", "q=name", "q=public="])
    def test_what_cannot_be_read_is_refused(self, admin, query):
        admin.get(f"{API}?{query}", expect=(400, 422))


class TestDelete:
    def test_an_empty_one_goes_with_its_settings_and_members(self, admin, project):
        first = admin.get(make(admin, project, metadata={"auto_scan": "true"}, cve_allowlist={"items": [{"cve_id": "CVE-1"}]}).headers["Location"]).json()
        assert admin.get(f"{API}/{project}/_deletable", expect=200).json() == {"deletable": True}
        admin.delete(f"{API}/{project}", expect=200)
        for path in (project, first["project_id"]):
            admin.get(f"{API}/{path}", expect=404)
            admin.delete(f"{API}/{path}", expect=404)
        assert admin.get(f"{API}?name={project}", expect=200).json() == []
        again = admin.get(make(admin, project).headers["Location"], expect=200).json()
        assert again["project_id"] > first["project_id"], "an id was given twice"
        assert again["metadata"] == {"public": "false"} and again["cve_allowlist"]["items"] == []

    def test_one_that_holds_something_stays(self, admin, client, project):
        client.repository(f"{project}/app").push(oci.image("stays"), "v1")
        answer = admin.get(f"{API}/{project}/_deletable", expect=200).json()
        assert answer["deletable"] is False and answer["message"]
        admin.delete(f"{API}/{project}", expect=412)
        assert admin.get(f"{API}/{project}", expect=200).json()["repo_count"] == 1
        admin.delete(f"{API}/{project}/repositories/app", expect=200)
        admin.delete(f"{API}/{project}", expect=200)

    def test_uploads_that_became_nothing_do_not_keep_it(self, admin, client, project):
        repository = client.repository(f"{project}/app")
        upload = repository.start_upload()
        repository.push_blob(b"a blob and no manifest")
        assert admin.get(f"{API}/{project}", expect=200).json()["repo_count"] == 0
        admin.delete(f"{API}/{project}", expect=200)
        client.tokens.clear()  # those from before say what their owner held in the project that is gone
        upload.patch(b"more", expect=404)
        make(admin, project)
        client.repository(f"{project}/app").tags(expect=404)

    def test_its_robots_go_too(self, admin, project):
        make(admin, project)
        robot = admin.post("/api/v2.0/robots", expect=201, body=json.dumps({
            "name": "ci", "level": "project", "duration": -1,
            "permissions": [{"kind": "project", "namespace": project, "access": [{"resource": "repository", "action": "pull"}]}],
        })).json()
        as_robot = requests.auth._basic_auth_str(robot["name"], robot["secret"])
        admin.get("/v2/", headers={"Authorization": as_robot}, expect=200)
        admin.delete(f"{API}/{project}", expect=200)
        admin.get("/v2/", headers={"Authorization": as_robot}, expect=401)
        admin.get(f"/api/v2.0/robots/{robot['id']}", expect=404)


class TestMetadata:
    def test_one_by_one(self, admin, project):
        make(admin, project, metadata={"auto_scan": "true"})
        path = f"{API}/{project}/metadatas"
        assert admin.get(f"{path}/", expect=200).json() == {"public": "false", "auto_scan": "true"}
        admin.post(f"{path}/", body='{"severity":"critical"}', expect=200)
        assert admin.get(f"{path}/severity", expect=200).json() == {"severity": "critical"}
        admin.put(f"{path}/severity", body='{"severity":"low"}', expect=200)
        assert admin.get(f"{path}/severity", expect=200).json() == {"severity": "low"}
        admin.delete(f"{path}/severity", expect=200)
        admin.get(f"{path}/severity", expect=404)
        admin.delete(f"{path}/severity", expect=404)

    def test_public_is_one_of_them(self, admin, anonymous, project):
        make(admin, project)
        path = f"{API}/{project}/metadatas"
        admin.put(f"{path}/public", body='{"public":"true"}', expect=200)
        anonymous.get(f"{API}/{project}", headers={"Authorization": None}, expect=200)
        admin.delete(f"{path}/public", expect=200)
        anonymous.get(f"{API}/{project}", headers={"Authorization": None}, expect=401)

    @pytest.mark.parametrize("body, status", [
        ('{"auto_scan":"true"}', 409), ('{"public":"true"}', 409), ("{}", 400), ('{"severity":"low","prevent_vul":"true"}', 400),
        ('{"unheard":"of"}', 400), ('{"retention_id":"1"}', 400), ('{"severity":"awful"}', 400), ('{"severity":1}', 422), ("[]", 400),
    ])
    def test_what_cannot_be_added(self, admin, project, body, status):
        make(admin, project, metadata={"auto_scan": "true"})
        admin.post(f"{API}/{project}/metadatas/", body=body, expect=status)
        assert admin.get(f"{API}/{project}/metadatas/", expect=200).json() == {"public": "false", "auto_scan": "true"}

    @pytest.mark.parametrize("name, body, status", [
        ("auto_scan", '{"severity":"low"}', 400), ("severity", '{"severity":"low"}', 404), ("auto_scan", '{"auto_scan":"x"}', 400),
    ])
    def test_what_cannot_be_changed(self, admin, project, name, body, status):
        make(admin, project, metadata={"auto_scan": "true"})
        admin.put(f"{API}/{project}/metadatas/{name}", body=body, expect=status)


def test_a_summary_counts(admin, client, project):
    client.repository(f"{project}/app").push(oci.image("counted"), "v1")
    summary = admin.get(f"{API}/{project}/summary", expect=200).json()
    assert summary["repo_count"] == 1 and summary["project_admin_count"] == 1 and summary["guest_count"] == 0


def test_each_change_is_recorded(admin, registry, project):
    make(admin, project, metadata={"auto_scan": "true"})
    change(admin, project, metadata={"auto_scan": "false"})
    admin.put(f"{API}/{project}/metadatas/public", body='{"public":"true"}', expect=200)
    admin.delete(f"{API}/{project}", expect=200)
    assert recorded(registry, project) == [f"{change} project {project}" for change in ("create", "update", "update", "delete")]


def test_terraform_failed_where_no_scanner_is_bound(admin, project):
    """Its data source of a project asks for the scanner's name and took the 501 for a failure; Harbor's empty registration is none."""
    admin.make_project(project)
    assert admin.get(f"{API}/{project}/scanner", expect=200).json() == {}
    answer = admin.get(f"{API}/{project}/scanner/candidates?page=2", expect=200)
    assert answer.json() == [] and answer.headers["X-Total-Count"] == "0"
    admin.get(f"{API}/{project}/scanner/candidates?page=-1", expect=422)
    admin.get(f"{API}/nowhere/scanner", expect=404)
