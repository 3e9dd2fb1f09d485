# SPDX-License-Identifier: Apache-2.0
"""Harbor's Terraform provider, replayed: its requests in its order, with what it demands of each answer.

The provider is a Go program that no package registry has. What it does was recorded between it, driven by OpenTofu, and
this server: bodies as it writes them (with members that mean nothing), an id that it cuts out of Location, one exact status
for each method, and a second read after each change that must show no drift.
"""
import dataclasses
import http.client
import json
import typing

import pytest

from harness import oci, people
from harness.wire import unique

API = "/api/v2.0"
DONE = {"GET": 200, "PUT": 200, "PATCH": 200, "DELETE": 200, "POST": 201}
CONFIGURATION, ALLOWLIST = "/configurations", "/system/CVEAllowlist"


class Provider:
    def __init__(self, admin):
        self.admin = admin

    def send(self, method, path, body=None, want=None):
        return self.admin.request(
            method, API + path, headers={"Content-Type": "application/json"}, body=None if body is None else json.dumps(body),
            expect=want or DONE[method],
        )

    def read(self, path, want=None):
        answer = self.send("GET", path, want=want)
        return answer.json() if answer.content else None

    def pages(self, path):
        """Page after page, until one is empty."""
        found, page, joint = [], 1, "&" if "?" in path else "?"
        before, _, query = path.partition("&q=")
        while part := self.read(f"{before}{joint}page={page}" + (f"&q={query}" if query else "")):
            found += part
            page += 1
        assert part == [], "the end of a list must be an empty list"
        return found


def id_of(answer):
    """The provider cuts these out of the header and uses what is left as a path."""
    return answer.headers["Location"].replace("/api", "").replace("/v2.0", "")


@pytest.fixture
def provider(admin):
    return Provider(admin)


class World:
    """What a resource refers to. Each part is made by the provider's requests too."""

    def __init__(self, provider):
        self.provider = provider
        self.name = unique("tf")
        self.project = self.make("/projects", project_body(self.name))
        self.project_id = int(self.project.rpartition("/")[2])
        self.user = self.name + "-user"
        self.make("/users", user_body(self.user))
        self.group = self.name + "-group"
        self.group_id = int(self.make("/usergroups", {"group_name": self.group, "group_type": 3}).rpartition("/")[2])
        self.ldap_dn = f"cn={self.name},dc=example,dc=com"
        self.make("/usergroups", {"group_name": self.name + "-ldap", "group_type": 1, "ldap_group_dn": self.ldap_dn})
        self.prefix = provider.read(CONFIGURATION)["robot_name_prefix"]["value"]

    def make(self, path, body):
        return id_of(self.provider.send("POST", path, body))


@pytest.fixture
def world(provider):
    return World(provider)


# -- bodies as the provider writes them


def project_body(name, items=(), limit=-1, **metadata):
    listed = {"items": [{"cve_id": one} for one in items]} if items else {}
    return {
        "project_name": name, "cve_allowlist": listed, "storage_limit": limit,
        "metadata": {
            "enable_content_trust": "false", "enable_content_trust_cosign": "false", "auto_scan": "true", "severity": "low",
            "reuse_sys_cve_allowlist": "false" if items else "true", "public": "false", "prevent_vul": "false",
            "auto_sbom_generation": "false", "proxy_speed_kb": "-1", "proxy_cache_local_on_not_found": "false", **metadata,
        },
    }


def user_body(name, password=people.PASSWORD, number=1, **more):
    return {
        "username": name, "password": password, "realname": f"Ada {number}", "email": f"{name}{number}@example.com",
        "new_password": password, **more,
    }


def label_body(name, scope="g", project_id=0, color="#FF0000", description=""):
    return {
        "description": description, "color": color, "deleted": False, "scope": scope, "project_id": project_id, "id": 0, "name": name,
    }


def immutable_body(tags="**", decoration="matches", disabled=False):
    return {
        "disabled": disabled, "action": "immutable", "template": "immutable_template",
        "tag_selectors": [{"kind": "doublestar", "decoration": decoration, "pattern": tags}],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
    }


def member_body(role, user=None, **group):
    return {"role_id": role, "member_group": group, "member_user": {"username": user} if user else {}}


def permission(kind, namespace, *pairs):
    access = [{"action": action, "resource": resource, **({"effect": effect} if effect else {})} for resource, action, effect in pairs]
    return {"access": access, "kind": kind, "namespace": namespace}


def project_robot(w, name, **more):
    pairs = ("repository", "pull", None), ("repository", "push", "allow")
    return {"name": name, "level": "project", "duration": 30, "permissions": [permission("project", w.name, *pairs)], **more}


def system_robot(w, name, description):
    return {
        "name": name, "level": "system", "description": description, "duration": -1,
        "permissions": [
            permission("project", w.name, ("repository", "push", None), ("artifact", "read", None)),
            permission("project", "*", ("repository", "pull", None)), permission("system", "/", ("label", "create", None)),
        ],
    }


def oidc_body():
    return {
        "oidc_verify_cert": True, "oidc_auto_onboard": True, "oidc_logout": False, "oidc_user_claim": "name", "auth_mode": "oidc_auth",
        "primary_auth_mode": True, "self_registration": False, "oidc_scope": "openid,email,profile", "scan_all_policy": {"parameter": {}},
        "oidc_name": "azure", "oidc_client_id": "the client", "oidc_endpoint": "https://login.example.com/tenant/v2.0",
        "oidc_client_secret": "secret words", "oidc_group_filter": "^team-", "oidc_groups_claim": "groups", "ldap_scope": 0,
        "ldap_group_search_scope": 0, "ldap_verify_cert": False, "oidc_admin_group": "administrators",
    }


def ldap_body():
    return {
        "oidc_verify_cert": False, "oidc_auto_onboard": False, "oidc_logout": False, "ldap_group_search_filter": "(objectClass=group)",
        "auth_mode": "ldap_auth", "self_registration": False, "ldap_search_dn": "cn=admin,dc=example,dc=org",
        "scan_all_policy": {"parameter": {}}, "ldap_base_dn": "dc=example,dc=org", "ldap_url": "ldap://127.0.0.1:1", "ldap_uid": "email",
        "ldap_group_base_dn": "ou=groups,dc=example,dc=org", "ldap_group_attribute_name": "cn",
        "ldap_group_membership_attribute": "memberof", "ldap_search_password": "secret words", "ldap_scope": 2,
        "ldap_group_admin_dn": "cn=admins,dc=example,dc=org", "ldap_group_search_scope": 2, "ldap_verify_cert": False,
    }


def system_body(restriction, banner):
    return {
        "project_creation_restriction": restriction, "read_only": False, "robot_token_duration": 30, "token_expiration": 45,
        "session_timeout": 90, "quota_per_project_enable": True, "robot_name_prefix": "harbor@", "storage_per_project": 107374182400,
        "scanner_skip_update_pulltime": True, "skip_audit_log_database": False, "banner_message": banner, "notification_enable": True,
        "disabled_audit_log_event_types": "create_artifact,delete_artifact",
    }


BANNER = '{"closable":true,"message":"hello","type":"warning","fromDate":"10/25/2026","toDate":"10/26/2026"}'


# -- what it does with each of its resources


@dataclasses.dataclass
class Resource:
    """Lists of requests: (method, path, body). {id} in a path is the resource's own; all take the world."""

    name: str
    create: typing.Callable
    update: typing.Callable
    delete: typing.Callable
    made: typing.Callable  # what it reads back, by member; "a.b" is b in a
    changed: typing.Callable
    fixed: str = ""  # the id of what there is one of
    also: tuple = ()  # what a read asks for beside the resource itself
    never_gone: bool = False


def retention_rule(template, number=None, pattern="**", decoration="matches"):
    return {
        "disabled": False, "action": "retain", "template": template, "params": {} if number is None else {template: number},
        "tag_selectors": [{"kind": "doublestar", "decoration": decoration, "pattern": pattern, "extras": '{"untagged":true}'}],
        "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]},
    }


def retention_body(w, *rules, cron=""):
    return {
        "algorithm": "or", "scope": {"level": "project", "ref": w.project_id}, "rules": list(rules),
        "trigger": {"kind": "Schedule", "references": {}, "settings": {"cron": cron}},
    }


def deleted(*_):
    return [("DELETE", "{id}", None)]


def values(**configuration):
    return {f"{key}.value": value for key, value in configuration.items()}


def configuration(name, create, update, made, changed):
    return Resource(
        name, lambda w: [("PUT", CONFIGURATION, create)], lambda w: [("PUT", CONFIGURATION, update)], lambda w: [],
        lambda w: values(**made), lambda w: values(**changed), fixed=CONFIGURATION, never_gone=True,
    )


def member(name, role, changed_role, entity, **who):
    """Members: by the name of a person, by name or id of a group, by the DN of an LDAP group."""
    def body(w, number):
        return member_body(number, **{key: value(w) if callable(value) else value for key, value in who.items()})

    def read(w, number):
        return {"role_id": number, "project_id": w.project_id, "entity_name": entity(w)}

    return Resource(
        name, lambda w: [("POST", w.project + "/members", body(w, role))], lambda w: [("PUT", "{id}", body(w, changed_role))], deleted,
        lambda w: read(w, role), lambda w: read(w, changed_role),
    )


def kept(body):
    """What comes back of an authentication's configuration: all but secrets."""
    return {key: value for key, value in body.items() if not key.endswith(("_secret", "_password")) and key != "scan_all_policy"}


RESOURCES = [
    Resource(
        "project",
        lambda w: [
            ("POST", "/projects", project_body(w.name + "-a", ["CVE-1", "CVE-2"], 10 << 30, severity="high", prevent_vul="true")),
            ("PUT", "{id}", project_body(w.name + "-a", ["CVE-1", "CVE-2"], 10 << 30, severity="high", prevent_vul="true")),
        ],
        lambda w: [("PUT", "{id}", project_body(w.name + "-a", public="true", enable_content_trust_cosign="true", auto_scan="false"))],
        lambda w: [("GET", f"/projects/{w.name}-a/repositories?page=1&page_size=100", None), ("DELETE", "{id}", None)],
        lambda w: {
            "name": w.name + "-a", "registry_id": None, "owner_name": "admin", "repo_count": 0, "metadata.public": "false",
            "metadata.severity": "high", "metadata.prevent_vul": "true", "metadata.auto_scan": "true", "metadata.enable_content_trust": "false",
            "metadata.reuse_sys_cve_allowlist": "false", "cve_allowlist.items": [{"cve_id": "CVE-1"}, {"cve_id": "CVE-2"}],
        },
        lambda w: {
            "metadata.public": "true", "metadata.enable_content_trust_cosign": "true", "metadata.auto_scan": "false",
            "metadata.severity": "low", "metadata.prevent_vul": "false", "metadata.auto_sbom_generation": "false",
            "metadata.reuse_sys_cve_allowlist": "true",
        },
    ),
    Resource(
        "user",
        lambda w: [("POST", "/users", user_body(w.name + "-b", sysadmin_flag=True))],
        lambda w: [
            ("PUT", "{id}" + part, user_body(w.name + "-b", "Other-Secret-1", 2, sysadmin_flag=True))
            for part in ("", "/sysadmin", "/password")
        ],
        deleted,
        lambda w: {"username": w.name + "-b", "realname": "Ada 1", "email": w.name + "-b1@example.com", "comment": "", "sysadmin_flag": False},
        lambda w: {"username": w.name + "-b", "realname": "Ada 2", "email": w.name + "-b2@example.com", "sysadmin_flag": True},
    ),
    Resource(
        "group",
        lambda w: [("POST", "/usergroups", {"group_name": w.name + "-c", "group_type": 3})],
        lambda w: [], deleted,
        lambda w: {"group_name": w.name + "-c", "group_type": 3}, lambda w: {"group_name": w.name + "-c"},
    ),
    Resource(
        "group-ldap",
        lambda w: [("POST", "/usergroups", {"group_name": w.name + "-d", "group_type": 1, "ldap_group_dn": "cn=d," + w.ldap_dn})],
        lambda w: [], deleted,
        lambda w: {"group_name": w.name + "-d", "group_type": 1}, lambda w: {"group_type": 1},
    ),
    Resource(
        "label",
        lambda w: [("POST", "/labels", label_body(w.name + "-e", description="by hand"))],
        lambda w: [("PUT", "{id}", label_body(w.name + "-f", color="#00FF00"))],
        deleted,
        lambda w: {"name": w.name + "-e", "color": "#FF0000", "description": "by hand", "scope": "g"},
        lambda w: {"name": w.name + "-f", "color": "#00FF00", "description": "", "scope": "g"},
    ),
    Resource(
        "label-of-a-project",  # the colour is what the provider sends where none is given
        lambda w: [("POST", "/labels", label_body("local", "p", w.project_id, "false"))],
        lambda w: [("PUT", "{id}", label_body("local", "p", w.project_id, "false", "changed"))],
        deleted,
        lambda w: {"name": "local", "color": "false", "scope": "p"}, lambda w: {"description": "changed", "scope": "p"},
    ),
    Resource(
        "robot-of-a-project",
        lambda w: [("POST", "/robots", project_robot(w, "builder"))],
        lambda w: [("GET", "{id}", None), ("PUT", "{id}", project_robot(w, f"{w.prefix}{w.name}+builder", disable=True))],
        deleted,
        lambda w: {"name": f"{w.prefix}{w.name}+builder", "level": "project", "duration": 30, "disable": False, "permissions.0.namespace": w.name},
        lambda w: {"name": f"{w.prefix}{w.name}+builder", "disable": True, "permissions.0.kind": "project"},
    ),
    Resource(
        "robot-of-the-system",
        lambda w: [("POST", "/robots", system_robot(w, w.name, "first")), ("PATCH", "{id}", {"secret": "Secret-12345"})],
        lambda w: [
            ("GET", "{id}", None), ("PUT", "{id}", system_robot(w, w.prefix + w.name, "second")),
            ("PATCH", "{id}", {"secret": "Secret-56789"}),
        ],
        deleted,
        lambda w: {"name": w.prefix + w.name, "level": "system", "duration": -1, "description": "first", "disable": False},
        lambda w: {"name": w.prefix + w.name, "description": "second"},
        also=(CONFIGURATION,),
    ),
    member("member-user", 2, 4, lambda w: w.user, user=lambda w: w.user),
    member("member-group", 3, 5, lambda w: w.group, group_type=3, group_name=lambda w: w.group),
    member("member-group-by-id", 1, 2, lambda w: w.group, group_type=3, id=lambda w: w.group_id),
    member(
        "member-group-of-ldap", 3, 1, lambda w: w.name + "-ldap",
        group_type=1, group_name=lambda w: w.name + "-ldap", ldap_group_dn=lambda w: w.ldap_dn,
    ),
    Resource(
        "allowlist",
        lambda w: [("PUT", ALLOWLIST, {"items": [{"cve_id": "CVE-2026-0001"}, {"cve_id": "CVE-2026-0002"}], "expires_at": 1893456000})],
        lambda w: [("PUT", ALLOWLIST, {"items": [{"cve_id": "CVE-2026-0003"}]})],
        lambda w: [("PUT", ALLOWLIST, {})],
        lambda w: {"items": [{"cve_id": "CVE-2026-0001"}, {"cve_id": "CVE-2026-0002"}], "expires_at": 1893456000},
        lambda w: {"items": [{"cve_id": "CVE-2026-0003"}]},
        fixed=ALLOWLIST, never_gone=True,
    ),
    Resource(
        "retention-policy",  # its end is a policy without rules
        lambda w: [("POST", "/retentions", retention_body(w, retention_rule("latestPushedK", 3), retention_rule("always", pattern="{v*,latest}")))],
        lambda w: [("PUT", "{id}", retention_body(w, retention_rule("nDaysSinceLastPull", 7, "dev-*", "excludes"), cron="0 0 1 * * *"))],
        lambda w: [("PUT", "{id}", retention_body(w))],
        lambda w: {
            "algorithm": "or", "scope.level": "project", "scope.ref": w.project_id, "trigger.settings.cron": "",
            "rules.0.template": "latestPushedK", "rules.0.params": {"latestPushedK": 3}, "rules.1.tag_selectors.0.pattern": "{v*,latest}",
            "rules.0.scope_selectors.repository.0.pattern": "**", "rules.1.tag_selectors.0.extras": '{"untagged":true}', "rules.0.disabled": False,
        },
        lambda w: {
            "trigger.kind": "Schedule", "trigger.settings.cron": "0 0 1 * * *", "rules.0.template": "nDaysSinceLastPull",
            "rules.0.tag_selectors.0.decoration": "excludes", "rules.0.action": "retain",
        },
        never_gone=True,
    ),
    configuration(
        "config-system", system_body("adminonly", BANNER), system_body("everyone", ""), system_body("adminonly", BANNER),
        system_body("everyone", ""),
    ),
    configuration("config-auth", oidc_body(), ldap_body(), kept(oidc_body()), kept(ldap_body())),
]


def member_of(document, path):
    """What is absent reads as null."""
    for part in path.split("."):
        document = document[int(part)] if part.isdigit() else document.get(part)
    return document


def assert_reads(document, wanted):
    found = {path: member_of(document, path) for path in wanted}
    assert found == wanted


class Life:
    """One resource of a configuration, from its making to its end."""

    def __init__(self, provider, resource, world):
        self.provider, self.resource, self.world = provider, resource, world
        self.id = resource.fixed

    def run(self, requests):
        for method, path, body in requests:
            answer = self.provider.send(method, path.format(id=self.id), body)
            self.id = self.id or id_of(answer)

    def read(self):
        found = self.provider.read(self.id)
        for path in self.resource.also:
            self.provider.read(path)
        return found

    def assert_planned(self, wanted):
        """After a change the provider reads; the next plan reads again and must find nothing to do."""
        after = self.read()
        assert_reads(after, wanted)
        assert self.read() == after
        return after


@pytest.fixture
def restored(provider):
    """Settings as they were, whatever a test wrote into them."""
    before = {key: entry["value"] for key, entry in provider.read(CONFIGURATION).items() if entry["editable"]}
    yield
    provider.send("PUT", CONFIGURATION, before)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)
def test_resource_from_its_making_to_its_end(provider, world, restored, resource):
    life = Life(provider, resource, world)
    life.run(resource.create(world))
    life.assert_planned(resource.made(world))
    life.run(resource.update(world))
    state = life.assert_planned(resource.changed(world))

    imported = Life(provider, resource, world)
    imported.id = life.id
    assert imported.read() == state

    life.run(resource.delete(world))
    if not resource.never_gone:
        provider.read(life.id, want=404)  # a refresh drops it from the state
        provider.send("DELETE", life.id, want=404)


@pytest.mark.parametrize("resource", [one for one in RESOURCES if not one.never_gone and one.name != "user"], ids=lambda one: one.name)
def test_resource_that_is_there_already_is_a_conflict(provider, world, resource):
    Life(provider, resource, world).run(resource.create(world))
    method, path, body = resource.create(world)[0]
    provider.send(method, path, body, want=409)


# -- what it reads only


def test_data_sources(provider, world):
    for number in range(11):  # more than one page of each
        world.make("/projects", project_body(f"{world.name}-{number}"))
        world.make("/usergroups", {"group_name": f"{world.name}-{number}", "group_type": 3})
        world.make(world.project + "/members", member_body(3, group_type=3, group_name=f"{world.name}-{number}"))
        world.make("/robots", project_robot(world, f"robot-{number}"))
    world.make(world.project + "/members", member_body(2, user=world.user))
    found = [one for one in provider.read(f"/projects?name={world.name}") if one["name"] == world.name]
    assert [one["project_id"] for one in found] == [world.project_id]
    assert provider.read(world.project + "/scanner") == {}
    assert len([one for one in provider.pages("/projects") if one["name"].startswith(world.name)]) == 12
    assert len([one for one in provider.pages("/usergroups") if one["group_name"].startswith(world.name)]) == 13
    users = provider.pages(f"/users?&q=username={world.user},email={world.user}1@example.com")
    assert [one["username"] for one in users] == [world.user]
    robots = provider.pages(f"/robots?&q=Level=project,ProjectID={world.project_id}")
    assert sorted(one["name"].partition("+")[2] for one in robots) == sorted(f"robot-{number}" for number in range(11))
    members = provider.pages(world.project + "/members")
    assert [one["entity_name"] for one in members if one["entity_type"] == "u"] == ["admin", world.user]
    assert len([one for one in members if one["entity_type"] == "g"]) == 11


def test_a_retention_policy_that_is_there_already_is_found_by_its_project(provider, world):
    """What the provider does when its POST fails."""
    provider.send("POST", "/retentions", retention_body(world, retention_rule("always")))
    provider.send("POST", "/retentions", retention_body(world, retention_rule("always")), want=400)
    policy = f"/retentions/{provider.read(world.project)['metadata']['retention_id']}"
    provider.send("PUT", policy, retention_body(world, retention_rule("latestPulledN", 2)))
    assert provider.read(policy)["rules"][0]["params"] == {"latestPulledN": 2}


def test_quota_of_a_project_is_looked_for_page_by_page(provider, world):
    """With the slash that its path ends in; it goes on to the empty page even when it has found the project's."""
    provider.send("PUT", world.project, project_body(world.name, limit=20 << 30))
    assert provider.read(CONFIGURATION)["quota_per_project_enable"]["value"] is True
    (found,) = [one for one in provider.pages("/quotas/?page_size=100") if one["ref"]["id"] == world.project_id]
    for storage in (20 << 30, -1):
        provider.send("PUT", f"/quotas/{found['id']}", {"hard": {"storage": storage}})
        assert provider.read(f"/quotas/{found['id']}")["hard"] == {"storage": storage}


def test_rule_of_immutability_is_looked_for_page_by_page(provider, world):
    """It is made enabled, whatever is wanted, and switched off by a second request; there is no way to read one alone."""
    def read(rule):
        (found,) = [entry for entry in provider.pages(f"{world.project}/immutabletagrules?page_size=15") if rule.endswith(f"/{entry['id']}")]
        return found

    rule = id_of(provider.send("POST", f"{world.project}/immutabletagrules", immutable_body()))
    provider.send("PUT", rule, immutable_body(disabled=True))
    assert_reads(read(rule), {
        "disabled": True, "action": "immutable", "template": "immutable_template", "tag_selectors.0.pattern": "**",
        "tag_selectors.0.decoration": "matches", "scope_selectors.repository.0.pattern": "**"})
    provider.send("PUT", rule, immutable_body("v*", "excludes"))
    assert_reads(read(rule), {
        "disabled": False, "tag_selectors.0.pattern": "v*", "tag_selectors.0.decoration": "excludes",
        "scope_selectors.repository.0.decoration": "repoMatches"})
    provider.send("DELETE", rule)
    assert provider.pages(f"{world.project}/immutabletagrules?page_size=15") == []


def test_project_is_emptied_before_it_is_destroyed(provider, world, client):
    """force_destroy: repositories page by page, each deleted with the slash encoded twice."""
    for rest in ("app", "team/app"):
        client.repository(f"{world.name}/{rest}").push(oci.image(unique("image")), "v1")
    provider.send("DELETE", world.project, want=412)
    for repository in provider.pages(f"/projects/{world.name}/repositories?page_size=100"):
        rest = repository["name"].removeprefix(world.name + "/").replace("/", "%252F")
        provider.send("DELETE", f"/projects/{world.name}/repositories/{rest}")
    provider.send("DELETE", world.project)
    provider.read(world.project, want=404)


# -- with a session in place of a password


class SessionProvider:
    """Go writes each Cookie it was given as a line of its own."""

    def __init__(self, registry, sid):
        self.registry, self.sid = registry, sid

    def once(self, method, path, body, more=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.registry.port, timeout=60)
        try:
            connection.putrequest(method, API + path)
            for name, value in [("Cookie", f"sid={self.sid}"), ("Content-Type", "application/json"), ("Content-Length", str(len(body))), *more]:
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def send(self, method, path, body=None):
        body = b"" if body is None else json.dumps(body).encode()
        status, headers, content = self.once(method, path, body)
        if status != 403:
            return status, headers, content
        (token,) = headers.get_all("X-Harbor-Csrf-Token")
        cookie = next(line.partition(";")[0] for line in headers.get_all("Set-Cookie") if line.startswith("_gorilla_csrf=") and ";" in line)
        return self.once(method, path, body, [("Cookie", f"_gorilla_csrf={cookie.split('=')[1]}"), ("X-Harbor-Csrf-Token", token)])


def test_session_in_place_of_a_password(registry):
    browser = people.Browser(registry)
    browser.log_in("admin", registry.client().password)
    provider = SessionProvider(registry, browser.cookie())
    name = unique("session")
    status, headers, _ = provider.send("POST", "/projects", project_body(name))
    assert status == 201
    path = headers["Location"].replace("/api", "").replace("/v2.0", "")
    assert provider.send("PUT", path, project_body(name, public="true"))[0] == 200
    assert json.loads(provider.send("GET", path)[2])["metadata"]["public"] == "true"
    assert provider.send("DELETE", path)[0] == 200
    assert provider.send("GET", path)[0] == 404
