# SPDX-License-Identifier: Apache-2.0
"""Personal access tokens, sessions and blocks by our own API."""
import binascii
import re

import pytest

from harness.people import API, PASSWORD, Browser, call, fresh_name, make_person
from harness.wait import wait_until

BERTH = "/api/berth/v1"
TOKENS = f"{BERTH}/access-tokens"
SESSIONS = f"{BERTH}/sessions"
DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


@pytest.fixture
def anna(admin):
    return make_person(admin, fresh_name("anna"))


def make_token(person, name="ci", **members):
    return call(person.client, "POST", TOKENS, {"name": name, **members}, expect=201)


def with_token(person, token, name=None):
    return person.registry.client(name or person.name, token, auth="basic")


def checksum(random):
    value, text = binascii.crc32(random.encode()), ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        text = DIGITS[digit] + text
    return text


def test_a_token_is_a_password_for_programs(anna):
    answer = make_token(anna)
    made = answer.json()
    assert re.fullmatch(r"berth_pat_[0-9A-Za-z]{46}", made["token"]) and made["token"].startswith(made["hint"])
    assert made["token"][-6:] == checksum(made["token"][10:-6])
    assert answer.headers["Location"] == f"{TOKENS}/{made['id']}" and answer.headers["Cache-Control"] == "no-store"
    program = with_token(anna, made["token"])
    assert call(program, "GET", f"{API}/users/current").json()["username"] == anna.name
    assert program.fetch_token("repository:x/y:pull")["token"]
    program.get("/v2/", expect=200)
    by_mail = with_token(anna, made["token"], f"{anna.name}@example.com")
    call(by_mail, "GET", f"{API}/users/current")
    listed = call(anna.client, "GET", TOKENS).json()
    assert [t["id"] for t in listed] == [made["id"]] and "token" not in listed[0] and "expiration_time" not in listed[0]


def test_a_token_is_its_owners_only(admin, anna):
    token = make_token(anna).json()["token"]
    berta = make_person(admin)
    for name in (berta.name, "admin", "nobody-here"):
        call(with_token(anna, token, name), "GET", f"{API}/users/current", expect=401)
    for wrong in (token[:-1], token[:-1] + "!", token.swapcase(), "berth_pat_" + "a" * 40 + checksum("a" * 40)):
        call(with_token(anna, wrong), "GET", f"{API}/users/current", expect=401)


def test_what_was_obtained_with_a_token_ends_with_it(anna):
    made = make_token(anna).json()
    program = with_token(anna, made["token"])
    bearer = program.fetch_token("registry:catalog:*", offline_token="true")
    headers = {"Authorization": f"Bearer {bearer['token']}"}
    anna.client.get("/v2/", headers=headers, expect=200)
    call(anna.client, "DELETE", f"{TOKENS}/{made['id']}")
    call(program, "GET", f"{API}/users/current", expect=401)
    anna.client.get("/v2/", headers=headers, expect=401)
    form = {"grant_type": "refresh_token", "refresh_token": bearer["refresh_token"], "service": "harbor-registry"}
    anna.client.request("POST", "/service/token", headers={"Authorization": None}, body=form, expect=401)
    call(anna.client, "DELETE", f"{TOKENS}/{made['id']}", expect=404)


def test_a_token_with_an_end(anna, registry):
    made = make_token(anna, lifetime_days=1).json()
    assert made["expiration_time"] > made["creation_time"]
    program = with_token(anna, made["token"])
    call(program, "GET", f"{API}/users/current")
    registry.execute(f"UPDATE access_token SET expires_at_us = 1 WHERE id = {made['id']}")

    def refused():
        return program.get(f"{API}/users/current", expect=(200, 401)).status_code == 401

    wait_until(refused, timeout=30)


def test_a_token_makes_no_tokens_and_changes_no_password(anna):
    program = with_token(anna, make_token(anna).json()["token"])
    call(program, "POST", TOKENS, {"name": "another"}, expect=403)
    token = program.password
    call(program, "PUT", f"{anna.path}/password", {"old_password": token, "new_password": "Another-1234"}, expect=403)


def test_a_new_password_leaves_tokens_and_a_deletion_does_not(admin, anna):
    program = with_token(anna, make_token(anna).json()["token"])
    call(admin, "PUT", f"{anna.path}/password", {"new_password": "Another-1234"})
    call(program, "GET", f"{API}/users/current")
    call(admin, "DELETE", anna.path)
    call(program, "GET", f"{API}/users/current", expect=401)


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a" * 128}, {"name": 5}, {"name": "x", "lifetime_days": -1},
                                  {"name": "x", "lifetime_days": 36501}, {"name": "CLI secret"}])
def test_tokens_that_cannot_be(anna, body):
    call(anna.client, "POST", TOKENS, body, expect=(400, 422))


def test_a_name_is_taken_once_by_each(admin, anna):
    make_token(anna)
    call(anna.client, "POST", TOKENS, {"name": "ci"}, expect=409)
    make_token(make_person(admin))


def test_administrators_look_and_revoke_and_nobody_else(admin, anna, anonymous):
    made = make_token(anna).json()
    path = f"{BERTH}/users/{anna.id}/access-tokens"
    berta = make_person(admin)
    for method, where in [("GET", path), ("DELETE", f"{path}/{made['id']}"), ("GET", f"{BERTH}/users/{anna.id}/sessions"),
                          ("DELETE", f"{BERTH}/users/{anna.id}/sessions"), ("GET", f"{BERTH}/users/{anna.id}")]:
        call(berta.client, method, where, expect=403)
        call(anonymous, method, where, expect=401)
    call(berta.client, "DELETE", f"{TOKENS}/{made['id']}", expect=404)
    call(admin, "POST", path, {"name": "for-anna"}, expect=405)
    assert [t["name"] for t in call(admin, "GET", path).json()] == ["ci"]
    assert [t["name"] for t in call(anna.client, "GET", path).json()] == ["ci"]
    call(admin, "DELETE", f"{path}/{made['id']}")
    assert call(anna.client, "GET", TOKENS).json() == []
    call(admin, "GET", f"{BERTH}/users/99999/access-tokens", expect=404)


@pytest.mark.slow
@pytest.mark.own_server
def test_when_a_token_was_used_is_written_later(registry, admin):
    anna = make_person(admin)
    made = make_token(anna).json()
    call(with_token(anna, made["token"]), "GET", f"{API}/users/current")
    registry.restart()
    assert call(anna.client, "GET", TOKENS).json()[0]["used_time"] >= made["creation_time"]


# -- sessions


def test_sessions_are_seen_and_ended(anna):
    here, there = anna.browser(), anna.browser()
    seen = here.call("GET", SESSIONS).json()
    assert len(seen) == 2 and [s["current"] for s in seen] == [False, True]
    assert seen[0]["address"] == "127.0.0.1" and seen[0]["user_agent"] == "berth-tests" and seen[0]["provider_id"] == 0
    here.call("DELETE", f"{SESSIONS}/{seen[0]['id']}")
    assert there.who(expect=401) is None
    here.call("DELETE", f"{SESSIONS}/{seen[0]['id']}", expect=404)
    there, third = anna.browser(), anna.browser()
    here.call("DELETE", SESSIONS)
    assert here.who() == anna.name
    for other in (there, third):
        assert other.who(expect=401) is None


def test_an_administrator_ends_somebodys_sessions(admin, anna):
    browser = anna.browser()
    path = f"{BERTH}/users/{anna.id}/sessions"
    found = call(admin, "GET", path).json()
    assert len(found) == 1 and found[0]["current"] is False
    call(admin, "DELETE", f"{path}/{found[0]['id']}")
    assert browser.who(expect=401) is None
    browser = anna.browser()
    call(admin, "DELETE", path)
    assert browser.who(expect=401) is None


def test_nobody_ends_the_session_of_another(admin, anna):
    browser = anna.browser()
    own = browser.call("GET", SESSIONS).json()[0]["id"]
    berta = make_person(admin)
    call(berta.client, "DELETE", f"{SESSIONS}/{own}", expect=404)
    assert browser.who() == anna.name


@pytest.mark.slow
def test_the_oldest_session_makes_room(registry, admin):
    anna = make_person(admin)
    first = anna.browser()
    for _ in range(100):
        Browser(registry).log_in(anna.name)
    assert first.who(expect=401) is None
    assert call(anna.client, "GET", f"{SESSIONS}?page_size=1").headers["X-Total-Count"] == "100"


# -- blocks and rights


def test_a_block_counts_at_once_and_can_be_lifted(admin, anna):
    path = f"{BERTH}/users/{anna.id}"
    browser, token = anna.browser(), make_token(anna).json()["token"]
    bearer = {"Authorization": f"Bearer {anna.client.fetch_token()['token']}"}
    assert call(admin, "PUT", path, {"disabled": True}).json()["disabled"] is True
    assert browser.who(expect=401) is None
    call(anna.client, "GET", f"{API}/users/current", expect=401)
    call(with_token(anna, token), "GET", f"{API}/users/current", expect=401)
    anna.client.get("/v2/", headers=bearer, expect=401)
    Browser(anna.registry).log_in(anna.name, expect=401)
    call(admin, "PUT", path, {"disabled": False})
    call(anna.client, "GET", f"{API}/users/current")
    call(with_token(anna, token), "GET", f"{API}/users/current")
    assert browser.who(expect=401) is None, "its session does not come back"


def test_rights_are_given_by_system_administrators_only(admin, anna):
    path = f"{BERTH}/users/{anna.id}"
    seen = call(admin, "PUT", path, {"auditor": True, "tenant_admin": True}).json()
    assert seen["auditor"] is True and seen["tenant_admin"] is True and seen["system_admin"] is False
    berta = make_person(admin)
    call(anna.client, "PUT", f"{BERTH}/users/{berta.id}", {"system_admin": True}, expect=403)
    call(anna.client, "PUT", path, {"system_admin": True}, expect=403)
    assert call(admin, "GET", f"{BERTH}/users/{berta.id}").json()["system_admin"] is False
    call(anna.client, "PUT", f"{BERTH}/users/{berta.id}", {"disabled": True})
    call(anna.client, "PUT", f"{BERTH}/users/1", {"disabled": True}, expect=403)
    call(anna.client, "PUT", f"{API}/users/1/password", {"new_password": PASSWORD}, expect=403)
    call(anna.client, "PUT", path, {"disabled": True}, expect=403)
    call(admin, "PUT", f"{BERTH}/users/1", {"system_admin": False}, expect=403)
