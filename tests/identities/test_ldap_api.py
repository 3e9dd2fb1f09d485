# SPDX-License-Identifier: Apache-2.0
"""Harbor's API about a directory: trying it, searching more than a thousand people, making accounts before they come."""
import urllib.parse

import pytest

from harness.directory import BOUND, DONE, ROOT, ROOT_PASSWORD, SUFFIX, Directory, Liar, ldif, need_slapd
from harness.people import call

API = "/api/v2.0/ldap"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
MANY = 1200


def person(uid):
    return ldif(
        f"uid={uid},{PEOPLE}", objectClass="inetOrgPerson", cn=f"Name of {uid}", sn="Sn", uid=uid, userPassword=f"secret of {uid}",
        mail=f"{uid}@example.com",
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    need_slapd()
    directory = Directory(tmp_path_factory.mktemp("slapd"), sizelimit="size.soft=500 size.hard=500 size.prtotal=unlimited")
    names = [f"user-{n:04}" for n in range(MANY)]
    directory.load(
        ldif(SUFFIX, objectClass=["dcObject", "organization"], o="Example", dc="example"),
        ldif(PEOPLE, objectClass="organizationalUnit", ou="people"), ldif(GROUPS, objectClass="organizationalUnit", ou="groups"),
        ldif(f"cn=reader,{SUFFIX}", objectClass=["organizationalRole", "simpleSecurityObject"], cn="reader", userPassword="reads"),
        *map(person, names),
        *[
            ldif(f"cn=group-{n:04},{GROUPS}", objectClass="groupOfNames", cn=f"group-{n:04}", member=f"uid=user-{n:04},{PEOPLE}")
            for n in range(MANY)
        ],
        ldif(f"cn=star*,{GROUPS}", objectClass="groupOfNames", cn="star*", member=f"uid=user-0000,{PEOPLE}"),
    )
    directory.start()
    yield directory
    directory.stop()


@pytest.fixture
def configured(admin, server):
    """The directory as Harbor's clients configure it, bound with a name that may not read without pages."""
    call(admin, "PUT", "/api/v2.0/configurations", {
        "auth_mode": "ldap_auth", "ldap_url": server.url, "ldap_base_dn": PEOPLE, "ldap_search_dn": f"cn=reader,{SUFFIX}",
        "ldap_search_password": "reads", "ldap_uid": "uid", "ldap_group_base_dn": GROUPS, "ldap_timeout": 10,
    })
    yield
    call(admin, "PUT", "/api/v2.0/configurations", {"auth_mode": "db_auth"})


def test_login_by_harbors_configuration(registry, configured):
    me = registry.client("user-0007", "secret of user-0007", auth="basic").get("/api/v2.0/users/current", expect=200).json()
    assert me["username"] == "user-0007" and me["email"] == "user-0007@example.com"
    assert registry.anonymous().get("/api/v2.0/systeminfo").json()["auth_mode"] == "ldap_auth"


# -- ping


def conf(server, **changed):
    return {
        "ldap_url": server.url, "ldap_search_dn": ROOT, "ldap_search_password": ROOT_PASSWORD, "ldap_base_dn": PEOPLE, "ldap_filter": "",
        "ldap_uid": "uid", "ldap_scope": 2, "ldap_connection_timeout": 2, "ldap_verify_cert": False, **changed,
    }


def test_ping_of_what_is_given(admin, server):
    assert call(admin, "POST", f"{API}/ping", conf(server)).json()["success"] is True


@pytest.mark.parametrize("changed, word", [
    ({"ldap_search_password": "wrong"}, "password"), ({"ldap_search_dn": f"cn=nobody,{SUFFIX}"}, "password"),
    ({"ldap_url": "ldap://127.0.0.1:1"}, "connect"), ({"ldap_base_dn": f"ou=nowhere,{SUFFIX}"}, "base"),
    ({"ldap_base_dn": "nonsense"}, "base_dn"), ({"ldap_url": ""}, "URL"), ({"ldap_url": "http://x"}, "URL"),
    ({"ldap_search_password": ""}, "password"),
], ids=str)
def test_ping_says_what_is_wrong(admin, server, changed, word):
    answer = call(admin, "POST", f"{API}/ping", conf(server, **changed)).json()
    assert answer["success"] is False and word in answer["message"]


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"ldap_scope": 3}', b'{"ldap_url": 7}', b'{"ldap_connection_timeout": -1}'])
def test_pings_that_are_none(admin, body):
    admin.request("POST", f"{API}/ping", headers={"Content-Type": "application/json"}, body=body, expect=(400, 422))


def test_ping_of_what_is_configured(admin, server, configured):
    assert call(admin, "POST", f"{API}/ping").json()["success"] is True
    assert call(admin, "POST", f"{API}/ping", {}).json()["success"] is True


def test_ping_gives_the_kept_password_to_nobody_else(admin, server, configured):
    same = {"ldap_url": server.url, "ldap_search_dn": f"cn=reader,{SUFFIX}"}
    assert call(admin, "POST", f"{API}/ping", same).json()["success"] is True
    stranger = Liar(BOUND, DONE)
    try:
        assert call(admin, "POST", f"{API}/ping", {**same, "ldap_url": stranger.url}).json()["success"] is False
        assert not any(b"read" in asked for asked in stranger.asked)
        stranger.asked.clear()
        call(admin, "POST", f"{API}/ping", {**same, "ldap_url": stranger.url, "ldap_search_password": "told"})
        assert any(b"told" in asked for asked in stranger.asked)  # an unbind of the call before may come first
    finally:
        stranger.close()


# -- search


def test_more_people_than_a_page_holds(admin, configured):
    found = call(admin, "GET", f"{API}/users/search").json()
    assert sorted(one["username"] for one in found) == [f"user-{n:04}" for n in range(MANY)]


def test_one_of_them(admin, configured):
    assert call(admin, "GET", f"{API}/users/search?username=user-0042").json() == [
        {"username": "user-0042", "realname": "Name of user-0042", "email": "user-0042@example.com"},
    ]
    assert call(admin, "GET", f"{API}/users/search?username=nobody").json() == []
    for name in ("user-*", "*)(uid=*", "user-0042)(|(uid=*"):
        assert call(admin, "GET", f"{API}/users/search?{urllib.parse.urlencode({'username': name})}").json() == []


def test_groups(admin, configured):
    assert len(call(admin, "GET", f"{API}/groups/search").json()) == MANY + 1
    assert len(call(admin, "GET", f"{API}/groups/search?groupname=group-00").json()) == 100
    one = {"group_name": "group-0042", "group_type": 1, "ldap_group_dn": f"cn=group-0042,{GROUPS}"}
    assert call(admin, "GET", f"{API}/groups/search?groupname=group-0042").json() == [one]
    dn = urllib.parse.quote(one["ldap_group_dn"])
    assert call(admin, "GET", f"{API}/groups/search?groupdn={dn}").json() == [one]
    assert call(admin, "GET", f"{API}/groups/search?groupdn=cn%3Dnobody%2C{urllib.parse.quote(GROUPS)}").json() == []
    assert [g["group_name"] for g in call(admin, "GET", f"{API}/groups/search?groupname=*").json()] == ["star*"]
    call(admin, "GET", f"{API}/groups/search?groupdn=nonsense", expect=400)


def test_a_directory_that_does_not_answer(admin, configured):
    call(admin, "PUT", "/api/v2.0/configurations", {"ldap_url": "ldap://127.0.0.1:1"})
    call(admin, "GET", f"{API}/users/search", expect=400)
    call(admin, "GET", f"{API}/groups/search", expect=400)
    call(admin, "POST", f"{API}/users/import", {"ldap_uid_list": ["user-0001"]}, expect=400)


@pytest.mark.own_server
def test_no_directory(admin):
    call(admin, "GET", f"{API}/users/search", expect=400)
    call(admin, "GET", f"{API}/groups/search", expect=400)
    call(admin, "POST", f"{API}/users/import", {"ldap_uid_list": []}, expect=400)
    assert call(admin, "POST", f"{API}/ping").json()["success"] is False


def test_only_administrators(registry, configured):
    user = registry.client("user-0001", "secret of user-0001", auth="basic")
    for client, status in ((user, 403), (registry.anonymous(), 401)):
        call(client, "POST", f"{API}/ping", {}, expect=status)
        call(client, "GET", f"{API}/users/search", expect=status)
        call(client, "GET", f"{API}/groups/search", expect=status)
        call(client, "POST", f"{API}/users/import", {"ldap_uid_list": ["user-0001"]}, expect=status)


# -- import


def names(admin):
    return {user["username"] for user in call(admin, "GET", "/api/v2.0/users?page_size=100").json()}


def test_import_makes_accounts_that_they_then_use(registry, admin, configured):
    assert not {"user-0100", "user-0101"} & names(admin)
    call(admin, "POST", f"{API}/users/import", {"ldap_uid_list": ["user-0100", "user-0101"]})
    call(admin, "POST", f"{API}/users/import", {"ldap_uid_list": ["user-0100"]})
    assert {"user-0100", "user-0101"} <= names(admin)
    made = registry.query("SELECT resource FROM audit_record WHERE operation = 'create' AND resource_type = 'user' ORDER BY id")
    assert [name for name in made if name in ("user-0100", "user-0101")] == ["user-0100", "user-0101"]
    before = next(u for u in call(admin, "GET", "/api/v2.0/users?page_size=100").json() if u["username"] == "user-0100")
    me = registry.client("user-0100", "secret of user-0100", auth="basic").get("/api/v2.0/users/current", expect=200).json()
    assert me["user_id"] == before["user_id"]


def test_import_says_who_could_not_be(admin, configured):
    answer = call(admin, "POST", f"{API}/users/import", {"ldap_uid_list": ["user-0102", "nobody", "user-*", ""]}, expect=404)
    assert answer.json() == [{"uid": name, "error": "unknown_user"} for name in ("nobody", "user-*", "")]
    assert "user-0102" in names(admin)


@pytest.mark.parametrize("body", [{}, {"ldap_uid_list": "user-0001"}, {"ldap_uid_list": None}])
def test_imports_that_are_none(admin, configured, body):
    call(admin, "POST", f"{API}/users/import", body, expect=400)
