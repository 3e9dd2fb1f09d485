# SPDX-License-Identifier: Apache-2.0
"""Client certificates in place of a robot's secret: of our own TLS, and of a trusted proxy's header."""
import base64
import ssl
import subprocess
import urllib.parse

import pytest
import requests

from harness import oci
from harness.people import call
from harness.registry import Registry
from harness.tls import ClientAuthority
from harness.wait import wait_until
from harness.wire import unique

API = "/api/v2.0"
BERTH = "/api/berth/v1"
HEADER = "X-Client-Cert"
SPIFFE = "spiffe://acme.example/ns/prod/sa/builder"


@pytest.fixture(scope="module")
def clients(tmp_path_factory):
    return ClientAuthority(tmp_path_factory.mktemp("clients"))


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    return ClientAuthority(tmp_path_factory.mktemp("strangers"))


@pytest.fixture
def tls_registry(make_registry, authority, clients):
    """make(**settings): a server with TLS that asks clients for certificates."""

    def make(**settings):
        certificate, key = authority.issue()
        return make_registry(
            authority=authority, tls_certificate=certificate, tls_key=key, tls_client_ca=clients.certificate, **settings)

    return make


def prepare(registry, conditions, **members):
    """A project with an image, and a binding of certificates that may pull it; (project, path of the binding)."""
    admin = registry.client(auth="basic")
    project = unique("mtls")
    call(admin, "POST", f"{API}/projects", {"project_name": project}, expect=201)
    registry.client().repository(f"{project}/app").push(oci.image("mtls"), "v1")
    binding = {
        "name": unique("binding"), "conditions": conditions,
        "permissions": [{"kind": "project", "namespace": project, "access": [{"resource": "repository", "action": "pull"}]}], **members,
    }
    answer = call(admin, "POST", f"{BERTH}/certificate-bindings", binding, expect=201)
    return project, answer.headers["Location"]


def with_certificate(registry, pair):
    client = registry.anonymous()
    client.session.cert = tuple(map(str, pair))
    return client


def manifest(client, project, expect):
    return client.get(f"/v2/{project}/app/manifests/v1", headers={"Authorization": None}, expect=expect)


def refused(registry, pair):
    """The handshake fails, or the connection ends with it (TLS 1.3 tells the client late)."""
    with pytest.raises((requests.exceptions.ConnectionError, requests.exceptions.SSLError, ssl.SSLError)):
        with_certificate(registry, pair).session.get(registry.url + "/v2/", timeout=10)


def test_a_certificate_stands_for_a_robot(tls_registry, clients, strangers):
    registry = tls_registry()
    project, path = prepare(registry, [{"claim": "uri", "has": SPIFFE}])
    right = clients.client("builder", alternatives=f"URI:{SPIFFE},DNS:builder.acme.example")
    wrong = clients.client("other", alternatives=f"URI:{SPIFFE}2")
    manifest(with_certificate(registry, right), project, 200)
    manifest(with_certificate(registry, wrong), project, 401)
    manifest(registry.anonymous(), project, 401)
    # The token service knows the certificate too, so docker's way works.
    robot = with_certificate(registry, right)
    answer = robot.session.get(f"{registry.url}/service/token?service=harbor-registry&scope=repository:{project}/app:pull,push").json()
    assert answer["scope"] == f"repository:{project}/app:pull"
    # Another proof beside it is what counts.
    robot.get("/v2/", headers={"Authorization": robot_basic("nobody", "wrong")}, expect=401)

    refused(registry, strangers.client("builder", alternatives=f"URI:{SPIFFE}"))
    refused(registry, clients.client("expired", alternatives=f"URI:{SPIFFE}", end="20210101000000Z"))
    refused(registry, clients.client("early", alternatives=f"URI:{SPIFFE}", start="20480101000000Z"))

    admin = registry.client(auth="basic")
    call(admin, "PUT", path, {"enabled": False})
    manifest(with_certificate(registry, right), project, 401)
    call(admin, "PUT", path, {"enabled": True, "conditions": [{"claim": "cn", "equals": "other"}]})
    manifest(with_certificate(registry, right), project, 401)
    manifest(with_certificate(registry, wrong), project, 200)
    assert path.endswith(str(admin.get(path, expect=200).json()["id"]))
    assert len(admin.get(f"{BERTH}/certificate-bindings", expect=200).json()) == 1
    call(admin, "DELETE", path)
    manifest(with_certificate(registry, wrong), project, 401)
    admin.get(path, expect=404)


def robot_basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_the_audit_trail_names_the_certificate(tls_registry, clients):
    registry = tls_registry()
    project, _ = prepare(registry, [{"claim": "uri", "has_match": "spiffe://acme.example/**"}])
    for name, subject, said in (("named", "/O=Acme/CN=named", "CN=named,O=Acme"), ("unnamed", "/", f"{SPIFFE}/unnamed")):
        robot = with_certificate(registry, clients.client(name, subject, alternatives=f"URI:{SPIFFE}/{name}"))
        robot.session.get(f"{registry.url}/service/token?service=harbor-registry&scope=repository:{project}/app:pull")
        query = f"SELECT detail FROM audit_record WHERE operation = 'exchange' AND detail LIKE '%{said}%'"
        [detail] = wait_until(lambda: registry.query(query), what=f"a record of {said}")
        assert "Berth test CA" in detail


def test_a_revoked_certificate_is_refused(tls_registry, clients):
    good, bad = clients.client("good"), clients.client("bad")
    clients.write_crl()
    registry = tls_registry(tls_client_crl=clients.crl)
    project, _ = prepare(registry, [{"claim": "cn", "matches": "{good,bad}"}])
    manifest(with_certificate(registry, good), project, 200)
    manifest(with_certificate(registry, bad), project, 200)
    clients.revoke(bad[0])
    clients.write_crl()
    registry.reload()
    wait_until(lambda: "certificate read again" in registry.log_text(), what="the reload")
    refused(registry, bad)
    manifest(with_certificate(registry, good), project, 200)


def test_a_name_with_a_comma_is_one_name(tls_registry, clients):
    """Names are escaped, so that a common name cannot bring its own organisation along."""
    registry = tls_registry()
    project, _ = prepare(registry, [{"claim": "subject", "matches": "*,O=Acme"}])
    manifest(with_certificate(registry, clients.client("acme", "/O=Acme/CN=x")), project, 200)
    manifest(with_certificate(registry, clients.client("comma", "/O=Evil/CN=x,O=Acme")), project, 401)
    manifest(with_certificate(registry, clients.client("comma2", "/CN=x,O=Acme")), project, 401)


def test_a_browsers_certificate_does_not_count(tls_registry, clients):
    """A browser shows it unasked, for whatever page made it ask."""
    registry = tls_registry()
    project, _ = prepare(registry, [{"claim": "cn", "equals": "browser"}])
    client = with_certificate(registry, clients.client("browser"))
    for header in ({"Origin": "https://evil.example.com"}, {"Sec-Fetch-Site": "cross-site"}):
        client.get(f"/v2/{project}/app/manifests/v1", headers={"Authorization": None, **header}, expect=401)


# -- a proxy that ends TLS


def forms(pair):
    """The three ways in which proxies write a certificate."""
    pem = pair[0].read_text()
    der = subprocess.run(["openssl", "x509", "-in", pair[0], "-outform", "DER"], capture_output=True, check=True, timeout=60).stdout
    text = base64.b64encode(der).decode()
    return {"nginx": urllib.parse.quote(pem, safe=""), "haproxy": text, "rfc9440": f":{text}:"}


def forwarded(registry, project, value, expect):
    registry.anonymous().get(
        f"/v2/{project}/app/manifests/v1", headers={"Authorization": None, HEADER: value}, expect=expect)


@pytest.mark.settings(http_trusted_proxies="127.0.0.1", http_client_certificate_header=HEADER)
def test_a_trusted_proxy_passes_the_certificate_on(registry, clients):
    project, _ = prepare(registry, [{"claim": "cn", "equals": "proxied"}])
    written = forms(clients.client("proxied"))
    for form, value in written.items():
        forwarded(registry, project, value, 200)
    for value in ("", "x", ":", "::", ":!:", "-----BEGIN%20CERTIFICATE-----", written["haproxy"][:-8], written["haproxy"] + "AAAA",
                  base64.b64encode(b"not a certificate").decode(), "A" * 20000):
        forwarded(registry, project, value, (401, 431))
    forwarded(registry, project, forms(clients.client("someone"))["nginx"], 401)
    forwarded(registry, project, forms(clients.client("proxied", end="20210101000000Z"))["rfc9440"], 401)


@pytest.mark.settings(http_trusted_proxies="192.0.2.1", http_client_certificate_header=HEADER)
def test_nobody_else_passes_one_on(registry, clients):
    project, _ = prepare(registry, [{"claim": "cn", "equals": "forged"}])
    for value in forms(clients.client("forged")).values():
        forwarded(registry, project, value, 401)


@pytest.mark.settings(http_trusted_proxies="127.0.0.1")
def test_no_header_is_believed_unless_it_is_named(registry, clients):
    project, _ = prepare(registry, [{"claim": "cn", "equals": "unnamed"}])
    for value in forms(clients.client("unnamed")).values():
        forwarded(registry, project, value, 401)


@pytest.mark.parametrize("settings", [
    {"tls_client_ca": "/tmp/x"}, {"http_client_certificate_header": HEADER},
])
def test_options_that_mean_nothing_alone(tmp_path, settings):
    registry = Registry(tmp_path / "registry", settings=settings)
    try:
        with pytest.raises(AssertionError, match="is set but"):
            registry.start()
    finally:
        registry.destroy()
