# SPDX-License-Identifier: Apache-2.0
"""Robots: Harbor's names and permissions, secrets that can be rotated, and nobody who gives away more than he has."""
import datetime
import re
import time

import pytest

from harness import oci
from harness.members import add_member
from harness.people import call, make_person
from harness.wait import wait_until
from harness.wire import unique

API = "/api/v2.0"
BERTH = "/api/berth/v1"
PULL = {"resource": "repository", "action": "pull"}
PUSH = {"resource": "repository", "action": "push"}
DAY = 86400


def wish(name, *access, level="project", namespace="library", kind="project", **members):
    return {
        "name": name, "level": level, "duration": -1,
        "permissions": [{"kind": kind, "namespace": namespace, "access": list(access) or [PULL]}], **members,
    }


@pytest.fixture
def project(admin):
    name = unique("robots")
    call(admin, "POST", f"{API}/projects", {"project_name": name}, expect=201)
    return name


@pytest.fixture
def make(registry, admin):
    """make(wish, by=admin): what the server said, and a client that is the robot."""

    def make_robot(wanted, by=None, auth="basic"):
        made = call(by or admin, "POST", f"{API}/robots", wanted, expect=201).json()
        return made, registry.client(made["name"], made["secret"], auth=auth)

    return make_robot


def robot_of(admin, made):
    return admin.get(f"{API}/robots/{made['id']}", expect=200).json()


def change(admin, made, expect=200, **members):
    robot = {**robot_of(admin, made), **members}
    return call(admin, "PUT", f"{API}/robots/{made['id']}", robot, expect=expect)


# -- names, secrets and what is said about them


def test_a_project_robot_has_the_project_in_its_name(admin, make, project):
    answer = call(admin, "POST", f"{API}/robots", wish("ci", PULL, PUSH, namespace=project, description="builds"), expect=201)
    made = answer.json()
    assert answer.headers["Location"] == f"{API}/robots/{made['id']}"
    assert made["name"] == f"robot${project}+ci"
    assert re.fullmatch(r"berth_rob_[0-9A-Za-z]{46}", made["secret"])
    assert made["expires_at"] == -1
    robot = robot_of(admin, made)
    assert robot["name"] == made["name"] and robot["level"] == "project" and robot["duration"] == -1
    assert robot["description"] == "builds" and robot["editable"] is True and robot["disable"] is False
    assert robot["creator_type"] == "local" and robot["creator_ref"] > 0
    assert "secret" not in robot
    [permission] = robot["permissions"]
    assert permission["kind"] == "project" and permission["namespace"] == project
    assert {(a["resource"], a["action"], a["effect"]) for a in permission["access"]} == {
        ("repository", "pull", "allow"), ("repository", "push", "allow")}


def test_a_system_robot_reaches_the_projects_it_names(make, project, admin):
    other = unique("robots")
    call(admin, "POST", f"{API}/projects", {"project_name": other}, expect=201)
    wanted = wish(unique("sys"), PULL, PUSH, level="system", namespace=project)
    wanted["permissions"].append({"kind": "system", "namespace": "/", "access": [{"resource": "catalog", "action": "read"}]})
    made, robot = make(wanted, auth="bearer")
    assert made["name"] == "robot$" + wanted["name"]
    robot.repository(f"{project}/app").push(oci.image("robot"), "v1")
    robot.repository(f"{project}/app").get_manifest("v1", expect=200)
    robot.repository(f"{other}/app").get_manifest("v1", expect=(401, 403))
    robot.get("/v2/_catalog", scopes=("registry:catalog:*",), expect=200)


def test_push_implies_pull_for_a_projects_robot_only(make, project, client):
    client.repository(f"{project}/app").push(oci.image("pushed"), "v1")
    _, inside = make(wish("push", PUSH, namespace=project), auth="bearer")
    _, outside = make(wish(unique("push"), PUSH, level="system", namespace=project), auth="bearer")
    inside.repository(f"{project}/app").get_manifest("v1", expect=200)
    outside.repository(f"{project}/app").get_manifest("v1", expect=401)


def test_what_is_denied_is_denied_whatever_else_allows_it(make, project, client, admin):
    other = unique("robots")
    call(admin, "POST", f"{API}/projects", {"project_name": other}, expect=201)
    for name in (project, other):
        client.repository(f"{name}/app").push(oci.image("x"), "v1")
    wanted = wish(unique("deny"), PULL, level="system", namespace="*")
    wanted["permissions"].append({"kind": "project", "namespace": other, "access": [{**PULL, "effect": "deny"}]})
    _, robot = make(wanted, auth="bearer")
    robot.repository(f"{project}/app").get_manifest("v1", expect=200)
    robot.repository(f"{other}/app").get_manifest("v1", expect=401)


def test_a_pattern_limits_the_repositories(make, project, client):
    for name in ("team-a/app", "team-b/app"):
        client.repository(f"{project}/{name}").push(oci.image("x"), "v1")
    wanted = wish("pattern", PULL, namespace=project)
    wanted["permissions"][0]["repository_pattern"] = "team-a/**"
    _, robot = make(wanted, auth="bearer")
    robot.repository(f"{project}/team-a/app").get_manifest("v1", expect=200)
    robot.repository(f"{project}/team-b/app").get_manifest("v1", expect=401)


@pytest.mark.parametrize("name", ["", "Upper", "a+b", "-a", "a-", "a..b", "a b", "robot$x", "ä", "x" * 256])
def test_names_that_cannot_be(admin, project, name):
    call(admin, "POST", f"{API}/robots", wish(name, namespace=project), expect=400)


@pytest.mark.parametrize("duration", [0, -2, 2**31 - 1, 2**40, None])
def test_durations_that_cannot_be(admin, project, duration):
    call(admin, "POST", f"{API}/robots", wish("d", namespace=project, duration=duration), expect=400)


def test_names_are_unique(admin, project, make):
    make(wish("twice", namespace=project))
    call(admin, "POST", f"{API}/robots", wish("twice", namespace=project), expect=409)


@pytest.mark.parametrize("change", [
    {"level": "tenant"}, {"permissions": []}, {"permissions": [None]}, {"permissions": None},
    {"permissions": [{"kind": "project", "namespace": "*", "access": [PULL]}]},
    {"permissions": [{"kind": "system", "namespace": "/", "access": [{"resource": "catalog", "action": "read"}]}]},
    {"permissions": [{"kind": "project", "namespace": "library", "access": []}]},
    {"permissions": [{"kind": "project", "namespace": "library", "access": [None]}]},
    {"permissions": [{"kind": "nothing", "namespace": "library", "access": [PULL]}]},
    {"permissions": [{"kind": "project", "namespace": "library", "access": [{"resource": "repository", "action": "destroy"}]}]},
    {"permissions": [{"kind": "project", "namespace": "library", "access": [{"resource": "*", "action": "*"}]}]},
    {"permissions": [{"kind": "project", "namespace": "library", "access": [{"resource": "robot", "action": "update"}]}]},
    {"permissions": [{"kind": "project", "namespace": "library", "access": [{"resource": "configuration", "action": "update"}]}]},
    {"permissions": [{"kind": "project", "namespace": "library", "access": [{**PULL, "effect": "perhaps"}]}]},
    {"permissions": [{"kind": "project", "namespace": "library", "access": [PULL], "repository_pattern": "["}]},
    {"permissions": [{"kind": "project", "namespace": n, "access": [PULL]} for n in ("library", "other")]},
])
def test_permissions_that_cannot_be(admin, change):
    call(admin, "POST", f"{API}/robots", {**wish("bad"), **change}, expect=400)


@pytest.mark.parametrize("access", [
    {"resource": "user", "action": "admin"}, {"resource": "configuration", "action": "update"}, {"resource": "tenant", "action": "create"},
    {"resource": "robot", "action": "update"}, {"resource": "repository", "action": "pull"},
])
def test_system_permissions_that_cannot_be(admin, access):
    call(admin, "POST", f"{API}/robots", wish("bad", access, level="system", kind="system", namespace="/"), expect=400)


@pytest.mark.parametrize("body", [{"permissions": 7}, {"name": 7}, {"duration": "1"}, {"disable": "no"}, {"description": "x" * 1025}])
def test_members_of_another_type(admin, body):
    call(admin, "POST", f"{API}/robots", {**wish("bad"), **body}, expect=(400, 422))


def test_an_unknown_project(admin):
    call(admin, "POST", f"{API}/robots", wish("lost", namespace="nowhere-at-all"), expect=404)
    call(admin, "POST", f"{API}/robots", wish("lost", level="system", namespace="nowhere-at-all"), expect=404)


# -- lists


def test_lists_by_level_with_pages_and_names(admin, make, project):
    project_id = admin.get(f"{API}/projects/{project}", expect=200).json()["project_id"]
    names = [f"robot${project}+list-{i}" for i in range(3)]
    for i in (2, 0, 1):
        make(wish(f"list-{i}", namespace=project))
    q = f"Level=project,ProjectID={project_id}"
    page = admin.get(f"{API}/robots?q={q}&page_size=2", expect=200)
    assert [r["name"] for r in page.json()] == names[:2]
    assert page.headers["X-Total-Count"] == "3" and 'rel="next"' in page.headers["Link"]
    assert [r["name"] for r in admin.get(f"{API}/robots?q={q}&sort=-name", expect=200).json()] == names[::-1]
    assert [r["name"] for r in admin.get(f"{API}/robots?q={q},name=~ist-1", expect=200).json()] == names[1:2]
    assert [r["name"] for r in admin.get(f"{API}/robots?q={q},name={project}%252Blist-2", expect=200).json()] == names[2:]
    assert admin.get(f"{API}/robots?q={q},name=~%2525", expect=200).json() == []
    system = admin.get(f"{API}/robots?page_size=100", expect=200).json()
    assert not {r["name"] for r in system} & set(names) and all(r["level"] == "system" for r in system)


@pytest.mark.parametrize("q", ["Level=tenant", "Level=project", "Level=project,ProjectID=x", "Level=project,ProjectID=0"])
def test_lists_that_cannot_be(admin, q):
    admin.get(f"{API}/robots?q={q}", expect=400)


# -- changes


def test_a_change_takes_what_it_says_and_keeps_name_and_level(admin, make, project):
    made, robot = make(wish("change", PULL, namespace=project))
    robot.get("/v2/", expect=200)
    created = robot_of(admin, made)["creation_time"]
    change(admin, made, description="new", duration=30, permissions=[{"kind": "project", "namespace": project, "access": [PUSH]}])
    now = robot_of(admin, made)
    assert now["description"] == "new" and now["duration"] == 30
    began = datetime.datetime.fromisoformat(created.replace("Z", "+00:00")).timestamp()
    assert now["expires_at"] == int(began) + 30 * DAY
    assert [a["action"] for a in now["permissions"][0]["access"]] == ["push"]
    change(admin, made, duration=-1)
    assert robot_of(admin, made)["expires_at"] == -1
    change(admin, made, duration=None)
    assert robot_of(admin, made)["duration"] == -1
    change(admin, made, expect=400, name="robot$other")
    change(admin, made, expect=400, name="change")
    change(admin, made, expect=400, level="system")
    change(admin, made, expect=400, duration=0)
    change(admin, made, expect=400, permissions=[])


def test_a_robot_cannot_be_moved_to_another_project(admin, make, project):
    """CVE-2022-31667: an update that names another project's permissions."""
    other = unique("robots")
    call(admin, "POST", f"{API}/projects", {"project_name": other}, expect=201)
    made, _ = make(wish("move", namespace=project))
    change(admin, made, expect=400, permissions=[{"kind": "project", "namespace": other, "access": [PULL]}])
    assert robot_of(admin, made)["permissions"][0]["namespace"] == project


def test_disable_ends_everything_at_once(admin, make, project):
    made, robot = make(wish("off", namespace=project), auth="bearer")
    token = robot.token(f"repository:{project}/app:pull")
    bearer = {"Authorization": f"Bearer {token}"}
    robot.get("/v2/", headers=bearer, expect=200)
    change(admin, made, disable=True)
    robot.get("/v2/", headers=bearer, expect=401)
    robot.fetch_token(expect=401)
    change(admin, made, disable=False)
    robot.get("/v2/", headers=bearer, expect=401)
    robot.fetch_token(expect=200)


def test_delete_ends_everything_at_once(admin, make, project):
    made, robot = make(wish("gone", namespace=project), auth="bearer")
    bearer = {"Authorization": f"Bearer {robot.token(f'repository:{project}/app:pull')}"}
    robot.get("/v2/", headers=bearer, expect=200)
    call(admin, "DELETE", f"{API}/robots/{made['id']}")
    robot.get("/v2/", headers=bearer, expect=401)
    robot.fetch_token(expect=401)
    admin.get(f"{API}/robots/{made['id']}", expect=404)
    call(admin, "DELETE", f"{API}/robots/{made['id']}", expect=404)
    call(admin, "PATCH", f"{API}/robots/{made['id']}", {}, expect=404)


def test_an_expired_robot_is_let_in_no_more(admin, make, project, registry):
    made, robot = make(wish("old", namespace=project, duration=1))
    robot.get("/v2/", expect=200)
    assert abs(made["expires_at"] - time.time() - DAY) < 60
    registry.execute(f"UPDATE robot SET expires_at_s = 1 WHERE id = {made['id']}")
    change(admin, made, description="so that what is remembered is looked at again")
    robot.get("/v2/", expect=401)


# -- secrets


def test_refresh_gives_a_new_secret_once_and_kills_the_old(admin, make, project, registry):
    made, robot = make(wish("fresh", namespace=project))
    robot.get("/v2/", expect=200)
    secret = call(admin, "PATCH", f"{API}/robots/{made['id']}", {}).json()["secret"]
    assert secret and secret != made["secret"]
    robot.get("/v2/", expect=401)
    registry.client(made["name"], secret, auth="basic").get("/v2/", expect=200)


def test_refresh_with_a_secret_of_ones_own(admin, make, project, registry):
    made, _ = make(wish("own", namespace=project))
    answer = call(admin, "PATCH", f"{API}/robots/{made['id']}", {"secret": "Chosen-Secret-1"}).json()
    assert answer.get("secret", "") == ""
    registry.client(made["name"], "Chosen-Secret-1", auth="basic").get("/v2/", expect=200)


@pytest.mark.parametrize("secret", ["Short1x", "alllower1", "ALLUPPER1", "NoDigitsHere", "Aa1" + "x" * 126])
def test_secrets_that_cannot_be(admin, make, project, secret):
    made, robot = make(wish("weak", namespace=project))
    call(admin, "PATCH", f"{API}/robots/{made['id']}", {"secret": secret}, expect=400)
    robot.get("/v2/", expect=200)
    call(admin, "DELETE", f"{API}/robots/{made['id']}")


def test_two_secrets_live_and_each_ends_alone(admin, make, project, registry):
    made, first = make(wish("two", namespace=project), auth="bearer")
    path = f"{BERTH}/robots/{made['id']}/secrets"
    answer = call(admin, "POST", path, {}, expect=201)
    added = answer.json()
    assert answer.headers["Location"] == f"{path}/{added['id']}"
    second = registry.client(made["name"], added["secret"], auth="bearer")
    bearers = [{"Authorization": f"Bearer {c.token(f'repository:{project}/a:pull')}"} for c in (first, second)]
    call(admin, "POST", path, {}, expect=409)
    secrets = admin.get(path, expect=200).json()
    assert len(secrets) == 2 and all("secret" not in s for s in secrets)
    assert made["secret"].startswith(secrets[0]["hint"]) and added["secret"].startswith(secrets[1]["hint"])
    call(admin, "DELETE", f"{path}/{secrets[0]['id']}")
    first.get("/v2/", headers=bearers[0], expect=401)
    first.fetch_token(expect=401)
    second.get("/v2/", headers=bearers[1], expect=200)
    second.fetch_token(expect=200)
    call(admin, "DELETE", f"{path}/{secrets[0]['id']}", expect=404)


def test_rotation_with_a_grace(admin, make, project, registry):
    made, first = make(wish("grace", namespace=project))
    path = f"{BERTH}/robots/{made['id']}/secrets"
    added = call(admin, "POST", path, {"grace_seconds": 3600}, expect=201).json()
    first.get("/v2/", expect=200)
    old = admin.get(path, expect=200).json()[0]
    ends = datetime.datetime.fromisoformat(old["expiry_time"].replace("Z", "+00:00")).timestamp()
    assert abs(ends - time.time() - 3600) < 60
    # No grace at all: the other one ends now, and room is made for the next.
    call(admin, "DELETE", f"{path}/{old['id']}")
    third = call(admin, "POST", path, {"grace_seconds": 0}, expect=201).json()
    registry.client(made["name"], added["secret"], auth="basic").get("/v2/", expect=401)
    registry.client(made["name"], third["secret"], auth="basic").get("/v2/", expect=200)
    assert len(admin.get(path, expect=200).json()) == 1


@pytest.mark.parametrize("body", [{"grace_seconds": -1}, {"grace_seconds": 10**9}, {"lifetime_seconds": -5}, {"secret": "weak"}])
def test_rotations_that_cannot_be(admin, make, project, body):
    made, _ = make(wish("never", namespace=project))
    call(admin, "POST", f"{BERTH}/robots/{made['id']}/secrets", body, expect=400)
    call(admin, "DELETE", f"{API}/robots/{made['id']}")


def test_a_secret_with_an_end(admin, make, project, registry):
    made, _ = make(wish("brief", namespace=project))
    path = f"{BERTH}/robots/{made['id']}/secrets"
    added = call(admin, "POST", path, {"lifetime_seconds": 1}, expect=201).json()
    brief = registry.client(made["name"], added["secret"], auth="basic")
    wait_until(lambda: brief.get("/v2/").status_code == 401, what="the end of the secret", timeout=5)


def test_a_wrong_secret_and_an_unknown_robot_look_the_same(make, project, registry):
    made, _ = make(wish("here", namespace=project))
    answers = [
        registry.client(name, "Wrong-secret-1", auth="basic").get(f"{API}/robots", expect=401)
        for name in (made["name"], f"robot${project}+nobody")
    ]
    assert answers[0].content == answers[1].content


# -- nobody gives away more than he has


def creator(make, project, *access):
    wanted = wish(unique("boss"), {"resource": "robot", "action": "create"}, *access, level="system", namespace=project)
    return make(wanted)[1]


def test_a_robot_makes_robots_with_a_part_of_what_it_has(admin, make, project):
    boss = creator(make, project, PULL)
    made, _ = make(wish("child", PULL, namespace=project), by=boss)
    robot = robot_of(admin, made)
    assert robot["creator_type"] == "robot" and robot["creator_ref"] > 0
    call(boss, "POST", f"{API}/robots", wish("more", PULL, PUSH, namespace=project), expect=403)
    call(boss, "POST", f"{API}/robots", wish("other", PULL, namespace="library"), expect=403)
    call(boss, "POST", f"{API}/robots", wish("wide", PULL, level="system", namespace="*"), expect=403)


def test_a_public_project_is_no_reason_to_give_its_pull_away(admin, make):
    """What anybody may while it is public would outlive its being public."""
    project = unique("public")
    call(admin, "POST", f"{API}/projects", {"project_name": project, "metadata": {"public": "true"}}, expect=201)
    boss = creator(make, project)
    call(boss, "POST", f"{API}/robots", wish("public", PULL, namespace=project), expect=403)


def test_a_robot_limited_to_some_repositories_gives_nothing_away(make, project, admin):
    wanted = wish(unique("part"), {"resource": "robot", "action": "create"}, level="system", namespace=project)
    wanted["permissions"].append({"kind": "project", "namespace": project, "access": [PULL], "repository_pattern": "a/**"})
    boss = make(wanted)[1]
    call(boss, "POST", f"{API}/robots", wish("all", PULL, namespace=project), expect=403)


def test_a_robot_changes_no_robots(make, project):
    boss = creator(make, project, PULL, PUSH)
    made, _ = make(wish("fixed", PULL, namespace=project), by=boss)
    call(boss, "PATCH", f"{API}/robots/{made['id']}", {}, expect=403)
    call(boss, "POST", f"{BERTH}/robots/{made['id']}/secrets", {}, expect=403)
    call(boss, "PUT", f"{API}/robots/{made['id']}", wish("fixed", PUSH, namespace=project), expect=403)


def test_unknown_and_forbidden_robots_look_the_same(make, project, admin):
    elsewhere = unique("robots")
    call(admin, "POST", f"{API}/projects", {"project_name": elsewhere}, expect=201)
    made, _ = make(wish("secret", namespace=project))
    stranger = make(wish(unique("stranger"), PULL, level="system", namespace=elsewhere))[1]
    for method, body in (("GET", None), ("PUT", {}), ("PATCH", {}), ("DELETE", None)):
        answers = [call(stranger, method, f"{API}/robots/{i}", body, expect=403) for i in (made["id"], 99999999)]
        assert answers[0].content == answers[1].content
    call(stranger, "GET", f"{API}/robots?q=Level=project,ProjectID=1", expect=403)


def test_nobody_without_a_login(anonymous):
    for method, path in (("GET", "/robots"), ("POST", "/robots"), ("GET", "/robots/1"), ("PATCH", "/robots/1")):
        call(anonymous, method, API + path, None if method == "GET" else {}, expect=401)


def test_members_give_robots_what_they_hold(admin, make, project):
    """A project's administrator makes robots, a maintainer does not (CVE-2019-16919: nobody makes more of himself)."""
    owner, maintainer = make_person(admin), make_person(admin)
    add_member(admin, project, "projectAdmin", username=owner.name)
    add_member(admin, project, "maintainer", username=maintainer.name)
    made, robot = make(wish("owned", PULL, PUSH, {"resource": "member", "action": "create"}, namespace=project), by=owner.client)
    robot.get("/v2/", expect=200)
    assert robot_of(admin, made)["creator_ref"] == owner.id
    call(maintainer.client, "POST", f"{API}/robots", wish("kept", PULL, namespace=project), expect=403)
    call(maintainer.client, "PATCH", f"{API}/robots/{made['id']}", {}, expect=403)
    call(owner.client, "POST", f"{API}/robots", wish(unique("sys"), PULL, level="system", namespace=project), expect=403)
    call(owner.client, "POST", f"{API}/robots", wish("else", PULL, namespace="library"), expect=403)
    listed = call(maintainer.client, "GET", f"{API}/robots?q=Level=project,ProjectID={robot_project(admin, project)}").json()
    assert [r["id"] for r in listed] == [made["id"]]


def robot_project(admin, project):
    return admin.get(f"{API}/projects/{project}", expect=200).json()["project_id"]


def test_a_custom_role_that_makes_robots_gives_them_no_more(admin, project):
    grants = [{"repositories": "", "permissions": ["robot:create", "robot:read", "repository:pull"]}]
    role = unique("maker")
    answer = call(admin, "POST", f"{BERTH}/roles", {"name": role, "grants": grants}, expect=201)
    person = make_person(admin)
    member = {"role_id": int(answer.headers["Location"].rpartition("/")[2]), "member_user": {"username": person.name}}
    call(admin, "POST", f"{API}/projects/{project}/members", member, expect=201)
    call(person.client, "POST", f"{API}/robots", wish("push", PULL, PUSH, namespace=project), expect=403)
    call(person.client, "POST", f"{API}/robots", wish("pull", PULL, namespace=project), expect=201)


def test_a_robot_ends_with_its_project(admin, make, project):
    made, robot = make(wish("orphan", namespace=project), auth="bearer")
    bearer = {"Authorization": f"Bearer {robot.token(f'repository:{project}/app:pull')}"}
    robot.get("/v2/", headers=bearer, expect=200)
    call(admin, "DELETE", f"{API}/projects/{project}")
    robot.get("/v2/", headers=bearer, expect=401)
    robot.fetch_token(expect=401)
    admin.get(f"{API}/robots/{made['id']}", expect=404)


def test_the_audit_trail_has_every_change_and_no_secret(admin, make, project, registry):
    made, robot = make(wish("audited", namespace=project))
    change(admin, made, description="changed")
    secret = call(admin, "PATCH", f"{API}/robots/{made['id']}", {}).json()["secret"]
    added = call(admin, "POST", f"{BERTH}/robots/{made['id']}/secrets", {}, expect=201).json()
    call(admin, "DELETE", f"{BERTH}/robots/{made['id']}/secrets/{added['id']}")
    call(admin, "DELETE", f"{API}/robots/{made['id']}")
    rows = registry.query(
        f"SELECT operation || ' ' || detail FROM audit_record WHERE resource_type = 'robot' AND resource = '{made['name']}' ORDER BY id")
    assert [row.split(" ", 1)[0] for row in rows] == ["create", "update", "update", "update", "update", "delete"]
    for hidden in (made["secret"], secret, added["secret"]):
        assert hidden not in " ".join(rows)
    assert "changed" in rows[1]


# -- use


@pytest.mark.own_server
def test_robot_and_secret_say_when_they_were_used(registry, admin, make, project):
    made, robot = make(wish("used", namespace=project))
    path = f"{BERTH}/robots/{made['id']}"
    assert "used_time" not in admin.get(path, expect=200).json()
    robot.get("/v2/", expect=200)
    registry.restart()  # what is gathered in memory is written at the end
    assert "used_time" in admin.get(path, expect=200).json()
    assert "used_time" in admin.get(f"{path}/secrets", expect=200).json()[0]


@pytest.mark.settings(settings_fixed='{"robot_name_prefix":"bot-"}')
def test_the_prefix_can_be_another(make, project, registry):
    made, robot = make(wish("x", namespace=project))
    assert made["name"] == f"bot-{project}+x"
    robot.get("/v2/", expect=200)
    registry.client(f"robot${project}+x", made["secret"], auth="basic").get("/v2/", expect=401)
    registry.client(made["name"], "Wrong-secret-1", auth="basic").get("/v2/", expect=401)
