# SPDX-License-Identifier: Apache-2.0
"""Logging in with OpenID Connect, in a browser, against a certified provider: PKCE, groups, names, several providers, logouts."""
import itertools
import json
import socket
import threading
import time
import urllib.parse

import pytest
import requests

from harness.idp import Browser as IdpBrowser
from harness.idp import OidcProvider, need_oidc_provider
from harness.people import API, Browser, call, make_person, set_cookies
from harness.wait import wait_until

PROVIDERS = "/api/berth/v1/identity-providers"
SECRET = "the-secret-of-a-test"
PEOPLE = {
    "s-anna": {"name": "Anna", "preferred_username": "anna", "email": "anna@idp.example", "groups": ["staff", "web"]},
    "s-berta": {"name": "Berta Bee", "preferred_username": "berta", "email": "berta@idp.example", "groups": ["staff"]},
    "s-root": {"name": "Root", "preferred_username": "rootlike", "email": "root@idp.example", "groups": ["admins"]},
    "s-admin": {"name": "admin", "preferred_username": "admin", "email": "admin@idp.example", "groups": []},
    "s-odd": {"name": "a,b#c$d", "preferred_username": "a,b#c$d", "email": "odd@idp.example", "groups": []},
}
numbers = itertools.count(1)
pytestmark = pytest.mark.settings(outbound_tenants_allow="127.0.0.1")


def client_of(registry, name="berth"):
    return {
        "client_id": name, "client_secret": SECRET, "redirect_uris": [f"{registry.url}/c/oidc/callback"],
        "post_logout_redirect_uris": [f"{registry.url}/account/sign-in"], "scope": "openid profile email groups",
        "backchannel_logout_uri": f"{registry.url}/c/oidc/backchannel", "backchannel_logout_session_required": True,
    }


@pytest.fixture(scope="module")
def idps():
    need_oidc_provider()
    running = {}
    yield running
    for idp in running.values():
        idp.stop()


@pytest.fixture
def idp(idps, registry):
    """The provider that knows this test's registry."""
    if registry.url not in idps:
        idps[registry.url] = OidcProvider([client_of(registry), client_of(registry, "berth-2")], PEOPLE).start()
    found = idps[registry.url]
    found.tell(people=PEOPLE)
    return found


@pytest.fixture
def provide(admin):
    """Configures an OIDC provider; removed afterwards."""
    made = []

    def configure(endpoint, tenant=1, position=None, **settings):
        body = {
            "name": f"oidc-{next(numbers)}", "kind": "oidc", "enabled": True, "position": len(made) if position is None else position,
            "settings": {
                "endpoint": endpoint, "client_id": "berth", "client_secret": SECRET, "scope": "openid,profile,email,groups",
                "user_claim": "preferred_username", "groups_claim": "groups", "auto_onboard": True, **settings,
            },
        }
        answer = call(admin, "POST", f"{PROVIDERS}?tenant_id={tenant}", body, expect=201)
        made.append((answer.headers["Location"].split("?")[0], tenant))
        return body["name"]

    yield configure
    for path, tenant in made:
        call(admin, "DELETE", f"{path}?tenant_id={tenant}")


class Visitor:
    """A browser that knows both sites."""

    def __init__(self, registry):
        self.registry = registry
        self.web = IdpBrowser()
        self.portal = Browser(registry)
        self.portal.client.session = self.web.jar(registry.url)
        visitors.append(self)

    def begin(self, subject, query=""):
        """As far as the address that leads back to us; not yet followed."""
        answer = self.web.request("GET", f"{self.registry.url}/c/oidc/login{query}")
        assert answer.status_code == 302, answer.text
        self.location = answer.headers["Location"]
        return self.web.follow(answer, until=f"{self.registry.url}/c/oidc/callback", fill={"login": subject})

    def finish(self, callback, expect=302):
        answer = self.portal.request("GET", callback.removeprefix(self.registry.url), expect=expect)
        return answer

    def log_in(self, subject, query="", expect=302):
        return self.finish(self.begin(subject, query), expect)

    def who(self, **options):
        return self.portal.who(**options)


visitors = []


@pytest.fixture(autouse=True)
def nobody_stays():
    yield
    while visitors:
        visitors.pop().web.close()


@pytest.fixture
def visitor(registry):
    return Visitor(registry)


def account_of(visitor):
    return visitor.portal.get(f"{API}/users/current", expect=200).json()


# -- in


def test_somebody_logs_in_and_has_an_account(idp, provide, visitor, admin):
    provide(idp.issuer)
    answer = visitor.log_in("s-anna", "?redirect_url=/harbor/projects")
    assert answer.headers["Location"] == "/harbor/projects"
    sid = set_cookies(answer)["sid"]
    assert sid["httponly"] and sid["samesite"] == "Lax"
    seen = account_of(visitor)
    assert (seen["username"], seen["email"], seen["sysadmin_flag"]) == ("anna", "anna@idp.example", False)
    assert seen["oidc_user_meta"]["subiss"] == f"s-anna{idp.issuer}"
    groups = [g["group_name"] for g in call(admin, "GET", f"{API}/usergroups?page_size=100").json() if g["group_type"] == 3]
    assert {"staff", "web"} <= set(groups)
    again = Visitor(visitor.registry)
    again.log_in("s-anna")
    assert account_of(again)["user_id"] == seen["user_id"]


def test_the_code_is_asked_for_with_pkce_state_and_nonce(idp, provide, visitor):
    provide(idp.issuer)
    visitor.begin("s-anna")
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(visitor.location).query))
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert asked["response_type"] == "code" and len(asked["state"]) >= 20 and len(asked["nonce"]) >= 20
    assert SECRET not in visitor.location


def test_a_member_of_the_group_of_administrators_is_one_as_long_as_he_is(idp, provide, visitor):
    provide(idp.issuer, admin_group="admins")
    visitor.log_in("s-root")
    seen = account_of(visitor)
    assert seen["admin_role_in_auth"] is True and seen["sysadmin_flag"] is False
    visitor.portal.get(f"{API}/users", expect=200)
    idp.tell(people={**PEOPLE, "s-root": {**PEOPLE["s-root"], "groups": ["staff"]}})
    later = Visitor(visitor.registry)
    later.log_in("s-root")
    later.portal.get(f"{API}/users", expect=403)
    visitor.portal.get(f"{API}/users", expect=403)


def test_a_group_gives_a_role_and_leaving_it_takes_it(idp, provide, visitor, admin):
    provide(idp.issuer)
    visitor.log_in("s-anna")
    name = f"of-group-{next(numbers)}"
    admin.make_project(name)
    group = next(g for g in call(admin, "GET", f"{API}/usergroups?group_name=web").json() if g["group_name"] == "web")
    member = {"role_id": 2, "member_group": {"id": group["id"]}}
    call(admin, "POST", f"{API}/projects/{name}/members", member, expect=201)
    visitor.portal.get(f"{API}/projects/{name}", expect=200)
    idp.tell(people={**PEOPLE, "s-anna": {**PEOPLE["s-anna"], "groups": ["staff"]}})
    Visitor(visitor.registry).log_in("s-anna")
    visitor.portal.get(f"{API}/projects/{name}", expect=403)


def test_a_name_that_is_taken_or_cannot_be_is_bent(idp, provide, registry):
    provide(idp.issuer)
    for subject, name in (("s-admin", "admin_2"), ("s-odd", "a_b_c_d")):
        visitor = Visitor(registry)
        visitor.log_in(subject)
        seen = account_of(visitor)
        assert seen["username"] == name and seen["sysadmin_flag"] is False


def test_without_auto_onboarding_he_chooses_his_name(idp, provide, visitor, admin):
    provide(idp.issuer, auto_onboard=False)
    idp.tell(people={**PEOPLE, "s-new": {"preferred_username": "new one", "email": "new@idp.example", "groups": ["staff"]}})
    answer = visitor.log_in("s-new", "?redirect_url=/harbor")
    assert answer.headers["Location"] == "/oidc-onboard?username=new_one&redirect_url=%2Fharbor"
    assert visitor.who(expect=401) is None
    taken = make_person(admin)
    visitor.portal.call("POST", "/c/oidc/onboard", {"username": "chosen"}, csrf=False, expect=403)
    visitor.portal.call("POST", "/c/oidc/onboard", {"username": taken.name}, expect=409)
    visitor.portal.call("POST", "/c/oidc/onboard", {"username": "a$b"}, expect=400)
    name = f"chosen-{next(numbers)}"
    visitor.portal.call("POST", "/c/oidc/onboard", {"username": name})
    assert visitor.who() == name
    again = Visitor(visitor.registry)
    again.log_in("s-new")
    assert again.who() == name


def test_nobody_is_onboarded_who_has_not_logged_in(idp, provide, registry):
    provide(idp.issuer, auto_onboard=False)
    portal = Browser(registry)
    portal.get("/c/oidc/providers")
    portal.call("POST", "/c/oidc/onboard", {"username": "x"}, expect=400)
    portal.set_cookie("oidc_person", "v1.AAAA", path="/c/oidc")
    portal.call("POST", "/c/oidc/onboard", {"username": "x"}, expect=400)


# -- what goes wrong


def test_a_callback_belongs_to_the_browser_that_began(idp, provide, visitor, registry):
    provide(idp.issuer)
    callback = visitor.begin("s-anna")
    Visitor(registry).finish(callback, expect=400)
    other = Visitor(registry)
    other.begin("s-berta")
    other.finish(callback, expect=400)
    assert other.who(expect=401) is None
    visitor.finish(callback)
    assert visitor.who() == "anna"


def test_a_callback_counts_once(idp, provide, visitor):
    provide(idp.issuer)
    callback = visitor.begin("s-anna")
    visitor.finish(callback)
    visitor.finish(callback, expect=400)


@pytest.mark.parametrize("change", [
    lambda q: {**q, "state": "x" * 43}, lambda q: {**q, "code": "x" * 43}, lambda q: {k: v for k, v in q.items() if k != "state"},
    lambda q: {k: v for k, v in q.items() if k != "code"}, lambda q: {**q, "iss": "http://other.example"}, lambda q: {**q, "error": "access_denied"},
])
def test_callbacks_that_were_changed(idp, provide, visitor, change):
    provide(idp.issuer)
    parts = urllib.parse.urlsplit(visitor.begin("s-anna"))
    query = change(dict(urllib.parse.parse_qsl(parts.query)))
    answer = visitor.finish(urllib.parse.urlunsplit(parts._replace(query=urllib.parse.urlencode(query))), expect=(400, 401, 502))
    assert "sid" not in set_cookies(answer)
    assert visitor.who(expect=401) is None


def test_who_says_no_there_is_not_in_here(idp, provide, visitor):
    provide(idp.issuer)
    visitor.log_in("nobody", expect=400)
    assert visitor.who(expect=401) is None


@pytest.mark.parametrize("target", [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "/%0d%0aSet-Cookie:x=y", "javascript:alert(1)", "harbor",
    "/" + "a" * 2000,
])
def test_nobody_is_sent_elsewhere_after_a_login(idp, provide, registry, target):
    """An open redirect would make our name vouch for somebody else's page."""
    provide(idp.issuer)
    answer = requests.get(f"{registry.url}/c/oidc/login", params={"redirect_url": urllib.parse.unquote(target)}, allow_redirects=False, timeout=30)
    assert answer.status_code == 400 and "Location" not in answer.headers


def test_without_a_provider_there_is_no_such_login(registry):
    assert requests.get(f"{registry.url}/c/oidc/login", allow_redirects=False, timeout=30).status_code == 412
    assert requests.get(f"{registry.url}/c/oidc/providers", timeout=30).json() == []


def test_a_blocked_account_stays_out(idp, provide, visitor, admin):
    provide(idp.issuer)
    visitor.log_in("s-berta")
    path = f"/api/berth/v1/users/{account_of(visitor)['user_id']}"
    call(admin, "PUT", path, {"disabled": True})
    assert visitor.who(expect=401) is None
    Visitor(visitor.registry).log_in("s-berta", expect=401)
    call(admin, "PUT", path, {"disabled": False})
    Visitor(visitor.registry).log_in("s-berta")


# -- several providers


def test_one_is_chosen_by_name_and_each_tenant_has_its_own(idp, provide, registry):
    first = provide(idp.issuer, display_name="Corporate")
    second = provide(idp.issuer, client_id="berth-2")
    acme_id = registry.tenant("acme").id
    other = provide(idp.issuer, tenant=acme_id)
    offered = requests.get(f"{registry.url}/c/oidc/providers", timeout=30).json()
    assert offered == [{"name": first, "display_name": "Corporate"}, {"name": second, "display_name": second}]

    def client_asked(query):
        answer = requests.get(f"{registry.url}/c/oidc/login{query}", allow_redirects=False, timeout=30)
        if answer.status_code != 302:
            return answer.status_code
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["Location"]).query))["client_id"]

    assert client_asked("") == "berth"
    assert client_asked(f"?provider={second}") == "berth-2"
    assert client_asked("?provider=unknown") == 412
    assert client_asked(f"?provider={other}") == 412
    assert client_asked(f"?provider={other}&tenant_id={acme_id}") == "berth"
    visitor = Visitor(registry)
    visitor.log_in("s-anna", f"?provider={second}")
    assert visitor.who() == "anna"


def test_people_of_a_tenants_provider_are_that_tenants(idp, provide, registry, admin):
    provide(idp.issuer)
    acme_id = registry.tenant("acme").id
    other = provide(idp.issuer, tenant=acme_id)
    here, there = Visitor(registry), Visitor(registry)
    here.log_in("s-anna")
    there.log_in("s-anna", f"?provider={other}&tenant_id={acme_id}")
    ours, theirs = account_of(here), account_of(there)
    assert ours["user_id"] != theirs["user_id"] and ours["username"] == theirs["username"]
    call(admin, "GET", f"{API}/users/{theirs['user_id']}", expect=404)


@pytest.mark.expect_errors(502)
def test_a_lost_provider_locks_nobody_out(provide, registry, admin):
    provide("http://127.0.0.1:1", position=0)
    started = time.monotonic()
    assert requests.get(f"{registry.url}/c/oidc/login", allow_redirects=False, timeout=30).status_code == 502
    call(admin, "GET", f"{API}/users/current")
    portal = Browser(registry)
    portal.log_in("admin", admin.password)
    assert portal.who() == "admin"
    assert time.monotonic() - started < 15


@pytest.fixture
def hanging():
    """A server that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.own_server
@pytest.mark.settings(AUTH_METHODS="providers,local", HTTP_THREADS_MAX=16, HTTP_TRANSFERS_MAX=4)
@pytest.mark.expect_errors(502, 503)
@pytest.mark.slow
def test_a_hanging_provider_takes_a_part_of_the_threads_and_holds_nobody_up(hanging, provide, registry, admin):
    provide(hanging, position=0)
    keystone = {"name": "hanging", "kind": "keystone", "enabled": True, "position": 1, "settings": {"url": f"{hanging}/v3", "domain": "x"}}
    path = call(admin, "POST", PROVIDERS, keystone, expect=201).headers["Location"]
    anna = make_person(admin)

    def ask(number):
        if number % 2:
            requests.get(f"{registry.url}/service/token", auth=(f"somebody-{number}/web", "x"), timeout=60)
        else:
            requests.get(f"{registry.url}/c/oidc/login", allow_redirects=False, timeout=60)

    stuck = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in stuck:
        thread.start()
    wait_until(lambda: registry.threads() >= 4)
    started = time.monotonic()
    fresh = registry.client(auth="basic")
    call(fresh, "GET", f"{API}/users/current")
    portal = Browser(registry)
    portal.log_in("admin", admin.password)
    call(anna.client, "GET", f"{API}/users/current")
    assert time.monotonic() - started < 5
    for thread in stuck:
        thread.join()
    call(admin, "DELETE", path)


# -- passwords where OIDC is the way


def test_in_oidc_mode_the_login_page_sends_people_on(idp, provide, registry, admin):
    """The same for whoever has another password, is known there, or nowhere: nobody learns who has a local account."""
    local = make_person(admin)
    provide(idp.issuer)
    Visitor(registry).log_in("s-anna")
    texts = set()
    for name in (local.name, "anna", "nobody-here"):
        portal = Browser(registry)
        portal.get("/c/oidc/providers")
        answer = portal.submit("/c/login", principal=name, password="Wrong-1234", expect=403)
        texts.add(answer.text)
        assert answer.json() == {"redirect_location": f"{registry.url}/c/oidc/login"}
    assert len(texts) == 1
    local.browser()


def test_a_cli_secret_is_the_password_of_somebody_from_oidc(idp, provide, visitor, registry):
    provide(idp.issuer)
    visitor.log_in("s-anna")
    path = f"{API}/users/{account_of(visitor)['user_id']}/cli_secret"
    visitor.portal.call("PUT", path, {"secret": "weak"}, expect=400)
    visitor.portal.call("PUT", path, {"secret": "My-cli-secret-1"})
    docker = registry.client("anna", "My-cli-secret-1")
    docker.fetch_token("repository:x/y:pull")
    visitor.portal.call("PUT", path, {"secret": "My-cli-secret-2"})
    docker.fetch_token("repository:x/y:pull", expect=401)
    registry.client("anna", "My-cli-secret-2").fetch_token("repository:x/y:pull")
    visitor.portal.call("PUT", f"{API}/users/{account_of(visitor)['user_id']}/password", {"new_password": "Another-1234"}, expect=403)


def id_token_of(visitor):
    """The id token of a login: what our logout hands back to the provider."""
    location = visitor.portal.get("/c/oidc/logout", expect=302).headers["Location"]
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(location).query))["id_token_hint"]


def test_an_id_token_is_a_credential_for_our_audience_only(idp, provide, visitor, registry):
    provide(idp.issuer, logout=True)
    visitor.log_in("s-anna")
    headers = {"Authorization": f"Bearer {id_token_of(visitor)}"}
    program = registry.client(None, None, auth="none")
    assert program.get(f"{API}/users/current", headers=headers, expect=200).json()["username"] == "anna"
    program.get("/v2/", headers=headers, expect=200)
    head, body, signature = headers["Authorization"].split(".")
    for changed in (f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}.", f"{head}.{body[:-4]}.{signature}"):
        program.get(f"{API}/users/current", headers={"Authorization": changed}, expect=401)


def test_an_id_token_of_another_client_is_none(idp, provide, visitor, registry):
    second = provide(idp.issuer, client_id="berth-2", logout=True)
    visitor.log_in("s-anna", f"?provider={second}")
    token = id_token_of(visitor)
    program = registry.client(None, None, auth="none")
    program.get(f"{API}/users/current", headers={"Authorization": f"Bearer {token}"}, expect=200)
    call(registry.client(auth="basic"), "PUT", provider_path(registry, second), {"settings": {"client_id": "berth"}})
    program.get(f"{API}/users/current", headers={"Authorization": f"Bearer {token}"}, expect=401)


def provider_path(registry, name):
    listed = call(registry.client(auth="basic"), "GET", PROVIDERS).json()
    return f"{PROVIDERS}/{next(p['id'] for p in listed if p['name'] == name)}"


# -- out


def sessions_there(idp, visitor):
    """Whether the provider would ask who he is again."""
    jar = visitor.web.jar(idp.issuer)
    return any(c.name == "_session" for c in jar.cookies)


def test_logging_out_ends_the_providers_session_too(idp, provide, visitor):
    provide(idp.issuer, logout=True)
    visitor.log_in("s-anna")
    told = visitor.portal.get("/c/log_out", expect=403).json()
    assert told == {"redirect_location": f"{visitor.registry.url}/c/oidc/logout"}
    answer = visitor.portal.get("/c/oidc/logout", expect=302)
    target = urllib.parse.urlsplit(answer.headers["Location"])
    asked = dict(urllib.parse.parse_qsl(target.query))
    assert answer.headers["Location"].startswith(idp.issuer) and asked["id_token_hint"].count(".") == 2
    assert asked["post_logout_redirect_uri"] == f"{visitor.registry.url}/account/sign-in"
    assert visitor.who(expect=401) is None
    answer.url = f"{visitor.registry.url}/c/oidc/logout"
    back = visitor.web.follow(answer, until=f"{visitor.registry.url}/account/sign-in", fill={"logout": "yes"})
    assert isinstance(back, str), back.text[:500]


def test_without_the_setting_only_our_session_ends(idp, provide, visitor):
    provide(idp.issuer)
    visitor.log_in("s-anna")
    assert visitor.portal.get("/c/oidc/logout", expect=302).headers["Location"] == "/account/sign-in"
    assert visitor.who(expect=401) is None
    assert visitor.portal.get("/c/oidc/logout", expect=302).headers["Location"] == "/account/sign-in"


def test_a_provider_ends_our_session(idp, provide, visitor, registry):
    """Back-channel logout: he logs out there, and is out here."""
    provide(idp.issuer, logout=True)
    visitor.log_in("s-anna")
    other = Visitor(registry)
    other.log_in("s-berta")
    assert visitor.who() == "anna"
    answer = visitor.web.request("GET", f"{idp.issuer}/session/end")
    visitor.web.follow(answer, fill={"logout": "yes"})
    wait_until(lambda: visitor.portal.get(f"{API}/users/current", expect=(200, 401)).status_code == 401)
    assert other.who() == "berta"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_logout_tokens_that_are_none(idp, provide, registry, token):
    provide(idp.issuer)
    answer = requests.post(f"{registry.url}/c/oidc/backchannel", data={"logout_token": token}, timeout=30)
    assert answer.status_code == 400 and answer.headers["Cache-Control"] == "no-store"


def test_logins_are_in_the_audit_trail_without_secrets(idp, provide, visitor, registry):
    provide(idp.issuer)
    visitor.log_in("s-berta")

    def recorded():
        return registry.query("SELECT actor FROM audit_record WHERE operation = 'login' AND resource = 'berta'")

    assert wait_until(recorded)[0] == "berta"
    everything = registry.log_text() + "".join(registry.query("SELECT detail FROM audit_record"))
    assert SECRET not in everything
    assert json.dumps(visitor.portal.cookie()) not in everything
