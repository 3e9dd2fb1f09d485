# SPDX-License-Identifier: Apache-2.0
"""Accounts by Harbor's API: made, listed, changed, blocked out at once, deleted; and who may do it."""
import pytest

from harness.people import API, PASSWORD, Browser, body_of, call, fresh_name, make_person
from harness.wait import wait_until

USERS = f"{API}/users"


@pytest.fixture
def anna(admin):
    return make_person(admin, fresh_name("anna"))


def test_a_new_user_logs_in_and_sees_himself(admin, anna):
    seen = call(anna.client, "GET", f"{USERS}/current").json()
    assert seen["username"] == anna.name and seen["user_id"] == anna.id
    assert seen["email"] == f"{anna.name}@example.com" and seen["realname"] == "Some Body"
    assert seen["sysadmin_flag"] is False and seen["admin_role_in_auth"] is False
    assert "password" not in seen and PASSWORD not in str(seen)
    assert call(anna.client, "GET", anna.path).json() == seen
    assert call(admin, "GET", anna.path).json()["creation_time"] == seen["creation_time"]


@pytest.mark.parametrize("change", [
    {"username": ""}, {"username": "a" * 256}, {"username": "a,b"}, {"username": 'a"b'}, {"username": "a~b"}, {"username": "a#b"},
    {"username": "a%b"}, {"username": "robot$a"}, {"username": "a:b"}, {"username": "a\nb"},
    {"password": ""}, {"password": "Short1"}, {"password": "alllowercase1"}, {"password": "ALLUPPERCASE1"}, {"password": "NoDigitsAtAll"},
    {"password": "A1" + "a" * 127}, {"email": ""}, {"email": "nobody"}, {"email": "@example.com"}, {"realname": ""}, {"realname": "a#b"},
    {"realname": "a" * 256}, {"username": 5}, {"email": ["a@b"]},
])
def test_what_no_user_can_be(admin, change):
    answer = call(admin, "POST", USERS, {**body_of(fresh_name()), **change}, expect=(400, 422))
    assert answer.json()["errors"][0]["code"] in ("BAD_REQUEST", "UNPROCESSABLE_ENTITY")


def test_a_name_or_an_address_is_taken_once(admin, anna):
    call(admin, "POST", USERS, body_of(anna.name, email="other@example.com"), expect=409)
    call(admin, "POST", USERS, body_of(fresh_name(), email=f"{anna.name.upper()}@EXAMPLE.com"), expect=409)
    berta = make_person(admin)
    profile = {"email": f"{anna.name}@example.com", "realname": "B", "comment": ""}
    assert "e-mail" in call(admin, "PUT", berta.path, profile, expect=400).text


def test_only_administrators_make_and_list_users(admin, anna, anonymous):
    call(anonymous, "POST", USERS, body_of(fresh_name()), expect=401)
    call(anna.client, "POST", USERS, body_of(fresh_name()), expect=403)
    call(anna.client, "GET", USERS, expect=403)
    call(anonymous, "GET", USERS, expect=401)
    other = make_person(admin)
    for method, path, body in [
        ("GET", other.path, None), ("PUT", other.path, {"email": "a@b.example", "realname": "x"}), ("DELETE", other.path, None),
        ("DELETE", anna.path, None), ("PUT", f"{anna.path}/sysadmin", {"sysadmin_flag": True}),
        ("PUT", f"{other.path}/password", {"new_password": "Another-1234"}),
    ]:
        call(anna.client, method, path, body, expect=403)
        call(anonymous, method, path, body, expect=401)
    assert call(admin, "GET", anna.path).json()["sysadmin_flag"] is False


def test_lists_have_everybody_but_admin_and_are_paged(admin):
    stem = fresh_name("list")
    people = [make_person(admin, f"{stem}-{i}") for i in range(3)]
    page = call(admin, "GET", f"{USERS}?q=username=~{stem}&page_size=2&sort=-username")
    assert [u["username"] for u in page.json()] == [people[2].name, people[1].name]
    assert page.headers["X-Total-Count"] == "3" and 'rel="next"' in page.headers["Link"]
    assert [u["username"] for u in call(admin, "GET", f"{USERS}?username={stem}&page=2&page_size=2").json()] == [people[2].name]
    one = call(admin, "GET", f"{USERS}?q=email={people[0].name}@example.com").json()
    assert [u["user_id"] for u in one] == [people[0].id]
    assert call(admin, "GET", f"{USERS}?q=username=admin").json() == []
    assert call(admin, "GET", f"{USERS}?q=username=~%2525").json() == [], "a % is a letter"


def test_everybody_finds_others_by_name_and_nothing_else(admin, anna, anonymous):
    found = call(anna.client, "GET", f"{USERS}/search?username={anna.name}")
    assert found.json() == [{"user_id": anna.id, "username": anna.name}] and found.headers["X-Total-Count"] == "1"
    call(anna.client, "GET", f"{USERS}/search", expect=422)
    call(anonymous, "GET", f"{USERS}/search?username=a", expect=401)


def test_a_profile_is_changed_by_its_owner_and_by_administrators(admin, anna):
    call(anna.client, "PUT", anna.path, {"email": f"new-{anna.name}@example.com", "realname": "Anna", "comment": "hello"})
    seen = call(admin, "GET", anna.path).json()
    assert (seen["email"], seen["realname"], seen["comment"]) == (f"new-{anna.name}@example.com", "Anna", "hello")
    call(admin, "PUT", anna.path, {"comment": "kept the rest"})
    seen = call(admin, "GET", anna.path).json()
    assert (seen["realname"], seen["comment"]) == ("Anna", "kept the rest")


def test_whoever_changes_his_password_knows_the_old_one(admin, anna):
    path = f"{anna.path}/password"
    call(anna.client, "PUT", path, {"old_password": "wrong", "new_password": "Another-1234"}, expect=403)
    call(anna.client, "PUT", path, {"new_password": "Another-1234"}, expect=403)
    call(anna.client, "PUT", path, {"old_password": PASSWORD, "new_password": "weak"}, expect=400)
    call(anna.client, "PUT", path, {"old_password": PASSWORD, "new_password": PASSWORD}, expect=400)
    call(anna.client, "PUT", path, {"old_password": PASSWORD, "new_password": "Another-1234"})
    call(anna.client, "GET", f"{USERS}/current", expect=401)
    anna.client.password = "Another-1234"
    call(anna.client, "GET", f"{USERS}/current")
    call(admin, "PUT", path, {"new_password": "Third-12345"})
    anna.client.password = "Third-12345"
    call(anna.client, "GET", f"{USERS}/current")


def test_an_administrators_flag_counts_at_once(admin, anna):
    call(anna.client, "GET", USERS, expect=403)
    call(admin, "PUT", f"{anna.path}/sysadmin", {"sysadmin_flag": True})
    call(anna.client, "GET", USERS)
    call(admin, "PUT", f"{anna.path}/sysadmin", {"sysadmin_flag": False})
    call(anna.client, "GET", USERS, expect=403)


def test_a_deleted_user_is_gone_and_his_name_free(admin, anna):
    token = anna.client.fetch_token("registry:catalog:*")["token"]
    call(admin, "DELETE", anna.path)
    call(admin, "GET", anna.path, expect=404)
    call(admin, "DELETE", anna.path, expect=404)
    call(anna.client, "GET", f"{USERS}/current", expect=401)
    anna.client.get("/v2/", headers={"Authorization": f"Bearer {token}"}, expect=401)
    again = make_person(admin, anna.name)
    assert again.id != anna.id
    call(admin, "POST", USERS, body_of(f"{anna.name}#{anna.id}"), expect=400)


def test_a_bearer_token_ends_with_the_password_it_came_from(admin, anna):
    token = anna.client.fetch_token()["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    anna.client.get("/v2/", headers=bearer, expect=200)
    refresh = anna.client.fetch_token(offline_token="true")["refresh_token"]
    call(admin, "PUT", f"{anna.path}/password", {"new_password": "Another-1234"})
    anna.client.get("/v2/", headers=bearer, expect=401)
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "service": "harbor-registry"}
    anna.client.request("POST", "/service/token", headers={"Authorization": None}, body=form, expect=401)


def test_admin_cannot_be_deleted_nor_the_last_one_degraded(admin):
    me = call(admin, "GET", f"{USERS}/current").json()
    assert me["user_id"] == 1 and me["sysadmin_flag"] is True
    call(admin, "DELETE", f"{USERS}/1", expect=403)
    berta = make_person(admin)
    call(admin, "PUT", f"{berta.path}/sysadmin", {"sysadmin_flag": True})
    call(berta.client, "DELETE", berta.path, expect=403)
    call(berta.client, "DELETE", f"{USERS}/1", expect=403)
    call(admin, "DELETE", berta.path)
    call(admin, "PUT", f"{USERS}/1/sysadmin", {"sysadmin_flag": False}, expect=403)


def test_cli_secrets_are_for_people_from_oidc(admin, anna):
    call(anna.client, "PUT", f"{anna.path}/cli_secret", {"secret": PASSWORD}, expect=412)
    call(admin, "PUT", f"{USERS}/99999/cli_secret", {"secret": PASSWORD}, expect=404)


@pytest.mark.parametrize("path", [f"{USERS}/abc", f"{USERS}/-1", f"{USERS}/99999999999999999999"])
def test_ids_that_are_none(admin, path):
    call(admin, "GET", path, expect=(404, 422))


def test_robots_have_no_account(admin):
    body = {"name": fresh_name("bot"), "level": "system", "duration": -1, "permissions": [
        {"kind": "system", "namespace": "/", "access": [{"resource": "user", "action": "list"}]}]}
    robot = call(admin, "POST", f"{API}/robots", body, expect=201).json()
    client = admin.registry.client(robot["name"], robot["secret"], auth="basic")
    call(client, "GET", f"{USERS}/current", expect=412)


def test_changes_are_in_the_audit_trail(admin, registry):
    anna = make_person(admin, fresh_name("audited"))
    call(admin, "PUT", anna.path, {"comment": "changed"})
    call(admin, "PUT", f"{anna.path}/password", {"new_password": "Another-1234"})
    call(admin, "DELETE", anna.path)

    def recorded():
        rows = registry.query(f"SELECT operation FROM audit_record WHERE resource = '{anna.name}' AND resource_type = 'user' ORDER BY id")
        return rows if len(rows) == 4 else None

    assert wait_until(recorded) == ["create", "update", "update", "delete"]
    kept = str(registry.query(f"SELECT detail FROM audit_record WHERE resource = '{anna.name}'"))
    assert "Another-1234" not in kept and PASSWORD not in kept


# -- guessing


@pytest.mark.own_server
@pytest.mark.settings(AUTH_NAME_ATTEMPTS=3, AUTH_NAME_INTERVAL="1h", AUTH_ADDRESS_ATTEMPTS=6, AUTH_ADDRESS_INTERVAL="1h")
def test_who_guesses_waits_and_nobody_else(admin, registry):
    anna = make_person(admin)
    call(anna.client, "GET", f"{USERS}/current")
    for name in (anna.name, "nobody-here"):
        guess = registry.client(name, "Wrong-1234", auth="basic")
        for _ in range(3):
            call(guess, "GET", f"{USERS}/current", expect=401)
        answer = call(guess, "GET", f"{USERS}/current", expect=429)
        assert int(answer.headers["Retry-After"]) > 1000
    stranger = registry.client("other-name", "Wrong-1234", auth="basic")
    call(stranger, "GET", f"{USERS}/current", expect=429)
    call(anna.client, "GET", f"{USERS}/current")
    call(admin, "GET", f"{USERS}/current")


@pytest.mark.own_server
@pytest.mark.settings(AUTH_NAME_ATTEMPTS=2, AUTH_NAME_INTERVAL="1h")
def test_the_old_password_cannot_be_guessed_through_its_change(admin):
    anna = make_person(admin)
    for expect in (403, 403, 429):
        call(anna.client, "PUT", f"{anna.path}/password", {"old_password": "Wrong-1234", "new_password": "Another-1234"}, expect=expect)


@pytest.mark.own_server
@pytest.mark.settings(AUTH_METHODS="providers")
def test_a_chain_without_local_users_lets_administrators_in(admin, registry):
    anna = make_person(admin)
    call(anna.client, "GET", f"{USERS}/current", expect=401)
    call(admin, "GET", f"{USERS}/current")


# -- registering oneself


@pytest.mark.own_server
def test_strangers_register_where_that_is_switched_on_and_from_a_page(admin, registry):
    browser = Browser(registry)
    browser.get("/c/oidc/providers", expect=200)
    name = fresh_name("stranger")
    browser.call("POST", USERS, body_of(name), expect=401)
    call(admin, "PUT", f"{API}/configurations", {"self_registration": True})
    assert browser.submit("/c/userExists", target="username", value=name).json() is False
    browser.call("POST", USERS, body_of(name), csrf=False, expect=403)
    browser.call("POST", USERS, body_of(name), expect=201)
    assert browser.submit("/c/userExists", target="username", value=name).json() is True
    assert browser.submit("/c/userExists", target="email", value=f"{name}@example.com").json() is True
    assert browser.submit("/c/userExists", target="other", value=name).json() is False
    browser.log_in(name)
    assert browser.who() == name
    assert browser.get(f"{USERS}/current").json()["sysadmin_flag"] is False


def test_who_exists_is_not_told_while_registering_is_off(admin, registry):
    browser = Browser(registry)
    browser.get("/c/oidc/providers", expect=200)
    browser.submit("/c/userExists", target="username", value="admin", expect=412)
