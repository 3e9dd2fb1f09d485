# SPDX-License-Identifier: Apache-2.0
"""Sessions of browsers: cookies, their ends, and that no other site's page can use them."""
import time

import pytest
import requests

from harness.people import API, PASSWORD, Browser, call, fresh_name, make_person, set_cookies
from harness.wait import wait_until
from harness.wire import Wire


@pytest.fixture
def anna(admin):
    return make_person(admin, fresh_name("anna"))


@pytest.fixture
def browser(registry):
    return Browser(registry)


def test_a_login_is_a_session(anna, browser):
    browser.log_in(anna.name)
    assert browser.who() == anna.name
    browser.get("/c/log_out", expect=200)
    assert browser.cookie() is None
    assert browser.who(expect=401) is None


def test_the_cookie_is_for_this_server_and_no_script(anna, browser):
    browser.get("/c/oidc/providers")
    answer = browser.submit("/c/login", principal=anna.name, password=PASSWORD)
    sid = set_cookies(answer)["sid"]
    assert sid["httponly"] and sid["samesite"] == "Lax" and sid["path"] == "/" and not sid["secure"] and not sid["domain"]
    assert len(sid.value) >= 40


def test_over_tls_the_cookie_is_secure(make_registry, authority):
    certificate, key = authority.issue("localhost")
    registry = make_registry(TLS_CERTIFICATE=certificate, TLS_KEY=key, authority=authority)
    browser = Browser(registry)
    browser.get("/c/oidc/providers")
    cookies = set_cookies(browser.submit("/c/login", principal="admin", password=registry.client().password))
    assert cookies["sid"]["secure"]


@pytest.mark.own_server
@pytest.mark.settings(EXTERNAL_URL="https://registry.example.com")
def test_behind_a_proxy_with_tls_too(registry):
    browser = Browser(registry)
    answer = browser.get("/c/oidc/providers")
    assert set_cookies(answer)["_gorilla_csrf"]["secure"]


def test_what_opens_no_session(anna, browser):
    browser.get("/c/oidc/providers")
    for fields in [
        {"principal": anna.name, "password": "Wrong-1234"}, {"principal": anna.name}, {"password": PASSWORD}, {},
        {"principal": "", "password": ""}, {"principal": anna.name, "password": "x" * 5000},
    ]:
        answer = browser.submit("/c/login", expect=401, **fields)
        assert "sid" not in set_cookies(answer) and "WWW-Authenticate" not in answer.headers


def test_a_planted_session_id_is_never_used(anna, browser):
    """Fixation: an id that somebody else knows does not become the session of who logs in."""
    browser.set_cookie("sid", "A" * 43)
    browser.log_in(anna.name)
    assert browser.cookie() != "A" * 43
    planted = Browser(browser.registry)
    planted.set_cookie("sid", "A" * 43)
    assert planted.who(expect=401) is None


def test_each_login_is_a_new_session_and_ends_the_last(anna, browser):
    browser.log_in(anna.name)
    first = browser.cookie()
    browser.log_in(anna.name)
    assert browser.cookie() != first
    old = Browser(browser.registry)
    old.set_cookie("sid", first)
    assert old.who(expect=401) is None
    assert browser.who() == anna.name


@pytest.mark.parametrize("value", ["", "x", "A" * 42, "A" * 44, "../../etc/passwd", "%00" * 14 + "x", "A" * 4000])
def test_session_ids_that_are_none(registry, value):
    answer = requests.get(registry.url + f"{API}/users/current", headers={"Cookie": f"sid={value}"}, timeout=30)
    assert answer.status_code == 401


def test_the_database_does_not_hold_what_the_cookie_says(anna, browser, registry):
    browser.log_in(anna.name)
    rows = registry.query("SELECT hash || address || user_agent || provider_session || id_token || roles FROM session")
    assert rows and browser.cookie() not in str(rows)


# -- ends


def test_a_new_password_ends_other_sessions_and_not_ones_own(admin, anna, browser):
    browser.log_in(anna.name)
    other = anna.browser()
    browser.call("PUT", f"{anna.path}/password", {"old_password": PASSWORD, "new_password": "Another-1234"})
    assert other.who(expect=401) is None
    assert browser.who() == anna.name
    call(admin, "PUT", f"{anna.path}/password", {"new_password": "Third-12345"})
    assert browser.who(expect=401) is None


def test_a_deleted_account_has_no_session(admin, anna, browser):
    browser.log_in(anna.name)
    call(admin, "DELETE", anna.path)
    assert browser.who(expect=401) is None


def test_rights_are_those_of_now(admin, anna, browser):
    browser.log_in(anna.name)
    browser.get(f"{API}/users", expect=403)
    call(admin, "PUT", f"{anna.path}/sysadmin", {"sysadmin_flag": True})
    browser.get(f"{API}/users", expect=200)
    call(admin, "PUT", f"{anna.path}/sysadmin", {"sysadmin_flag": False})
    browser.get(f"{API}/users", expect=403)


def expire(registry, browser, seconds):
    """As if the session had been used for the last time so long ago."""
    micro = seconds * 1_000_000
    registry.execute(f"UPDATE session SET expires_at_us = expires_at_us - {micro}, touched_at_us = touched_at_us - {micro}")


@pytest.mark.own_server
def test_a_session_that_nobody_uses_ends_and_one_in_use_goes_on(registry, admin):
    anna = make_person(admin)
    browser = anna.browser()
    expire(registry, browser, 3500)
    registry.restart()
    assert browser.who() == anna.name, "still within its hour"
    left = int(registry.query("SELECT expires_at_us FROM session")[0]) / 1e6 - time.time()
    assert left > 3500, "use has moved its end"
    expire(registry, browser, 3500)
    registry.restart()
    browser.get(f"{API}/users/current", headers={"X-Harbor-No-Session-Renewal": "true"}, expect=200)
    left = int(registry.query("SELECT expires_at_us FROM session")[0]) / 1e6 - time.time()
    assert left < 200, "a page that only polls does not"
    expire(registry, browser, 3500)
    registry.restart()
    assert browser.who(expect=401) is None


def test_logins_are_in_the_audit_trail(anna, browser, registry):
    browser.log_in(anna.name)
    browser.get("/c/log_out")
    browser.log_in(anna.name, "Wrong-1234", expect=401)

    def recorded():
        rows = registry.query(f"SELECT operation FROM audit_record WHERE resource = '{anna.name}' AND operation IN ('login', 'logout', 'deny')")
        return sorted(rows) if len(rows) == 3 else None

    assert wait_until(recorded) == ["deny", "login", "logout"]


# -- other sites' pages


def test_changes_need_the_token_of_the_page(anna, browser):
    browser.log_in(anna.name)
    profile = {"email": f"{anna.name}@example.com", "realname": "Anna", "comment": "x"}
    for token in (None, "", "x", "A" * 64, browser.token[:-1], browser.token[::-1]):
        headers = {} if token is None else {"X-Harbor-CSRF-Token": token}
        answer = browser.call("PUT", anna.path, profile, headers=headers, csrf=False, expect=403)
        assert answer.json()["errors"][0]["code"] == "FORBIDDEN" and answer.headers["X-Harbor-CSRF-Token"]
    browser.call("PUT", anna.path, profile)
    browser.client.session.cookies.clear(domain="127.0.0.1", path="/", name="_gorilla_csrf")
    browser.call("PUT", anna.path, profile, expect=403)
    browser.call("PUT", anna.path, profile)


def test_a_token_of_another_browser_is_none(anna, browser, registry):
    browser.log_in(anna.name)
    attacker = Browser(registry)
    attacker.get("/c/oidc/providers")
    browser.token = attacker.token
    browser.call("PUT", anna.path, {"email": f"{anna.name}@example.com", "realname": "A"}, expect=403)


def test_logging_in_needs_one_too(anna, browser):
    browser.request("POST", "/c/login", body={"principal": anna.name, "password": PASSWORD}, expect=403)
    browser.submit("/c/login", principal=anna.name, password=PASSWORD)


def test_programs_need_none(anna, browser):
    """Whoever sends a password in a header is no page, whatever cookies the jar holds."""
    browser.log_in(anna.name)
    headers = {"Authorization": anna.client.basic()}
    answer = browser.call("PUT", anna.path, {"email": f"{anna.name}@example.com", "realname": "A"}, csrf=False, headers=headers)
    assert "X-Harbor-CSRF-Token" not in answer.headers
    answer = anna.client.get(f"{API}/users/current", expect=200)
    assert "X-Harbor-CSRF-Token" not in answer.headers and not set_cookies(answer)


def test_tokens_differ_and_all_count(anna, browser):
    browser.log_in(anna.name)
    tokens = {browser.get(f"{API}/users/current").headers["X-Harbor-CSRF-Token"] for _ in range(3)}
    assert len(tokens) == 3 and "=" not in browser.cookie("_gorilla_csrf")
    for token in tokens:
        browser.token = token
        browser.call("PUT", anna.path, {"email": f"{anna.name}@example.com", "realname": "A"})


def test_the_registry_knows_the_session_too(anna, browser):
    browser.log_in(anna.name)
    browser.get("/v2/", expect=200)
    browser.request("POST", "/v2/tests/x/blobs/uploads/", csrf=False, expect=403)


# -- who is here is nobody's business


def test_a_name_that_is_nobodys_is_refused_in_the_same_words_and_time(admin, anna, registry):
    spent = {}
    answers = {}
    for name in (anna.name, "nobody-of-this-name"):
        browser = Browser(registry)
        browser.get("/c/oidc/providers")
        times = []
        for i in range(4):
            started = time.monotonic()
            answers[name] = browser.submit("/c/login", principal=name, password=f"Wrong-{i}-1234", expect=401)
            times.append(time.monotonic() - started)
        spent[name] = min(times)
    here, nowhere = spent.values()
    assert nowhere > here / 3 and here > nowhere / 3, spent
    first, second = answers.values()
    assert first.text == second.text
    assert {k for k in first.headers if k != "Date"} == {k for k in second.headers if k != "Date"}


def test_a_personal_token_is_no_password_for_a_browser(anna, browser):
    made = call(anna.client, "POST", "/api/berth/v1/access-tokens", {"name": "ci"}, expect=201).json()
    browser.log_in(anna.name, made["token"], expect=401)


def test_only_the_first_of_several_cookie_lines_was_read(anna, browser, registry):
    """Programs in Go send a line for each cookie."""
    browser.log_in(anna.name)
    head = f"GET {API}/users/current HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: other=1\r\nCookie: sid={browser.cookie()}\r\n\r\n"
    with Wire(registry) as wire:
        wire.send(head.encode())
        answer = wire.answer()
    assert answer.status == 200 and anna.name.encode() in answer.body
