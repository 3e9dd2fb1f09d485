# SPDX-License-Identifier: Apache-2.0
"""Projects and repositories get another name; the one from before goes on leading there, and nowhere else."""
import threading
import time
import urllib.parse

import pytest

from harness import oci
from harness.client import next_link
from harness.members import add_member, make_project
from harness.people import API, call, make_person
from harness.wait import wait_until
from harness.wire import Wire, unique

BERTH = "/api/berth/v1"
MINIMAL = {"metadata": {"public": "false"}}


def encoded(name):
    return urllib.parse.quote(name, safe="")


def rename_project(client, project, name, expect=200, **body):
    return call(client, "POST", f"{BERTH}/projects/{project}/rename", {"name": name, **body}, expect=expect)


def repository_path(project, repository):
    return f"{BERTH}/projects/{project}/repositories/{encoded(repository)}"


def rename_repository(client, project, repository, name, expect=200, **body):
    return call(client, "POST", f"{repository_path(project, repository)}/rename", {"name": name, **body}, expect=expect)


def project_aliases(client, project):
    return [alias["name"] for alias in client.get(f"{BERTH}/projects/{project}/aliases", expect=200).json()]


def repository_aliases(client, project, repository):
    return [alias["name"] for alias in client.get(f"{repository_path(project, repository)}/aliases", expect=200).json()]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def token_for(client, scope):
    return client.fetch_token(scope)["token"]


def manifest_status(client, token, repository, reference="v1"):
    return client.get(f"/v2/{repository}/manifests/{reference}", headers={**bearer(token), "Accept": "*/*"}).status_code


def layer_of(content):
    return oci.digest_of(content.blobs[1])


@pytest.fixture
def project():
    return unique("old")


@pytest.fixture
def renamed():
    return unique("new")


@pytest.fixture
def person(admin):
    return make_person(admin)


def docker(registry, person):
    """The same person as docker's clients ask: with tokens."""
    return registry.client(person.name, person.client.password)


# -- everything goes on by the old name

def test_a_renamed_project_is_pulled_and_pushed_by_both_names(client, admin, project, renamed):
    before = client.repository(f"{project}/apps/web")
    content = oci.image("first")
    before.push(content, "v1")
    answer = rename_project(admin, project, renamed).json()
    assert answer["name"] == renamed
    for name in (project, renamed):
        again = client.registry.client().repository(f"{name}/apps/web")
        assert again.get_manifest("v1").content == content.body
        again.head_manifest("v1")
        assert again.head_blob(layer_of(content)).headers["Docker-Content-Digest"] == layer_of(content)
        pushed = oci.image(f"by {name}")
        again.push(pushed, f"by-{name}")
        signature = oci.artifact("application/vnd.example.signature", subject=pushed.descriptor())
        again.push(signature)
        assert again.referrer_digests(pushed.digest) == [signature.digest]
        listed = again.tags().json()
        assert listed["name"] == f"{name}/apps/web", "clients compare the name with the one they asked for"
        again.delete_manifest(f"by-{name}")
    assert client.repository(f"{renamed}/apps/web").tag_names() == ["v1"]


def test_links_and_locations_keep_the_name_that_was_used(client, admin, project, renamed):
    client.repository(f"{project}/web").push(oci.image("links"), "a")
    rename_project(admin, project, renamed)
    old = client.registry.client().repository(f"{project}/web")
    old.push(oci.image("links"), "b")
    page = old.tags(n=1)
    assert f"/v2/{project}/web/tags/list" in next_link(page)
    upload = old.start_upload()
    assert f"/v2/{project}/web/blobs/uploads/" in upload.location
    data = oci.random_bytes(1000, "by the old name")
    upload.patch(data)
    done = upload.put(oci.digest_of(data))
    assert f"/v2/{project}/web/blobs/" in done.headers["Location"]
    challenge = client.get(f"/v2/{project}/web/manifests/a", headers={"Authorization": None}, expect=401)
    assert f"repository:{project}/web:pull" in challenge.headers["WWW-Authenticate"]


def test_an_upload_that_had_begun_goes_on_by_either_name(client, admin, project, renamed):
    client.repository(f"{project}/web").push(oci.image("there"), "v1")
    data = oci.random_bytes(300_000, "through a rename")
    upload = client.repository(f"{project}/web").start_upload()
    upload.patch(data[:100_000])
    rename_project(admin, project, renamed)
    upload.patch(data[100_000:200_000])
    upload.location = upload.location.replace(f"/v2/{project}/", f"/v2/{renamed}/")
    upload.repository = client.repository(f"{renamed}/web")
    upload.patch(data[200_000:])
    upload.put(oci.digest_of(data))
    assert client.repository(f"{project}/web").get_blob(oci.digest_of(data)).content == data


def test_mounts_from_an_old_name(client, admin, project, renamed):
    data = oci.random_bytes(5000, "mounted")
    client.repository(f"{project}/web").push_blob(data)
    rename_project(admin, project, renamed)
    rename_repository(admin, renamed, "web", f"{renamed}/site")
    target = client.repository(f"{unique('target')}/web")
    for source in (f"{project}/web", f"{project}/site", f"{renamed}/web", f"{renamed}/site"):
        target.mount(oci.digest_of(data), source)


def test_harbors_api_by_the_old_name(admin, client, project, renamed):
    client.repository(f"{project}/web").push(oci.image("api"), "v1")
    rename_project(admin, project, renamed)
    found = admin.get(f"{API}/projects/{project}", expect=200).json()
    assert found["name"] == renamed
    assert admin.get(f"{API}/projects/{found['project_id']}", expect=200).json()["name"] == renamed
    admin.head(f"{API}/projects?project_name={project}", expect=200)
    listed = admin.get(f"{API}/projects/{project}/repositories", expect=200).json()
    assert [repository["name"] for repository in listed] == [f"{renamed}/web"]
    assert admin.get(f"{API}/projects/{project}/repositories/web", expect=200).json()["name"] == f"{renamed}/web"
    assert len(admin.get(f"{API}/projects/{project}/repositories/web/artifacts", expect=200).json()) == 1
    admin.get(f"{API}/projects/{project}/members", expect=200)


def test_lists_show_the_new_names_only(admin, client, project, renamed):
    client.repository(f"{project}/web").push(oci.image("lists"), "v1")
    rename_project(admin, project, renamed)
    catalog = client.catalog().json()["repositories"]
    assert f"{renamed}/web" in catalog and f"{project}/web" not in catalog
    for word, there in ((project, False), (renamed, True)):
        found = admin.get(f"{API}/search?q={word}", expect=200).json()
        assert bool(found["project"]) is there and bool(found["repository"]) is there
        assert bool(admin.get(f"{API}/projects?name={word}", expect=200).json()) is there


def test_a_renamed_repository_answers_to_both_names(client, admin, project):
    content = oci.image("one")
    client.repository(f"{project}/web").push(content, "v1")
    answer = rename_repository(admin, project, "web", f"{project}/sites/main").json()
    assert answer["name"] == f"{project}/sites/main"
    for name in ("web", "sites/main"):
        repository = client.registry.client().repository(f"{project}/{name}")
        assert repository.get_manifest("v1").content == content.body
        assert repository.tags().json()["name"] == f"{project}/{name}"
        repository.push(oci.image(name), name.replace("/", "-"))
    assert client.repository(f"{project}/web").tag_names() == ["sites-main", "v1", "web"]
    assert [f"{project}/sites/main"] == [row["name"] for row in admin.get(f"{API}/projects/{project}/repositories", expect=200).json()]
    assert repository_aliases(admin, project, "sites/main") == [f"{project}/web"]


def test_chains_lead_to_the_last_name(client, admin, project, renamed):
    content = oci.image("chain")
    client.repository(f"{project}/a").push(content, "v1")
    rename_repository(admin, project, "a", f"{project}/b")
    rename_repository(admin, project, "b", f"{project}/c/d")
    middle = unique("middle")
    rename_project(admin, project, middle)
    rename_project(admin, middle, renamed)
    assert project_aliases(admin, renamed) == sorted([project, middle])
    assert repository_aliases(admin, renamed, "c/d") == [f"{renamed}/a", f"{renamed}/b"]
    for name in (project, middle, renamed):
        for inside in ("a", "b", "c/d"):
            assert client.repository(f"{name}/{inside}").get_manifest("v1").content == content.body


def test_renaming_back_ends_the_alias(client, admin, project, renamed):
    client.repository(f"{project}/web").push(oci.image("back"), "v1")
    rename_project(admin, project, renamed)
    rename_project(admin, project, project)
    assert project_aliases(admin, project) == [renamed]
    rename_repository(admin, project, "web", f"{project}/x")
    rename_repository(admin, project, "x", f"{project}/web", alias=False)
    assert repository_aliases(admin, project, "web") == []
    client.repository(f"{project}/x").get_manifest("v1", expect=404)
    for name in (project, renamed):
        client.repository(f"{name}/web").get_manifest("v1")


def test_a_token_by_the_old_name_is_honoured(registry, admin, person, project, renamed):
    make_project(admin, project)
    registry.client().repository(f"{project}/web").push(oci.image("tokens"), "v1")
    add_member(admin, project, "developer", username=person.name)
    client = docker(registry, person)
    issued_before = token_for(client, f"repository:{project}/web:pull")
    rename_project(admin, project, renamed)
    issued_after = token_for(client, f"repository:{project}/web:pull")
    for token in (issued_before, issued_after):
        assert manifest_status(client, token, f"{project}/web") == 200
        assert manifest_status(client, token, f"{renamed}/web") == 401, "a token is for the name it says"
    client.repository(f"{renamed}/web").get_manifest("v1")


def test_anonymous_pulls_follow_what_the_project_is_now(registry, admin, anonymous, project, renamed):
    make_project(admin, project, metadata={"public": "true"})
    registry.client().repository(f"{project}/web").push(oci.image("public"), "v1")
    rename_project(admin, project, renamed)
    visitor = registry.anonymous()
    visitor.repository(f"{project}/web").as_client(visitor)
    token = token_for(visitor, f"repository:{project}/web:pull")
    assert manifest_status(visitor, token, f"{project}/web") == 200
    call(admin, "PUT", f"{API}/projects/{renamed}", MINIMAL)
    fresh = token_for(visitor, f"repository:{project}/web:pull")
    assert manifest_status(visitor, fresh, f"{project}/web") == 401, "what was made private is served by its old name"


# -- names that are taken

def test_a_name_in_use_and_an_alias_stand_in_the_way(client, admin, project, renamed):
    other = unique("other")
    make_project(admin, project)
    make_project(admin, other)
    rename_project(admin, project, renamed)
    rename_project(admin, other, renamed, expect=409)
    rename_project(admin, renamed, renamed, expect=409)
    answer = rename_project(admin, other, project, expect=409)
    assert "alias" in answer.json()["errors"][0]["message"]
    call(admin, "POST", f"{API}/projects", {"project_name": project}, expect=409)
    assert project_aliases(admin, renamed) == [project] and project_aliases(admin, other) == []
    admin.delete(f"{BERTH}/projects/{renamed}/aliases/{project}", expect=200)
    admin.delete(f"{BERTH}/projects/{renamed}/aliases/{project}", expect=404)
    call(admin, "POST", f"{API}/projects", {"project_name": project}, expect=201)


def test_a_repositorys_alias_stands_in_the_way(client, admin, project):
    for name in ("web", "api"):
        client.repository(f"{project}/{name}").push(oci.image(name), "v1")
    rename_repository(admin, project, "web", f"{project}/api", expect=409)
    rename_repository(admin, project, "web", f"{project}/site")
    rename_repository(admin, project, "api", f"{project}/web", expect=409)
    client.repository(f"{project}/web").push(oci.image("pushed"), "v2")
    assert client.repository(f"{project}/site").tag_names() == ["v1", "v2"], "a push made something under an alias' name"
    admin.delete(f"{repository_path(project, 'site')}/aliases/{encoded(project + '/web')}", expect=200)
    client.repository(f"{project}/web").get_manifest("v1", expect=404)
    client.repository(f"{project}/web").push(oci.image("new"), "v3")
    assert client.repository(f"{project}/web").tag_names() == ["v3"]


def test_a_push_makes_no_project_under_an_alias(client, admin, project, renamed):
    make_project(admin, project)
    rename_project(admin, project, renamed)
    client.repository(f"{project}/fresh").push(oci.image("fresh"), "v1")
    assert [row["name"] for row in admin.get(f"{API}/projects/{renamed}/repositories", expect=200).json()] == [f"{renamed}/fresh"]


def test_aliases_go_with_what_they_lead_to(client, admin, project, renamed):
    client.repository(f"{project}/web").push(oci.image("gone"), "v1")
    rename_project(admin, project, renamed)
    rename_repository(admin, renamed, "web", f"{renamed}/site")
    client.repository(f"{project}/web").get_manifest("v1")
    admin.delete(f"{API}/projects/{renamed}/repositories/site", expect=200)
    for name in (f"{project}/web", f"{renamed}/web", f"{project}/site"):
        client.repository(name).get_manifest("v1", expect=404)
        client.repository(name).head_blob(layer_of(oci.image("gone")), expect=404)
    admin.delete(f"{API}/projects/{project}", expect=200)
    admin.get(f"{API}/projects/{project}", expect=404)
    client.make_project(project)
    client.make_project(renamed)


def test_without_an_alias_the_old_name_leads_nowhere(client, admin, project, renamed):
    client.repository(f"{project}/web").push(oci.image("moved"), "v1")
    client.repository(f"{project}/web").get_manifest("v1")
    rename_project(admin, project, renamed, alias=False)
    assert project_aliases(admin, renamed) == []
    client.repository(f"{project}/web").get_manifest("v1", expect=404)
    admin.get(f"{API}/projects/{project}", expect=404)
    client.repository(f"{project}/web").push(oci.image("another"), "v2")
    assert client.repository(f"{project}/web").tag_names() == ["v2"]
    assert client.repository(f"{renamed}/web").tag_names() == ["v1"]


@pytest.mark.parametrize("body, status", [
    ({}, 400), ({"name": ""}, 400), ({"name": "UPPER"}, 400), ({"name": "a/b"}, 400), ({"name": "x" * 256}, 422), ({"name": 7}, 422),
    ({"name": "fine", "alias": "yes"}, 422), ({"name": "a#1"}, 400), (None, 400),
])
def test_bad_new_names_of_projects(admin, project, body, status):
    make_project(admin, project)
    call(admin, "POST", f"{BERTH}/projects/{project}/rename", body, expect=status)
    assert admin.get(f"{API}/projects/{project}", expect=200).json()["name"] == project


@pytest.mark.parametrize("inside", ["", "UPPER", "a//b", "-a", "a/", "x" * 255])
def test_bad_new_names_of_repositories(client, admin, project, inside):
    client.repository(f"{project}/web").push(oci.image("stays"), "v1")
    rename_repository(admin, project, "web", f"{project}/{inside}", expect=(400, 422))
    rename_repository(admin, project, "none", f"{project}/some", expect=404)
    client.repository(f"{project}/web").get_manifest("v1")


def test_a_repository_stays_in_its_project(client, admin, project, renamed):
    client.repository(f"{project}/web").push(oci.image("stays"), "v1")
    make_project(admin, renamed)
    for name in (f"{renamed}/web", f"{unique('nowhere')}/web", "web"):
        answer = rename_repository(admin, project, "web", name, expect=400)
    rename_project(admin, project, unique("third"))
    answer = rename_repository(admin, project, "web", f"{renamed}/web", expect=400)
    assert "stays in its project" in answer.json()["errors"][0]["detail"]
    rename_repository(admin, project, "web", f"{project}/by-the-alias")
    client.repository(f"{project}/by-the-alias").get_manifest("v1")


def test_names_that_would_become_too_long_are_refused(client, admin, project):
    inside = "x" * (255 - len(project) - 1)
    client.repository(f"{project}/{inside}").push(oci.image("long"), "v1")
    answer = rename_project(admin, project, f"{project}-1", expect=400)
    assert "255" in answer.json()["errors"][0]["detail"]
    client.repository(f"{project}/{inside}").get_manifest("v1")
    assert project_aliases(admin, project) == []


def test_there_is_a_limit_to_aliases(registry, admin, project):
    identifier = make_project(admin, project)
    engine_rows = ", ".join(f"(1, '{project}-{n}', {identifier}, 1)" for n in range(100))
    registry.execute(f"INSERT INTO project_alias (tenant_id, name, project_id, created_at_us) VALUES {engine_rows}")
    answer = rename_project(admin, project, f"{project}-b", expect=400)
    assert "aliases" in answer.json()["errors"][0]["detail"]
    rename_project(admin, project, f"{project}-b", alias=False)
    page = admin.get(f"{BERTH}/projects/{project}-b/aliases?page_size=7&page=2", expect=200)
    assert len(page.json()) == 7 and page.headers["X-Total-Count"] == "100"


def test_an_alias_is_its_tenants_own(registry, admin, client, project, renamed):
    other = registry.tenant(unique("tenant"))
    theirs, contents = other.admin, {}
    for whose, asking in ((admin, client), (theirs, other.client())):
        make_project(whose, project)
        contents[whose] = oci.image(unique("content"))
        asking.repository(f"{project}/web").push(contents[whose], "v1")
    rename_project(admin, project, renamed)
    assert other.client().repository(f"{project}/web").get_manifest("v1").content == contents[theirs].body
    assert registry.client().repository(f"{project}/web").get_manifest("v1").content == contents[admin].body
    other.client().repository(f"{renamed}/web").get_manifest("v1", expect=404)
    rename_project(theirs, project, renamed)
    assert project_aliases(theirs, renamed) == [project] == project_aliases(admin, renamed)
    theirs.delete(f"{BERTH}/projects/{renamed}/aliases/{project}", expect=200)
    assert registry.client().repository(f"{project}/web").get_manifest("v1").content == contents[admin].body


def test_a_decision_is_explained_by_either_name(admin, person, project, renamed):
    make_project(admin, project)
    add_member(admin, project, "guest", username=person.name)
    rename_project(admin, project, renamed)
    for name in (project, renamed):
        explained = call(admin, "POST", f"{BERTH}/authz/explain", {
            "identity": {"type": "user", "name": person.name}, "permission": "repository:pull", "repository": f"{name}/web",
        }).json()
        assert explained["allowed"] and explained["roles"] == ["guest"]


# -- robots

def make_robot(admin, project, name, actions=("pull", "push")):
    access = [{"resource": "repository", "action": action} for action in actions]
    answer = call(admin, "POST", f"{API}/robots", {
        "name": name, "level": "project", "duration": -1,
        "permissions": [{"kind": "project", "namespace": project, "access": access}],
    }, expect=201).json()
    return answer


def test_robots_go_on_by_their_old_names(registry, admin, project, renamed):
    make_project(admin, project)
    robot = make_robot(admin, project, "ci")
    assert robot["name"] == f"robot${project}+ci"
    rename_project(admin, project, renamed)
    shown = admin.get(f"{API}/robots/{robot['id']}", expect=200).json()
    assert shown["name"] == f"robot${renamed}+ci" and shown["permissions"][0]["namespace"] == renamed
    for login in (robot["name"], shown["name"]):
        for name in (project, renamed):
            registry.client(login, robot["secret"]).repository(f"{name}/web").push(oci.image(login), "v1")
    admin.delete(f"{BERTH}/projects/{renamed}/aliases/{project}", expect=200)
    registry.client(robot["name"], robot["secret"]).fetch_token(f"repository:{renamed}/web:pull", expect=401)
    registry.client(shown["name"], robot["secret"]).repository(f"{renamed}/web").get_manifest("v1")


def test_a_robot_of_a_new_project_is_not_the_old_ones(registry, admin, project, renamed):
    make_project(admin, project)
    robot = make_robot(admin, project, "ci")
    rename_project(admin, project, renamed, alias=False)
    make_project(admin, project)
    other = make_robot(admin, project, "ci")
    assert other["name"] == robot["name"] and other["id"] != robot["id"]
    registry.client().repository(f"{project}/web").push(oci.image("others"), "v1")
    registry.client(robot["name"], robot["secret"]).fetch_token(f"repository:{project}/web:pull", expect=401)
    scope = registry.client(f"robot${renamed}+ci", robot["secret"]).fetch_token(f"repository:{project}/web:pull")["scope"]
    assert scope == "", "a robot reaches what has its project's old name"


# -- who may, and what nobody gains

def test_who_may_rename_a_project(registry, admin, person, project):
    identifier = make_project(admin, project)
    add_member(admin, project, "projectAdmin", username=person.name)
    call(admin, "PUT", f"{API}/configurations", {"project_creation_restriction": "adminonly"})
    try:
        rename_project(person.client, project, unique("mine"), expect=403)
    finally:
        call(admin, "PUT", f"{API}/configurations", {"project_creation_restriction": "everyone"})
    mine = unique("mine")
    rename_project(person.client, project, mine)
    for role in ("maintainer", "developer", "guest"):
        other = make_person(admin)
        add_member(admin, str(identifier), role, username=other.name)
        rename_project(other.client, mine, unique("theirs"), expect=403)
        other.client.delete(f"{BERTH}/projects/{mine}/aliases/{project}", expect=403)
        other.client.get(f"{BERTH}/projects/{project}/aliases", expect=200)
    stranger = make_person(admin)
    for name in (project, mine, unique("nothing")):
        rename_project(stranger.client, name, unique("x"), expect=403)
        stranger.client.get(f"{BERTH}/projects/{name}/aliases", expect=403)
    person.client.delete(f"{BERTH}/projects/{mine}/aliases/{project}", expect=200)


def test_strangers_do_not_learn_what_a_name_has_become(registry, admin, project, renamed):
    make_project(admin, project)
    registry.client().repository(f"{project}/web").push(oci.image("secret"), "v1")
    rename_project(admin, project, renamed)
    stranger = make_person(admin)
    answers = [stranger.client.get(f"{API}/projects/{name}", expect=403).json() for name in (project, unique("nothing"))]
    assert answers[0] == answers[1]
    for name in (project, unique("nothing")):
        answer = docker(registry, stranger).get(f"/v2/{name}/web/manifests/v1", scopes=[f"repository:{name}/web:pull"], expect=401)
        assert renamed not in answer.text and renamed not in str(answer.headers)


def make_role(admin, *grants):
    answer = call(admin, "POST", f"{BERTH}/roles", {"name": unique("role"), "grants": list(grants)}, expect=201)
    return int(answer.headers["Location"].rsplit("/", 1)[1])


def test_roles_with_patterns_go_by_the_present_name(registry, admin, person, project):
    make_project(admin, project)
    registry.client().repository(f"{project}/open/web").push(oci.image("patterns"), "v1")
    role = make_role(admin, {"repositories": "open/**", "permissions": ["repository:pull"]})
    add_member(admin, project, role, username=person.name)
    client = docker(registry, person)
    token = token_for(client, f"repository:{project}/open/web:pull")
    assert manifest_status(client, token, f"{project}/open/web") == 200
    rename_repository(admin, project, "open/web", f"{project}/closed/web")
    assert manifest_status(client, token, f"{project}/open/web") == 401, "a token outlived what its pattern fitted"
    assert client.fetch_token(f"repository:{project}/open/web:pull")["scope"] == ""
    rename_repository(admin, project, "closed/web", f"{project}/open/again")
    assert client.fetch_token(f"repository:{project}/closed/web:pull")["scope"] == f"repository:{project}/closed/web:pull"


def test_robots_with_patterns_go_by_the_present_name(registry, admin, project):
    make_project(admin, project)
    registry.client().repository(f"{project}/open/web").push(oci.image("robots"), "v1")
    robot = call(admin, "POST", f"{API}/robots", {
        "name": unique("narrow"), "level": "system", "duration": -1,
        "permissions": [{"kind": "project", "namespace": project, "repository_pattern": "open/**",
                         "access": [{"resource": "repository", "action": "pull"}]}],
    }, expect=201).json()
    client = registry.client(robot["name"], robot["secret"])
    token = token_for(client, f"repository:{project}/open/web:pull")
    assert manifest_status(client, token, f"{project}/open/web") == 200
    rename_repository(admin, project, "open/web", f"{project}/closed/web")
    assert manifest_status(client, token, f"{project}/open/web") == 401
    assert client.fetch_token(f"repository:{project}/open/web:pull")["scope"] == ""


def test_nobody_renames_into_what_he_may_pull(registry, admin, person, project):
    make_project(admin, project)
    for name in ("secret/plans", "open/web"):
        registry.client().repository(f"{project}/{name}").push(oci.image(name), "v1")
    role = make_role(
        admin, {"permissions": ["repository:update"]},
        {"repositories": "open/**", "permissions": ["repository:pull", "repository:push"]},
    )
    add_member(admin, project, role, username=person.name)
    rename_repository(person.client, project, "secret/plans", f"{project}/open/plans", expect=403)
    rename_repository(person.client, project, "open/web", f"{project}/secret/web", expect=403)
    rename_repository(person.client, project, "open/web", f"{project}/open/site", alias=False, expect=403)
    rename_repository(person.client, project, "open/web", f"{project}/open/site")
    person.client.delete(f"{repository_path(project, 'open/site')}/aliases/{encoded(project + '/open/web')}", expect=403)


def test_renaming_back_takes_the_right_to_the_name_that_comes_back(registry, admin, person, project):
    make_project(admin, project)
    registry.client().repository(f"{project}/closed/web").push(oci.image("back"), "v1")
    role = make_role(
        admin, {"repositories": "open/**", "permissions": ["repository:update", "repository:pull", "repository:push"]})
    add_member(admin, project, role, username=person.name)
    rename_repository(admin, project, "closed/web", f"{project}/open/web")
    rename_repository(person.client, project, "open/web", f"{project}/closed/web", expect=403)


def test_a_token_for_a_name_that_another_project_got_is_worth_nothing(registry, admin, person, project, renamed):
    make_project(admin, project)
    registry.client().repository(f"{project}/web").push(oci.image("mine"), "v1")
    add_member(admin, project, "developer", username=person.name)
    client = docker(registry, person)
    stale = token_for(client, f"repository:{project}/web:pull,push")
    assert manifest_status(client, stale, f"{project}/web") == 200
    rename_project(admin, project, renamed)
    assert manifest_status(client, stale, f"{project}/web") == 200
    admin.delete(f"{BERTH}/projects/{renamed}/aliases/{project}", expect=200)
    make_project(admin, project)
    registry.client().repository(f"{project}/web").push(oci.image("somebody else's"), "v1")
    assert manifest_status(client, stale, f"{project}/web") == 401
    client.put(f"/v2/{project}/web/manifests/v2", headers={**bearer(stale), "Content-Type": oci.OCI_MANIFEST}, body=b"{}", expect=401)
    client.post(f"/v2/{project}/web/blobs/uploads/", headers=bearer(stale), expect=401)
    client.repository(f"{renamed}/web").get_manifest("v1")


def test_a_name_taken_by_rename_gives_old_tokens_nothing(registry, admin, person, project, renamed):
    """The other project is not made anew: it is given the name."""
    other = unique("other")
    make_project(admin, project)
    make_project(admin, other)
    for name in (project, other):
        registry.client().repository(f"{name}/web").push(oci.image(name), "v1")
    add_member(admin, project, "guest", username=person.name)
    client = docker(registry, person)
    stale = token_for(client, f"repository:{project}/web:pull")
    rename_project(admin, project, renamed, alias=False)
    rename_project(admin, other, project)
    assert manifest_status(client, stale, f"{project}/web") == 401
    admin_token = token_for(registry.client(), f"repository:{project}/web:pull")
    assert manifest_status(client, admin_token, f"{project}/web") == 200


def test_a_deleted_and_remade_project_gives_old_tokens_nothing(registry, admin, person, project):
    make_project(admin, project)
    add_member(admin, project, "developer", username=person.name)
    client = docker(registry, person)
    stale = token_for(client, f"repository:{project}/web:pull,push")
    admin.delete(f"{API}/projects/{project}", expect=200)
    make_project(admin, project)
    registry.client().repository(f"{project}/web").push(oci.image("new"), "v1")
    assert manifest_status(client, stale, f"{project}/web") == 401


@pytest.mark.own_server
def test_a_slow_push_does_not_land_in_what_got_the_name(registry, admin, project, renamed):
    """It was decided about one project; until its body is there, the name is another's."""
    person = make_person(admin)
    make_project(admin, project)
    add_member(admin, project, "developer", username=person.name)
    client = docker(registry, person)
    content = oci.image("slow")
    client.repository(f"{project}/web").push(content, "v1")
    token = token_for(client, f"repository:{project}/web:pull,push")
    with Wire(registry) as wire:
        head = (f"PUT /v2/{project}/web/manifests/planted HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Type: {content.media_type}\r\nContent-Length: {len(content.body)}\r\nExpect: 100-continue\r\n\r\n")
        wire.send(head.encode())
        assert wire.answer().status == 100, "it was decided that this may be pushed"
        wire.send(content.body[:10])
        rename_project(admin, project, renamed, alias=False)
        make_project(admin, project)
        registry.client().repository(f"{project}/web").push(content, "v1")
        wire.send(content.body[10:])
        answer = wire.answer()
    assert answer.status == 404, answer
    assert registry.client().repository(f"{project}/web").tag_names() == ["v1"]


# -- what is recorded

def test_renames_are_recorded_before_and_after(registry, client, admin, project, renamed):
    client.repository(f"{project}/web").push(oci.image("records"), "v1")
    rename_project(admin, project, renamed)
    rename_repository(admin, renamed, "web", f"{renamed}/site", alias=True)
    admin.delete(f"{repository_path(renamed, 'site')}/aliases/{encoded(renamed + '/web')}", expect=200)
    admin.delete(f"{BERTH}/projects/{renamed}/aliases/{project}", expect=200)
    identifier = admin.get(f"{API}/projects/{renamed}", expect=200).json()["project_id"]

    def records():
        found = admin.get(f"{BERTH}/audit/records?q=project_id={identifier},operation=update", expect=200).json()["records"]
        return [(row["type"], row["resource"], row.get("before"), row.get("after")) for row in found]

    wait_until(lambda: len(records()) >= 4)
    found = records()
    assert ("update_project", project, {"name": project}, {"name": renamed, "alias": True}) in found
    assert ("update_repository", f"{renamed}/web", {"name": f"{renamed}/web"}, {"name": f"{renamed}/site", "alias": True}) in found
    assert ("update_repository", f"{renamed}/web", {"alias": f"{renamed}/web"}, None) in found
    assert ("update_project", project, {"alias": project}, None) in found


# -- at the same time

def until_stopped(stop, failures, work):
    try:
        while not stop.is_set():
            work()
    except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
        failures.append(error)


def test_pulls_and_pushes_during_renames(registry, admin, project):
    """Clients go by the first name while the project and the repository are renamed to and fro."""
    content = oci.image("busy")
    registry.client().repository(f"{project}/web").push(content, "v1")
    stop, failures, pushed = threading.Event(), [], []

    def pull(client=None):
        client = registry.client()
        repository = client.repository(f"{project}/web")

        def work():
            assert repository.get_manifest("v1").content == content.body
            assert repository.head_blob(layer_of(content)).status_code == 200

        until_stopped(stop, failures, work)

    def push(number):
        repository = registry.client().repository(f"{project}/web")
        counter = iter(range(100_000))

        def work():
            tag = f"t{number}-{next(counter)}"
            repository.push(oci.image(tag), tag)
            pushed.append(tag)

        until_stopped(stop, failures, work)

    threads = [threading.Thread(target=pull) for _ in range(3)] + [threading.Thread(target=push, args=[n]) for n in range(2)]
    for thread in threads:
        thread.start()
    names = [project] + [f"{project}-{n}" for n in range(3)]
    try:
        for turn in range(12):
            rename_project(admin, names[turn % 4], names[(turn + 1) % 4])
            inside = ["web", "site"]
            rename_repository(admin, names[(turn + 1) % 4], inside[turn % 2], f"{names[(turn + 1) % 4]}/{inside[(turn + 1) % 2]}")
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not failures, failures[0]
    tags = registry.client().repository(f"{project}/web").tag_names()
    assert pushed and sorted(tags) == sorted(["v1"] + pushed), "something that was pushed is not there"


def test_new_repositories_during_renames_have_the_projects_name(registry, admin, project):
    make_project(admin, project)
    stop, failures, made = threading.Event(), [], []

    def push(number):
        client = registry.client()
        counter = iter(range(100_000))

        def work():
            name = f"r{number}-{next(counter)}"
            client.repository(f"{project}/{name}").push_blob(name.encode())
            made.append(name)

        until_stopped(stop, failures, work)

    threads = [threading.Thread(target=push, args=[n]) for n in range(3)]
    for thread in threads:
        thread.start()
    names = [project, f"{project}-b"]
    try:
        for turn in range(20):
            rename_project(admin, names[turn % 2], names[(turn + 1) % 2])
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not failures, failures[0]
    rows = registry.query(f"SELECT name FROM repository WHERE name LIKE '{project}%' ORDER BY name")
    assert made and sorted(rows) == sorted(f"{project}/{name}" for name in made)


def test_two_who_want_one_name(registry, admin, project):
    """Of a rename and a creation under the same name one wins, and the alias and the project are never both there."""
    for turn in range(8):
        first, wanted = f"{project}-a{turn}", f"{project}-w{turn}"
        make_project(admin, first)
        results = {}

        def rename():
            results["rename"] = rename_project(registry.client(auth="basic"), first, wanted, expect=(200, 409)).status_code

        def create():
            other = registry.client(auth="basic")
            results["create"] = call(other, "POST", f"{API}/projects", {"project_name": wanted}, expect=(201, 409)).status_code

        threads = [threading.Thread(target=rename), threading.Thread(target=create)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(results.values()) in ([200, 409], [201, 409]), results


@pytest.mark.own_server
def test_ten_thousand_repositories_take_seconds(registry, admin, project, renamed):
    identifier = make_project(admin, project)
    rows = [f"({n + 1000}, 1, {identifier}, '{project}/r{n}', 1, 1)" for n in range(10_000)]
    for start in range(0, len(rows), 1000):
        registry.execute(
            "INSERT INTO repository (id, tenant_id, project_id, name, created_at_us, updated_at_us) VALUES "
            + ", ".join(rows[start:start + 1000]))
    started = time.monotonic()
    rename_project(admin, project, renamed)
    assert time.monotonic() - started < 10
    assert registry.query(f"SELECT count(*) FROM repository WHERE name LIKE '{renamed}/r%'") == ["10000"]
    registry.execute(f"DELETE FROM repository WHERE project_id = {identifier}")  # which no quota counts


# -- fsck

@pytest.mark.own_server
def test_fsck_finds_names_that_do_not_fit(registry, admin, project, renamed):
    identifier = make_project(admin, project)
    registry.client().repository(f"{project}/web").push(oci.image("fsck"), "v1")
    assert registry.fsck()[0] == 0
    registry.execute(f"UPDATE repository SET name = 'elsewhere/web' WHERE project_id = {identifier}")
    status, output = registry.fsck()
    assert status != 0 and "elsewhere/web" in output
    registry.execute(f"UPDATE repository SET name = '{project}/web' WHERE project_id = {identifier}")
    registry.execute(f"INSERT INTO project_alias (tenant_id, name, project_id, created_at_us) VALUES (1, '{project}', {identifier}, 1)")
    status, output = registry.fsck()
    assert status != 0 and project in output
    registry.execute(f"DELETE FROM project_alias WHERE name = '{project}'")
    assert registry.fsck()[0] == 0
