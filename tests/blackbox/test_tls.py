# SPDX-License-Identifier: Apache-2.0
"""TLS: the registry over HTTPS, versions, and a certificate that is replaced while it runs."""
import socket
import ssl
import subprocess

import pytest

from harness import oci
from harness.client import parse_challenge
from harness.wait import wait_until
from harness.wire import Wire, client_hello, request


@pytest.fixture
def registry(make_registry, authority):
    certificate, key = authority.issue()
    return make_registry(authority=authority, tls_certificate=certificate, tls_key=key)


def handshake(registry, authority, **limits):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    for field, value in limits.items():
        setattr(context, field, value)
    with socket.create_connection(("127.0.0.1", registry.port), 30) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            return secured.version(), secured.getpeercert(), secured.selected_alpn_protocol()


def test_push_and_pull(registry, repo):
    content = oci.image("tls", layers=2, layer_size=300_000)
    repo.push(content, "v1")
    assert repo.get_manifest("v1").content == content.body
    for blob in content.blobs:
        assert repo.get_blob(oci.digest_of(blob)).content == blob
        answer = repo.get_blob(oci.digest_of(blob), expect=206, headers={"Range": "bytes=5-9"})
        assert answer.content == blob[5:10]
    big = oci.random_bytes(20 << 20, "tls")
    for style in ("post-put", "stream", "chunks"):
        repo.push_blob(big[: 3 << 20] + style.encode(), style=style)
    digest = repo.push_blob(big)
    assert repo.get_blob(digest).content == big


def test_realm_is_https(registry, client):
    answer = client.get("/v2/", headers={"Authorization": None}, expect=401)
    assert parse_challenge(answer.headers["WWW-Authenticate"])[1]["realm"] == f"https://127.0.0.1:{registry.port}/service/token"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_versions(registry, authority, version):
    wanted = getattr(ssl.TLSVersion, version)
    assert handshake(registry, authority, minimum_version=wanted, maximum_version=wanted)[0] == version.replace("_", ".")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_old_versions_are_refused(registry, authority):
    with pytest.raises((ssl.SSLError, ConnectionError)):
        handshake(registry, authority, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)


def test_alpn_is_http_1_1(registry, authority):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(("127.0.0.1", registry.port), 30) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as secured:
            assert secured.selected_alpn_protocol() in ("http/1.1", None)


def test_certificate_is_replaced_while_it_runs(registry, authority, repo):
    """SIGHUP: new connections see the new certificate, old ones go on."""
    digest = repo.push_blob(b"before")
    with Wire(registry, tls=authority.certificate) as old:
        serial = handshake(registry, authority)[1]["serialNumber"]
        authority.issue()
        registry.reload()
        wait_until(lambda: handshake(registry, authority)[1]["serialNumber"] != serial, what="the new certificate")
        old.send(request("GET", "/v2/"))
        assert old.answer().status == 401
    assert repo.get_blob(digest).content == b"before"


def test_broken_certificate_at_reload_keeps_the_old(registry, authority, repo):
    certificate, _ = authority.issue()
    digest = repo.push_blob(b"still here")
    good = certificate.read_bytes()
    since = registry.log_size()
    certificate.write_text("no certificate")
    registry.reload()
    wait_until(lambda: registry.log_size() > since, what="a word in the log")
    registry.drop_connections()
    assert repo.get_blob(digest).content == b"still here"
    certificate.write_bytes(good)


def test_key_that_does_not_belong_is_refused_at_start(make_registry, authority):
    certificate, _ = authority.issue("one")
    _, key = authority.issue("two")
    broken = make_registry(start=False, authority=authority, tls_certificate=certificate, tls_key=key)
    broken.spawn()
    assert broken.wait_dead() not in (0, -11, -6)
    assert f"could not load the TLS key {key}: key values mismatch" in broken.log_text()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "OPTIONS"])
def test_plain_http_on_the_tls_port(registry, method):
    """A person who forgot the s is told so, and nothing else."""
    with Wire(registry, timeout=20) as wire:
        wire.send(request(method, "/v2/", body=b"x" * 100_000 if method == "PATCH" else b""))
        answer = wire.error(400)
        assert b"HTTPS" in answer.body
        assert answer.closes
        wire.assert_closed()


def test_handshake_that_stops_is_ended(make_registry, authority):
    certificate, key = authority.issue("slow")
    registry = make_registry(authority=authority, tls_certificate=certificate, tls_key=key, http_head_timeout="1s")
    with Wire(registry) as wire:
        wire.send(client_hello()[:50])
        assert wire.closed_within(20)
    with Wire(registry) as silent:
        assert silent.closed_within(20)


def test_garbage_instead_of_a_handshake(registry, repo):
    for garbage in (b"\x16\x03\x01\xff\xff" + b"\x00" * 100, b"\x00" * 500, b"\x80\x2e\x01\x00\x02" + b"x" * 60):
        with Wire(registry, timeout=20) as wire:
            wire.send(garbage)
            wire.end()
            wire.read_all()
    repo.push_blob(b"alive")


def test_curl_speaks_to_it(registry, authority):
    done = subprocess.run(
        ["curl", "-sS", "--cacert", str(authority.certificate), "-o", "/dev/null", "-w", "%{http_code}", f"{registry.url}/v2/"],
        capture_output=True, text=True, timeout=60,
    )
    assert done.stdout == "401", done.stderr


def test_many_handshakes(registry, authority):
    for _ in range(50):
        assert handshake(registry, authority)[0].startswith("TLSv1.")
