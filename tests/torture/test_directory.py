# SPDX-License-Identifier: Apache-2.0
"""A directory whose every step fails once: who asked is told to try later, nobody is locked out, and the next one gets in."""
import json
import re

import pytest

from harness import tls
from harness.directory import ROOT, ROOT_PASSWORD, SUFFIX, Directory, ldif, need_slapd
from harness.registry import ADMIN_PASSWORD
from harness.wait import wait_until

PEOPLE = f"ou=people,{SUFFIX}"
PROVIDERS = "/api/berth/v1/identity-providers"
COUNT = 1200  # more than two pages
UNREACHABLE, SAYS_NONSENSE, TOO_MUCH, OURS = 502, 502, 413, 500

# Point, which hit of it fails, and what the client is told. A bind is made with the provider's name first, then with the person's.
POINTS = [
    ("ldap.init", 1, UNREACHABLE), ("ldap.options", 1, OURS), ("ldap.connect", 1, UNREACHABLE), ("ldap.starttls", 1, UNREACHABLE),
    ("ldap.tls", 1, UNREACHABLE), ("ldap.bind", 1, UNREACHABLE), ("ldap.bind", 2, UNREACHABLE), ("ldap.bind", 3, UNREACHABLE),
    ("ldap.page", 1, SAYS_NONSENSE), ("ldap.search", 1, UNREACHABLE), ("ldap.search", 2, UNREACHABLE),
    ("ldap.entry", 1, TOO_MUCH), *[("ldap.answer", hit, UNREACHABLE) for hit in (1, 2, 3, 4, 5)],
]


def provider(server, authority):
    settings = {
        "url": server.url, "base_dn": PEOPLE, "search_dn": ROOT, "search_password": ROOT_PASSWORD, "uid": "uid", "timeout": 5,
        "group_base_dn": PEOPLE, "starttls": True, "ca_pem": authority.certificate.read_text(),
    }
    return json.dumps({"name": "staff", "kind": "ldap", "enabled": True, "position": 1, "settings": settings})


def person(uid):
    return ldif(f"uid={uid},{PEOPLE}", objectClass=["inetOrgPerson"], cn=uid, sn=uid, uid=uid, userPassword=f"secret of {uid}")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def server(tmp_path_factory, authority):
    need_slapd()
    directory = Directory(tmp_path_factory.mktemp("slapd"), *authority.issue("slapd"), sizelimit=100000)
    directory.load(
        ldif(SUFFIX, objectClass=["dcObject", "organization"], o="Example", dc="example"),
        ldif(PEOPLE, objectClass="organizationalUnit", ou="people"), person("anna"), person("bert"),
        *[person(f"many{number}") for number in range(COUNT)],
    )
    directory.start()
    yield directory
    directory.stop()


@pytest.fixture
def start(make_registry, program_with_faults, server, authority):
    def make(fault):
        registry = make_registry(program=program_with_faults, environment={"BERTH_FAULT": fault})
        registry.client(auth="basic").request(
            "POST", PROVIDERS, headers={"Content-Type": "application/json"}, body=provider(server, authority), expect=201)
        return registry
    return make


def log_in(registry, name, expect=(200,)):
    """The status; docker's way."""
    answer = registry.client().session.get(
        registry.url + "/service/token?service=harbor-registry", auth=(name, f"secret of {name}"), timeout=60)
    assert answer.status_code in expect, answer.text[:300]
    return answer.status_code


@pytest.mark.expect_errors("500", "502", "INTERNAL", "CONFIG")
@pytest.mark.parametrize("point, hit, status", POINTS, ids=lambda value: str(value))
def test_a_login_whose_step_fails(start, point, hit, status):
    registry = start(f"{point}:{hit}=errno:5")
    log_in(registry, "anna", expect=(status,))
    wait_until(lambda: re.search(r'"detail":"ldap', registry.log_text()), what="the reason in the log")
    registry.client(auth="basic").get("/api/v2.0/users/current", expect=200)
    for name in ("anna", "bert"):
        log_in(registry, name)
    registry.client("anna", "wrong").fetch_token("repository:tests/none:pull", expect=401)
    registry.assert_nothing_leaked()


@pytest.mark.expect_errors("500", "502", "INTERNAL", "CONFIG")
@pytest.mark.parametrize("point", sorted({point for point, _, _ in POINTS}))
def test_a_directory_that_never_works_again(start, point):
    """Nobody of it gets in, a local administrator does, and no connection is left behind."""
    registry = start(f"{point}:*=errno:104")
    for _ in range(3):
        for name in ("anna", "bert"):
            log_in(registry, name, expect=(UNREACHABLE, OURS, TOO_MUCH))
    registry.client("admin", ADMIN_PASSWORD, auth="basic").get("/api/v2.0/users/current", expect=200)
    registry.assert_nothing_leaked()


@pytest.mark.expect_errors("500", "CONFIG")
def test_without_the_library_no_directory_is_called_wrong(make_registry, program_with_faults, server, authority):
    registry = make_registry(program=program_with_faults, environment={"BERTH_FAULT": "library.open:1=errno:2"})
    configure = lambda expect: registry.client(auth="basic").request(  # noqa: E731
        "POST", PROVIDERS, headers={"Content-Type": "application/json"}, body=provider(server, authority), expect=expect)
    assert "detail" not in configure(500).json()["errors"][0]
    wait_until(lambda: "install the package libldap" in registry.log_text(), what="the way out in the log")
    configure(201)
    log_in(registry, "anna")


@pytest.mark.expect_errors("502")
@pytest.mark.parametrize("point, hit", [("ldap.bind", 4), ("ldap.search", 3), ("ldap.answer", 8)])
def test_a_connection_that_is_lost_between_two_logins(start, point, hit):
    """Kept connections end without a word: a new one is made, or the next login has one."""
    registry = start(f"{point}:{hit}=errno:104")
    log_in(registry, "anna")
    log_in(registry, "bert", expect=(200, UNREACHABLE))
    log_in(registry, "bert")


@pytest.mark.expect_errors("502", "500")
@pytest.mark.parametrize("point, hit", [("ldap.page", 2), ("ldap.search", 2), ("ldap.entry", 700), ("ldap.answer", 900)])
def test_a_listing_that_fails_on_a_later_page(start, server, point, hit):
    """Not half of the people as if they were all."""
    registry = start(f"{point}:{hit}=errno:104")
    admin = registry.client(auth="basic")
    search = lambda: admin.session.get(registry.url + "/api/v2.0/ldap/users/search", auth=("admin", ADMIN_PASSWORD), timeout=60)  # noqa: E731
    failed = search()
    assert failed.status_code >= 400 and "errors" in failed.json(), failed.text[:200]
    assert len(search().json()) == COUNT + 2
    registry.assert_nothing_leaked()
