# SPDX-License-Identifier: Apache-2.0
"""Logging in with a directory: OpenLDAP's own server, its people and groups, and what may go wrong with it."""
import base64
import itertools
import json
import socket
import threading
import time

import pytest

from harness import oci, tls
from harness.directory import (
    BOUND, DONE, ROOT, ROOT_PASSWORD, SUCCESS, SUFFIX, Directory, Liar, entry, ldif, message, need_slapd, octets,
)
from harness.members import add_member, make_project
from harness.wait import wait_until

PROVIDERS = "/api/berth/v1/identity-providers"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
numbers = itertools.count(1)

# Names that mean something in filters or DNs.
STRANGE = ["star*", "pa(ren)s", "back\\slash", "o'hara", "comma,here", "plus+equals=", "ümit", "nul-like\\00", "a&b|c!d"]


def person(uid, dn=None, **attributes):
    first = {"objectClass": ["inetOrgPerson"], "cn": f"Name of {uid}", "sn": "Sn", "uid": uid, "userPassword": f"secret of {uid}"}
    return ldif(dn or f"uid={uid},{PEOPLE}", **{**first, **attributes})


def group(name, *members, base=GROUPS):
    return ldif(f"cn={name},{base}", objectClass="groupOfNames", cn=name, member=list(members))


def group_dn(name):
    return f"cn={name},{GROUPS}"


def person_dn(uid):
    return f"uid={uid},{PEOPLE}"


def base_entries():
    return [
        ldif(SUFFIX, objectClass=["dcObject", "organization"], o="Example", dc="example"),
        ldif(PEOPLE, objectClass="organizationalUnit", ou="people"),
        ldif(GROUPS, objectClass="organizationalUnit", ou="groups"),
        ldif(f"ou=other,{SUFFIX}", objectClass="organizationalUnit", ou="other"),
    ]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("ldap-authority"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, authority):
    need_slapd()
    certificate, key = authority.issue("slapd")
    directory = Directory(tmp_path_factory.mktemp("slapd"), certificate, key, sizelimit=100000)
    try:
        directory.start()
        directory.add(
            *base_entries(),
            person("anna", mail="anna@example.com", displayName="Anna A."), person("bert"), person("carol"), person("dora"), person("gone"),
            person("twin", f"cn=twin one,{PEOPLE}"), person("twin", f"cn=twin two,{PEOPLE}"),
            *[person(name, f"cn=strange {at},{PEOPLE}") for at, name in enumerate(STRANGE)],
            group("developers", person_dn("anna")), group("engineering", group_dn("developers")), group("company", group_dn("engineering")),
            group("admins", group_dn("operators")), group("operators", person_dn("carol")),
            group("loop-a", group_dn("loop-b"), person_dn("dora")), group("loop-b", group_dn("loop-a")),
            group("elsewhere", person_dn("anna"), base=f"ou=other,{SUFFIX}"),
            ldif(f"cn=posix,{GROUPS}", objectClass="posixGroup", cn="posix", gidNumber="7", memberUid="bert"),
            ldif(f"cn=unique,{GROUPS}", objectClass="groupOfUniqueNames", cn="unique", uniqueMember=person_dn("bert")),
        )
        yield directory
    finally:
        directory.stop()


def administer(client, method, path, body=None, expect=200):
    headers = {"Authorization": client.basic(), "Content-Type": "application/json"}
    return client.request(method, path, headers=headers, body=None if body is None else json.dumps(body), expect=expect)


def settings_for(url, **changed):
    return {
        "url": url, "base_dn": PEOPLE, "search_dn": ROOT, "search_password": ROOT_PASSWORD, "uid": "uid", "group_base_dn": GROUPS,
        "timeout": 2, **changed,
    }


@pytest.fixture
def provide(client):
    """Configures a directory; removed afterwards."""
    made = []

    def configure(url, **settings):
        body = {
            "name": f"directory-{next(numbers)}", "kind": "ldap", "enabled": True, "position": len(made) + 1,
            "settings": settings_for(url, **settings),
        }
        made.append(administer(client, "POST", PROVIDERS, body, expect=201).headers["Location"])
        return made[-1]

    yield configure
    for path in made:
        administer(client, "DELETE", path)


def login(registry, name, password=None, expect=200):
    user = registry.client(name, f"secret of {name}" if password is None else password, auth="basic")
    if expect == 502:  # which Harbor's description of its API does not know
        return user.fetch_token("repository:tests/none:pull", expect=expect)
    answer = user.get("/api/v2.0/users/current", expect=expect)
    return answer.json() if expect == 200 else answer


def groups_of(registry, name):
    """The DNs of the groups that somebody is in now, by his name here."""
    statement = (
        "SELECT g.dn FROM user_group g JOIN account_group m ON m.group_id = g.id JOIN account a ON a.id = m.account_id "
        f"WHERE a.name = '{name}' ORDER BY g.dn"
    )
    return set(registry.query(statement))


# -- people


def test_somebody_logs_in_and_has_an_account(registry, server, provide):
    provide(server.url)
    me = login(registry, "anna")
    assert me["username"] == "anna" and me["email"] == "anna@example.com" and me["realname"] == "Anna A."
    assert me["sysadmin_flag"] is False and me["admin_role_in_auth"] is False
    login(registry, "anna", "wrong", expect=401)
    login(registry, "nobody", expect=401)


def test_a_token_for_docker(registry, server, provide, client):
    provide(server.url)
    anna = registry.client("anna", "secret of anna")
    assert anna.fetch_token("repository:tests/none:pull")["token"]
    anna.fetch_token("repository:tests/none:pull", password="wrong", expect=401)


def test_case_of_a_name_makes_no_second_account(registry, server, provide):
    provide(server.url)
    assert login(registry, "anna")["user_id"] == login(registry, "ANNA", "secret of anna")["user_id"]


def test_an_empty_password_is_nobodys(registry, server, provide):
    provide(server.url)
    answer = registry.client("anna", "", auth="basic").get("/api/v2.0/users/current")
    assert answer.status_code == 401


def test_a_name_that_two_have_is_nobodys(registry, server, provide):
    provide(server.url)
    login(registry, "twin", expect=401)


def test_a_filter_narrows_who_may(registry, server, provide):
    provide(server.url, filter="(mail=*)")
    login(registry, "anna")
    login(registry, "bert", expect=401)


def test_a_filter_without_parentheses_works_as_in_harbor(registry, server, provide):
    provide(server.url, filter="mail=*")
    login(registry, "bert", expect=401)


def test_an_address_without_scheme_works_as_in_harbor(registry, server, provide):
    provide(f"127.0.0.1:{server.port}")
    login(registry, "anna")


def test_one_level_does_not_look_deeper(registry, server, provide):
    provide(server.url, base_dn=SUFFIX, scope=1)
    login(registry, "anna", expect=401)


def test_a_local_administrator_gets_in_whatever_the_directory_says(registry, server, provide, client):
    provide(server.url, search_password="wrong")
    administer(client, "GET", "/api/v2.0/users/current")


# -- injection


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


@pytest.mark.parametrize("name", STRANGE)
def test_strange_names_are_names(registry, server, provide, name):
    provide(server.url)
    answer = registry.anonymous().get("/api/v2.0/users/current", headers=basic(name, f"secret of {name}"), expect=200)
    assert answer.json()["realname"] == f"Name of {name}"


@pytest.mark.parametrize("name", [
    "*", "ann*", "a*a", "anna)(uid=*", "*)(uid=*", "anna)(|(uid=*", "anna))(|(uid=*", "(anna)", "\\61nna", "anna\\", "anna\\00",
    "uid=anna", person_dn("anna"), "anna,ou=people", "&(uid=anna)", "anna\n", " anna", "anna ", "an na", "anna\t", "\uff41nna",
])
@pytest.mark.parametrize("password", ["secret of anna", "*"])
def test_names_that_are_filters_find_nobody(registry, server, provide, name, password):
    provide(server.url)
    registry.anonymous().get("/api/v2.0/users/current", headers=basic(name, password), expect=401)


# -- groups


def dns(*names):
    return {group_dn(name) for name in names}


def test_groups_and_the_groups_of_groups(registry, server, provide):
    provide(server.url)
    login(registry, "anna")
    assert groups_of(registry, "anna") == dns("developers", "engineering", "company")


def test_no_nesting(registry, server, provide):
    provide(server.url, group_nesting_max=0)
    login(registry, "anna")
    assert groups_of(registry, "anna") == dns("developers")


def test_nesting_ends_where_the_setting_says(registry, server, provide):
    provide(server.url, group_nesting_max=1)
    login(registry, "anna")
    assert groups_of(registry, "anna") == dns("developers", "engineering")


def test_groups_in_a_circle_end(registry, server, provide):
    provide(server.url)
    login(registry, "dora")
    assert groups_of(registry, "dora") == dns("loop-a", "loop-b")


def test_groups_that_list_their_members_in_other_ways(registry, server, provide):
    provide(server.url)
    login(registry, "bert")
    assert groups_of(registry, "bert") == dns("posix", "unique")


def test_without_an_attribute_groups_are_searched(registry, server, provide):
    provide(server.url, group_membership_attribute="")
    login(registry, "anna")
    assert groups_of(registry, "anna") == dns("developers", "engineering", "company")


def test_a_filter_of_groups(registry, server, provide):
    provide(server.url, group_search_filter="(|(cn=developers)(cn=company))")
    login(registry, "anna")
    assert groups_of(registry, "anna") == dns("developers")  # engineering, between them, does not count


def test_without_a_base_all_groups_below_the_peoples_base_count(registry, server, provide):
    provide(server.url, base_dn=SUFFIX, group_base_dn="")
    login(registry, "anna")
    assert groups_of(registry, "anna") == dns("developers", "engineering", "company") | {f"cn=elsewhere,ou=other,{SUFFIX}"}


def test_the_group_of_administrators_also_through_another(registry, server, provide):
    provide(server.url, group_admin_dn=group_dn("admins").replace("cn=admins", "CN=Admins"))
    assert login(registry, "carol")["admin_role_in_auth"] is True
    assert login(registry, "anna")["admin_role_in_auth"] is False


def test_a_group_of_groups_pushes_to_a_project(registry, server, provide, admin):
    provide(server.url)
    make_project(admin, "engineers")
    login(registry, "anna")
    anna = registry.client("anna", "secret of anna")
    anna.repository("engineers/app").start_upload(expect=401)
    add_member(admin, "engineers", "developer", group={"group_type": 1, "ldap_group_dn": group_dn("company").replace("cn=company", "CN=Company")})
    anna.tokens.clear()
    anna.repository("engineers/app").push(oci.image("by a group"), "v1")
    bert = registry.client("bert", "secret of bert")
    bert.repository("engineers/app").get_manifest("v1", expect=401)


def test_who_leaves_a_group_has_left_it_at_the_next_login(registry, server, provide):
    server.add(person("mover"), group("movers", person_dn("mover")))
    first = provide(server.url)
    login(registry, "mover")
    assert groups_of(registry, "mover") == dns("movers")
    server.modify(f"dn: {group_dn('movers')}\nchangetype: modify\nreplace: member\nmember: {person_dn('anna')}\n")
    administer(registry.clients[0], "PUT", first, {"settings": {"timeout": 3}})  # what is remembered is of other settings
    login(registry, "mover")
    assert groups_of(registry, "mover") == set()
    server.run("ldapdelete", group_dn("movers"), person_dn("mover"))


# -- TLS


def test_ldaps_with_a_private_authority(registry, server, provide, authority):
    provide(server.tls_url, ca_pem=authority.certificate.read_text())
    login(registry, "anna")


def test_starttls_with_a_private_authority(registry, server, provide, authority):
    provide(server.url, starttls=True, ca_pem=authority.certificate.read_text())
    login(registry, "anna")


@pytest.mark.expect_errors(502)
@pytest.mark.parametrize("starttls", [False, True])
def test_nobody_is_asked_whose_certificate_is_not_trusted(registry, server, provide, starttls, tmp_path):
    stranger = tls.Authority(tmp_path / "stranger").certificate.read_text()
    url = server.url if starttls else server.tls_url
    provide(url, starttls=starttls, ca_pem=stranger)
    login(registry, "anna", expect=502)
    provide(url, starttls=starttls)
    login(registry, "anna", expect=502)


@pytest.mark.expect_errors(502)
def test_a_certificate_of_another_host_is_not_trusted(registry, server, provide, authority):
    provide(server.tls_url.replace("127.0.0.1", "127.0.0.2"), ca_pem=authority.certificate.read_text())
    login(registry, "anna", expect=502)


def test_verification_can_be_switched_off(registry, server, provide):
    provide(server.tls_url, verify_cert=False)
    login(registry, "anna")


@pytest.mark.expect_errors(502)
def test_starttls_is_not_skipped_when_the_server_has_none(registry, provide, tmp_path):
    need_slapd()
    plain = Directory(tmp_path / "plain")
    plain.load(*base_entries(), person("anna"))
    plain.start()
    try:
        provide(plain.url, starttls=True)
        login(registry, "anna", expect=502)
    finally:
        plain.stop()


# -- servers that are gone, hang or lie


@pytest.fixture
def own(tmp_path):
    need_slapd()
    directory = Directory(tmp_path / "own")
    directory.load(*base_entries(), person("anna"), person("bert"))
    directory.start()
    yield directory
    directory.stop()


@pytest.mark.expect_errors(502)
def test_a_server_that_is_stopped_and_back(registry, own, provide, client):
    provide(own.url)
    login(registry, "anna")
    own.stop()
    login(registry, "anna")  # for a minute he is remembered
    login(registry, "bert", expect=502)
    administer(client, "GET", "/api/v2.0/users/current")
    own.start()
    login(registry, "bert")


@pytest.mark.expect_errors(502)
def test_a_server_that_hangs_costs_its_timeout_and_locks_nobody_out(registry, own, provide, client):
    provide(own.url, timeout=1)
    login(registry, "anna")
    own.freeze()
    started = time.monotonic()
    login(registry, "bert", expect=502)
    assert time.monotonic() - started < 5
    administer(client, "GET", "/api/v2.0/users/current")
    own.thaw()
    wait_until(lambda: login(registry, "bert"), timeout=5, what="the directory being back")


@pytest.mark.expect_errors(502)
def test_another_provider_is_asked_when_one_is_gone(registry, server, own, provide):
    provide(own.url)
    provide(server.url)
    own.stop()
    login(registry, "carol")


@pytest.mark.expect_errors(502)
@pytest.mark.parametrize("scheme, starttls", [("ldap", False), ("ldap", True), ("ldaps", False)])
def test_a_server_that_takes_connections_and_is_silent_costs_its_timeout(registry, provide, client, scheme, starttls):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provide(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}", timeout=1, starttls=starttls)
        started = time.monotonic()
        login(registry, "anna", expect=502)
        assert time.monotonic() - started < 4
        administer(client, "GET", "/api/v2.0/users/current")


STARTED = message(0x78, SUCCESS)


@pytest.mark.expect_errors(502)
@pytest.mark.parametrize("answers, pause, starttls", [((STARTED,), 0, True), ((BOUND, DONE), 0.3, False)], ids=["silent-in-tls", "drips"])
def test_a_server_that_never_comes_to_an_end_costs_its_timeout(registry, provide, answers, pause, starttls):
    liar = Liar(*answers, pause=pause)
    try:
        provide(liar.url, timeout=1, starttls=starttls)
        started = time.monotonic()
        login(registry, "anna", "whatever", expect=502)
        assert time.monotonic() - started < 4
    finally:
        liar.close()


def test_the_second_address_is_used_when_the_first_is_gone(registry, server, provide):
    provide(f"ldap://127.0.0.1:1 {server.url}")
    login(registry, "anna")


@pytest.mark.expect_errors(502)
@pytest.mark.parametrize("answers, expect", [
    ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), 502),
    ((b"\x30\x84\x7f\xff\xff\xff\x02\x01\xee",), 502),
    ((b"\x30\x05\x02\x01\xee\x61\x00",), 502),
    ((BOUND, entry(b"", uid="anna", entryUUID="1") + DONE, BOUND), 502),
    ((BOUND, message(0x73, octets(b"ldap://127.0.0.1:1/dc=example,dc=com??sub?")) + DONE), 401),
    ((BOUND, DONE), 401),
], ids=["http", "huge", "cut", "no-name", "referral", "nobody"])
def test_servers_that_lie_let_nobody_in(registry, provide, answers, expect):
    liar = Liar(*answers)
    try:
        provide(liar.url, timeout=1)
        login(registry, "anna", "whatever", expect=expect)
        assert liar.asked
    finally:
        liar.close()


def test_active_directory_follows_groups_itself(registry, provide):
    """Its matching rule is sent as it is, and all groups come with one search."""
    found = b"".join(entry(group_dn(name).encode()) for name in ("developers", "company"))
    liar = Liar(BOUND, entry(person_dn("adam").encode(), uid="adam", objectGUID="\x01\x00z") + DONE, BOUND, BOUND, found + DONE)
    try:
        provide(liar.url, group_membership_attribute="memberof:1.2.840.113556.1.4.1941:")
        login(registry, "adam", "whatever")
        assert groups_of(registry, "adam") == dns("developers", "company")
        last = liar.asked[4]
        assert b"1.2.840.113556.1.4.1941" in last and b"member" in last and person_dn("adam").encode() in last
        assert len(liar.asked) == 5
        assert registry.query("SELECT name FROM account WHERE subject = '01007a'") == ["adam"]
    finally:
        liar.close()


# -- connections


def test_connections_are_used_again_and_few(registry, server, provide):
    provide(server.url)
    before = connections_to(registry, server.port)
    for name in ("anna", "bert", "carol", "dora"):
        login(registry, name)
    assert connections_to(registry, server.port) - before <= 1
    threads = [threading.Thread(target=login, args=(registry, "anna", f"wrong {n}", 401)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connections_to(registry, server.port) - before <= 8


def connections_to(registry, port):
    lines = open(f"/proc/{registry.process.pid}/net/tcp").read().splitlines()[1:]
    inodes = {target[len("socket:["):-1] for target in registry.open_fds().values() if target.startswith("socket:[")}
    return sum(1 for line in lines if line.split()[2].endswith(f":{port:04X}") and line.split()[9] in inodes)
