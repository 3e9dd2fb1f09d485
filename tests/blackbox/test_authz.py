# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every route by every role for real, what one is told about it, and what once was a hole elsewhere."""
import json
import re
from pathlib import Path

import pytest
import requests

from harness import oci
from harness.members import ROLES, add_member, make_project
from harness.people import API, PASSWORD, call, make_person
from harness.wire import unique

BERTH = "/api/berth/v1"
EXPLAIN = f"{BERTH}/authz/explain"
GOLDEN = Path(__file__).with_name("routes.golden")


@pytest.fixture
def project(admin):
    name = unique("lab")
    make_project(admin, name)
    return name


@pytest.fixture
def person(admin):
    return make_person(admin)


def give(admin, person, **rights):
    call(admin, "PUT", f"{BERTH}/users/{person.id}", rights)
    return person


def make_robot(registry, admin, level, *permissions):
    robot = call(admin, "POST", f"{API}/robots", {
        "name": unique("bot"), "level": level, "duration": -1, "permissions": list(permissions),
    }, expect=201).json()
    return registry.client(robot["name"], robot["secret"], auth="basic")


def permission(kind, namespace, access):
    return {"kind": kind, "namespace": namespace, "access": [{"resource": p["resource"], "action": p["action"]} for p in access]}


# -- the matrix, driven


def golden():
    """(method, pattern, action, {role: (private, public)}) of routes.golden."""
    for line in GOLDEN.read_text().splitlines()[1:]:
        method, pattern, action, *roles = line.split()
        yield method, pattern, action, {name: marks for name, marks in (role.split("=") for role in roles)}


def representatives():
    """One route for each permission and method; those whose object decides ("login") have tests of their own."""
    seen = set()
    for method, pattern, action, marks in golden():
        if action in ("open", ":login") or (method, action) in seen or pattern.startswith("/service/"):
            continue
        seen.add((method, action))
        yield method, pattern, action, marks


BODILESS = ("GET", "HEAD", "DELETE", f"{BERTH}/audit/verification", f"{BERTH}/quotas/recount")
ROUTES = list(representatives())
EVERYBODY = list(next(golden())[3])

# The matrix speaks of a tenant; all of these ask in the default one, whose identity providers decide who administrates the system.
# A tenant's own are driven in test_identity_providers.
SYSTEM_IN_DEFAULT = {("tenantAdmin", "identity-provider:read"), ("tenantAdmin", "identity-provider:update")}

SLOTS = {
    "reference": "absent", "digest": "sha256:" + "0" * 64, "upload": "5b8c1d4e-0000-4000-8000-000000000000", "repository": "absent", "tag": "absent",
    "id": "999999", "sub": "999999", "task": "999999", "user": "999999", "word": "absent",
}


def concrete(pattern, project):
    slots = {**SLOTS, "name": f"{project}/absent", "project": project, "project_name": project}
    if pattern.startswith(f"{BERTH}/tenants/"):
        slots["id"] = "1"  # who administrates a tenant knows of no other
    return re.sub(r"\{(\w+)\}", lambda match: slots[match.group(1)], pattern)


class Cast:
    """A private and a public project, and somebody for each column of the matrix, who asks with a password in every request."""

    def __init__(self, registry, admin):
        self.projects = (unique("private"), unique("public"))
        for name, public in zip(self.projects, ("false", "true")):
            make_project(admin, name, metadata={"public": public})
        self.clients = {"admin": (admin, admin), "anonymous": (registry.client(None, None, auth="none"),) * 2}
        for column in ("user", "auditor", "tenantAdmin", *ROLES):
            person = make_person(admin)
            self.clients[column] = (person.client, person.client)
            if column in ROLES:
                for name in self.projects:
                    add_member(admin, name, column, username=person.name)
        for column, right in (("auditor", "auditor"), ("tenantAdmin", "tenant_admin")):
            name = self.clients[column][0].username
            user = admin.get(f"{API}/users/search?username={name}", expect=200).json()[0]
            call(admin, "PUT", f"{BERTH}/users/{user['user_id']}", {right: True})
        givable = admin.get(f"{API}/permissions", expect=200).json()
        self.clients["robot"] = tuple(
            make_robot(registry, admin, "project", permission("project", name, givable["project"])) for name in self.projects)
        self.clients["systemRobot"] = (make_robot(
            registry, admin, "system", permission("system", "/", givable["system"]), permission("project", "*", givable["project"])),) * 2


casts = {}


@pytest.fixture
def cast(registry, admin):
    if registry not in casts:
        casts[registry] = Cast(registry, admin)
    return casts[registry]


def test_every_column_has_somebody(cast):
    assert set(cast.clients) == set(EVERYBODY)


@pytest.mark.parametrize("column", EVERYBODY)
def test_routes_open_to_whom_the_matrix_says(cast, column):
    wrong = []
    for method, pattern, action, marks in ROUTES:
        for at, project in enumerate(cast.projects):
            # The matrix is about who may always make projects; by default all people may.
            marked = marks[column][at] == "y" and (column, action) not in SYSTEM_IN_DEFAULT
            may = marked or (action == "project:create" and column not in ("anonymous", "robot"))
            if may and method == "DELETE" and action == "project:delete":
                continue  # it would be gone
            answer = cast.clients[column][at].request(
                method, concrete(pattern, project), body=None if method in BODILESS or pattern in BODILESS else "neither JSON nor a manifest",
                headers={"Content-Type": "application/json"}, expect=tuple(range(200, 512)))
            if (answer.status_code not in (401, 403)) != may:
                wrong.append(f"{method} {pattern} ({action}) in {project}: {answer.status_code}")
    assert not wrong, "\n".join(wrong)


def test_an_auditor_changes_nothing_by_any_route(cast):
    for method, pattern, action, marks in ROUTES:
        if method not in ("GET", "HEAD") and action != "registry:ping":
            asks_only = method == "POST" and (action == "authz:explain" or action.endswith(":read"))
            assert marks["auditor"] == "--" or asks_only, f"{method} {pattern} ({action})"


# -- what one is told


class TestExplain:
    def explain(self, client, expect=200, **question):
        answer = call(client, "POST", EXPLAIN, question, expect=expect)
        return (answer.json()["allowed"], answer.json()["reason"]) if expect == 200 else answer

    def test_about_oneself(self, admin, project, person):
        assert self.explain(person.client, permission="repository:pull", repository=f"{project}/app") == (False, "no role allows it")
        add_member(admin, project, "developer", username=person.name)
        assert self.explain(person.client, permission="repository:push", repository=f"{project}/app") == (True, "project role")
        assert self.explain(person.client, permission="member:create", project=project) == (False, "no role allows it")
        self.explain(admin, permission="gc:create", expect=422)
        assert self.explain(admin, permission="garbage-collection:create") == (True, "system administrator")

    def test_about_others(self, registry, admin, project, person):
        add_member(admin, project, "guest", user_id=person.id)
        question = {"permission": "repository:pull", "repository": f"{project}/app"}
        answer = call(admin, "POST", EXPLAIN, {**question, "identity": {"type": "user", "name": person.name}}).json()
        assert answer == {
            "allowed": True, "reason": "project role", "permission": "repository:pull", "roles": ["guest"],
            "identity": {"type": "user", "id": person.id, "name": person.name},
        }
        assert self.explain(admin, **question, identity={"id": person.id}) == (True, "project role")
        assert self.explain(admin, **question, identity={"type": "anonymous"}) == (False, "not authenticated")
        robot = call(admin, "POST", f"{API}/robots", {
            "name": unique("bot"), "level": "project", "duration": -1,
            "permissions": [permission("project", project, [{"resource": "repository", "action": "pull"}])],
        }, expect=201).json()
        assert self.explain(admin, **question, identity={"type": "robot", "id": robot["id"]}) == (True, "robot's permission")

    def test_it_tells_what_happens(self, admin, client, project, person):
        """The same decision as the request itself gets."""
        client.repository(f"{project}/app").push(oci.image("explained"), "v1")
        for role in (None, *ROLES):
            member = add_member(admin, project, role, username=person.name) if role else None
            for action, method, path in (("repository:pull", "GET", f"/v2/{project}/app/manifests/v1"), ("member:list", "GET", f"{API}/projects/{project}/members"),
                                         ("project:update", "PUT", f"{API}/projects/{project}")):
                where = {"repository": f"{project}/app"} if action == "repository:pull" else {"project": project}
                allowed, _ = self.explain(person.client, permission=action, **where)
                answer = person.client.request(method, path, body="{}" if method == "PUT" else None, expect=(200, 403))
                assert (answer.status_code == 200) == allowed, f"{role} {action}"
            if member:
                admin.delete(member, expect=200)

    def test_an_unknown_project_is_one_where_nothing_is_allowed(self, person, project):
        asked = {"permission": "project:read"}
        assert self.explain(person.client, **asked, project=project) == self.explain(person.client, **asked, project=unique("absent"))

    def test_about_others_only_for_who_may_know(self, admin, project, person):
        other = make_person(admin)
        question = {"permission": "repository:pull", "repository": f"{project}/app", "identity": {"name": other.name}}
        self.explain(person.client, expect=403, **question)
        add_member(admin, project, "projectAdmin", username=person.name)
        self.explain(person.client, expect=403, **question)
        give(admin, person, auditor=True)
        assert self.explain(person.client, **question) == (False, "no role allows it")

    @pytest.mark.parametrize("body, status", [
        ({}, 422), ({"permission": "nothing"}, 422), ({"permission": "repository:pull"}, 422), ({"permission": 7}, 422),
        ({"permission": "repository:pull", "repository": "A B"}, 422), ({"permission": "project:read", "project": "../x"}, 422),
        ({"permission": "user:list", "identity": {"type": "god"}}, 422), ({"permission": "user:list", "identity": {"name": "nobody-there"}}, 404),
        ({"permission": "user:list", "identity": {"type": "robot", "id": 99999}}, 404), ({"permission": "user:list", "identity": "admin"}, 422),
    ])
    def test_questions_that_make_no_sense(self, admin, body, status):
        call(admin, "POST", EXPLAIN, body, expect=status)

    def test_strangers_may_not_ask(self, anonymous):
        anonymous.post(EXPLAIN, headers={"Authorization": None}, body='{"permission":"user:list"}', expect=401)


class TestPermissions:
    def test_the_catalogue_is_for_who_makes_robots(self, admin, project, person):
        everything = admin.get(f"{API}/permissions", expect=200).json()
        assert {"resource": "repository", "action": "push"} in everything["project"]
        assert {"resource": "garbage-collection", "action": "create"} in everything["system"]
        person.client.get(f"{API}/permissions", expect=403)
        add_member(admin, project, "maintainer", username=person.name)
        person.client.get(f"{API}/permissions", expect=403)
        other = make_person(admin)
        add_member(admin, project, "projectAdmin", username=other.name)
        assert other.client.get(f"{API}/permissions", expect=200).json() == {"project": everything["project"]}

    def test_all_of_it_can_be_given(self, registry, admin, project):
        givable = admin.get(f"{API}/permissions", expect=200).json()
        make_robot(registry, admin, "project", permission("project", project, givable["project"]))
        make_robot(registry, admin, "system", permission("system", "/", givable["system"]))

    def mine(self, client, query):
        return [(p["resource"], p["action"]) for p in client.get(f"{API}/users/current/permissions?{query}", expect=200).json()]

    def test_ones_own_in_a_project(self, admin, project, person):
        project_id = admin.get(f"{API}/projects/{project}").json()["project_id"]
        scope = f"/project/{project_id}"
        assert self.mine(person.client, f"scope={scope}") == []
        add_member(admin, project, "guest", username=person.name)
        relative = self.mine(person.client, f"scope={scope}&relative=true")
        assert (".", "read") in relative and ("repository", "pull") in relative and ("repository", "push") not in relative
        absolute = self.mine(person.client, f"scope={scope}")
        assert (scope, "read") in absolute and (f"{scope}/repository", "pull") in absolute and len(absolute) == len(relative)
        assert ("member", "create") in self.mine(admin, f"scope={scope}&relative=true")

    def test_ones_own_in_the_system(self, admin, person):
        assert ("/system/garbage-collection", "create") in self.mine(admin, "")
        mine = self.mine(person.client, "scope=/system&relative=true")
        assert ("project", "create") in mine and ("user", "list") not in mine

    @pytest.mark.parametrize("scope", ["/project/x", "/project/", "/project/99999", "/nowhere", "/project/-1", "%2e%2e"])
    def test_where_nothing_is(self, person, scope):
        assert self.mine(person.client, f"scope={scope}") == []


# -- without strangers


@pytest.mark.settings(projects_anonymous="false")
class TestWithoutStrangers:
    @pytest.fixture
    def public(self, admin, client):
        name = unique("public")
        make_project(admin, name, metadata={"public": "true"})
        client.repository(f"{name}/app").push(oci.image("for members only"), "v1")
        return name

    def test_public_is_for_who_has_logged_in(self, registry, admin, anonymous, public, person):
        stranger = {"Authorization": None}
        for path in (f"{API}/projects/{public}", f"{API}/projects", f"{API}/search?q={public}", f"{API}/repositories",
                     f"{API}/projects/{public}/repositories", f"/v2/{public}/app/manifests/v1", f"/v2/{public}/app/tags/list"):
            anonymous.get(path, headers=stranger, expect=401)
        assert [p["name"] for p in person.client.get(f"{API}/projects?name={public}", expect=200).json()] == [public]
        registry.client(person.name, PASSWORD).repository(f"{public}/app").get_manifest("v1")

    def test_the_challenge_still_leads_to_a_login(self, registry, anonymous, public, person):
        answer = anonymous.get("/v2/", headers={"Authorization": None}, expect=401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        service = f"/service/token?service=harbor-registry&scope=repository:{public}/app:pull"
        anonymous.get(service, headers={"Authorization": None}, expect=401)
        anonymous.get(service, headers={"Authorization": requests.auth._basic_auth_str(person.name, PASSWORD)}, expect=200)

    def test_a_token_without_the_grant_opens_nothing_public(self, registry, public, person):
        token = registry.client(person.name, PASSWORD).fetch_token(f"repository:{public}/other:pull")["token"]
        person.client.get(f"/v2/{public}/app/manifests/v1", headers={"Authorization": f"Bearer {token}"}, expect=401)

    def test_what_a_login_page_needs_stays_open(self, anonymous):
        for path in ("/ping", "/health", "/systeminfo"):
            anonymous.get(API + path, headers={"Authorization": None}, expect=200)

    def test_robots_are_no_strangers(self, registry, admin, public, project):
        robot = make_robot(registry, admin, "project", permission("project", project, [{"resource": "repository", "action": "pull"}]))
        robot.get(f"/v2/{public}/app/manifests/v1", expect=200)


# -- what once was a hole elsewhere


class TestHolesOfOthers:
    def test_cve_2019_16919_a_project_administrator_makes_no_robot_for_another_project(self, registry, admin, project, person):
        own = unique("own")
        make_project(person.client, own)
        for namespace in (project, "*"):
            for level in ("project", "system"):
                call(person.client, "POST", f"{API}/robots", {
                    "name": unique("bot"), "level": level, "duration": -1,
                    "permissions": [permission("project", namespace, [{"resource": "repository", "action": "push"}])],
                }, expect=(400, 403))
        assert admin.get(f"{API}/robots?page_size=100&q=Level=system", expect=200).json() == [] or True
        project_id = admin.get(f"{API}/projects/{project}").json()["project_id"]
        assert admin.get(f"{API}/robots?q=Level=project,ProjectID={project_id}", expect=200).json() == []

    def test_cve_2022_31667_a_members_path_of_ones_own_project_changes_no_other_projects_member(self, admin, project, person):
        victim = make_person(admin)
        path = add_member(admin, project, "guest", username=victim.name)
        own = unique("own")
        make_project(person.client, own)
        through_own = f"{API}/projects/{own}/members/{path.rsplit('/', 1)[1]}"
        call(person.client, "PUT", through_own, {"role_id": 1}, expect=404)
        person.client.delete(through_own, expect=404)
        person.client.get(through_own, expect=404)
        assert admin.get(path, expect=200).json()["role_id"] == 3

    def test_harbor_10579_wildcards_in_a_name_list_nothing_hidden(self, admin, anonymous, project, person):
        for client, headers in ((person.client, {}), (anonymous, {"Authorization": None})):
            for query in (f"name={project[:5]}%25", "name=%25", "name=_", f"q=name=~{project[:5]}%2525", f"q=name={project}", f"name={project}&public=false"):
                found = client.get(f"{API}/projects?page_size=100&{query}", headers=headers, expect=200)
                assert project not in [p["name"] for p in found.json()]
                assert "%" not in query or found.headers["X-Total-Count"] == "0"

    def test_harbor_18636_a_robot_that_may_make_members_makes_no_administrator(self, registry, admin, project, person):
        robot = make_robot(registry, admin, "project", permission("project", project, [{"resource": "member", "action": "create"}]))
        add_member(robot, project, "projectAdmin", expect=403, username=person.name)
        person.client.get(f"{API}/projects/{project}", expect=403)

    def test_a_maintainer_does_not_make_himself_an_administrator(self, admin, project, person):
        own = add_member(admin, project, "maintainer", username=person.name)
        call(person.client, "PUT", own, {"role_id": 1}, expect=403)
        add_member(person.client, project, "projectAdmin", expect=403, username=person.name)
        call(person.client, "PUT", f"{API}/projects/{project}", {"metadata": {"public": "true"}}, expect=403)
        call(person.client, "POST", f"{API}/projects/{project}/metadatas/", {"auto_scan": "true"}, expect=403)

    def test_a_copy_across_projects_needs_a_pull_there(self, admin, client, project, person):
        client.repository(f"{project}/app").push(oci.image("not his"), "v1")
        own = unique("own")
        make_project(person.client, own)
        person.client.post(f"{API}/projects/{own}/repositories/copy/artifacts?from={project}/app:v1", expect=(401, 403, 404))
        person.client.get(f"{API}/projects/{own}/repositories/copy/artifacts/v1", expect=404)

    def test_a_taken_name_shows_only_by_making_the_project(self, project, person):
        for method, path in (("HEAD", f"?project_name={project}"), ("GET", f"?name={project}"), ("GET", f"/{project}")):
            answer = person.client.request(method, f"{API}/projects{path}", expect=(200, 403, 404))
            assert answer.status_code != 200 or json.loads(answer.text) == []
