# SPDX-License-Identifier: Apache-2.0
"""Hostile bytes in every segment of every path: an error of the specification, and no file outside."""
import itertools

import pytest

from harness import oci, spec
from harness.registry import ADMIN_PASSWORD
from harness.wire import Wire, basic, request

HOSTILE = [
    "..", ".", "%2e%2e", "%2E%2e", "..%2f..", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "%00", "a%00b", "%ff%fe", "%c0%ae%c0%ae", "%c3%28",
    "%", "%2", "%zz", "%u002e", "\\..\\..", "%5c%5c", "a%0d%0ab", "%0a", "%20", "a%20b", "~", "*", "%3f", "%23", "a;b", "$HOME",
    "`id`", "'", "%22", "<x>", "\x7f", "\xe4", "%e2%80%ae", "a" * 4000, "", "con", "sha256:" + "0" * 64, "-", "_",
]
TEMPLATES = [
    ("GET", "/v2/{}/x/manifests/v1"),
    ("GET", "/v2/tests/{}/manifests/v1"),
    ("GET", "/v2/tests/x/manifests/{}"),
    ("HEAD", "/v2/tests/x/manifests/{}"),
    ("GET", "/v2/tests/x/blobs/{}"),
    ("GET", "/v2/tests/x/blobs/sha256:{}"),
    ("DELETE", "/v2/tests/x/blobs/{}"),
    ("DELETE", "/v2/tests/x/manifests/{}"),
    ("POST", "/v2/tests/{}/blobs/uploads/"),
    ("POST", "/v2/{}/x/blobs/uploads/"),
    ("POST", "/v2/tests/x/blobs/uploads/?mount=sha256:{}&from=tests/x"),
    ("POST", "/v2/tests/x/blobs/uploads/?mount=" + oci.EMPTY_JSON_DIGEST + "&from={}"),
    ("POST", "/v2/tests/x/blobs/uploads/?digest={}"),
    ("GET", "/v2/tests/x/blobs/uploads/{}"),
    ("PATCH", "/v2/tests/x/blobs/uploads/{}"),
    ("PUT", "/v2/tests/x/blobs/uploads/{}?digest=" + oci.EMPTY_JSON_DIGEST),
    ("DELETE", "/v2/tests/x/blobs/uploads/{}"),
    ("GET", "/v2/tests/{}/tags/list"),
    ("GET", "/v2/tests/x/tags/list?last={}"),
    ("GET", "/v2/tests/x/tags/list?n={}"),
    ("GET", "/v2/tests/x/referrers/{}"),
    ("GET", "/v2/tests/x/referrers/" + oci.EMPTY_JSON_DIGEST + "?artifactType={}"),
    ("GET", "/v2/_catalog?last={}"),
    ("GET", "/v2/{}"),
    ("GET", "/{}"),
    ("GET", "/service/token?scope={}&service={}"),
    ("GET", "/api/v2.0/projects/{}"),
]


@pytest.mark.parametrize("method, template", TEMPLATES, ids=lambda value: value.replace("/", "|")[:60])
def test_hostile_segments(registry, repo, method, template):
    repo.push_blob(b"so that something exists")
    before = sorted(path for path in registry.root.rglob("*") if "/data/" not in str(path))
    wire = Wire(registry)
    for hostile in HOSTILE:
        path = template.replace("{}", hostile)
        wire.send(request(method, path, {"Authorization": basic("admin", ADMIN_PASSWORD)}))
        answer = wire.answer(head=method == "HEAD")
        assert answer.status < 500, f"{method} {path}: {answer}"
        if answer.status >= 400 and method != "HEAD":
            spec.check_error_body(path if path.startswith("/v2") else "/api", answer.status, answer.header("content-type") or "", answer.body)
        if answer.closes:
            wire.close()
            wire = Wire(registry)
    wire.close()
    after = sorted(path for path in registry.root.rglob("*") if "/data/" not in str(path))
    assert before == after, "files appeared outside the data directory"


def test_every_pair_of_dots_in_a_session(registry, repo):
    """Upload ids become file names: nothing but a UUID may get that far."""
    secret = registry.root / "secret"
    secret.write_text("secret")
    with_dots = ["../" * depth + "secret" for depth in range(1, 8)]
    for text, encode in itertools.product(with_dots, (lambda t: t, lambda t: t.replace("/", "%2f"), lambda t: t.replace(".", "%2e"))):
        with Wire(registry) as wire:
            wire.send(request("GET", f"/v2/{repo.name}/blobs/uploads/{encode(text)}", {"Authorization": basic("admin", ADMIN_PASSWORD)}))
            answer = wire.answer()
            assert answer.status in (400, 404, 405), answer
        with Wire(registry) as wire:
            wire.send(request("DELETE", f"/v2/{repo.name}/blobs/uploads/{encode(text)}", {"Authorization": basic("admin", ADMIN_PASSWORD)}))
            assert wire.answer().status in (400, 404, 405)
    assert secret.read_text() == "secret"


def test_invalid_utf8_in_headers(registry, repo):
    digest = repo.push_blob(b"headers")
    for name in ("Range", "If-None-Match", "Accept", "Content-Type", "User-Agent", "X-Forwarded-For", "Content-Range", "X-Request-Id", "Host"):
        for value in ("\xff\xfe", "\xc3\x28", "a\xe4b", "\x80" * 100):
            with Wire(registry) as wire:
                fields = {"Authorization": basic("admin", ADMIN_PASSWORD), name: value}
                wire.send(request("GET", f"/v2/{repo.name}/blobs/{digest}", fields))
                assert wire.answer().status < 500


def test_every_answer_on_every_path_is_valid_json_or_empty(registry):
    """Methods × paths, without credentials: nothing but 401 and refusals, always in shape."""
    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND"]
    paths = ["/v2/", "/v2/a/b/manifests/v1", "/v2/a/b/blobs/uploads/", "/v2/a/b/tags/list", "/", "/api/v2.0/projects", "/nothing", "*"]
    for method, path in itertools.product(methods, paths):
        with Wire(registry) as wire:
            wire.send(request(method, path))
            answer = wire.answer(head=method == "HEAD")
            assert answer.status < 500 or answer.status == 501, f"{method} {path}: {answer}"
            if answer.status >= 400 and method != "HEAD":
                spec.check_error_body("/api", answer.status, answer.header("content-type") or "", answer.body)
