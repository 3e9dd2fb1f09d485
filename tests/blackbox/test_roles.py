# SPDX-License-Identifier: Apache-2.0
"""Roles that a tenant makes for itself: sets of permissions, each for a project or for some of its repositories."""
import pytest

from harness import oci
from harness.members import add_member, make_project
from harness.people import API, call, make_person
from harness.wire import unique

ROLES = "/api/berth/v1/roles"
PULL = [{"repositories": "team-*", "permissions": ["repository:pull"]}]


def make_role(admin, grants=PULL, expect=201, **body):
    answer = call(admin, "POST", ROLES, {"name": unique("role"), "grants": grants, **body}, expect=expect)
    return int(answer.headers["Location"].rsplit("/", 1)[1]) if expect == 201 else answer


@pytest.fixture
def project(admin):
    name = unique("lab")
    make_project(admin, name)
    return name


@pytest.fixture
def person(admin):
    return make_person(admin)


def holder(registry, person):
    """The same person as docker's clients ask: with tokens."""
    return registry.client(person.name, person.client.password)


def test_harbors_roles_are_listed_with_what_they_allow(admin):
    roles = {role["name"]: role for role in admin.get(ROLES, expect=200).json()}
    assert {name: role["id"] for name, role in roles.items() if role["builtin"]} == {
        "projectAdmin": 1, "developer": 2, "guest": 3, "maintainer": 4, "limitedGuest": 5,
    }
    allowed = {name: set(role["grants"][0]["permissions"]) for name, role in roles.items() if role["builtin"]}
    assert allowed["limitedGuest"] < allowed["guest"] < allowed["developer"] < allowed["projectAdmin"]
    assert "repository:push" in allowed["developer"] and "member:create" not in allowed["maintainer"]


def test_one_is_made_changed_and_deleted(admin):
    name = unique("pullers")
    location = call(admin, "POST", ROLES, {"name": name, "description": "only some", "grants": PULL}, expect=201).headers["Location"]
    role = admin.get(location, expect=200).json()
    assert role["name"] == name and role["description"] == "only some" and not role["builtin"]
    assert role["grants"] == PULL and role["id"] > 1000
    changed = call(admin, "PUT", location, {"grants": [{"permissions": ["project:read", "tag:list"]}]}).json()
    assert changed["name"] == name and changed["grants"] == [{"permissions": ["project:read", "tag:list"]}]
    admin.delete(location, expect=200)
    admin.get(location, expect=404)
    assert make_role(admin) > role["id"], "an id was given twice"


@pytest.mark.parametrize("body, status", [
    ({"grants": PULL}, 422), ({"name": "", "grants": PULL}, 422), ({"name": "x" * 256, "grants": PULL}, 422), ({"name": "r"}, 422),
    ({"name": "r", "grants": []}, 422), ({"name": "r", "grants": [{}]}, 422), ({"name": "r", "grants": [{"permissions": []}]}, 422),
    ({"name": "r", "grants": [{"permissions": ["repository:fly"]}]}, 422), ({"name": "r", "grants": [{"permissions": ["user:create"]}]}, 422),
    ({"name": "r", "grants": [{"permissions": [7]}]}, 422), ({"name": "r", "grants": [{"permissions": "repository:pull"}]}, 422),
    ({"name": "r", "grants": [{"repositories": "[", "permissions": ["repository:pull"]}]}, 422),
    ({"name": "r", "grants": [{"repositories": 7, "permissions": ["repository:pull"]}]}, 422),
    ({"name": "r", "grants": [{"repositories": "x" * 257, "permissions": ["repository:pull"]}]}, 422),
    ({"name": "r", "grants": PULL * 17}, 422), ({"name": "guest", "grants": PULL}, 409), ({"name": "a\x00", "grants": PULL}, 400), ([], 400),
])
def test_what_no_role_can_be(admin, body, status):
    call(admin, "POST", ROLES, body, expect=status)


def test_a_name_is_one_roles(admin):
    name = unique("twice")
    make_role(admin, name=name)
    make_role(admin, name=name, expect=409)
    other = make_role(admin)
    call(admin, "PUT", f"{ROLES}/{other}", {"name": name}, expect=409)


def test_harbors_roles_stay_as_they_are(admin):
    call(admin, "PUT", f"{ROLES}/3", {"grants": PULL}, expect=412)
    admin.delete(f"{ROLES}/3", expect=412)


def test_only_administrators_make_them_and_everybody_may_look(admin, anonymous, person):
    role = make_role(admin)
    make_role(person.client, expect=403)
    call(person.client, "PUT", f"{ROLES}/{role}", {"grants": PULL}, expect=403)
    person.client.delete(f"{ROLES}/{role}", expect=403)
    person.client.get(f"{ROLES}/{role}", expect=200)
    anonymous.get(ROLES, headers={"Authorization": None}, expect=401)


def test_a_member_may_what_his_role_says_where_it_says(registry, admin, client, project, person):
    content = oci.image("custom role")
    for name in ("team-a", "team-b/deep", "other"):
        client.repository(f"{project}/{name}").push(content, "v1")
    role = make_role(admin, [
        {"repositories": "team-*", "permissions": ["repository:pull", "repository:push"]},
        {"repositories": "team-b/*", "permissions": ["repository:pull"]},
        {"permissions": ["project:read"]},
    ])
    path = add_member(admin, project, role, username=person.name)
    assert admin.get(path, expect=200).json()["role_id"] == role
    seen = person.client.get(f"{API}/projects/{project}", expect=200).json()
    assert seen["current_user_role_id"] == 0 and seen["current_user_role_ids"] == []
    asking = holder(registry, person)
    asking.repository(f"{project}/team-a").push(oci.image("by the role"), "v2")
    asking.repository(f"{project}/team-b/deep").get_manifest("v1")
    asking.repository(f"{project}/team-b/deep").start_upload(expect=401)
    asking.repository(f"{project}/other").get_manifest("v1", expect=401)
    asking.repository(f"{project}/team-a").delete_manifest("v2", expect=401)
    person.client.get(f"{API}/projects/{project}/members", expect=403)


def test_roles_add_up(admin, project, person):
    role = make_role(admin, [{"permissions": ["member:list"]}])
    group = call(admin, "POST", f"{API}/usergroups", {"group_name": unique("team"), "group_type": 3}, expect=201)
    group_id = int(group.headers["Location"].rsplit("/", 1)[1])
    admin.registry.execute(f"INSERT INTO account_group (account_id, group_id) VALUES ({person.id}, {group_id})")
    add_member(admin, project, "limitedGuest", username=person.name)
    person.client.get(f"{API}/projects/{project}/members", expect=403)
    add_member(admin, project, role, group={"id": group_id})
    person.client.get(f"{API}/projects/{project}/members", expect=200)


def test_a_change_of_a_role_counts_at_once_for_who_has_it(registry, admin, client, project, person):
    client.repository(f"{project}/team-a").push(oci.image("changes"), "v1")
    role = make_role(admin)
    add_member(admin, project, role, username=person.name)
    repository = holder(registry, person).repository(f"{project}/team-a")
    repository.get_manifest("v1")
    call(admin, "PUT", f"{ROLES}/{role}", {"grants": [{"repositories": "else-*", "permissions": ["repository:pull"]}]})
    repository.get_manifest("v1", expect=401)  # by the token from before
    holder(registry, person).repository(f"{project}/team-a").get_manifest("v1", expect=401)


def test_one_that_somebody_has_cannot_be_deleted(admin, project, person):
    role = make_role(admin)
    path = add_member(admin, project, role, username=person.name)
    admin.delete(f"{ROLES}/{role}", expect=412)
    admin.delete(path, expect=200)
    admin.delete(f"{ROLES}/{role}", expect=200)
    add_member(admin, project, role, expect=400, username=person.name)


class TestNobodyGivesWhatHeHasNot:
    @pytest.fixture
    def steward(self, admin, project):
        """May change members and pull, and nothing else."""
        steward = make_person(admin)
        role = make_role(admin, [{"permissions": ["member:create", "member:update", "member:delete", "member:list", "repository:pull"]}])
        add_member(admin, project, role, username=steward.name)
        return steward

    def test_a_steward_gives_what_he_has(self, admin, project, person, steward):
        role = make_role(admin, [{"permissions": ["repository:pull"]}])
        path = add_member(steward.client, project, role, username=person.name)
        steward.client.delete(path, expect=200)

    @pytest.mark.parametrize("grants", [
        [{"permissions": ["repository:push"]}], [{"permissions": ["repository:pull", "project:delete"]}],
        [{"repositories": "x-*", "permissions": ["repository:delete"]}],
    ])
    def test_and_not_more(self, admin, project, person, steward, grants):
        role = make_role(admin, grants)
        add_member(steward.client, project, role, expect=403, username=person.name)
        for harbors in ("projectAdmin", "maintainer", "developer", "guest", "limitedGuest"):
            add_member(steward.client, project, harbors, expect=403, username=person.name)

    def test_neither_to_himself(self, admin, project, steward):
        own = admin.get(f"{API}/projects/{project}/members?entityname={steward.name}", expect=200).json()[0]
        call(steward.client, "PUT", f"{API}/projects/{project}/members/{own['id']}", {"role_id": 1}, expect=403)

    def test_nor_takes_from_others_what_he_could_not_give(self, admin, project, person, steward):
        path = add_member(admin, project, "projectAdmin", username=person.name)
        steward.client.delete(path, expect=403)
        small = make_role(admin, [{"permissions": ["repository:pull"]}])
        call(steward.client, "PUT", path, {"role_id": small}, expect=403)
        assert admin.get(path, expect=200).json()["role_id"] == 1

    def test_what_he_has_in_some_repositories_he_has_not_in_the_project(self, admin, project, person):
        steward = make_person(admin)
        role = make_role(admin, [
            {"permissions": ["member:create"]}, {"repositories": "team-*", "permissions": ["repository:push"]},
        ])
        add_member(admin, project, role, username=steward.name)
        everywhere = make_role(admin, [{"permissions": ["repository:push"]}])
        add_member(steward.client, project, everywhere, expect=403, username=person.name)

    def test_what_a_public_project_gives_everybody_is_not_his(self, admin, project, person):
        steward = make_person(admin)
        add_member(admin, project, make_role(admin, [{"permissions": ["member:create"]}]), username=steward.name)
        call(admin, "PUT", f"{API}/projects/{project}", {"metadata": {"public": "true"}})
        puller = make_role(admin, [{"permissions": ["repository:pull"]}])
        add_member(steward.client, project, puller, expect=403, username=person.name)


def test_each_change_is_recorded(admin, registry):
    role = make_role(admin)
    call(admin, "PUT", f"{ROLES}/{role}", {"description": "changed"})
    name = admin.get(f"{ROLES}/{role}").json()["name"]
    admin.delete(f"{ROLES}/{role}", expect=200)
    done = registry.query(f"SELECT operation FROM audit_record WHERE resource_type = 'role' AND resource = '{name}' ORDER BY id")
    assert done == ["create", "update", "delete"]
