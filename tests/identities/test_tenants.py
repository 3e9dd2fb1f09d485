# SPDX-License-Identifier: Apache-2.0
"""Tenants with identity providers of their own, each the real thing: who comes in where, what he becomes, and what a lost one costs others."""
import base64
import hashlib
import itertools
import socket
import threading
import time
import urllib.parse

import pytest
import requests

from harness.directory import ROOT, ROOT_PASSWORD, SUFFIX, Directory, ldif, need_slapd
from harness.idp import Browser as IdpBrowser
from harness.idp import OidcProvider, need_oidc_provider
from harness.people import API, Browser, call, make_person
from harness.wait import wait_until

PROVIDERS = "/api/berth/v1/identity-providers"
SECRET = "the-secret-of-a-test"
NAMES = ("acme", "globex")
numbers = itertools.count(1)
pytestmark = pytest.mark.settings(outbound_tenants_allow="127.0.0.1")


def people_of(name):
    return {
        "s-anna": {"name": f"Anna of {name}", "preferred_username": "anna", "email": f"anna@{name}.example", "groups": ["staff", f"{name}-web"]},
        "s-root": {"name": "Root", "preferred_username": "rootlike", "email": f"root@{name}.example", "groups": ["admins"]},
    }


@pytest.fixture(autouse=True)
def hosts_lead_here(monkeypatch):
    """No name server knows the tenants' hosts; a browser has to."""
    look_up = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **named: look_up(
        "127.0.0.1" if str(host).endswith(".registry.example") else host, *more, **named))


def url_of(place):
    return f"http://{place.host}:{place.port}" if place.host else place.url


@pytest.fixture
def tenants(registry):
    return [registry.tenant(name) for name in NAMES]


@pytest.fixture(scope="module")
def running():
    need_oidc_provider()
    made = {}
    yield made
    for idp in made.values():
        idp.stop()


@pytest.fixture
def idp_of(running, registry):
    """idp_of(tenant): its own provider, which knows its own host only."""
    def find(tenant):
        key = (registry.url, tenant.name)
        if key not in running:
            client = {
                "client_id": "berth", "client_secret": SECRET, "redirect_uris": [f"{url_of(tenant)}/c/oidc/callback"],
                "post_logout_redirect_uris": [f"{url_of(tenant)}/account/sign-in"], "scope": "openid profile email groups",
                "backchannel_logout_uri": f"{url_of(tenant)}/c/oidc/backchannel", "backchannel_logout_session_required": True,
            }
            running[key] = OidcProvider([client], people_of(tenant.name)).start()
        return running[key]
    return find


@pytest.fixture
def provide():
    """Configures a provider of a tenant by its own host; removed afterwards."""
    made = []

    def configure(tenant, kind="oidc", position=None, **settings):
        body = {"name": f"{kind}-{next(numbers)}", "kind": kind, "enabled": True,
                "position": len(made) if position is None else position, "settings": settings}
        admin = tenant.client(auth="basic")
        made.append((admin, call(admin, "POST", PROVIDERS, body, expect=201).headers["Location"]))
        return body["name"]

    yield configure
    for admin, path in made:
        call(admin, "DELETE", path)


def oidc(idp, **settings):
    return {
        "endpoint": idp.issuer, "client_id": "berth", "client_secret": SECRET, "scope": "openid,profile,email,groups",
        "user_claim": "preferred_username", "groups_claim": "groups", "auto_onboard": True, **settings,
    }


class Visitor:
    """A browser at one host of ours and at whatever that sends it to."""

    def __init__(self, place):
        self.url = url_of(place)
        self.web = IdpBrowser()
        visitors.append(self)

    def begin(self, subject, query=""):
        answer = self.web.request("GET", f"{self.url}/c/oidc/login{query}")
        assert answer.status_code == 302, answer.text
        self.location = answer.headers["Location"]
        return self.web.follow(answer, until=f"{self.url}/c/oidc/callback", fill={"login": subject})

    def log_in(self, subject, query=""):
        return self.web.request("GET", self.begin(subject, query))

    def account(self):
        answer = self.web.request("GET", f"{self.url}{API}/users/current")
        return answer.json() if answer.status_code == 200 else None


visitors = []


@pytest.fixture(autouse=True)
def nobody_stays(registry):
    yield
    while visitors:
        visitors.pop().web.close()


# -- OpenID Connect


def test_each_tenants_people_come_in_by_its_own_provider_on_its_own_host(registry, tenants, idp_of, provide):
    seen = {}
    for tenant in tenants:
        provide(tenant, **oidc(idp_of(tenant)))
        visitor = Visitor(tenant)
        answer = visitor.log_in("s-anna", "?redirect_url=/harbor/projects")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/harbor/projects")
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(visitor.location).query))
        assert visitor.location.startswith(idp_of(tenant).issuer) and asked["redirect_uri"] == f"{url_of(tenant)}/c/oidc/callback"
        seen[tenant.name] = visitor.account()
        assert seen[tenant.name]["email"] == f"anna@{tenant.name}.example" and seen[tenant.name]["username"] == "anna"
        groups = {g["group_name"] for g in call(tenant.client(auth="basic"), "GET", f"{API}/usergroups?page_size=100").json()}
        assert {"staff", f"{tenant.name}-web"} <= groups
        assert not groups & {f"{other}-web" for other in NAMES if other != tenant.name}
    assert seen["acme"]["user_id"] != seen["globex"]["user_id"]
    offered = requests.get(f"{registry.url}/c/oidc/providers", timeout=30).json()
    assert offered == [], "the main host offers the default tenant's"


def test_a_session_and_a_cookie_of_one_host_are_worth_nothing_on_anothers(tenants, idp_of, provide):
    for tenant in tenants:
        provide(tenant, **oidc(idp_of(tenant)))
    acme, globex = tenants
    visitor = Visitor(acme)
    callback = visitor.begin("s-anna")
    stolen = cookies_of(visitor)
    assert "oidc_login" in stolen
    elsewhere = requests.get(callback.replace(url_of(acme), url_of(globex)), cookies=stolen, allow_redirects=False, timeout=30)
    assert elsewhere.status_code == 412 and "sid" not in elsewhere.cookies, elsewhere.text
    assert visitor.web.request("GET", callback).status_code == 302 and visitor.account()
    inside = cookies_of(visitor)
    assert requests.get(f"{url_of(acme)}{API}/users/current", cookies=inside, timeout=30).status_code == 200
    assert requests.get(f"{url_of(globex)}{API}/users/current", cookies=inside, timeout=30).status_code == 401


def cookies_of(visitor):
    """Without the host that they are of."""
    return {cookie.name: cookie.value for cookie in visitor.web.jar(visitor.url).cookies}


def test_another_tenants_provider_cannot_be_asked_for(tenants, idp_of, provide):
    acme, globex = tenants
    provide(acme, **oidc(idp_of(acme)))
    other = provide(globex, **oidc(idp_of(globex)))
    for query in (f"?provider={other}", f"?tenant_id={globex.id}", f"?provider={other}&tenant_id={globex.id}"):
        assert requests.get(f"{url_of(acme)}/c/oidc/login{query}", allow_redirects=False, timeout=30).status_code == 412
    offered = requests.get(f"{url_of(acme)}/c/oidc/providers?tenant_id={globex.id}", timeout=30)
    assert offered.status_code == 412


def test_one_provider_that_two_tenants_use_makes_two_accounts(tenants, idp_of, provide):
    """The same issuer and subject, and still somebody else."""
    acme, globex = tenants
    idp = idp_of(acme)
    provide(acme, **oidc(idp))
    provide(globex, **oidc(idp))
    visitor = Visitor(acme)
    visitor.log_in("s-anna")
    token = id_token(visitor, idp)
    here = visitor.account()
    for place, expect in ((acme, 200), (globex, 401)):
        answer = requests.get(f"{url_of(place)}{API}/users/current", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        assert answer.status_code == expect, "an account is made by a login, in its own tenant"
    assert here["username"] == "anna"


def id_token(visitor, idp):
    """An id token of its own for our client, as the browser's login gives one: by the code of a second login."""
    answer = visitor.web.request("GET", f"{visitor.url}/c/oidc/login")
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["Location"]).query))
    verifier = "v" * 64
    asked["code_challenge"] = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    again = visitor.web.request("GET", answer.headers["Location"].split("?")[0] + "?" + urllib.parse.urlencode(asked))
    back = visitor.web.follow(again, until=f"{visitor.url}/c/oidc/callback", fill={"login": "s-anna"})
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": asked["redirect_uri"], "code_verifier": verifier}
    got = requests.post(f"{idp.issuer}/token", data=form, auth=("berth", SECRET), timeout=30)
    assert got.status_code == 200, got.text
    return got.json()["id_token"]


def test_whom_a_tenants_provider_calls_an_administrator_is_none_of_the_system(registry, tenants, idp_of, provide):
    acme, globex = tenants
    provide(acme, **oidc(idp_of(acme), admin_group="admins"))
    visitor = Visitor(acme)
    visitor.log_in("s-root")
    assert visitor.account()["username"] == "rootlike"
    jar = visitor.web.jar(url_of(acme))
    get = lambda path: jar.get(f"{url_of(acme)}{path}", timeout=30).status_code  # noqa: E731
    assert get(PROVIDERS) == 200, "he has what is his tenant's"
    assert get(f"{PROVIDERS}?tenant_id={globex.id}") == 403 and get(f"{PROVIDERS}?tenant_id=1") == 403
    assert get(f"{API}/configurations") == 403


def test_logging_out_ends_the_session_there_and_comes_back_to_the_tenants_host(tenants, idp_of, provide):
    acme, globex = tenants
    for tenant in tenants:
        provide(tenant, **oidc(idp_of(tenant), logout=True))
    visitor, other = Visitor(acme), Visitor(globex)
    visitor.log_in("s-anna")
    other.log_in("s-anna")
    answer = visitor.web.request("GET", f"{visitor.url}/c/oidc/logout")
    sent = urllib.parse.urlsplit(answer.headers["Location"])
    asked = dict(urllib.parse.parse_qsl(sent.query))
    assert answer.headers["Location"].startswith(idp_of(acme).issuer) and asked["post_logout_redirect_uri"] == f"{url_of(acme)}/account/sign-in"
    visitor.web.follow(answer, until=f"{visitor.url}/account/sign-in", fill={"logout": "yes"})
    assert visitor.account() is None and other.account()["username"] == "anna"
    assert visitor.web.request("GET", f"{visitor.url}/c/oidc/login").status_code == 302


def test_a_tenants_provider_ends_sessions_of_this_tenant_only(tenants, idp_of, provide):
    """Back-channel logout, told to the host of the tenant; to another's it is a stranger's word."""
    acme, globex = tenants
    for tenant in tenants:
        provide(tenant, **oidc(idp_of(tenant)))
    visitor, other = Visitor(acme), Visitor(globex)
    visitor.log_in("s-anna")
    other.log_in("s-anna")
    answer = visitor.web.request("GET", f"{idp_of(acme).issuer}/session/end")
    visitor.web.follow(answer, fill={"logout": "yes"})
    wait_until(lambda: visitor.account() is None, timeout=15, what="the session being over")
    assert other.account()["username"] == "anna"


@pytest.mark.own_server
def test_where_another_name_is_given_out_no_host_header_leads_elsewhere(make_registry, running):
    need_oidc_provider()
    registry = make_registry(external_url="https://registry.example.org")
    idp = OidcProvider([{"client_id": "berth", "client_secret": SECRET, "redirect_uris": ["https://registry.example.org/c/oidc/callback"]}],
                       people_of("main")).start()
    try:
        acme = registry.tenant("acme")
        for place in (registry, acme):
            body = {"name": "sso", "kind": "oidc", "enabled": True, "settings": oidc(idp)}
            call(place.client(auth="basic"), "POST", PROVIDERS, body, expect=201)

        def sent_back_to(host, **headers):
            answer = requests.get(f"{registry.url}/c/oidc/login", headers={"Host": host, **headers}, allow_redirects=False, timeout=30)
            assert answer.status_code == 302, answer.text
            return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["Location"]).query))["redirect_uri"]

        ours = "https://registry.example.org/c/oidc/callback"
        assert sent_back_to("registry.example.org") == ours
        assert sent_back_to("evil.example") == ours
        assert sent_back_to("acme.registry.example.evil.example") == ours
        assert sent_back_to("registry.example.org", **{"X-Forwarded-Host": "evil.example"}) == ours
        assert sent_back_to("acme.registry.example") == "https://acme.registry.example/c/oidc/callback"
    finally:
        idp.stop()


# -- a directory


def entries(name):
    return [
        ldif(SUFFIX, objectClass=["dcObject", "organization"], o="Example", dc="example"),
        ldif(f"ou=people,{SUFFIX}", objectClass="organizationalUnit", ou="people"),
        ldif(f"ou=groups,{SUFFIX}", objectClass="organizationalUnit", ou="groups"),
        ldif(f"uid=lena,ou=people,{SUFFIX}", objectClass=["inetOrgPerson"], cn="Lena", sn="L", uid="lena", mail=f"lena@{name}.example",
             userPassword=f"secret at {name}"),
        ldif(f"cn={name},ou=groups,{SUFFIX}", objectClass="groupOfNames", cn=name, member=[f"uid=lena,ou=people,{SUFFIX}"]),
    ]


@pytest.fixture
def directory_of(tmp_path):
    need_slapd()
    made = []

    def start(tenant):
        directory = Directory(tmp_path / tenant.name)
        directory.load(*entries(tenant.name))
        made.append(directory.start())
        return directory

    yield start
    for directory in made:
        directory.stop()


def ldap(url, **settings):
    return {"url": url, "base_dn": f"ou=people,{SUFFIX}", "search_dn": ROOT, "search_password": ROOT_PASSWORD, "uid": "uid",
            "group_base_dn": f"ou=groups,{SUFFIX}", "timeout": 2, **settings}


def log_in(place, name, password, expect=200):
    return call(place.client(name, password, auth="basic"), "GET", f"{API}/users/current", expect=expect)


def test_each_tenants_directory_is_asked_for_its_own_people(registry, tenants, directory_of, provide):
    ids = set()
    for tenant in tenants:
        provide(tenant, "ldap", **ldap(directory_of(tenant).url))
    for tenant in tenants:
        account = log_in(tenant, "lena", f"secret at {tenant.name}").json()
        assert account["email"] == f"lena@{tenant.name}.example"
        ids.add(account["user_id"])
        groups = registry.query(f"SELECT g.dn FROM user_group g JOIN account_group m ON m.group_id = g.id WHERE m.account_id = {account['user_id']}"
                                f" AND g.tenant_id = {tenant.id}")
        assert list(groups) == [f"cn={tenant.name},ou=groups,{SUFFIX}"]
    assert len(ids) == 2
    acme, globex = tenants
    log_in(acme, "lena", "secret at globex", expect=401)
    log_in(registry, "lena", "secret at acme", expect=401)
    log_in(registry, "acme/lena", "secret at acme")
    log_in(globex, "acme/lena", "secret at acme", expect=401)


def come_in_by(tenant, directory, name="acme"):
    seen = log_in(tenant, "lena", f"secret at {name}").json()
    assert tenant.query(f"SELECT issuer FROM account WHERE id = {seen['user_id']}") == [directory.url]


@pytest.mark.expect_errors(502)
def test_a_tenants_providers_are_asked_in_its_order(tenants, directory_of, provide):
    """The first that knows the name decides; what cannot be asked is gone past."""
    acme, globex = tenants
    mine, theirs = directory_of(acme), directory_of(globex)
    provide(acme, "ldap", position=2, **ldap(theirs.url))
    provide(acme, "ldap", position=1, **ldap(mine.url))
    log_in(acme, "lena", "secret at globex", expect=401)
    come_in_by(acme, mine)
    mine.stop()
    come_in_by(acme, theirs, "globex")


# -- a lost one


@pytest.mark.own_server
@pytest.mark.settings(HTTP_THREADS_MAX=32, HTTP_TRANSFERS_MAX=4, AUTH_METHODS="providers,local")
@pytest.mark.expect_errors(502, 503)
def test_a_tenant_whose_providers_all_hang_holds_up_no_other(registry, tenants, directory_of, provide):
    """However many ask there: another tenant's people come in, by their directory and by their password, in their usual time."""
    acme, globex = tenants
    anna = make_person(globex.client(auth="basic"))
    provide(globex, "ldap", **ldap(directory_of(globex).url))
    with socket.create_server(("127.0.0.1", 0), backlog=256) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        for _ in range(3):
            provide(acme, "ldap", **ldap(f"ldap://{address}", timeout=5))
        provide(acme, endpoint=f"http://{address}", client_id="berth", client_secret=SECRET)

        def ask(number):
            if number % 3:
                requests.get(f"{registry.url}/service/token", headers={"Host": acme.host}, auth=(f"somebody-{number}", "x"), timeout=120)
            else:
                requests.get(f"{registry.url}/c/oidc/login", headers={"Host": acme.host}, allow_redirects=False, timeout=120)

        stuck = [threading.Thread(target=ask, args=(number,)) for number in range(60)]
        for thread in stuck:
            thread.start()
        wait_until(lambda: registry.threads() >= 16, what="many being stuck")
        for _ in range(3):
            started = time.monotonic()
            answer = requests.get(f"{registry.url}{API}/users/current", headers={"Host": globex.host}, auth=("lena", "secret at globex"), timeout=60)
            assert answer.status_code == 200 and time.monotonic() - started < 3, answer.text
            portal = Browser(globex)
            portal.log_in(anna.name)
            assert time.monotonic() - started < 6
        silent.close()
        for thread in stuck:
            thread.join()
