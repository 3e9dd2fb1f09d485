# SPDX-License-Identifier: Apache-2.0
"""Which tenant a request is about: the host's, else the credentials'; and who counts where."""
import pytest
import requests

from harness import oci
from harness.members import add_member, make_project
from harness.people import API, PASSWORD, Browser, call, fresh_name, make_person
from harness.wire import Wire, unique

BERTH = "/api/berth/v1"
LOCAL = "127.0.0.1"


@pytest.fixture
def acme(registry):
    return registry.tenant("acme")


@pytest.fixture
def other_tenant(registry):
    return registry.tenant("globex")


@pytest.fixture
def orchard(acme):
    """The name of a public project that only acme has."""
    name = unique("orchard")
    make_project(acme.admin, name, metadata={"public": "true"})
    return name


def image(text):
    return oci.image(text)


def sees(registry, host, project, **headers):
    headers = {"Host": host, **headers} if host is not None else headers
    answer = requests.get(f"{registry.url}{API}/projects/{project}", headers=headers, timeout=30)
    assert answer.status_code in (200, 401), answer.text
    return answer.status_code == 200


# -- the host

@pytest.mark.parametrize("host", [
    "acme.registry.example", "ACME.Registry.Example", "acme.registry.example:443", "acme.registry.example:5000",
    "acme.registry.example.", "Acme.registry.example.:80",
])
def test_a_host_is_a_tenants_however_it_is_written(registry, acme, orchard, host):
    assert sees(registry, host, orchard)


@pytest.mark.parametrize("host", [
    "registry.example", "xacme.registry.example", "acme.registry.example.com", "acme", LOCAL, "localhost:5000", "[::1]", "[::1]:80",
])
def test_any_other_host_is_the_default_tenants(registry, acme, orchard, host):
    assert not sees(registry, host, orchard)


def test_addresses_can_be_hosts_and_are_told_apart_by_value_not_by_spelling(registry):
    tenant = registry.tenant("addressed", host="2001:db8::17")
    tenant.host = "[2001:db8::17]"  # as a client writes it
    name = unique("addressed")
    make_project(tenant.admin, name, metadata={"public": "true"})
    for host in ("[2001:DB8::17]", "[2001:db8:0:0:0:0:0:17]:5000", "[2001:0db8::0017]"):
        assert sees(registry, host, name)
    assert not sees(registry, "[2001:db8::18]", name)


def test_the_host_of_an_absolute_target_counts(registry, acme, orchard):
    head = f"GET http://acme.registry.example{API}/projects/{orchard} HTTP/1.1\r\nHost: acme.registry.example\r\n\r\n"
    with Wire(registry) as wire:
        wire.send(head.encode())
        assert wire.answer().status == 200


def test_a_request_without_a_host_is_the_default_tenants(registry, acme, orchard):
    for line, status in ((b"", 401), (b"Host: acme.registry.example\r\n", 200)):
        with Wire(registry) as wire:
            wire.send(f"GET {API}/projects/{orchard} HTTP/1.0\r\n".encode() + line + b"\r\n")
            assert wire.answer().status == status


def test_who_is_no_trusted_proxy_names_no_other_host(registry, acme, orchard):
    assert not sees(registry, None, orchard, **{"X-Forwarded-Host": acme.host})
    assert sees(registry, acme.host, orchard, **{"X-Forwarded-Host": "registry.example"})


@pytest.mark.settings(http_trusted_proxies="127.0.0.1")
def test_a_trusted_proxy_names_the_host(registry, acme, orchard):
    assert sees(registry, None, orchard, **{"X-Forwarded-Host": acme.host})
    assert not sees(registry, acme.host, orchard, **{"X-Forwarded-Host": "registry.example"})
    assert sees(registry, acme.host, orchard, **{"X-Forwarded-Host": "not a host"})


def test_the_challenge_names_the_host_that_was_asked(registry, acme):
    answer = requests.get(registry.url + "/v2/", headers={"Host": "acme.registry.example:5000"}, timeout=30)
    assert 'realm="http://acme.registry.example:5000/service/token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.settings(external_url="https://registry.example")
def test_a_tenants_host_is_kept_where_another_name_is_given_out(registry, acme):
    for host, realm in ((acme.host, f"https://{acme.host}/service/token"), ("x", "https://registry.example/service/token")):
        answer = requests.get(registry.url + "/v2/", headers={"Host": host}, timeout=30)
        assert f'realm="{realm}"' in answer.headers["WWW-Authenticate"]


# -- the same names in two tenants

def test_the_same_name_is_another_project_in_each_tenant(registry, client, acme, other_tenant):
    name = unique("same") + "/app"
    contents = {}
    for place, whose in (("main", client), ("acme", acme.client()), ("globex", other_tenant.client())):
        contents[place] = image(place)
        whose.repository(name).push(contents[place], "v1")
    for place, whose in (("main", client), ("acme", acme.client()), ("globex", other_tenant.client())):
        repository = whose.repository(name)
        assert repository.get_manifest("v1").content == contents[place].body
        for elsewhere in set(contents) - {place}:
            repository.get_manifest(contents[elsewhere].digest, expect=404)
        assert repository.tag_names() == ["v1"]


def test_lists_are_the_tenants_own(acme, other_tenant, admin):
    name = unique("listed")
    made = {}
    for place, whose in (("acme", acme), ("globex", other_tenant)):
        project = f"{name}-{place}"
        whose.client().repository(f"{project}/app").push(image(place), "v1")
        person = make_person(whose.admin, f"{name}-{place}")
        call(whose.admin, "POST", f"{API}/labels", {"name": project, "scope": "g"}, expect=201)
        call(whose.admin, "POST", f"{API}/usergroups", {"group_name": project, "group_type": 2}, expect=201)
        call(whose.admin, "POST", f"{API}/robots", {
            "name": project, "level": "system", "duration": -1,
            "permissions": [{"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}],
        }, expect=201)
        made[place] = person
    lists = {
        "projects": (f"{API}/projects?name={name}", lambda o: o["name"]),
        "repositories": (f"{API}/repositories?q=name%3D~{name}", lambda o: o["name"].split("/")[0]),
        "users": (f"{API}/users?q=username%3D~{name}", lambda o: o["username"]),
        "user search": (f"{API}/users/search?username={name}", lambda o: o["username"]),
        "labels": (f"{API}/labels?scope=g&name={name}", lambda o: o["name"]),
        "groups": (f"{API}/usergroups?group_name={name}", lambda o: o["group_name"]),
        "robots": (f"{API}/robots?q=name%3D~{name}", lambda o: o["name"].split("$")[1]),
        "search": (f"{API}/search?q={name}", lambda o: o["name"]),
    }
    for what, (path, name_of) in lists.items():
        for place, whose in (("acme", acme.admin), ("globex", other_tenant.admin), (None, admin)):
            found = call(whose, "GET", path).json()
            found = found["project"] if what == "search" else found
            assert [name_of(one) for one in found] == ([f"{name}-{place}"] if place else []), (what, place)
    catalog = acme.client().catalog(n=1000).json()["repositories"]
    assert f"{name}-acme/app" in catalog and f"{name}-globex/app" not in catalog
    assert f"{name}-acme/app" not in admin.catalog(n=1000).json()["repositories"]


def test_statistics_count_the_tenants_own(registry):
    tenant = registry.tenant("counted")
    assert call(tenant.admin, "GET", f"{API}/statistics").json()["total_project_count"] == 0
    tenant.client().repository("one/app").push(image("counted"), "v1")
    counted = call(tenant.admin, "GET", f"{API}/statistics").json()
    assert (counted["total_project_count"], counted["total_repo_count"]) == (1, 1)


# -- who counts where

def test_a_user_of_one_tenant_is_nobody_elsewhere(registry, acme, other_tenant):
    anna = make_person(acme.admin)
    call(anna.client, "GET", f"{API}/users/current")
    for place in (other_tenant, registry):
        call(place.client(anna.name, PASSWORD, auth="basic"), "GET", f"{API}/users/current", expect=401)


def test_the_same_user_name_is_another_user_in_each_tenant(acme, other_tenant):
    name = fresh_name("twin")
    first, second = make_person(acme.admin, name), make_person(other_tenant.admin, name)
    call(acme.admin, "PUT", f"{API}/users/{first.id}/password", {"new_password": "Another-1234"})
    call(first.client, "GET", f"{API}/users/current", expect=401)
    assert call(second.client, "GET", f"{API}/users/current").json()["user_id"] == second.id


def test_wrong_passwords_are_counted_for_the_tenants_own_user(make_registry):
    registry = make_registry()
    acme = registry.tenant("acme")
    name = fresh_name("guessed")
    first, second = make_person(acme.admin, name), make_person(registry.client(auth="basic"), name)
    for _ in range(8):
        acme.client(name, "Wrong-1234", auth="basic").get(f"{API}/users/current", expect=(401, 429))
    call(second.client, "GET", f"{API}/users/current")
    assert first.id != second.id


def test_a_name_can_carry_its_tenant_on_the_main_host(registry, acme, orchard):
    anna = make_person(acme.admin)
    here = registry.client(f"acme/{anna.name}", PASSWORD, auth="basic")
    me = call(here, "GET", f"{API}/users/current").json()
    assert (me["user_id"], me["username"]) == (anna.id, anna.name)
    call(here, "GET", f"{API}/projects/{orchard}")
    by_mail = registry.client(f"acme/{anna.name}@example.com", PASSWORD, auth="basic")
    assert call(by_mail, "GET", f"{API}/users/current").json()["user_id"] == anna.id
    for wrong in (f"globex/{anna.name}", f"default/{anna.name}", f"ACME/{anna.name}", f"acme//{anna.name}", "acme/", f"/{anna.name}"):
        call(registry.client(wrong, PASSWORD, auth="basic"), "GET", f"{API}/users/current", expect=401)


def test_a_slash_that_no_tenant_stands_before_is_a_part_of_the_name(admin, registry):
    person = make_person(admin, f"nobody/{fresh_name('slash')}", email=f"{fresh_name()}@example.com")
    assert call(person.client, "GET", f"{API}/users/current").json()["username"] == person.name


def test_a_push_and_a_pull_on_the_main_host_by_a_name_with_its_tenant(registry, acme):
    project = unique("away")
    make_project(acme.admin, project)
    anna = make_person(acme.admin)
    add_member(acme.admin, project, "developer", username=anna.name)
    content = image(project)
    registry.client(f"acme/{anna.name}", PASSWORD).repository(f"{project}/app").push(content, "v1")
    assert anna.registry.client(anna.name, PASSWORD).repository(f"{project}/app").get_manifest("v1").content == content.body
    registry.client().repository(f"{project}/app").get_manifest("v1", expect=404)


def test_a_tenants_host_knows_its_own_name_and_the_system_administrators(acme):
    anna = make_person(acme.admin)
    call(acme.client(f"acme/{anna.name}", PASSWORD, auth="basic"), "GET", f"{API}/users/current")
    assert call(acme.admin, "GET", f"{API}/users/current").json()["username"] == "admin"
    call(acme.client("admin", auth="basic"), "GET", f"{API}/users/current", expect=401)


def test_who_is_no_system_administrator_is_nobody_on_a_tenants_host(admin, registry, acme):
    person = make_person(admin)
    for name in (person.name, f"default/{person.name}"):
        call(acme.client(name, PASSWORD, auth="basic"), "GET", f"{API}/users/current", expect=401)
    call(admin, "PUT", f"{BERTH}/users/{person.id}", {"auditor": True})
    auditor = acme.client(f"default/{person.name}", PASSWORD, auth="basic")
    call(auditor, "GET", f"{API}/users/current")
    call(auditor, "POST", f"{API}/users", {"username": "x", "password": PASSWORD, "email": "x@y", "realname": "x"}, expect=403)


def test_a_tenants_own_user_may_be_called_admin(acme):
    person = make_person(acme.admin, "admin", email=f"{fresh_name()}@example.com")
    mine = call(person.client, "GET", f"{API}/users/current").json()
    assert mine["user_id"] == person.id and not mine["sysadmin_flag"]
    call(person.client, "GET", f"{API}/configurations", expect=403)


# -- what was proved on one host

def test_a_token_of_one_tenants_host_is_worth_nothing_on_anothers(registry, acme, other_tenant):
    name = unique("tokens") + "/app"
    for place in (acme, other_tenant, registry):
        place.client().repository(name).push(image("x"), "v1")
    person = make_person(acme.admin)
    add_member(acme.admin, name.split("/")[0], "developer", username=person.name)
    for issuer, username, password in ((acme, person.name, PASSWORD), (acme, "default/admin", None)):
        token = issuer.client(username, password or "Correct-Horse-7").fetch_token(f"repository:{name}:pull")["token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "*/*"}
        acme.anonymous(auth="none").get(f"/v2/{name}/manifests/v1", headers=headers, expect=200)
        other_tenant.anonymous(auth="none").get(f"/v2/{name}/manifests/v1", headers=headers, expect=401)
        other_tenant.anonymous(auth="none").get("/v2/", headers=headers, expect=401)


def test_a_strangers_token_opens_the_project_of_its_own_tenant_only(registry, acme, other_tenant):
    name = unique("public")
    make_project(acme.admin, name, metadata={"public": "true"})
    make_project(other_tenant.admin, name)
    for place in (acme, other_tenant):
        place.client().repository(f"{name}/app").push(image(place.name), "v1")
    token = acme.anonymous().fetch_token(f"repository:{name}/app:pull")["token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "*/*"}
    acme.anonymous(auth="none").get(f"/v2/{name}/app/manifests/v1", headers=headers, expect=200)
    other_tenant.anonymous(auth="none").get(f"/v2/{name}/app/manifests/v1", headers=headers, expect=401)


def test_a_token_speaks_of_its_tenants_repositories_on_the_main_host(registry, client, acme):
    name = unique("both") + "/app"
    contents = {"acme": image("acme's"), "main": image("default's")}
    acme.client().repository(name).push(contents["acme"], "v1")
    client.repository(name).push(contents["main"], "v1")
    token = acme.client().fetch_token(f"repository:{name}:pull")["token"]
    answer = registry.anonymous(auth="none").get(
        f"/v2/{name}/manifests/v1", headers={"Authorization": f"Bearer {token}", "Accept": "*/*"}, expect=200)
    assert answer.content == contents["acme"].body
    token = client.fetch_token(f"repository:{name}:pull")["token"]
    acme.anonymous(auth="none").get(f"/v2/{name}/manifests/v1", headers={"Authorization": f"Bearer {token}"}, expect=401)


def test_a_refresh_token_is_its_tenants(acme, other_tenant):
    person = make_person(acme.admin)
    refresh = acme.client(person.name, PASSWORD).fetch_token(offline_token="true")["refresh_token"]
    body = {"grant_type": "refresh_token", "refresh_token": refresh, "service": "harbor-registry"}
    acme.anonymous(auth="none").post("/service/token", body=body, expect=200)
    other_tenant.anonymous(auth="none").post("/service/token", body=body, expect=(400, 401))


def test_a_session_is_its_tenants(registry, acme, other_tenant):
    person = make_person(acme.admin)
    browser = person.browser()
    assert browser.who() == person.name
    secret = browser.cookie()
    elsewhere = Browser(other_tenant)
    answer = elsewhere.client.get(f"{API}/users/current", headers={"Cookie": f"sid={secret}"}, expect=401)
    assert person.name not in answer.text
    Browser(other_tenant).log_in(person.name, PASSWORD, expect=401)


def test_a_browser_logs_in_on_the_main_host_by_a_name_with_its_tenant(registry, acme, orchard):
    person = make_person(acme.admin)
    browser = Browser(registry)
    browser.log_in(f"acme/{person.name}")
    assert browser.who() == person.name
    browser.get(f"{API}/projects/{orchard}", expect=200)


def test_a_personal_access_token_is_its_tenants(registry, acme, other_tenant):
    person = make_person(acme.admin)
    token = call(person.client, "POST", f"{BERTH}/access-tokens", {"name": "ci"}, expect=201).json()["token"]
    call(acme.client(person.name, token, auth="basic"), "GET", f"{API}/users/current")
    call(registry.client(f"acme/{person.name}", token, auth="basic"), "GET", f"{API}/users/current")
    for place, name in ((other_tenant, person.name), (registry, person.name), (other_tenant, f"acme/{person.name}")):
        call(place.client(name, token, auth="basic"), "GET", f"{API}/users/current", expect=401)


def test_a_robot_is_its_tenants_and_its_secret_says_which(registry, acme, other_tenant):
    name, project = unique("robot"), unique("robots")
    wanted = {"name": name, "level": "system", "duration": -1,
              "permissions": [{"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}]}
    content = image("robots")
    made = {}
    for place in (acme, other_tenant):
        place.client().repository(f"{project}/app").push(content, "v1")
        made[place.name] = call(place.admin, "POST", f"{API}/robots", wanted, expect=201).json()
    robot = made["acme"]
    assert robot["name"] == made["globex"]["name"]
    for place in (acme, registry):
        place.client(robot["name"], robot["secret"]).repository(f"{project}/app").get_manifest("v1")
    call(other_tenant.client(robot["name"], robot["secret"], auth="basic"), "GET", f"{API}/projects", expect=401)
    call(other_tenant.client("acme/" + robot["name"], robot["secret"], auth="basic"), "GET", f"{API}/projects", expect=401)
    call(registry.client("acme/" + robot["name"], robot["secret"], auth="basic"), "GET", f"{API}/projects")
    call(registry.client("globex/" + robot["name"], robot["secret"], auth="basic"), "GET", f"{API}/projects", expect=401)


def test_a_push_makes_its_project_in_the_hosts_tenant(acme, admin):
    name = unique("made")
    acme.client().repository(f"{name}/app").push(image("made"), "v1")
    call(acme.admin, "GET", f"{API}/projects/{name}")
    call(admin, "GET", f"{API}/projects/{name}", expect=404)


def test_records_are_in_the_trail_of_the_tenant_they_are_about(registry, acme, admin):
    name = unique("recorded")
    make_project(acme.admin, name)
    rows = registry.query(f"SELECT tenant_id || ' ' || project_id FROM audit_record WHERE project = '{name}'")
    project_id = call(acme.admin, "GET", f"{API}/projects/{name}").json()["project_id"]
    assert rows == [f"{acme.id} {project_id}"]
    found = call(acme.admin, "GET", f"{BERTH}/audit/records").json()
    assert found and all(one["tenant_id"] == acme.id for one in found["records"])
