# SPDX-License-Identifier: Apache-2.0
"""Which tenant a request is about: the host's, else the credentials'; and who counts where."""
from concurrent.futures import ThreadPoolExecutor

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


# -- the API

TENANTS = f"{BERTH}/tenants"


def fresh_tenant(admin, expect=201, **members):
    body = {"name": unique("tenant"), **members}
    answer = call(admin, "POST", TENANTS, body, expect=expect)
    return answer.json() if expect == 201 else answer


def tenant_admin(tenant, name=None):
    """A person of the tenant who administrates it."""
    person = make_person(tenant.admin, name)
    call(tenant.admin, "POST", f"{TENANTS}/{tenant.id}/administrators", {"user_id": person.id})
    return person


class TestApi:
    def test_one_is_made_with_all_that_it_needs(self, registry, admin):
        host = unique("whole") + ".example"
        made = fresh_tenant(
            admin, title="Whole & Co", hosts=[host.upper(), f"b-{host}."], storage={"encrypted": True},
            administrators=[{"username": "chief", "password": PASSWORD, "email": "chief@whole.example", "real_name": "The Chief"}])
        assert made["hosts"] == sorted([host, f"b-{host}"]) and made["state"] == "active" and made["title"] == "Whole & Co"
        assert made["storage"]["driver"] == "filesystem" and made["storage"]["encrypted"]
        assert call(admin, "GET", f"{TENANTS}/{made['id']}").json() == made
        admins = call(admin, "GET", f"{TENANTS}/{made['id']}/administrators").json()
        assert [(a["type"], a["name"]) for a in admins] == [("user", "chief")]
        headers = {"Host": host}
        me = requests.get(f"{registry.url}{API}/users/current", headers=headers, auth=("chief", PASSWORD), timeout=60)
        assert me.status_code == 200 and me.json()["email"] == "chief@whole.example"
        rows = registry.query(f"SELECT detail FROM audit_record WHERE resource = '{made['name']}' AND resource_type = 'tenant'")
        assert len(rows) == 1 and "chief" in rows[0] and PASSWORD not in rows[0]

    @pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a/b", "a.b", "ä", "a" * 64])
    def test_names_that_cannot_be(self, admin, name):
        fresh_tenant(admin, name=name, expect=(400, 422))

    @pytest.mark.parametrize("host", ["", "a b", "a:80", "http://a", "*.a.example", "a..b", "1.2.3", "[::1", "a" * 64 + ".b"])
    def test_hosts_that_cannot_be(self, admin, host):
        fresh_tenant(admin, hosts=[host], expect=400)

    @pytest.mark.parametrize("members", [
        {"hosts": "a.example"}, {"hosts": [1]}, {"hosts": [f"h{n}.example" for n in range(65)]},
        {"title": "t" * 256}, {"title": 1}, {"storage": []}, {"storage": {"driver": "floppy"}},
        {"storage": {"location": "../elsewhere"}}, {"storage": {"location": "/etc"}}, {"storage": {"settings": {"a": 1}}},
        {"administrators": [{}]}, {"administrators": [{"username": "a#b", "password": PASSWORD}]},
        {"administrators": [{"username": "weak", "password": "weak"}]}, {"administrators": ["me"]},
        {"administrators": [{"username": "x", "password": PASSWORD}] * 2},
        {"administrators": [{"username": f"x{n}", "password": PASSWORD} for n in range(17)]},
    ])
    def test_bodies_that_make_no_sense_make_nothing(self, registry, admin, members):
        def counts():
            return registry.query(
                "SELECT (SELECT count(*) FROM tenant) || ' ' || (SELECT count(*) FROM storage) || ' ' || (SELECT count(*) FROM account)")
        before = counts()
        fresh_tenant(admin, expect=(400, 409, 422), **members)
        assert counts() == before

    def test_a_name_and_a_host_are_one_tenants(self, registry, admin):
        first = fresh_tenant(admin, hosts=[unique("one") + ".example"])
        before = registry.query("SELECT count(*) FROM storage")
        fresh_tenant(admin, name=first["name"], expect=409)
        fresh_tenant(admin, hosts=first["hosts"], expect=409)
        second = fresh_tenant(admin)
        call(admin, "POST", f"{TENANTS}/{second['id']}/hosts", {"host": first["hosts"][0].upper() + "."}, expect=409)
        assert int(registry.query("SELECT count(*) FROM storage")[0]) == int(before[0]) + 1
        assert call(admin, "GET", f"{TENANTS}/{second['id']}").json()["hosts"] == []

    def test_two_storages_are_never_in_one_place(self, admin):
        place = unique("place")
        fresh_tenant(admin, storage={"location": place})
        for location in (place, f"{place}/inner"):
            fresh_tenant(admin, storage={"location": location}, expect=409)

    def test_hosts_come_and_go_and_count_at_once(self, registry, admin, acme, orchard):
        host = unique("moved") + ".example"
        assert not sees(registry, host, orchard)
        answer = call(admin, "POST", f"{TENANTS}/{acme.id}/hosts", {"host": host}, expect=201)
        assert answer.headers["Location"] == f"{TENANTS}/{acme.id}/hosts/{host}"
        assert sees(registry, host, orchard)
        call(admin, "DELETE", answer.headers["Location"])
        assert not sees(registry, host, orchard)
        call(admin, "DELETE", answer.headers["Location"], expect=404)
        call(admin, "DELETE", f"{TENANTS}/{acme.id}/hosts/not%20one", expect=400)

    def test_lists_are_filtered_sorted_and_paged(self, admin):
        stem = unique("listed")
        for letter in "bac":
            fresh_tenant(admin, name=f"{stem}-{letter}")

        def names(query):
            answer = call(admin, "GET", f"{TENANTS}?{query}")
            return [one["name"][-1] for one in answer.json()], answer.headers["X-Total-Count"]

        assert names(f"q=name%3D~{stem}") == (["b", "a", "c"], "3")
        assert names(f"q=name%3D~{stem}&sort=name") == (["a", "b", "c"], "3")
        assert names(f"q=name%3D~{stem}&sort=-name&page_size=2") == (["c", "b"], "3")
        assert names(f"q=name%3D~{stem}&sort=creation_time&page=2&page_size=2") == (["c"], "3")
        assert names(f"q=name%3D{stem}-a") == (["a"], "1")
        assert names(f"q=name%3D{stem}") == ([], "0")
        assert names(f"q=name%3D~{stem},state%3Dsuspended") == ([], "0")
        call(admin, "GET", f"{TENANTS}?q=state%3Dfast", expect=400)

    def test_a_tenant_with_projects_is_not_deleted_and_one_without_is(self, registry, admin):
        tenant = registry.tenant(unique("ended"))
        chief = tenant_admin(tenant)
        make_project(tenant.admin, "last")
        call(admin, "DELETE", tenant.path, expect=412)
        call(tenant.admin, "DELETE", f"{API}/projects/last")
        robot = call(tenant.admin, "POST", f"{API}/robots", {"name": "r", "level": "system", "duration": -1, "permissions": [
            {"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}]}, expect=201).json()
        token = call(chief.client, "POST", f"{BERTH}/access-tokens", {"name": "ci"}, expect=201).json()["token"]
        call(admin, "DELETE", tenant.path)
        call(admin, "GET", tenant.path, expect=404)
        call(admin, "DELETE", tenant.path, expect=404)
        for name, password in ((chief.name, PASSWORD), (chief.name, token), (robot["name"], robot["secret"]),
                               (f"{tenant.name}/{chief.name}", PASSWORD), (f"{tenant.name}/{chief.name}", token)):
            for host in (tenant.host, None):
                answer = requests.get(f"{registry.url}{API}/users/current", headers={"Host": host} if host else {},
                                      auth=(name, password), timeout=60)
                assert answer.status_code == 401, (name, host, answer.text)
        again = fresh_tenant(admin, name=tenant.name, hosts=[tenant.host])
        assert again["id"] != tenant.id

    def test_the_default_tenant_stays(self, admin):
        call(admin, "DELETE", f"{TENANTS}/1", expect=412)
        call(admin, "PUT", f"{TENANTS}/1", {"state": "suspended"}, expect=412)
        call(admin, "POST", f"{TENANTS}/1/storage/erasure", {"name": "default"}, expect=412)
        call(admin, "PUT", f"{TENANTS}/1/storage", {"settings": {}}, expect=412)
        assert call(admin, "GET", f"{TENANTS}/current").json()["name"] == "default"

    def test_changes_are_recorded_with_what_was_before(self, registry, admin):
        tenant = registry.tenant(unique("changed"))
        call(admin, "PUT", tenant.path, {"title": "Changed"})
        changed = call(admin, "PUT", tenant.path, {"state": "read_only", "reason": "moving house"}).json()
        assert (changed["title"], changed["state"], changed["reason"]) == ("Changed", "read_only", "moving house")
        assert call(admin, "PUT", tenant.path, {"title": "Again"}).json()["reason"] == "moving house"
        assert call(admin, "PUT", tenant.path, {"state": "active"}).json()["reason"] == ""
        for body in ({"state": "asleep"}, {"state": 1}, {"reason": "r" * 256}, {"title": ["x"]}):
            call(admin, "PUT", tenant.path, body, expect=(400, 422))
        details = registry.query(
            f"SELECT detail FROM audit_record WHERE tenant_id = {tenant.id} AND operation = 'update' AND resource_type = 'tenant' AND result = 0 ORDER BY id")
        assert len(details) == 4 and "moving house" in details[1] and "active" in details[1]

    def test_an_erased_storage_is_gone_and_only_who_says_the_name_erases(self, registry, admin):
        tenant = registry.tenant(unique("shredded"), storage={"encrypted": True})
        repository = tenant.client().repository("secret/app")
        content = image("secret")
        repository.push(content, "v1")
        assert repository.get_blob(content.document["layers"][0]["digest"]).content
        for body in ({}, {"name": "default"}, {"name": tenant.name.upper()}):
            call(admin, "POST", f"{tenant.path}/storage/erasure", body, expect=400)
        erased = call(admin, "POST", f"{tenant.path}/storage/erasure", {"name": tenant.name}).json()
        assert erased["storage"]["erased_time"]
        repository.get_blob(content.document["layers"][0]["digest"], expect=(403, 404, 410))
        assert registry.query(f"SELECT COALESCE(data_key, '') FROM storage WHERE id = {erased['storage']['id']}") == [""]

    def test_storage_settings_change_and_secrets_do_not_come_back(self, registry, admin):
        tenant = registry.tenant(unique("settled"))
        answer = call(admin, "PUT", f"{tenant.path}/storage", {"secrets": {"key": "very-secret-value"}}, expect=(200, 400))
        assert "very-secret-value" not in answer.text
        plain = registry.tenant(unique("plain"))
        call(admin, "POST", f"{plain.path}/storage/erasure", {"name": plain.name}, expect=412)
        call(admin, "POST", f"{plain.path}/storage/erasure", {"name": "default"}, expect=400)
        assert call(admin, "PUT", f"{tenant.path}/storage", {"settings": {}}, expect=200).json()["storage"]["settings"] == {}
        call(admin, "PUT", f"{tenant.path}/storage", {"settings": {"a": 1}}, expect=422)
        call(admin, "PUT", f"{tenant.path}/storage", {"settings": []}, expect=(400, 422))
        assert not any("very-secret-value" in detail for detail in registry.query("SELECT detail FROM audit_record"))


class TestAdministrators:
    def test_users_groups_and_new_ones(self, registry, admin, acme):
        path = f"{acme.path}/administrators"
        person, second = make_person(acme.admin), make_person(acme.admin)
        name = unique("boss")
        group = unique("bosses")
        call(admin, "POST", path, {"user_id": person.id})
        call(admin, "POST", path, {"username": second.name})
        call(admin, "POST", path, {"user": {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "real_name": "Boss"}})
        group_id = int(call(acme.admin, "POST", f"{API}/usergroups", {"group_name": group, "group_type": 3}, expect=201)
                       .headers["Location"].rsplit("/", 1)[1])
        call(admin, "POST", path, {"group_id": group_id})
        listed = call(admin, "GET", f"{path}?page_size=100").json()
        assert {("user", person.name), ("user", second.name), ("user", name), ("group", group)} <= {(a["type"], a["name"]) for a in listed}
        for client in (person.client, acme.client(name, PASSWORD, auth="basic")):
            call(client, "GET", f"{API}/users")
        registry.execute(f"INSERT INTO account_group (account_id, group_id) VALUES ({make_person(acme.admin, group + '-member').id}, {group_id})")
        member = acme.client(group + "-member", PASSWORD, auth="basic")
        call(member, "GET", f"{API}/users")
        call(admin, "DELETE", f"{path}/groups/{group_id}")
        call(member, "GET", f"{API}/users", expect=403)
        call(admin, "DELETE", f"{path}/users/{person.id}")
        call(person.client, "GET", f"{API}/users", expect=403)
        call(admin, "DELETE", f"{path}/users/999999", expect=404)
        call(admin, "DELETE", f"{path}/groups/999999", expect=404)

    @pytest.mark.parametrize("body, status", [
        ({}, 400), ({"user_id": 1, "username": "admin"}, 400), ({"user_id": 999999}, 404), ({"user_id": 1}, 404),
        ({"username": "nobody-there"}, 404), ({"group_id": 999999}, 404), ({"user": {}}, 400), ({"user": {"username": "x", "password": "weak"}}, 400),
        ({"user": []}, 422), ({"user_id": "1"}, 422),
    ])
    def test_who_cannot_be_one(self, registry, admin, acme, body, status):
        before = registry.query("SELECT count(*) FROM account")
        call(admin, "POST", f"{acme.path}/administrators", body, expect=status)
        assert registry.query("SELECT count(*) FROM account") == before

    def test_one_runs_the_tenant_without_being_in_any_project(self, acme):
        chief = tenant_admin(acme)
        name = unique("run")
        project_id = make_project(chief.client, name)
        other = unique("others")
        make_project(acme.admin, other)
        call(chief.client, "PUT", f"{API}/projects/{other}", {"metadata": {"public": "true"}})
        acme.client(chief.name, PASSWORD).repository(f"{other}/app").push(image("chief"), "v1")
        person = make_person(chief.client)
        add_member(chief.client, name, "developer", username=person.name)
        label = call(chief.client, "POST", f"{API}/labels", {"name": name, "scope": "g"}, expect=201).headers["Location"]
        call(chief.client, "PUT", label, {"name": name + "-2", "scope": "g"})
        call(chief.client, "DELETE", label)
        call(chief.client, "POST", f"{API}/usergroups", {"group_name": name, "group_type": 3}, expect=201)
        call(chief.client, "POST", f"{API}/robots", {"name": "bot", "level": "project", "duration": -1, "permissions": [
            {"kind": "project", "namespace": name, "access": [{"resource": "repository", "action": "pull"}]}]}, expect=201)
        call(chief.client, "DELETE", f"{API}/users/{person.id}")
        found = call(chief.client, "GET", f"{BERTH}/audit/records?page_size=100").json()["records"]
        assert found and all(one["tenant_id"] == acme.id for one in found)
        assert project_id and name in {p["name"] for p in call(chief.client, "GET", f"{API}/projects?page_size=100").json()}

    def test_one_sees_his_tenant_and_changes_its_title_only(self, acme, other_tenant):
        chief = tenant_admin(acme)
        mine = call(chief.client, "GET", f"{TENANTS}/current").json()
        assert mine["id"] == acme.id and "location" not in mine["storage"]
        call(chief.client, "PUT", acme.path, {"title": "Acme, Inc."})
        for body in ({"state": "suspended"}, {"reason": "because"}):
            call(chief.client, "PUT", acme.path, body, expect=403)
        for method, path, body in (
            ("GET", TENANTS, None), ("POST", TENANTS, {"name": "mine"}), ("DELETE", acme.path, None),
            ("POST", f"{acme.path}/hosts", {"host": "registry.example"}), ("DELETE", f"{acme.path}/hosts/{acme.host}", None),
            ("PUT", f"{acme.path}/storage", {}), ("POST", f"{acme.path}/storage/erasure", {"name": acme.name}),
            ("GET", f"{API}/configurations", None), ("PUT", f"{API}/configurations", {"read_only": True}),
        ):
            call(chief.client, method, path, body, expect=403)
        for path in (other_tenant.path, f"{TENANTS}/1", f"{TENANTS}/999999"):
            call(chief.client, "GET", path, expect=404)
            call(chief.client, "PUT", path, {"title": "Mine"}, expect=404)
            call(chief.client, "GET", f"{path}/administrators", expect=404)
            call(chief.client, "POST", f"{path}/administrators", {"user_id": chief.id}, expect=404)
            call(chief.client, "DELETE", f"{path}/administrators/users/{chief.id}", expect=404)

    def test_one_makes_others_but_nobody_of_the_system(self, acme):
        chief, person = tenant_admin(acme), make_person(acme.admin)
        call(chief.client, "POST", f"{acme.path}/administrators", {"user_id": person.id})
        call(person.client, "GET", f"{API}/users")
        for right in ("system_admin", "auditor"):
            for whose in (chief, person):
                call(chief.client, "PUT", f"{BERTH}/users/{whose.id}", {right: True}, expect=403)
        call(chief.client, "PUT", f"{API}/users/{chief.id}/sysadmin", {"sysadmin_flag": True}, expect=403)

    def test_rights_over_the_system_are_for_the_default_tenant(self, registry, acme):
        person = make_person(acme.admin)
        for right in ("system_admin", "auditor"):
            call(acme.admin, "PUT", f"{BERTH}/users/{person.id}", {right: True}, expect=403)
        call(acme.admin, "PUT", f"{API}/users/{person.id}/sysadmin", {"sysadmin_flag": True}, expect=403)
        registry.execute(f"UPDATE account SET is_admin = 1, is_auditor = 1, epoch = epoch + 1 WHERE id = {person.id}")
        acme.client(person.name, PASSWORD, auth="basic").get(f"{API}/configurations", expect=403)
        assert not call(acme.admin, "GET", f"{API}/users/{person.id}").json()["sysadmin_flag"]
        registry.execute(f"UPDATE account SET is_admin = 0, is_auditor = 0 WHERE id = {person.id}")


# -- held

class TestSuspended:
    @pytest.fixture
    def held(self, registry):
        return registry.tenant(unique("held"))

    def test_everything_stops_at_once_and_says_why(self, registry, admin, held):
        chief = tenant_admin(held)
        repository = held.client(chief.name, PASSWORD).repository("work/app")
        make_project(chief.client, "work", metadata={"public": "true"})
        repository.push(image("work"), "v1")
        browser = chief.browser()
        upload = repository.start_upload()
        upload.patch(b"half")
        personal = call(chief.client, "POST", f"{BERTH}/access-tokens", {"name": "ci"}, expect=201).json()["token"]
        robot = call(chief.client, "POST", f"{API}/robots", {"name": "r", "level": "system", "duration": -1, "permissions": [
            {"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}]}, expect=201).json()
        call(admin, "PUT", held.path, {"state": "suspended", "reason": "the bill was not paid"})

        answer = repository.get_manifest("v1", expect=403)
        assert answer.json()["errors"][0]["code"] == "DENIED" and answer.json()["errors"][0]["detail"] == "the bill was not paid"
        upload.patch(b"half", 4, expect=403)
        upload.put(oci.digest_of(b"half"), expect=403)
        answer = call(chief.client, "GET", f"{API}/projects", expect=403)
        assert answer.json()["errors"][0]["code"] == "FORBIDDEN" and "suspended" in answer.json()["errors"][0]["message"]
        browser.get(f"{API}/users/current", expect=403)
        Browser(held).log_in(chief.name, expect=403)
        for name, password in ((chief.name, PASSWORD), (chief.name, personal), (robot["name"], robot["secret"])):
            call(held.client(name, password, auth="basic"), "GET", f"{API}/projects", expect=403)
        call(registry.client(robot["name"], robot["secret"], auth="basic"), "GET", f"{API}/projects", expect=403)
        call(registry.client(f"{held.name}/{chief.name}", PASSWORD, auth="basic"), "GET", f"{API}/projects", expect=403)
        stranger = held.anonymous(auth="none")
        for path in ("/v2/", "/v2/work/app/manifests/v1", f"{API}/projects", f"{API}/search?q=work", "/service/token?service=harbor-registry"):
            stranger.get(path, expect=403)
        held.client().repository("work/app").get_manifest("v1")  # the system's administrator
        call(held.admin, "GET", f"{API}/projects")
        call(registry.client(auth="basic"), "GET", f"{API}/projects")

        call(admin, "PUT", held.path, {"state": "active"})
        repository.get_manifest("v1")
        upload.put(oci.digest_of(b"half"), expect=201)

    def test_a_token_from_before_is_worth_nothing_on_the_main_host_either(self, registry, admin, held):
        token = held.client().fetch_token("registry:catalog:*")["token"]
        person = make_person(held.admin)
        own = held.client(person.name, PASSWORD).fetch_token("repository:a/b:pull")["token"]
        call(admin, "PUT", held.path, {"state": "suspended"})
        for place in (held, registry):
            place.anonymous(auth="none").get("/v2/", headers={"Authorization": f"Bearer {own}"}, expect=403)
        held.anonymous(auth="none").get("/v2/_catalog", headers={"Authorization": f"Bearer {token}"}, expect=200)

    def test_wrong_passwords_learn_nothing_of_it(self, admin, held):
        call(admin, "PUT", held.path, {"state": "suspended", "reason": "private"})
        answer = call(held.client("nobody", "Wrong-1234", auth="basic"), "GET", f"{API}/users/current", expect=401)
        assert "private" not in answer.text


class TestReadOnly:
    def test_pulls_go_and_writes_do_not(self, registry, admin):
        tenant = registry.tenant(unique("frozen"))
        chief = tenant_admin(tenant)
        repository = tenant.client(chief.name, PASSWORD).repository("ice/app")
        make_project(chief.client, "ice")
        repository.push(image("ice"), "v1")
        upload = repository.start_upload()
        call(admin, "PUT", tenant.path, {"state": "read_only", "reason": "moving house"})
        repository.get_manifest("v1")
        repository.start_upload(expect=403)
        answer = upload.patch(b"half", expect=403)
        assert answer.json()["errors"][0]["code"] == "DENIED" and answer.json()["errors"][0]["detail"] == "moving house"
        answer = call(chief.client, "POST", f"{API}/projects", {"project_name": "new"}, expect=403)
        assert answer.json()["errors"][0]["code"] == "DENIED"
        repository.request("DELETE", repository.manifest_path("v1"), expect=403)
        browser = chief.browser()
        assert browser.who() == chief.name
        call(tenant.admin, "POST", f"{API}/projects", {"project_name": "new"}, expect=403)
        call(tenant.admin, "PUT", tenant.path, {"state": "active"})
        upload.patch(b"half")


def test_who_administrates_from_outside_becomes_nobodys_member(acme, client):
    name = unique("foreign")
    make_project(acme.admin, name)
    assert call(acme.admin, "GET", f"{API}/projects/{name}/members").json() == []
    acme.client().repository(f"{name}-2/app").push(image(name), "v1")
    assert call(acme.admin, "GET", f"{API}/projects/{name}-2/members").json() == []
    assert call(acme.admin, "GET", f"{API}/projects/{name}").json()["owner_name"] == "admin"


@pytest.mark.own_server
def test_a_request_that_waits_for_the_database_keeps_its_tenant(registry):
    """The thread that was started in its place took the request's memory of whose host it was."""
    tenant = registry.tenant("awaited")
    make_project(tenant.admin, "only", metadata={"public": "true"})
    for _ in range(3):
        registry.restart()
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: sees(registry, tenant.host, "only"), range(64)))
        assert all(answers)
