# SPDX-License-Identifier: Apache-2.0
"""Everything that can be named by an id, a name or a digest, asked for by another tenant's administrator, user and robot.

What is another tenant's must look exactly as what was never there: so each question is asked twice, with the id of something
that is there and with one that nobody has, and the answers are compared; and nothing may have changed.
"""
import json
import re

import pytest

from harness import oci
from harness.members import make_project
from harness.people import API, PASSWORD, call, make_person
from harness.victim import NO_DIGEST, PULL, SYSTEM_ROBOT, Victim
from harness.wire import unique

BERTH = "/api/berth/v1"
NOWHERE = 987654321


def administrator(tenant):
    person = make_person(tenant.admin)
    call(tenant.admin, "POST", f"{tenant.path}/administrators", {"user_id": person.id})
    return person


@pytest.fixture(scope="module")
def victims():
    return {}


@pytest.fixture
def victim(registry, victims):
    if registry.url not in victims:
        victims[registry.url] = Victim(registry)
    return victims[registry.url]


@pytest.fixture
def acme(registry):
    return registry.tenant("acme")


PROJECT = f"{API}/projects/{{project}}"
PROJECT_ID = f"{API}/projects/{{project_id}}"
ARTIFACT = f"{PROJECT}/repositories/app/artifacts/{{digest}}"
ROBOT = f"{API}/robots/{{robot}}"
USER = f"{API}/users/{{user}}"
OURS = f"{BERTH}/users/{{user}}"
ISSUER = f"{BERTH}/issuers/{{issuer}}"
TENANT = f"{BERTH}/tenants/{{tenant}}"
RETENTION = f"{API}/retentions/{{retention}}"
POLICY = {"algorithm": "or", "rules": [], "scope": {"level": "project", "ref": "{project_id}"}}
BINDING = {"name": "x", "conditions": [{"claim": "sub", "equals": "x"}], "robot_id": "{robot}"}

# What is asked: a method, a path and a body, with the things' names in braces.
QUESTIONS = [
    ("GET", PROJECT, None), ("GET", PROJECT_ID, None), ("GET", f"{PROJECT_ID}/summary", None), ("GET", f"{PROJECT_ID}/_deletable", None),
    ("PUT", PROJECT_ID, {"metadata": {"public": "true"}}), ("PUT", PROJECT, {"metadata": {"public": "true"}}),
    ("DELETE", PROJECT_ID, None), ("DELETE", PROJECT, None), ("GET", f"{PROJECT_ID}/artifacts", None),
    ("GET", f"{PROJECT_ID}/members", None), ("POST", f"{PROJECT_ID}/members", {"role_id": 1, "member_user": {"username": "{me}"}}),
    ("GET", f"{PROJECT_ID}/members/{{member}}", None), ("PUT", f"{PROJECT_ID}/members/{{member}}", {"role_id": 5}),
    ("DELETE", f"{PROJECT_ID}/members/{{member}}", None), ("GET", f"{BERTH}/projects/{{project_id}}/members", None),
    ("PUT", f"{API}/projects/{{mine}}/members/{{member}}", {"role_id": 5}), ("DELETE", f"{API}/projects/{{mine}}/members/{{member}}", None),
    ("POST", f"{API}/projects/{{mine}}/members", {"role_id": 1, "member_user": {"user_id": "{user}"}}),
    ("POST", f"{API}/projects/{{mine}}/members", {"role_id": 1, "member_user": {"username": "{username}"}}),
    ("POST", f"{API}/projects/{{mine}}/members", {"role_id": 1, "member_group": {"id": "{group}"}}),
    ("POST", f"{API}/projects/{{mine}}/members", {"role_id": "{role}", "member_user": {"username": "{me}"}}),
    ("GET", f"{PROJECT_ID}/metadatas", None), ("POST", f"{PROJECT_ID}/metadatas", {"public": "true"}),
    ("PUT", f"{PROJECT_ID}/metadatas/public", {"public": "true"}), ("DELETE", f"{PROJECT_ID}/metadatas/public", None),
    ("GET", f"{PROJECT}/logs", None), ("GET", f"{PROJECT}/auditlog-exts", None),
    ("GET", f"{PROJECT}/repositories", None), ("GET", f"{PROJECT}/repositories/app", None),
    ("PUT", f"{PROJECT}/repositories/app", {"description": "mine"}), ("DELETE", f"{PROJECT}/repositories/app", None),
    ("GET", f"{PROJECT}/repositories/app/artifacts", None), ("GET", ARTIFACT, None), ("DELETE", ARTIFACT, None),
    ("POST", f"{ARTIFACT}/tags", {"name": "mine"}), ("GET", f"{ARTIFACT}/tags", None), ("DELETE", f"{ARTIFACT}/tags/{{tag}}", None),
    ("POST", f"{ARTIFACT}/labels", {"id": "{label}"}), ("GET", f"{ARTIFACT}/additions/build_history", None), ("GET", f"{ARTIFACT}/accessories", None),
    ("POST", f"{API}/projects/{{mine}}/repositories/copy/artifacts?from={{project}}/app@{{digest}}", None),
    ("POST", f"{API}/projects/{{mine}}/repositories/app/artifacts/v1/labels", {"id": "{label}"}),
    ("POST", f"{API}/projects/{{mine}}/repositories/app/artifacts/v1/labels", {"id": "{project_label}"}),
    ("GET", f"{API}/icons/{{digest}}", None),
    ("POST", f"{BERTH}/projects/{{project_id}}/rename", {"name": "taken-over"}), ("POST", f"{BERTH}/projects/{{project}}/rename", {"name": "taken-over"}),
    ("GET", f"{BERTH}/projects/{{project_id}}/aliases", None), ("DELETE", f"{BERTH}/projects/{{project_id}}/aliases/x", None),
    ("POST", f"{BERTH}/projects/{{project}}/repositories/app/rename", {"name": "taken"}), ("GET", f"{BERTH}/projects/{{project}}/repositories/app/aliases", None),
    ("GET", ROBOT, None), ("PUT", ROBOT, {**SYSTEM_ROBOT, "id": "{robot}"}), ("PATCH", ROBOT, {"secret": "Secret-1234"}), ("DELETE", ROBOT, None),
    ("GET", f"{BERTH}/robots/{{robot}}", None), ("GET", f"{BERTH}/robots/{{robot}}/secrets", None),
    ("POST", f"{BERTH}/robots/{{robot}}/secrets", {}), ("DELETE", f"{BERTH}/robots/{{robot}}/secrets/{{secret}}", None),
    ("DELETE", f"{BERTH}/robots/{{my_robot}}/secrets/{{secret}}", None),
    ("POST", f"{API}/robots", {**SYSTEM_ROBOT, "level": "project", "permissions": [{"kind": "project", "namespace": "{project}", "access": [PULL]}]}),
    ("POST", f"{API}/robots", {**SYSTEM_ROBOT, "permissions": [{"kind": "project", "namespace": "{project}", "access": [PULL]}]}),
    ("GET", f"{API}/robots?q=Level%3Dproject,ProjectID%3D{{project_id}}", None),
    ("GET", USER, None), ("PUT", USER, {"email": "x@y.example", "realname": "x"}), ("DELETE", USER, None),
    ("PUT", f"{USER}/password", {"new_password": "Stolen-1234"}), ("PUT", f"{USER}/cli_secret", {"secret": "Stolen-1234"}),
    ("PUT", f"{USER}/sysadmin", {"sysadmin_flag": True}),
    ("GET", OURS, None), ("PUT", OURS, {"disabled": True}), ("PUT", OURS, {"tenant_admin": True}), ("PUT", OURS, {"system_admin": True}),
    ("GET", f"{OURS}/access-tokens", None), ("DELETE", f"{OURS}/access-tokens/{{token}}", None),
    ("GET", f"{OURS}/sessions", None), ("DELETE", f"{OURS}/sessions", None), ("DELETE", f"{OURS}/sessions/{{session}}", None),
    ("DELETE", f"{BERTH}/access-tokens/{{token}}", None), ("DELETE", f"{BERTH}/sessions/{{session}}", None),
    ("GET", f"{API}/usergroups/{{group}}", None), ("PUT", f"{API}/usergroups/{{group}}", {"group_name": "mine"}), ("DELETE", f"{API}/usergroups/{{group}}", None),
    ("GET", f"{API}/labels/{{label}}", None), ("PUT", f"{API}/labels/{{label}}", {"name": "mine", "scope": "g"}), ("DELETE", f"{API}/labels/{{label}}", None),
    ("GET", f"{API}/labels/{{project_label}}", None), ("DELETE", f"{API}/labels/{{project_label}}", None),
    ("POST", f"{API}/labels", {"name": "mine", "scope": "p", "project_id": "{project_id}"}), ("GET", f"{API}/labels?scope=p&project_id={{project_id}}", None),
    ("GET", RETENTION, None), ("PUT", RETENTION, POLICY), ("DELETE", RETENTION, None), ("POST", f"{RETENTION}/executions", {"dry_run": True}),
    ("GET", f"{RETENTION}/executions", None), ("POST", f"{API}/retentions", POLICY), ("GET", f"{BERTH}/projects/{{project_id}}/retention", None),
    ("POST", f"{BERTH}/projects/{{project}}/retention/preview", POLICY), ("GET", f"{BERTH}/projects/{{project_id}}/expiring", None),
    ("GET", f"{BERTH}/webhooks/{{webhook}}", None), ("GET", f"{BERTH}/webhooks/{{webhook}}/deliveries", None),
    ("POST", f"{BERTH}/webhooks/{{webhook}}/ping", None), ("DELETE", f"{BERTH}/webhooks/{{webhook}}", None),
    ("GET", f"{BERTH}/inventory", None), ("DELETE", f"{BERTH}/inventory/cluster-{{project}}", None),
    ("GET", f"{BERTH}/roles/{{role}}", None), ("PUT", f"{BERTH}/roles/{{role}}", {"description": "mine"}), ("DELETE", f"{BERTH}/roles/{{role}}", None),
    ("GET", ISSUER, None), ("PUT", ISSUER, {"enabled": False}), ("DELETE", ISSUER, None), ("GET", f"{ISSUER}/bindings", None),
    ("POST", f"{ISSUER}/bindings", BINDING), ("GET", f"{ISSUER}/bindings/{{binding}}", None),
    ("PUT", f"{ISSUER}/bindings/{{binding}}", {"enabled": False}), ("DELETE", f"{ISSUER}/bindings/{{binding}}", None),
    ("GET", f"{BERTH}/issuers?tenant_id={{tenant}}", None), ("GET", f"{BERTH}/issuers/{{issuer}}?tenant_id={{tenant}}", None),
    ("DELETE", f"{BERTH}/issuers/{{issuer}}?tenant_id={{tenant}}", None), ("GET", f"{BERTH}/certificate-bindings?tenant_id={{tenant}}", None),
    ("GET", f"{BERTH}/certificate-bindings/{{certificate}}", None), ("DELETE", f"{BERTH}/certificate-bindings/{{certificate}}", None),
    ("DELETE", f"{BERTH}/certificate-bindings/{{certificate}}?tenant_id={{tenant}}", None), ("POST", f"{BERTH}/certificate-bindings", BINDING),
    ("GET", f"{BERTH}/identity-providers?tenant_id={{tenant}}", None),
    ("GET", TENANT, None), ("PUT", TENANT, {"title": "mine"}), ("PUT", TENANT, {"state": "suspended"}), ("DELETE", TENANT, None),
    ("POST", f"{TENANT}/hosts", {"host": "mine.example"}), ("GET", f"{TENANT}/administrators", None),
    ("POST", f"{TENANT}/administrators", {"username": "{me}"}), ("POST", f"{TENANT}/administrators", {"user_id": "{user}"}),
    ("DELETE", f"{TENANT}/administrators/users/{{user}}", None), ("POST", f"{TENANT}/storage/erasure", {"name": "x"}),
    ("POST", f"{BERTH}/tenants/{{my_tenant}}/administrators", {"user_id": "{user}"}),
    ("POST", f"{BERTH}/tenants/{{my_tenant}}/administrators", {"username": "{username}"}),
    ("POST", f"{BERTH}/tenants/{{my_tenant}}/administrators", {"group_id": "{group}"}),
    ("DELETE", f"{BERTH}/tenants/{{my_tenant}}/administrators/users/{{user}}", None),
    ("DELETE", f"{BERTH}/tenants/{{my_tenant}}/administrators/groups/{{group}}", None),
    ("GET", f"{BERTH}/audit/records?q=project_id%3D{{project_id}}", None), ("GET", f"{BERTH}/audit/records?q=resource%3D{{project}}", None),
    ("GET", f"{API}/audit-logs?q=resource%3D{{project}}", None), ("GET", f"{API}/search?q={{project}}", None), ("HEAD", f"{API}/projects?project_name={{project}}", None),
    ("GET", f"{API}/projects?name={{project}}", None), ("GET", f"{API}/users/search?username={{username}}", None),
    ("POST", f"{BERTH}/authz/explain", {"action": "pull", "resource": "repository", "project": "{project}", "subject": {"type": "user", "id": "{user}"}}),
]

BASIC = [
    ("GET", "/v2/{project}/app/manifests/{tag}", None), ("GET", "/v2/{project}/app/manifests/{digest}", None), ("GET", "/v2/{project}/app/blobs/{blob}", None),
    ("GET", "/v2/{mine}/app/manifests/{digest}", None), ("GET", "/v2/{mine}/app/blobs/{blob}", None), ("GET", "/v2/{mine}/app/referrers/{digest}", None),
    ("GET", "/v2/{project}/app/tags/list", None), ("GET", "/v2/{project}/app/blobs/uploads/{upload}", None), ("GET", "/v2/{mine}/app/blobs/uploads/{upload}", None),
    ("PUT", "/v2/{mine}/app/blobs/uploads/{upload}?digest={blob}", None), ("DELETE", "/v2/{mine}/app/blobs/uploads/{upload}", None),
    ("DELETE", "/v2/{mine}/app/manifests/{digest}", None), ("DELETE", "/v2/{mine}/app/blobs/{blob}", None),
]


def filled(thing, names):
    """With the names in place of the braces; a text that is only a name takes its type."""
    if isinstance(thing, dict):
        return {key: filled(value, names) for key, value in thing.items()}
    if isinstance(thing, list):
        return [filled(value, names) for value in thing]
    if not isinstance(thing, str):
        return thing
    whole = re.fullmatch(r"\{(\w+)\}", thing)
    return names[whole[1]] if whole else re.sub(r"\{(\w+)\}", lambda found: str(names[found[1]]), thing)


class Attacker:
    """Somebody of another tenant who holds all that he can there."""

    def __init__(self, place, client, me, admin):
        self.client, self.names = client, {"me": me}
        self.names["mine"] = unique("mine")
        self.names["my_tenant"] = getattr(place, "id", 1)
        make_project(admin, self.names["mine"])
        repository = place.client().repository(f"{self.names['mine']}/app")
        repository.push(oci.image(self.names["mine"]), "v1")
        self.names["my_robot"] = call(admin, "POST", f"{API}/robots", {**SYSTEM_ROBOT, "name": unique("mine")}, expect=201).json()["id"]

    def ask(self, question, names):
        method, path, body = filled(list(question), {**names, **self.names})
        headers = {"Content-Type": "application/json", "Accept": "*/*"}
        answer = self.client.request(method, path, headers=headers, body=None if body is None else json.dumps(body))
        text = answer.text
        for kind in sorted(names, key=lambda kind: -len(str(names[kind]))):
            text = text.replace(str(names[kind]), f"<{kind}>") if len(str(names[kind])) >= 4 else text
        link = answer.headers.get("X-Total-Count")
        return answer.status_code, re.sub(r'"(id|time|request_id|seq)":("[^"]*"|\d+)', "", text), link


ATTACKERS = {
    "administrator of another tenant": lambda registry, acme: (acme, administrator(acme)),
    "user of another tenant": lambda registry, acme: (acme, make_person(acme.admin)),
    "administrator of the default tenant": lambda registry, acme: (registry, default_administrator(registry)),
}


def default_administrator(registry):
    admin = registry.client(auth="basic")
    person = make_person(admin)
    call(admin, "PUT", f"{BERTH}/users/{person.id}", {"tenant_admin": True})
    return person


@pytest.mark.parametrize("who", ATTACKERS)
def test_what_is_another_tenants_looks_as_if_it_were_not_there(registry, acme, victim, who):
    place, person = ATTACKERS[who](registry, acme)
    admin = acme.admin if place is acme else registry.client(auth="basic")
    attacker = Attacker(place, person.client, person.name, admin)
    before = victim.state()
    nobody = {**{key: NOWHERE + number for number, key in enumerate(victim.names)}, **victim.nobody}
    wrong = []
    for question in QUESTIONS + BASIC:
        there, nowhere = attacker.ask(question, victim.names), attacker.ask(question, nobody)
        if there != nowhere:
            wrong.append((question[:2], there, nowhere))
        if 200 <= there[0] < 300 and victim.project in there[1]:
            wrong.append((question[:2], there))
    assert not wrong, "\n".join(map(str, wrong))
    assert victim.state() == before


def test_the_questions_are_answered_to_who_may_ask(victim):
    """Or they would prove nothing above."""
    names = {**victim.names, "mine": victim.project, "my_robot": victim.names["robot"], "my_tenant": victim.tenant.id, "me": victim.person.name}
    chief = administrator(victim.tenant)
    refused = []
    for question in QUESTIONS + BASIC:
        method, path, body = filled(list(question), names)
        if method == "GET" and "/icons/" not in path and "/identity-providers" not in path:
            answer = chief.client.get(path, headers={"Accept": "*/*"})
            if answer.status_code not in (200, 204):
                refused.append((path, answer.status_code, answer.text))
    assert not refused, "\n".join(map(str, refused))


def test_nothing_but_the_projects_own_is_mounted(registry, acme, victim):
    """A digest is stored once in a storage, and each tenant has its own."""
    person = administrator(acme)
    repository = acme.client(person.name, PASSWORD).repository(f"{unique('mount')}/app")
    make_project(person.client, repository.name.split("/")[0])
    for source in (f"{victim.project}/app", None):
        repository.mount(victim.names["blob"], source, expect=202)
    assert not repository.has_blob(victim.names["blob"])
    repository.put_manifest(victim.content, "v1", expect=(400, 404))


def test_the_same_bytes_are_stored_apart(registry, acme, victim):
    person = administrator(acme)
    name = unique("apart")
    make_project(person.client, name)
    acme.client(person.name, PASSWORD).repository(f"{name}/app").push(victim.content, "v1")
    rows = registry.query(f"SELECT count(DISTINCT storage_id) FROM blob WHERE digest = '{victim.names['blob']}'")
    assert rows == ["2"]


def test_a_robot_of_all_projects_has_all_of_its_tenant_only(registry, acme, victim):
    robot = call(acme.admin, "POST", f"{API}/robots", {**SYSTEM_ROBOT, "name": unique("all")}, expect=201).json()
    for place in (acme, registry):
        client = place.client(robot["name"], robot["secret"])
        client.repository(f"{victim.project}/app").get_manifest("v1", expect=(401, 403, 404))
    victim.tenant.client(robot["name"], robot["secret"], auth="basic").get(f"{API}/projects", expect=401)


def test_a_tenants_administrator_makes_no_robot_for_the_system(acme):
    person = administrator(acme)
    for access in ({"resource": "garbage-collection", "action": "create"}, {"resource": "registry", "action": "create"},
                   {"resource": "quota", "action": "update"}, {"resource": "scan-all", "action": "create"}):
        call(person.client, "POST", f"{API}/robots", {
            **SYSTEM_ROBOT, "name": unique("root"), "permissions": [{"kind": "system", "namespace": "/", "access": [access]}]}, expect=(400, 403))


def test_a_robot_that_holds_more_is_not_its_tenants_administrators_to_take(acme):
    """What a system administrator gave to a robot of a tenant, nobody of the tenant gets by its secret."""
    person = administrator(acme)
    robot = call(acme.admin, "POST", f"{API}/robots", {
        **SYSTEM_ROBOT, "name": unique("strong"),
        "permissions": [{"kind": "system", "namespace": "/", "access": [{"resource": "quota", "action": "update"}]}]}, expect=201).json()
    call(person.client, "PATCH", f"{API}/robots/{robot['id']}", {"secret": "Stolen-1234"}, expect=403)
    call(person.client, "POST", f"{BERTH}/robots/{robot['id']}/secrets", {}, expect=403)


def test_records_of_a_tenant_are_for_its_administrator_and_no_others(registry, acme, victim):
    person = administrator(victim.tenant)
    found = call(person.client, "GET", f"{BERTH}/audit/records?page_size=100").json()["records"]
    assert found and {one["tenant_id"] for one in found} == {victim.tenant.id}
    exported = person.client.get(f"{BERTH}/audit/export?format=jsonl", expect=200).text
    assert exported and all(json.loads(line)["tenant_id"] == victim.tenant.id for line in exported.splitlines())
    exported = administrator(acme).client.get(f"{BERTH}/audit/export?format=jsonl", expect=200).text
    assert all(json.loads(line)["tenant_id"] == acme.id for line in exported.splitlines())
