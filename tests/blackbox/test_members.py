# SPDX-License-Identifier: Apache-2.0
"""Members of projects: who they are, what they may do, and that a change counts at once."""
import datetime
import json

import pytest

from harness import oci
from harness.members import ROLES, add_member, make_project, recorded
from harness.people import API, call, fresh_name, make_person
from harness.wait import wait_until
from harness.wire import unique

BERTH = "/api/berth/v1"


@pytest.fixture
def project(admin):
    name = unique("lab")
    make_project(admin, name)
    return name


@pytest.fixture
def person(admin):
    return make_person(admin)


def in_seconds(seconds):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def may_read(person, project):
    return person.client.get(f"{API}/projects/{project}", expect=(200, 403)).status_code == 200


@pytest.mark.parametrize("role", ROLES)
def test_a_member_sees_the_project_and_his_role_in_it(admin, project, person, role):
    assert not may_read(person, project)
    add_member(admin, project, role, username=person.name)
    seen = person.client.get(f"{API}/projects/{project}", expect=200).json()
    assert seen["current_user_role_id"] == ROLES[role] and seen["current_user_role_ids"] == [ROLES[role]]
    assert [found["name"] for found in person.client.get(f"{API}/projects?name={project}", expect=200).json()] == [project]


def test_a_member_is_shown_as_harbor_shows_it(admin, project, person):
    path = add_member(admin, project, "developer", user_id=person.id)
    assert admin.get(path, expect=200).json() == {
        "id": int(path.rsplit("/", 1)[1]), "project_id": admin.get(f"{API}/projects/{project}").json()["project_id"],
        "entity_name": person.name, "entity_id": person.id, "entity_type": "u", "role_id": 2, "role_name": "developer",
    }


def test_whoever_makes_a_project_administers_it(admin, person):
    name = unique("own")
    project_id = make_project(person.client, name)
    members = person.client.get(f"{API}/projects/{project_id}/members", expect=200).json()
    assert [(m["entity_name"], m["role_name"]) for m in members] == [(person.name, "projectAdmin")]
    assert person.client.get(f"{API}/projects/{name}", expect=200).json()["owner_name"] == person.name
    person.client.delete(f"{API}/projects/{name}", expect=200)


def test_lists_by_part_of_the_name_and_page_by_page(admin, project):
    stem = unique("many")
    for letter in "cab":
        make_person(admin, f"{stem}-{letter}")
        add_member(admin, project, "guest", username=f"{stem}-{letter}")
    names = lambda query: [m["entity_name"] for m in admin.get(f"{API}/projects/{project}/members?{query}", expect=200).json()]
    assert names(f"entityname={stem}") == [f"{stem}-{letter}" for letter in "abc"]
    assert names(f"entityname={stem}-b") == [f"{stem}-b"]
    assert names(f"entityname={stem}&page_size=2&page=2") == [f"{stem}-c"]
    assert names("entityname=%25") == []
    assert admin.get(f"{API}/projects/{project}/members?entityname={stem}&page_size=1").headers["X-Total-Count"] == "3"
    assert "admin" in names("")


class TestWhatARoleIsGood:
    """A push, a pull and a look, by each role."""

    @pytest.fixture
    def content(self):
        return oci.image("members")

    @pytest.mark.parametrize("role, pulls, pushes, deletes", [
        ("limitedGuest", True, False, False), ("guest", True, False, False), ("developer", True, True, False),
        ("maintainer", True, True, True), ("projectAdmin", True, True, True), (None, False, False, False),
    ])
    def test_with_tokens_and_without(self, registry, admin, client, project, person, content, role, pulls, pushes, deletes):
        client.repository(f"{project}/app").push(content, "v1")
        if role:
            add_member(admin, project, role, username=person.name)
        for auth in ("bearer", "basic"):
            refused = 401 if auth == "bearer" else 403
            repository = registry.client(person.name, person.client.password, auth=auth).repository(f"{project}/app")
            repository.get_manifest("v1", expect=200 if pulls else refused)
            repository.put_manifest(content, f"by-{auth}", expect=201 if pushes else refused)
            if deletes and auth == "basic":
                repository.delete_manifest("by-bearer")
            elif not deletes:
                repository.delete_manifest("v1", expect=refused)


def test_a_group_is_a_member(admin, project, person):
    group = call(admin, "POST", f"{API}/usergroups", {"group_name": unique("team"), "group_type": 3}, expect=201)
    group_id = int(group.headers["Location"].rsplit("/", 1)[1])
    path = add_member(admin, project, "maintainer", group={"id": group_id})
    shown = admin.get(path, expect=200).json()
    assert shown["entity_type"] == "g" and shown["entity_id"] == group_id and shown["role_id"] == 4
    admin.registry.execute(f"INSERT INTO account_group (account_id, group_id) VALUES ({person.id}, {group_id})")
    assert may_read(person, project)
    add_member(admin, project, "guest", username=person.name)
    seen = person.client.get(f"{API}/projects/{project}", expect=200).json()
    assert seen["current_user_role_ids"] == [3, 4] and seen["current_user_role_id"] == 4
    call(admin, "DELETE", f"{API}/usergroups/{group_id}")
    assert person.client.get(f"{API}/projects/{project}", expect=200).json()["current_user_role_ids"] == [3]
    admin.get(path, expect=404)


def test_a_group_that_only_its_provider_knows_is_made(admin, project):
    name = unique("oidc-team")
    add_member(admin, project, "guest", group={"group_name": name, "group_type": 3})
    assert any(group["group_name"] == name for group in admin.get(f"{API}/usergroups?page_size=100", expect=200).json())
    dn = f"cn={unique('ops')},ou=groups,dc=example,dc=com"
    add_member(admin, project, "guest", group={"ldap_group_dn": dn})
    add_member(admin, project, "guest", expect=409, group={"ldap_group_dn": dn, "group_type": 1})


@pytest.mark.parametrize("body, status", [
    ({"role_id": 2}, 422), ({"role_id": 2, "member_user": {}}, 422), ({"role_id": 2, "member_user": {"username": "nobody-there"}}, 404),
    ({"role_id": 2, "member_user": {"user_id": 99999}}, 404), ({"role_id": 2, "member_group": {"id": 99999}}, 404),
    ({"role_id": 2, "member_group": {"group_name": "not made here", "group_type": 4}}, 404),
    ({"role_id": 0, "member_user": {"username": "admin"}}, 400), ({"role_id": 6, "member_user": {"username": "admin"}}, 400),
    ({"role_id": -1, "member_user": {"username": "admin"}}, 400), ({"member_user": {"username": "admin"}}, 400),
    ({"role_id": "1", "member_user": {"username": "admin"}}, 422), ({"role_id": 2, "member_user": "admin"}, 422),
    ({"role_id": 2, "member_user": {"username": "admin"}}, 409), ({"role_id": 2, "member_user": {"username": "a\x00b"}}, 400),
])
def test_who_cannot_be_added(admin, project, body, status):
    call(admin, "POST", f"{API}/projects/{project}/members", body, expect=status)
    assert admin.get(f"{API}/projects/{project}/members").headers["X-Total-Count"] == "1"


def test_members_are_of_their_project(admin, project, person):
    path = add_member(admin, project, "guest", username=person.name)
    other = unique("other")
    make_project(admin, other)
    elsewhere = f"{API}/projects/{other}/members/{path.rsplit('/', 1)[1]}"
    admin.get(elsewhere, expect=404)
    call(admin, "PUT", elsewhere, {"role_id": 1}, expect=404)
    admin.delete(elsewhere, expect=404)
    assert admin.get(path, expect=200).json()["role_id"] == 3


class TestAChangeCountsAtOnce:
    def test_a_role_that_is_taken_away(self, registry, admin, client, project, person):
        client.repository(f"{project}/app").push(oci.image("gone"), "v1")
        path = add_member(admin, project, "developer", username=person.name)
        holder = registry.client(person.name, person.client.password)
        repository = holder.repository(f"{project}/app")
        repository.get_manifest("v1")  # by a token that says pull, push
        admin.delete(path, expect=200)
        repository.get_manifest("v1", expect=401)
        assert not may_read(person, project)
        holder.tokens.clear()
        repository.get_manifest("v1", expect=401)

    def test_a_weaker_role(self, registry, admin, project, person):
        path = add_member(admin, project, "developer", username=person.name)
        holder = registry.client(person.name, person.client.password)
        repository = holder.repository(f"{project}/app")
        repository.push_blob(b"by a developer")
        call(admin, "PUT", path, {"role_id": ROLES["guest"]})
        repository.start_upload(expect=401)
        assert person.client.get(f"{API}/projects/{project}").json()["current_user_role_id"] == ROLES["guest"]

    def test_a_stronger_one(self, registry, admin, project, person):
        path = add_member(admin, project, "limitedGuest", username=person.name)
        person.client.get(f"{API}/projects/{project}/members", expect=403)
        call(admin, "PUT", path, {"role_id": ROLES["projectAdmin"]})
        person.client.get(f"{API}/projects/{project}/members", expect=200)

    def test_sessions_go_on(self, admin, project, person):
        path = add_member(admin, project, "guest", username=person.name)
        browser = person.browser()
        browser.get(f"{API}/projects/{project}", expect=200)
        admin.delete(path, expect=200)
        browser.get(f"{API}/projects/{project}", expect=403)
        assert browser.who() == person.name


class TestNobodyGivesWhatHeHasNot:
    @pytest.mark.parametrize("role", ["limitedGuest", "guest", "developer", "maintainer"])
    def test_only_administrators_change_members(self, admin, project, person, role):
        own = add_member(admin, project, role, username=person.name)
        other = make_person(admin)
        add_member(person.client, project, "guest", expect=403, username=other.name)
        call(person.client, "PUT", own, {"role_id": 1}, expect=403)
        person.client.delete(own, expect=403)
        assert admin.get(own, expect=200).json()["role_id"] == ROLES[role]

    def test_a_robot_gives_no_more_than_it_has(self, registry, admin, project, person):
        robot = call(admin, "POST", f"{API}/robots", {
            "name": "members", "level": "project", "duration": -1, "permissions": [{
                "kind": "project", "namespace": project,
                "access": [{"resource": "member", "action": action} for action in ("create", "update", "delete", "list", "read")],
            }],
        }, expect=201).json()
        client = registry.client(robot["name"], robot["secret"], auth="basic")
        for role in ROLES:
            add_member(client, project, role, expect=403, username=person.name)
        path = add_member(admin, project, "guest", username=person.name)
        call(client, "PUT", path, {"role_id": 1}, expect=403)
        client.delete(path, expect=403)
        client.get(path, expect=200)


class TestMembershipsThatEnd:
    def add(self, admin, project, expect=201, **body):
        return call(admin, "POST", f"{BERTH}/projects/{project}/members", body, expect=expect)

    def test_one_ends_by_itself_with_all_that_came_of_it(self, registry, admin, client, project, person):
        client.repository(f"{project}/app").push(oci.image("for a while"), "v1")
        until = in_seconds(3)
        path = self.add(admin, project, role_id=ROLES["developer"], expiry_time=until, member_user={"username": person.name}).headers["Location"]
        assert admin.get(path, expect=200).json()["expiry_time"].startswith(until[:-1])
        holder = registry.client(person.name, person.client.password)
        repository = holder.repository(f"{project}/app")
        repository.get_manifest("v1")
        assert may_read(person, project)
        wait_until(lambda: not may_read(person, project))
        repository.get_manifest("v1", expect=401)  # the token says no longer than the membership
        assert [found["name"] for found in person.client.get(f"{API}/projects?name={project}").json()] == []

    def test_an_end_is_set_moved_and_taken_away(self, admin, project, person):
        path = self.add(admin, project, role_id=3, member_user={"user_id": person.id}).headers["Location"]
        assert "expiry_time" not in admin.get(path, expect=200).json()
        call(admin, "PUT", path, {"role_id": 3, "expiry_time": in_seconds(3600)})
        assert admin.get(path, expect=200).json()["expiry_time"]
        # Harbor's own operation knows of no end, and leaves it.
        harbor = path.replace(BERTH, API)
        call(admin, "PUT", harbor, {"role_id": 2})
        assert admin.get(path, expect=200).json()["expiry_time"] and "expiry_time" not in admin.get(harbor, expect=200).json()
        call(admin, "PUT", path, {"role_id": 2})
        assert "expiry_time" not in admin.get(path, expect=200).json()
        admin.delete(path, expect=200)
        admin.get(path, expect=404)

    @pytest.mark.parametrize("when", ["yesterday", "2020-01-01T00:00:00Z", "2030-01-01", "2030-01-01T00:00:00+01:00", "2030-13-01T00:00:00Z", 7])
    def test_an_end_that_cannot_be(self, admin, project, person, when):
        self.add(admin, project, expect=422, role_id=3, expiry_time=when, member_user={"user_id": person.id})

    def test_they_are_listed_with_their_ends(self, admin, project, person):
        self.add(admin, project, role_id=3, expiry_time=in_seconds(3600), member_user={"user_id": person.id})
        listed = admin.get(f"{BERTH}/projects/{project}/members", expect=200).json()
        assert [("expiry_time" in member) for member in listed if member["entity_name"] == person.name] == [True]
        assert all(member["creation_time"] for member in listed)


def test_unknown_and_forbidden_look_the_same(admin, project, person):
    absent = unique("absent")

    def look(method, name, path, body=None):
        answer = person.client.request(method, f"{API}/projects/{name}{path}", body=body, expect=(401, 403))
        return answer.status_code, answer.json()

    for method, path, body in [
        ("GET", "", None), ("PUT", "", "{}"), ("DELETE", "", None), ("GET", "/members", None), ("GET", "/summary", None), ("GET", "/_deletable", None),
        ("POST", "/members", '{"role_id":1,"member_user":{"username":"admin"}}'), ("GET", "/metadatas/public", None), ("GET", "/repositories", None),
    ]:
        assert look(method, project, path, body) == look(method, absent, path, body), f"{method} {path}"
    for name in (project, absent):
        person.client.head(f"{API}/projects?project_name={name}", expect=404)


def test_each_change_is_recorded(admin, registry, project, person):
    path = add_member(admin, project, "guest", username=person.name)
    call(admin, "PUT", path, {"role_id": 4})
    admin.delete(path, expect=200)
    assert recorded(registry, project)[1:] == [f"{change} member {person.name}" for change in ("create", "update", "delete")]
    before_after = registry.query(f"SELECT detail FROM audit_record WHERE project = '{project}' AND operation = 'update' AND resource_type = 'member'")
    assert "guest" in before_after[0] and "maintainer" in before_after[0]


def test_a_deleted_account_is_no_member(admin, project, person):
    path = add_member(admin, project, "guest", username=person.name)
    call(admin, "DELETE", person.path)
    admin.get(path, expect=404)
    assert admin.get(f"{API}/projects/{project}/members").headers["X-Total-Count"] == "1"
    add_member(admin, project, "guest", expect=404, username=person.name)
    make_person(admin, person.name)
    add_member(admin, project, "guest", username=person.name)


def test_names_are_the_clients_own_bytes_and_no_sql(admin, project):
    for name in ("' OR 1=1 --", "%", "*", "a\\", "\u2028", fresh_name() + "\n"):
        answer = add_member(admin, project, "guest", expect=(404, 422), username=name)
        assert json.loads(answer.text)["errors"]
