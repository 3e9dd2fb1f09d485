# SPDX-License-Identifier: Apache-2.0
"""The audit trail by Harbor's API: both shapes, its query language, its pages, and who sees which project's."""
import itertools
import time

import pytest

from harness import oci
from harness.registry import ADMIN_PASSWORD
from harness.wait import wait_until

API = "/api/v2.0"
numbers = itertools.count(1)


def logs(client, path="/auditlog-exts", expect=200, **query):
    return client.get(f"{API}{path}", params=query, expect=expect)


def rows(client, path="/auditlog-exts", **query):
    return logs(client, path, **{"page_size": 100, **query}).json()


@pytest.fixture
def project(admin, request):
    name = f"audit-{next(numbers)}"
    admin.make_project(name)
    return name


@pytest.fixture
def member(registry, project):
    """member(role, projects) is a client of somebody new with that role."""
    def make(role=None, projects=None):
        name = f"user-{next(numbers)}"
        registry.execute(
            "INSERT INTO account (name, password, created_at_us, updated_at_us, password_changed_at_us)"
            f" SELECT '{name}', password, 1, 1, 1 FROM account WHERE name = 'admin'"
        )
        for each in projects or [project]:
            if role:
                registry.execute(
                    "INSERT INTO project_member (project_id, account_id, role_id, created_at_us, updated_at_us)"
                    f" SELECT p.id, a.id, {role}, 1, 1 FROM project p, account a WHERE p.name = '{each}' AND a.name = '{name}'"
                )
        return registry.client(name, ADMIN_PASSWORD, auth="basic")
    return make


def test_both_shapes_of_a_record(admin, project):
    old, = rows(admin, f"/projects/{project}/logs")
    assert set(old) == {"id", "username", "resource", "resource_type", "operation", "op_time"}
    assert (old["username"], old["operation"], old["resource_type"], old["resource"]) == ("admin", "create", "project", project)
    new, = rows(admin, f"/projects/{project}/auditlog-exts")
    assert {key: new[key] for key in old} == old
    assert new["operation_result"] is True and new["operation_description"] == f"create project: {project}"
    assert abs(time.time() - time.mktime(time.strptime(new["op_time"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 60


def test_push_pull_and_delete(registry, admin, project):
    repo = registry.client().repository(f"{project}/app")
    digest = repo.push(oci.image(), "v1")
    for _ in range(3):
        repo.get_manifest("v1")
    repo.delete_manifest("v1")
    repo.delete_manifest(digest)
    found = wait_until(
        lambda: [row for row in rows(admin, f"/projects/{project}/logs") if row["operation"] == "pull"] and
        rows(admin, f"/projects/{project}/logs", sort="op_time"), what="the pull",
    )
    told = [(row["operation"], row["resource_type"], row["resource"]) for row in found]
    for expected in [
        ("create", "artifact", f"{project}/app:v1"), ("pull", "artifact", f"{project}/app:v1"),
        ("delete", "tag", f"{project}/app:v1"), ("delete", "artifact", f"{project}/app@{digest}"),
    ]:
        assert expected in told
    assert sum(1 for row in found if row["operation"] == "pull") <= 2  # three pulls in a second or two are one record or two


def test_query_language(admin, project):
    for public in (True, False, True):
        admin.publish_project(project, public)
    path = f"/projects/{project}/auditlog-exts"
    assert len(rows(admin, path)) == 4
    assert len(rows(admin, path, q="operation=update")) == 3
    assert len(rows(admin, path, q="operation=~pda")) == 3
    assert len(rows(admin, path, q="operation={create update}")) == 4
    assert len(rows(admin, path, q="operation={create delete},resource_type=project")) == 1
    assert len(rows(admin, path, q="username=nobody")) == 0
    assert len(rows(admin, path, q=f"username=admin,resource={project}")) == 4
    assert len(rows(admin, path, q="resource=~%25")) == 0
    assert len(rows(admin, path, q="operation_result=true")) == 4
    assert len(rows(admin, path, q="operation_result=false")) == 0
    assert len(rows(admin, path, q="op_time=[2020-01-01 00:00:00~2021-01-01 00:00:00]")) == 0
    assert len(rows(admin, path, q="op_time=[2020-01-01 00:00:00~]")) == 4
    assert len(rows(admin, path, q="nothing=we know")) == 4
    logs(admin, path, q="op_time=[yesterday~]", expect=400)
    logs(admin, path, q="operation=[a~b]", expect=400)
    logs(admin, path, q="operation", expect=400)


def test_pages_and_order(admin, project):
    for number in range(24):
        admin.publish_project(project, number % 2 == 0)
    path = f"/projects/{project}/logs"
    for q in ("", "operation={create update}"):
        first = logs(admin, path, q=q)
        assert first.headers["X-Total-Count"] == "25" and len(first.json()) == 10
        assert 'rel="next"' in first.headers["Link"] and 'rel="prev"' not in first.headers["Link"]
        third = logs(admin, path, q=q, page=3)
        assert len(third.json()) == 5 and 'rel="next"' not in third.headers["Link"]
        walked = [row["id"] for page in (1, 2, 3) for row in rows(admin, path, q=q, page=page, page_size=10)]
        assert walked == sorted(walked, reverse=True) and len(set(walked)) == 25
        assert [row["id"] for row in rows(admin, path, q=q, sort="op_time")] == walked[::-1]
        assert [row["id"] for row in rows(admin, path, q=q, sort="-op_time")] == walked
        assert rows(admin, path, q=q, page=9) == []


def test_what_is_refused_is_in_the_new_shape_only(registry, admin, project, member):
    stranger = member()
    stranger.get(f"{API}/projects/{project}", expect=403)
    name = stranger.username
    denied = wait_until(lambda: rows(admin, q=f"username={name}"), what="the denial")
    assert [(row["operation"], row["resource_type"], row["operation_result"]) for row in denied] == [("deny", "access", False)]
    assert rows(admin, q=f"username={name},operation_result=false") == denied
    assert rows(admin, "/audit-logs", q=f"username={name}") == []


def test_wrong_passwords(registry, admin):
    guesser = registry.client("guesser", "wrong", auth="basic")
    guesser.get(f"{API}/projects", expect=401)
    found = wait_until(lambda: rows(admin, q="resource=guesser"), what="the refused login")
    assert (found[0]["operation"], found[0]["resource_type"], found[0]["username"]) == ("deny", "login", "anonymous")


@pytest.mark.parametrize("role,sees", [(1, True), (2, False), (3, False), (4, False), (5, False), (None, False)])
def test_whose_log_a_member_sees(member, project, role, sees):
    client = member(role)
    for path in ("logs", "auditlog-exts"):
        answer = logs(client, f"/projects/{project}/{path}", expect=200 if sees else 403)
        assert not sees or len(answer.json()) == 1
    assert len(rows(client, "/audit-logs")) == (1 if sees else 0)


def test_a_member_sees_all_his_projects_in_one_order(admin, member, project):
    mine = [f"{project}-{n}" for n in range(4)]
    for name in mine + [f"{project}-other"]:
        admin.make_project(name)
    for name in mine:
        admin.publish_project(name)
    client = member(1, mine)
    found = rows(client, "/audit-logs")
    assert {row["resource"] for row in found} == set(mine) and len(found) == 8
    ids = [row["id"] for row in found]
    assert ids == sorted(ids, reverse=True)
    assert [row["id"] for page in range(1, 5) for row in rows(client, "/audit-logs", page=page, page_size=2)] == ids
    assert logs(client, "/audit-logs", page_size=3).headers["X-Total-Count"] == "8"
    assert len(rows(client, "/audit-logs", q=f"operation={{create update}},resource=~{project}-1")) == 2
    ours = admin.get(f"{API}/projects/{mine[0]}").json()["project_id"]
    other = admin.get(f"{API}/projects/{project}-other").json()["project_id"]
    assert len(rows(client, "/audit-logs", q=f"project_id={ours}")) == 2
    assert rows(client, "/audit-logs", q=f"project_id={other}") == []


def test_strangers_see_nothing(anonymous, admin):
    for path in ("/audit-logs", "/auditlog-exts", "/auditlog-exts/events"):
        logs(anonymous, path, expect=401)


def test_a_project_that_is_not_there(admin):
    logs(admin, "/projects/nowhere/logs", expect=404)


def test_event_types(admin, member):
    types = [entry["event_type"] for entry in logs(member(), "/auditlog-exts/events").json()]
    assert {"create_artifact", "pull_artifact", "delete_artifact", "create_project", "delete_project", "login_user",
            "create_user", "create_robot", "update_configuration"} <= set(types)
    assert "erase_audit" not in types and len(types) == len(set(types))


@pytest.mark.settings(audit_disable="update_project, pull_artifact")
def test_types_that_are_switched_off(registry, admin, project):
    admin.publish_project(project)
    assert [row["operation"] for row in rows(admin, f"/projects/{project}/logs")] == ["create"]


def test_a_type_that_is_none_is_refused_at_the_start(make_registry):
    registry = make_registry(start=False, audit_disable="erase_audit")
    registry.spawn()
    assert registry.wait_dead() == 1
    assert "erase_audit is no type of event that can be switched off" in registry.log_text()
