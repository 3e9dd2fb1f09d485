# SPDX-License-Identifier: Apache-2.0
"""Rate limits by address, stranger, user, robot and tenant: who is refused, who is not, what the headers say."""
import json
import re

import pytest

from harness import oci
from harness.people import call

API = "/api/v2.0"
STRANGER = {"Authorization": None}  # and no request before it that asks where tokens are to be had
POLICY = re.compile(r'"([a-z]+)-([a-z]+)";q=(\d+);w=(\d+)')
CURRENT = re.compile(r'"([a-z]+)-([a-z]+)";r=(\d+);t=(\d+)')


def policies(answer):
    return {f"{who}-{what}": (int(q), int(w)) for who, what, q, w in POLICY.findall(answer.headers.get("RateLimit-Policy", ""))}


def current(answer):
    return {f"{who}-{what}": (int(r), int(t)) for who, what, r, t in CURRENT.findall(answer.headers.get("RateLimit", ""))}


def until_refused(ask, most=50):
    """How many come through before the first 429, and that."""
    for count in range(most):
        answer = ask()
        if answer.status_code == 429:
            return count, answer
    raise AssertionError(f"{most} came through")


def assert_refused(answer):
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 3600
    assert answer.headers["RateLimit-Remaining"] == "0"
    (entry,) = answer.json()["errors"]
    return entry["code"]


def test_without_limits_there_are_no_headers(admin, anonymous):
    for answer in (admin.get(f"{API}/projects"), anonymous.get("/v2/", expect=200), admin.get("/v2/_catalog")):
        assert not [name for name in answer.headers if name.lower().startswith("ratelimit")]


@pytest.mark.settings(rate_limits_user="read=1000/h")
@pytest.mark.own_server
def test_a_log_says_the_limits_too_although_its_handler_began_the_headers_afresh(admin):
    made = call(admin, "POST", f"{API}/system/gc/schedule", {"schedule": {"type": "Manual"}}, expect=201)
    log = admin.get(f"{made.headers['Location']}/log", expect=200)
    assert log.headers["Content-Type"] == "text/plain; charset=utf-8" and policies(log) == {"user-read": (1000, 3600)}


@pytest.mark.settings(rate_limits_user="pull=1000/h")
@pytest.mark.own_server
def test_a_range_that_is_not_there_is_refused_with_the_limits(repo):
    digest = repo.push_blob(b"short")
    refused = repo.get_blob(digest, headers={"Range": "bytes=10-"}, expect=416)
    assert policies(refused) == {"user-pull": (1000, 3600)} and refused.headers["Content-Range"] == "bytes */5"


@pytest.mark.settings(rate_limits_user="read=5/h", rate_limits_tenant="read=100/h:200")
@pytest.mark.own_server
def test_a_user_is_stopped_and_others_are_not(registry, admin):
    first = admin.get(f"{API}/projects", expect=200)
    assert policies(first) == {"user-read": (5, 3600), "tenant-read": (100, 3600)}
    assert current(first) == {"user-read": (4, 720), "tenant-read": (199, 36)}
    assert [first.headers[f"RateLimit-{name}"] for name in ("Limit", "Remaining", "Reset")] == ["5", "4", "720"]
    count, refused = until_refused(lambda: admin.get(f"{API}/projects", expect=(200, 429)))
    assert count == 4
    assert assert_refused(refused) == "TOO_MANY_REQUEST"
    assert refused.headers["Retry-After"] == "720"
    assert current(refused)["user-read"][0] == 0
    # Another class, and one that is nobody's.
    admin.post(f"{API}/projects", body=json.dumps({"project_name": "other"}), headers={"Content-Type": "application/json"}, expect=201)
    registry.anonymous().get(f"{API}/projects", expect=200)
    # What watches over a server is never refused.
    for _ in range(8):
        admin.get(f"{API}/ping", expect=200)


@pytest.mark.settings(rate_limits_anonymous="pull=3/h")
@pytest.mark.own_server
def test_strangers_are_stopped_in_the_form_of_the_specification(registry, client, anonymous):
    client.realm()  # asked for by a stranger too
    count, refused = until_refused(lambda: anonymous.get("/v2/", headers=STRANGER, expect=(401, 429)))
    assert count == 2
    assert assert_refused(refused) == "TOOMANYREQUESTS"
    client.repository("tests/app").push(oci.image())


@pytest.mark.settings(rate_limits_address="pull=3/h,login=4/h")
@pytest.mark.own_server
def test_an_address_is_stopped_before_its_password_is_looked_at(registry):
    wrong = registry.client(password="wrong-password-1", auth="basic")
    count, refused = until_refused(lambda: wrong.session.get(registry.url + "/v2/", auth=("admin", "wrong-password-1"), timeout=60))
    assert count == 3 and assert_refused(refused) == "TOOMANYREQUESTS"
    before = registry.log_size()
    wrong.session.get(registry.url + "/v2/", auth=("admin", "wrong-password-1"), timeout=60)
    assert "password" not in registry.log_text(before)
    ask = lambda: registry.anonymous().session.get(registry.url + "/service/token", timeout=60)  # noqa: E731
    count, refused = until_refused(ask)
    assert count == 4 and assert_refused(refused) == "TOOMANYREQUESTS"


@pytest.mark.settings(rate_limits_user="login=2/h")
@pytest.mark.own_server
def test_the_token_service_counts_whoever_has_logged_in(registry, client):
    def ask(**options):
        return client.session.get(registry.url + "/service/token", timeout=60, **options)

    for _ in range(5):
        assert ask().status_code == 200, "strangers have no limit here"
    count, refused = until_refused(lambda: ask(auth=(client.username, client.password)))
    assert count == 2 and assert_refused(refused) == "TOOMANYREQUESTS"
    form = {"grant_type": "password", "username": client.username, "password": client.password, "service": "berth-registry"}
    assert client.session.post(registry.url + "/service/token", data=form, timeout=60).status_code == 429


@pytest.mark.settings(rate_limits_address="pull=2/h", http_trusted_proxies="127.0.0.0/8")
@pytest.mark.own_server
def test_behind_a_trusted_proxy_the_client_is_counted(anonymous):
    def ask(address):
        return anonymous.get("/v2/", headers={**STRANGER, "X-Forwarded-For": address}, expect=(401, 429)).status_code

    assert [ask("192.0.2.1") for _ in range(3)] == [401, 401, 429]
    assert [ask("192.0.2.2") for _ in range(3)] == [401, 401, 429]
    # Of IPv6 all of a /64 is one customer.
    assert [ask(f"2001:db8::{i}") for i in range(1, 4)] == [401, 401, 429]
    assert ask("2001:db8:0:1::1") == 401


@pytest.mark.settings(rate_limits_address="pull=2/h")
@pytest.mark.own_server
def test_a_header_of_a_stranger_is_not_believed(anonymous):
    def ask(address):
        return anonymous.get("/v2/", headers={**STRANGER, "X-Forwarded-For": address}, expect=(401, 429)).status_code

    assert [ask(f"192.0.2.{i}") for i in range(4)] == [401, 401, 429, 429]


@pytest.mark.settings(rate_limits_user="push=1/h")
@pytest.mark.own_server
def test_an_upload_that_has_begun_is_never_cut_off(client):
    repository = client.repository("tests/app")
    upload = repository.start_upload()
    data = b"x" * 4096
    for start in range(0, len(data), 512):
        upload.patch(data[start:start + 512], start)
    assert upload.size() == len(data)
    upload.put(oci.digest_of(data))
    refused = repository.request("POST", f"{repository.base}/blobs/uploads/", expect=429)
    assert assert_refused(refused) == "TOOMANYREQUESTS"
    repository.get_blob(oci.digest_of(data))


@pytest.mark.settings(rate_limits_user="pull=2/s:2")
@pytest.mark.own_server
def test_who_waits_as_told_comes_through(client):
    from harness.wait import wait_until

    repository = client.repository("tests/app")
    client.token(repository.scope)
    _, refused = until_refused(lambda: repository.tags(expect=(404, 429)))
    assert refused.headers["Retry-After"] == "1"
    wait_until(lambda: repository.tags(expect=(404, 429)).status_code == 404, timeout=5, what="a token after half a second")


@pytest.mark.parametrize("text", ["pull", "pull=0/s", "pull=1/s,pull=2/s", "fetch=1/s"])
def test_rates_that_are_none_are_refused_at_the_start(make_registry, text):
    registry = make_registry(start=False, rate_limits_user=text)
    registry.spawn()
    assert registry.wait_dead() not in (0, -11, -6)
    assert "rate_limits.user" in registry.log_text()
