# SPDX-License-Identifier: Apache-2.0
"""Groups of people by Harbor's API."""
import pytest

from harness.people import API, call, fresh_name, make_person

GROUPS = f"{API}/usergroups"


def make_group(admin, name, kind=3, dn="", expect=201):
    answer = call(admin, "POST", GROUPS, {"group_name": name, "group_type": kind, "ldap_group_dn": dn}, expect=expect)
    return answer.headers.get("Location")


def test_a_group_is_made_read_renamed_and_deleted(admin):
    name = fresh_name("staff")
    path = make_group(admin, name)
    seen = call(admin, "GET", path).json()
    assert (seen["group_name"], seen["group_type"], seen["ldap_group_dn"]) == (name, 3, "")
    assert path == f"{GROUPS}/{seen['id']}"
    call(admin, "PUT", path, {"group_name": f"{name}-renamed", "group_type": 1})
    seen = call(admin, "GET", path).json()
    assert (seen["group_name"], seen["group_type"]) == (f"{name}-renamed", 3)
    call(admin, "DELETE", path)
    for method in ("GET", "DELETE"):
        call(admin, method, path, expect=404)
    call(admin, "PUT", path, {"group_name": "x"}, expect=404)


def test_a_group_of_a_directory_is_its_dn(admin):
    name = fresh_name("web")
    make_group(admin, name, 1, f"cn={name},ou=a,dc=example")
    make_group(admin, name, 1, f"cn={name},ou=b,dc=example")
    make_group(admin, f"{name}-other", 1, f"cn={name},ou=a,dc=example", expect=409)
    found = call(admin, "GET", f"{GROUPS}?ldap_group_dn=cn={name},ou=b,dc=example").json()
    assert len(found) == 1 and found[0]["group_name"] == name
    assert found[0]["ldap_group_dn"] == f"cn={name},ou=b,dc=example"
    make_group(admin, f"{name}-other", 1, f"CN={name.upper()}, OU=A, dc=Example", expect=409)
    assert call(admin, "GET", f"{GROUPS}?ldap_group_dn=CN={name}, ou=B,dc=example").json() == found
    make_group(admin, name, 1, "", expect=400)
    make_group(admin, name, 1, "no dn", expect=400)


@pytest.mark.parametrize("body", [{"group_name": ""}, {"group_name": "x", "group_type": 0}, {"group_name": "x", "group_type": 9},
                                  {"group_name": "a" * 256, "group_type": 3}, {"group_name": 5, "group_type": 3}, {}])
def test_what_no_group_can_be(admin, body):
    call(admin, "POST", GROUPS, body, expect=(400, 422))


def test_a_name_is_taken_once(admin):
    name = fresh_name("team")
    make_group(admin, name)
    make_group(admin, name, expect=409)
    other = make_group(admin, fresh_name("team"))
    call(admin, "PUT", other, {"group_name": name}, expect=400)


def test_lists_are_filtered_and_paged(admin):
    stem = fresh_name("pages")
    for i in range(3):
        make_group(admin, f"{stem}-{i}")
    page = call(admin, "GET", f"{GROUPS}?group_name={stem}&page=2&page_size=2")
    assert [g["group_name"] for g in page.json()] == [f"{stem}-2"] and page.headers["X-Total-Count"] == "3"
    nearest = call(admin, "GET", f"{GROUPS}/search?groupname={stem}").json()
    assert [g["group_name"] for g in nearest] == [f"{stem}-{i}" for i in range(3)]
    assert set(nearest[0]) == {"id", "group_name", "group_type"}


def test_who_may_what_with_groups(admin, anonymous):
    anna = make_person(admin)
    name = fresh_name("secret")
    path = make_group(admin, name)
    for method, where, body in [
        ("GET", GROUPS, None), ("POST", GROUPS, {"group_name": "x", "group_type": 3}), ("GET", path, None),
        ("PUT", path, {"group_name": "x"}), ("DELETE", path, None),
    ]:
        call(anna.client, method, where, body, expect=403)
        call(anonymous, method, where, body, expect=401)
    assert call(anna.client, "GET", f"{GROUPS}/search?groupname={name}").json()[0]["group_name"] == name
    call(anna.client, "GET", f"{GROUPS}/search", expect=422)
    call(anonymous, "GET", f"{GROUPS}/search?groupname=x", expect=401)
