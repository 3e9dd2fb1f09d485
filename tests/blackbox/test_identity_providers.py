# SPDX-License-Identifier: Apache-2.0
"""Identity providers as configured: several in an order and per tenant, secrets never given back, bad ones refused."""
import http.server
import itertools
import json
import threading

import pytest

from harness.people import PASSWORD, make_person

BASE = "/api/berth/v1/identity-providers"
numbers = itertools.count(1)

KEYSTONE = {"url": "https://keystone.example.com/v3", "roles": [{"keystone_role": "member", "project": "{project}", "role": "developer"}]}
OIDC = {"endpoint": "https://login.example.com", "client_id": "berth", "client_secret": "very-secret-words", "scope": "openid,email"}


def call(client, method, path, body=None, expect=200, **options):
    headers = {"Authorization": client.basic() if client.username else None, "Content-Type": "application/json"}
    return client.request(method, path, headers=headers, body=None if body is None else json.dumps(body), expect=expect, **options)


@pytest.fixture
def make(client):
    made = []

    def create(kind="keystone", settings=KEYSTONE, tenant=1, expect=201, **members):
        body = {"name": f"provider-{next(numbers)}", "kind": kind, "settings": settings, **members}
        answer = call(client, "POST", f"{BASE}?tenant_id={tenant}", body, expect=expect)
        if answer.status_code == 201:
            made.append((answer.headers["Location"].split("?")[0], tenant))
            return made[-1][0]
        return answer

    yield create
    for path, tenant in made:
        call(client, "DELETE", f"{path}?tenant_id={tenant}", expect=(200, 404))


def names(client, tenant=1):
    return [p["name"] for p in call(client, "GET", f"{BASE}?tenant_id={tenant}").json()]


def test_several_in_their_order_and_a_tenants_own(registry, client, make):
    acme = registry.tenant("acme")
    make(name="third", position=30)
    make(name="first", position=10, kind="oidc", settings=OIDC, enabled=True)
    make(name="second", position=20)
    make(name="first", tenant=acme.id)
    assert names(client) == ["first", "second", "third"]
    assert names(client, tenant=acme.id) == ["first"]
    make(name="first", expect=409)


def test_what_is_read_back(client, make):
    path = make("oidc", OIDC, enabled=True, name="corporate")
    seen = call(client, "GET", path).json()
    assert seen["enabled"] is True and seen["kind"] == "oidc" and seen["tenant_id"] == 1
    assert seen["settings"]["endpoint"] == OIDC["endpoint"]
    assert seen["settings"]["verify_cert"] is True
    assert "client_secret" not in seen["settings"] and "very-secret-words" not in json.dumps(seen)
    changed = call(client, "PUT", path, {"settings": {"auto_onboard": True}, "position": 3}).json()
    assert changed["settings"]["auto_onboard"] is True and changed["position"] == 3
    assert changed["name"] == "corporate" and changed["settings"]["client_id"] == "berth"
    call(client, "DELETE", path)
    call(client, "GET", path, expect=404)
    call(client, "PUT", path, {}, expect=404)
    call(client, "DELETE", path, expect=404)


def test_another_tenants_provider_is_not_there(registry, client, make):
    acme = registry.tenant("acme")
    path = make(tenant=acme.id)
    call(client, "GET", path, expect=404)
    call(client, "GET", f"{path}?tenant_id={acme.id}")
    call(acme.admin, "GET", path)


def test_a_tenant_that_is_none_has_no_providers(client, make):
    assert make(tenant=999999, expect=404).json()["errors"][0]["code"] == "NOT_FOUND"
    call(client, "GET", f"{BASE}?tenant_id=999999", expect=404)


def test_a_tenants_administrator_has_his_tenants_providers_and_no_others(registry, client, make):
    acme, globex = registry.tenant("acme"), registry.tenant("globex")
    there, ours = make(tenant=globex.id), make()
    chief = make_person(acme.admin)
    registry.execute(f"UPDATE account SET is_tenant_admin = 1, epoch = epoch + 1 WHERE id = {chief.id}")
    his = acme.client(chief.name, PASSWORD, auth="basic")
    body = {"name": "his", "kind": "keystone", "settings": KEYSTONE}
    path = call(his, "POST", BASE, body, expect=201).headers["Location"]
    assert call(his, "GET", path).json()["tenant_id"] == acme.id
    call(his, "PUT", path, {"position": 4})
    for other in (f"{there}?tenant_id={globex.id}", f"{ours}?tenant_id=1"):
        for method, changed in (("GET", None), ("PUT", {"enabled": True}), ("DELETE", None)):
            call(his, method, other, changed, expect=403)
    call(his, "POST", f"{BASE}?tenant_id={globex.id}", body, expect=403)
    call(his, "POST", f"{BASE}?tenant_id=1", body, expect=403)
    call(his, "DELETE", path)
    somebody = make_person(acme.admin)
    call(acme.client(somebody.name, PASSWORD, auth="basic"), "GET", BASE, expect=403)


def test_providers_of_the_default_tenant_are_the_systems_administrators(registry, client, admin, make):
    """Whom one of them calls an administrator is one of the whole system."""
    path = make("oidc", OIDC)
    chief = make_person(admin)
    registry.execute(f"UPDATE account SET is_tenant_admin = 1, epoch = epoch + 1 WHERE id = {chief.id}")
    his = registry.client(chief.name, PASSWORD, auth="basic")
    call(his, "PUT", path, {"settings": {"admin_group": "mine"}}, expect=403)
    call(his, "POST", BASE, {"name": "his", "kind": "keystone", "settings": KEYSTONE}, expect=403)
    call(his, "GET", BASE, expect=403)
    assert call(client, "GET", path).json()["settings"]["admin_group"] == ""


def test_secrets_do_not_lie_in_the_database(registry, make):
    make("oidc", OIDC)
    if registry.database is None:
        content = b"".join(path.read_bytes() for path in registry.data.glob("berth.sqlite*"))
        assert b"login.example.com" in content and b"very-secret-words" not in content


@pytest.mark.parametrize("body", [
    {},
    [],
    {"name": "x"},
    {"name": "x", "kind": "kerberos"},
    {"name": "x", "kind": 7},
    {"name": "", "kind": "oidc"},
    {"kind": "oidc"},
    {"name": "x", "kind": "oidc", "enabled": True},
    {"name": "x", "kind": "oidc", "settings": {"endpoint": "http://login.example.com"}},
    {"name": "x", "kind": "oidc", "settings": {"endpoint": "file:///etc/passwd"}},
    {"name": "x", "kind": "oidc", "settings": {"endpoint": "https://user:pw@login.example.com"}},
    {"name": "x", "kind": "oidc", "settings": {"group_filter": "("}},
    {"name": "x", "kind": "oidc", "settings": {"url": "https://ldap.example.com"}},
    {"name": "x", "kind": "oidc", "settings": []},
    {"name": "x", "kind": "keystone", "settings": {"roles": [{"role": "king"}]}},
    {"name": "x", "kind": "keystone", "settings": {"timeout": -1}},
    {"name": "x", "kind": "keystone", "settings": {"timeout": "5"}},
    {"name": "x", "kind": "ldap", "settings": {"scope": 3}},
    {"name": "x", "kind": "ldap", "enabled": "yes"},
])
def test_bad_ones_are_refused_and_change_nothing(client, body):
    before = names(client)
    call(client, "POST", BASE, body, expect=(400, 422))
    assert names(client) == before


def test_only_administrators(client, anonymous, make):
    path = make()
    for method, where in (("GET", BASE), ("POST", BASE), ("GET", path), ("PUT", path), ("DELETE", path)):
        call(anonymous, method, where, {} if method in ("POST", "PUT") else None, expect=401)


class Discovery(http.server.BaseHTTPRequestHandler):
    keys = {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}

    def do_GET(self):
        base = f"http://127.0.0.1:{self.server.server_port}"
        pages = {
            "/.well-known/openid-configuration": {"issuer": base, "jwks_uri": f"{base}/keys"},
            "/other/.well-known/openid-configuration": {"issuer": base, "jwks_uri": f"{base}/keys"},
            "/keys": self.keys,
        }
        body = json.dumps(pages.get(self.path, {})).encode()
        self.send_response(200 if self.path in pages else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def discovery():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Discovery)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_ping_an_oidc_endpoint(client, anonymous, discovery):
    path = "/api/v2.0/system/oidc/ping"
    call(client, "POST", path, {"url": discovery, "verify_cert": True})
    for bad in (
        discovery + "/", discovery + "/other", discovery + "/none", "http://127.0.0.1:1", "https://127.0.0.1:1",
        "http://login.invalid", "file:///etc/passwd", "", "x",
    ):
        call(client, "POST", path, {"url": bad, "verify_cert": False}, expect=400)
    call(client, "POST", path, {"url": 7}, expect=(400, 422))
    call(client, "POST", path, [], expect=400)
    call(anonymous, "POST", path, {"url": discovery}, expect=401)
