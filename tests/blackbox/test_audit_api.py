# SPDX-License-Identifier: Apache-2.0
"""The audit trail by our own API: whole records, cursors, export, proof, erasing."""
import csv
import io
import itertools
import json

import pytest

from harness.registry import ADMIN_PASSWORD
from harness.wait import wait_until

BASE = "/api/berth/v1/audit"
numbers = itertools.count(1)


def search(client, expect=200, **query):
    return client.get(f"{BASE}/records", params={"page_size": 100, **query}, expect=expect).json()


def found(client, **query):
    return wait_until(lambda: search(client, **query)["records"], what=f"a record of {query}")


def post(client, path, body=None, expect=200):
    return client.post(f"{BASE}{path}", body=body and json.dumps(body), headers={"Content-Type": "application/json"}, expect=expect)


@pytest.fixture
def project(admin):
    name = f"trail-{next(numbers)}"
    admin.make_project(name)
    return name


@pytest.fixture
def somebody(registry):
    """A client of somebody new, without any role."""
    name = f"person-{next(numbers)}"
    registry.execute(
        "INSERT INTO account (name, password, created_at_us, updated_at_us, password_changed_at_us)"
        f" SELECT '{name}', password, 1, 1, 1 FROM account WHERE name = 'admin'"
    )
    return registry.client(name, ADMIN_PASSWORD, auth="basic")


def test_a_record_of_a_change(admin, project):
    admin.request(
        "PUT", f"/api/v2.0/projects/{project}", body=json.dumps({"metadata": {"public": "true"}}), expect=200,
        headers={"Content-Type": "application/json", "X-Request-Id": "change-1", "User-Agent": "tests/1"},
    )
    record, = search(admin, q="request_id=change-1")["records"]
    assert record["type"] == "update_project" and record["result"] == "allowed"
    assert (record["actor_type"], record["actor"], record["issuer"]) == ("user", "admin", "local")
    assert record["address"] == "127.0.0.1" and record["user_agent"] == "tests/1" and record["tenant_id"] == 1
    assert record["project"] == record["resource"] == project and record["project_id"] > 0
    assert record["before"] == {"public": "false"} and record["after"] == {"public": "true"}


def test_a_record_of_a_denial(admin, somebody, project):
    somebody.get(f"/api/v2.0/projects/{project}", headers={"X-Request-Id": "denied-1"}, expect=403)
    record, = found(admin, q="request_id=denied-1")
    assert (record["type"], record["result"], record["status"]) == ("deny_access", "denied", 403)
    assert record["resource"] == f"/api/v2.0/projects/{project}" and record["reason"]
    assert record["actor"] == somebody.username


def test_a_change_that_failed(admin, project):
    admin.request("POST", "/api/v2.0/projects", body=json.dumps({"project_name": project}), expect=409,
                  headers={"Content-Type": "application/json", "X-Request-Id": "twice-1"})
    record, = found(admin, q="request_id=twice-1")
    assert (record["type"], record["result"], record["status"]) == ("create_project", "failed", 409)


def test_secrets_are_masked(admin):
    admin.put(
        "/api/v2.0/configurations", expect=200,
        body=json.dumps({"ldap_url": "ldaps://ldap.example.com", "ldap_search_password": "very-secret-words"}),
        headers={"Content-Type": "application/json", "X-Request-Id": "masked-1"},
    )
    record, = search(admin, q="request_id=masked-1")["records"]
    assert record["type"] == "update_configuration" and "very-secret-words" not in json.dumps(record)
    assert record["after"]["ldap_search_password"] == "***" and record["after"]["ldap_url"] == "ldaps://ldap.example.com"


def test_a_cursor_walks_everything_once(admin, project):
    for number in range(23):
        admin.publish_project(project, number % 2 == 0)
    for q in (f"resource={project}", f"resource={project},operation={{create update}}"):
        for sort in ("", "op_time"):
            walked, cursor = [], ""
            while cursor is not None:
                page = search(admin, q=q, sort=sort, page_size=5, **({"cursor": cursor} if cursor else {}))
                walked += [record["id"] for record in page["records"]]
                cursor = page.get("next")
            assert len(walked) == 24 and walked == sorted(walked, reverse=not sort)
    search(admin, cursor="nowhere", expect=400)


def test_what_was_written_meanwhile_moves_no_page(admin, project):
    for number in range(9):
        admin.publish_project(project, number % 2 == 0)
    first = search(admin, q=f"resource={project}", page_size=5)
    admin.publish_project(project)
    second = search(admin, q=f"resource={project}", page_size=5, cursor=first["next"])
    ids = [record["id"] for record in first["records"] + second["records"]]
    assert len(ids) == 10 and ids == sorted(ids, reverse=True)


def test_export_as_json_lines(admin, project):
    for number in range(250):
        admin.publish_project(project, number % 2 == 0)
    answer = admin.get(f"{BASE}/export", params={"q": f"resource={project}", "sort": "op_time"}, expect=200)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == 251 and [line["id"] for line in lines] == sorted(line["id"] for line in lines)
    assert lines[0]["type"] == "create_project"
    assert lines[:100] == search(admin, q=f"resource={project}", sort="op_time")["records"]
    assert found(admin, q=f"operation=export,resource=~{project}")[0]["type"] == "export_audit"


def test_export_as_csv(registry, admin, project):
    agent = '=HYPERLINK("http://x")\tä, "b"'
    admin.request("PUT", f"/api/v2.0/projects/{project}", body='{"metadata":{"public":"true"}}', expect=200,
                  headers={"Content-Type": "application/json", "User-Agent": agent.encode()})
    answer = admin.get(f"{BASE}/export", params={"q": f"resource={project}", "format": "csv"}, expect=200)
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
    assert [line["type"] for line in lines] == ["update_project", "create_project"]
    assert lines[0]["user_agent"] == "'" + agent and json.loads(lines[0]["after"]) == {"public": "true"}
    assert answer.content.count(b"\r\n") == 3
    admin.get(f"{BASE}/export", params={"format": "xml"}, expect=422)
    assert admin.head(f"{BASE}/export", expect=200).content == b""


def test_others_see_their_projects_only(registry, admin, somebody, project):
    registry.execute(
        "INSERT INTO project_member (project_id, account_id, role_id, created_at_us, updated_at_us)"
        f" SELECT p.id, a.id, 1, 1, 1 FROM project p, account a WHERE p.name = '{project}' AND a.name = '{somebody.username}'"
    )
    assert [record["resource"] for record in search(somebody)["records"]] == [project]
    assert somebody.get(f"{BASE}/export", expect=200).text.count("\n") == 1
    for path in ("status", "verification"):
        somebody.get(f"{BASE}/{path}", expect=403)
    post(somebody, "/verification", expect=403)
    post(somebody, "/erasures", {"username": "admin"}, expect=403)


def test_strangers_see_nothing(anonymous):
    for path in ("records", "export", "status", "verification"):
        anonymous.get(f"{BASE}/{path}", expect=401)


def test_status(admin, project):
    status = admin.get(f"{BASE}/status", expect=200).json()
    assert status["written"] > 0 and status["dropped"] == 0


@pytest.mark.own_server
def test_verification(registry):
    admin = registry.client(auth="basic")
    assert admin.get(f"{BASE}/verification", expect=200).json() == {"state": "never"}
    admin.make_project("proven")
    assert post(admin, "/verification").json()["state"] in ("running", "finished")
    done = wait_until(lambda: (v := admin.get(f"{BASE}/verification").json())["state"] == "finished" and v, what="the verdict")
    assert done["verdict"]["intact"] and "difference" not in done["verdict"]
    wait_until(lambda: registry.query("SELECT seq FROM audit_seal"), what="a place")
    registry.execute("UPDATE audit_record SET resource = 'other'")
    post(admin, "/verification")
    done = wait_until(lambda: (v := admin.get(f"{BASE}/verification").json())["state"] == "finished" and v, what="the verdict")
    assert not done["verdict"]["intact"] and done["verdict"]["place"] == 1 and "changed" in done["verdict"]["difference"]


@pytest.mark.own_server
def test_erasing_a_person(registry):
    admin = registry.client(auth="basic")
    admin.make_project("erasing")
    registry.execute(
        "INSERT INTO account (name, password, created_at_us, updated_at_us, password_changed_at_us)"
        " SELECT 'jane', password, 1, 1, 1 FROM account WHERE name = 'admin'"
    )
    jane = registry.client("jane", ADMIN_PASSWORD, auth="basic")
    jane.get("/api/v2.0/projects/erasing", headers={"User-Agent": "Janes-Laptop"}, expect=403)
    found(admin, q="username=jane")
    erased = post(admin, "/erasures", {"username": "jane"}).json()
    assert erased["records"] >= 1 and erased["pseudonym"].startswith("erased-")
    assert search(admin, q="username=jane")["records"] == []
    record = search(admin, q=f"username={erased['pseudonym']}")["records"][0]
    assert record["erased"] == erased["pseudonym"] and "address" not in record and "user_agent" not in record
    told, = search(admin, q="operation=erase")["records"]
    assert told["actor"] == "admin" and "jane" not in json.dumps(told)
    post(admin, "/erasures", {"username": "jane"}, expect=404)
    post(admin, "/erasures", {"username": ""}, expect=422)
    registry.stop()
    status, output = registry.berth("audit", "verify")
    assert status == 0, output
