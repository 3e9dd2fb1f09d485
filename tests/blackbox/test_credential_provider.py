# SPDX-License-Identifier: Apache-2.0
"""The kubelet's plugin, spoken to as the kubelet does: a request on standard input, an answer that pulls, and nothing for strangers."""
import json
import subprocess
import time

import pytest

from harness import oci
from harness.issuer import Issuer, b64, kubernetes, part
from harness.registry import binary
from harness.wire import unique

API = "/api/v2.0"
BERTH = "/api/berth/v1"
JSON = {"Content-Type": "application/json"}
VERSION = "credentialprovider.kubelet.k8s.io/v1"


def run(stdin, *arguments, status=0):
    program = binary().resolve().parent / "berth-credential-provider"
    done = subprocess.run([program, *arguments], input=stdin, capture_output=True, timeout=30)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done


def token(**claims):
    return f"{part({'alg': 'RS256', 'kid': 'x'})}.{part({'exp': int(time.time()) + 600, **claims})}.{b64(b'signature')}"


def request(image="registry.example.com/shop/app:v1", **members):
    body = {"kind": "CredentialProviderRequest", "apiVersion": VERSION, "image": image, "serviceAccountToken": token(), **members}
    return json.dumps({name: value for name, value in body.items() if value is not None}).encode()


def test_the_answer_byte_by_byte():
    text = token()
    done = run(request(serviceAccountToken=text), "--registry", "registry.example.com", "--user=me")
    seconds = json.loads(done.stdout)["cacheDuration"]
    assert done.stdout.decode() == (
        f'{{"kind":"CredentialProviderResponse","apiVersion":"{VERSION}","cacheKeyType":"Registry","cacheDuration":"{seconds}",'
        f'"auth":{{"registry.example.com":{{"username":"me","password":"{text}"}}}}}}\n'
    )
    assert done.stderr == b""
    assert 530 <= int(seconds.removesuffix("s")) <= 540  # a minute before the token ends


@pytest.mark.parametrize("left, most", [(30, 0), (-600, 0), (100000, 3600)])
def test_what_the_kubelet_may_keep_ends_before_the_token(left, most):
    text = token(exp=int(time.time()) + left)
    answer = json.loads(run(request(serviceAccountToken=text), "--registry=registry.example.com").stdout)
    assert answer["cacheDuration"] == f"{most}s"


@pytest.mark.parametrize("image, registry", [
    ("registry.example.com/app", "registry.example.com"), ("registry.example.com:5000/a/b@sha256:" + "0" * 64, "registry.example.com:5000"),
    ("localhost/app", "localhost"), ("127.0.0.1:1/app", "127.0.0.1:1"),
])
def test_the_registry_of_an_image(image, registry):
    answer = json.loads(run(request(image), f"--registry={registry}").stdout)
    assert list(answer["auth"]) == [registry]


@pytest.mark.parametrize("image", [
    "evil.example.com/shop/app", "nginx", "shop/app", "registry.example.com.evil.org/app", "registry.example.com:444/app",
    "a.b.example.org/app", "example.org/app", "evil.org/registry.example.com/app",
])
def test_a_token_goes_to_no_other_registry(image):
    done = run(request(image), "--registry=registry.example.com", "--registry=*.example.org", status=1)
    assert done.stdout == b"" and b"--registry" in done.stderr


def test_a_star_stands_for_one_label():
    assert json.loads(run(request("eu.example.org/app"), "--registry=*.example.org").stdout)["auth"]["eu.example.org"]


def test_the_annotation_chooses_the_robot():
    asked = request(serviceAccountAnnotations={"berth.registry/robot": "robot$shop+pull", "other": "x"})
    answer = json.loads(run(asked, "--registry=registry.example.com").stdout)
    assert answer["auth"]["registry.example.com"]["username"] == "robot$shop+pull"


@pytest.mark.parametrize("asked", [
    b"", b"{", b"[]", b"null", b"\xff", b"x" * 300000, request(apiVersion="credentialprovider.kubelet.k8s.io/v2"), request(apiVersion=None),
    request(kind="Pod"), request(image=""), request(image=None), request(serviceAccountToken=None), request(serviceAccountToken="secret"),
    request(serviceAccountToken="a.b.c"), request(serviceAccountToken=7), request(serviceAccountAnnotations={"berth.registry/robot": 7}),
    request(serviceAccountToken=f"{part({})}.{part({})}.x"),
])
def test_requests_that_cannot_be(asked):
    done = run(asked, "--registry=registry.example.com", status=1)
    assert done.stdout == b"" and done.stderr.startswith(b"berth-credential-provider: ")


@pytest.mark.parametrize("arguments", [(), ("--registry",), ("--registry=",), ("--user=x",), ("--nothing",), ("registry.example.com",)])
def test_arguments_that_cannot_be(arguments):
    assert b"usage:" in run(request(), *arguments, status=2).stderr


def test_help_and_version():
    assert b"--registry" in run(b"", "--help").stdout
    assert run(b"", "--version").stdout.startswith(b"berth-credential-provider ")


def test_a_pod_pulls_with_what_it_answers(registry, admin, client, tmp_path):
    cluster = Issuer(tmp_path / "cluster", audience="registry.example.com")
    cluster.close()
    cluster.url = "https://kubernetes.default.svc.cluster.local"
    project = unique("pods")
    admin.request("POST", f"{API}/projects", body=json.dumps({"project_name": project}), headers=JSON, expect=201)
    client.repository(f"{project}/app").push(oci.image("pod"), "v1")
    trusted = {"name": "cluster", "url": cluster.url, "audiences": ["registry.example.com"], "keys": cluster.key_set()}
    issuer = admin.request("POST", f"{BERTH}/issuers", body=json.dumps(trusted), headers=JSON, expect=201).headers["Location"]
    binding = {
        "name": "shop", "conditions": [{"claim": ["kubernetes.io", "namespace"], "matches": "shop-*"}],
        "permissions": [{"kind": "project", "namespace": project, "access": [{"resource": "repository", "action": "pull"}]}],
    }
    admin.request("POST", f"{issuer}/bindings", body=json.dumps(binding), headers=JSON, expect=201)

    image = f"{registry.address}/{project}/app:v1"
    asked = request(image, serviceAccountToken=cluster.token(**kubernetes(namespace="shop-blue")))
    answer = json.loads(run(asked, f"--registry={registry.address}").stdout)
    login = answer["auth"][registry.address]
    pod = registry.client(login["username"], login["password"])
    pod.repository(f"{project}/app").get_manifest("v1", expect=200)
    stranger = cluster.token(**kubernetes(namespace="other"))
    registry.client(login["username"], stranger).fetch_token(expect=401)
