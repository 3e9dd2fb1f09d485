# SPDX-License-Identifier: Apache-2.0
"""Credentials: the challenge, the token service by GET and POST, scopes, and what a token opens."""
import base64
import datetime
import hmac
import json
import re

import pytest
import requests

from harness import oci
from harness.client import codes, parse_challenge
from harness.registry import ADMIN_PASSWORD
from harness.wait import wait_until


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def plain(headers=None):
    """Headers of a request without credentials."""
    return {"Authorization": None, **(headers or {})}


def payload(token):
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


@pytest.fixture
def service(client):
    """POSTs a form to the token service."""
    def post(expect=200, **form):
        realm = client.realm()
        answer = client.session.post(realm["realm"], data={"service": realm["service"], "client_id": "tests", **form}, timeout=60)
        assert answer.status_code == expect, f"{answer.status_code}: {answer.text}"
        assert answer.headers["Content-Type"].startswith("application/json")
        return answer.json()

    return post


# -- the challenge

def test_challenge(client, registry):
    answer = client.get("/v2/", headers=plain(), expect=401)
    header = answer.headers["WWW-Authenticate"]
    scheme, fields = parse_challenge(header)
    assert scheme == "Bearer"
    assert fields["realm"] == f"{registry.url}/service/token"
    assert fields["service"] == "harbor-registry"
    assert re.search(r'realm="[^"]+",service="[^"]+"', header), header
    assert "error" not in fields
    assert codes(answer) == ["UNAUTHORIZED"]


def test_challenge_names_the_scope(client, name):
    for method, path, actions in [
        ("GET", f"/v2/{name}/manifests/v1", {"pull"}),
        ("HEAD", f"/v2/{name}/blobs/{oci.EMPTY_JSON_DIGEST}", {"pull"}),
        ("POST", f"/v2/{name}/blobs/uploads/", {"pull", "push"}),
        ("PUT", f"/v2/{name}/manifests/v1", {"pull", "push"}),
        ("GET", f"/v2/{name}/tags/list", {"pull"}),
    ]:
        answer = client.request(method, path, headers=plain(), expect=401)
        kind, where, allowed = parse_challenge(answer.headers["WWW-Authenticate"])[1]["scope"].split(" ")[0].split(":")
        assert (kind, where) == ("repository", name)
        assert set(allowed.split(",")) == actions, f"{method} {path}"


def test_challenge_of_a_delete(client, name):
    for path in (f"/v2/{name}/manifests/v1", f"/v2/{name}/blobs/{oci.EMPTY_JSON_DIGEST}"):
        answer = client.delete(path, headers=plain(), expect=401)
        scope = parse_challenge(answer.headers["WWW-Authenticate"])[1]["scope"]
        assert scope.startswith(f"repository:{name}:") and "delete" in scope


def test_challenge_of_the_catalog(client):
    answer = client.get("/v2/_catalog", headers=plain(), expect=(200, 401))
    if answer.status_code == 401:
        assert parse_challenge(answer.headers["WWW-Authenticate"])[1]["scope"] == "registry:catalog:*"


def test_realm_follows_the_host_of_the_request(registry):
    """Clients reach the server under several names; the realm must be reachable under the one they used."""
    answer = requests.get(f"http://localhost:{registry.port}/v2/", timeout=30)
    realm = parse_challenge(answer.headers["WWW-Authenticate"])[1]["realm"]
    assert realm == f"http://localhost:{registry.port}/service/token"


# -- GET

def test_get_answer(client, name):
    found = client.fetch_token(f"repository:{name}:pull,push")
    assert found["token"] == found["access_token"]
    assert found["expires_in"] >= 60
    issued = datetime.datetime.fromisoformat(found["issued_at"].replace("Z", "+00:00"))
    assert abs((datetime.datetime.now(datetime.timezone.utc) - issued).total_seconds()) < 600
    assert "refresh_token" not in found


def test_get_with_offline_token(client, service, name):
    found = client.fetch_token(f"repository:{name}:pull", offline_token="true", client_id="docker", account="admin")
    again = service(grant_type="refresh_token", refresh_token=found["refresh_token"], scope=f"repository:{name}:pull")
    client.get(f"/v2/{name}/tags/list", headers=bearer(again["access_token"]), expect=(200, 404))


def test_get_with_wrong_password(client):
    answer = client.fetch_token("repository:a/b:pull", password="wrong", expect=401)
    assert answer["errors"][0]["code"] == "UNAUTHORIZED"


def test_get_with_unknown_user(client):
    client.fetch_token("repository:a/b:pull", username="nobody", password="x", expect=401)


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Basic " + "A" * 5000,
                                    "Digest x", "Bearer", "Bearer x", "basic " + base64.b64encode(b"admin:\xff\xfe").decode()])
def test_garbled_credentials_are_401(client, header):
    realm = client.realm()["realm"]
    answer = client.session.get(realm, headers={"Authorization": header}, timeout=30)
    assert answer.status_code in (400, 401), answer.text
    client.get("/v2/", headers={"Authorization": header}, expect=(400, 401))


def test_scheme_names_ignore_case(client):
    client.get("/v2/", headers={"Authorization": client.basic().replace("Basic", "bAsIc")}, expect=200)
    token = client.fetch_token()["token"]
    client.get("/v2/", headers={"Authorization": f"bearer {token}"}, expect=200)


def test_without_scope(client):
    """docker login asks for no scope: a token that opens /v2/ and nothing else."""
    token = client.fetch_token()["token"]
    client.get("/v2/", headers=bearer(token), expect=200)
    answer = client.get("/v2/tests/x/tags/list", headers=bearer(token), expect=401)
    assert parse_challenge(answer.headers["WWW-Authenticate"])[1]["error"] == "insufficient_scope"


def test_anonymous_token_opens_no_private_repository(anonymous, client, repo):
    repo.push(oci.image("private"), "v1")
    token = anonymous.fetch_token(f"repository:{repo.name}:pull")["token"]
    anonymous.get(f"{repo.base}/manifests/v1", headers=bearer(token), expect=401)


def test_several_scopes(client, repo, other):
    digest = repo.push_blob(b"several")
    token = client.fetch_token(f"repository:{other.name}:pull,push", f"repository:{repo.name}:pull")["token"]
    client.post(f"{other.base}/blobs/uploads/?mount={digest}&from={repo.name}", headers=bearer(token), expect=201)
    client.head(repo.blob_path(digest), headers=bearer(token), expect=200)
    client.post(f"{repo.base}/blobs/uploads/", headers=bearer(token), expect=401)


def test_several_scopes_in_one_parameter(client, repo, other):
    repo.push_blob(b"x")
    other.push_blob(b"x")
    token = client.fetch_token(f"repository:{repo.name}:pull repository:{other.name}:pull")["token"]
    for repository in (repo, other):
        client.get(f"{repository.base}/tags/list", headers=bearer(token), expect=(200, 404))


@pytest.mark.parametrize(
    "scope",
    ["repository:host.example:5000/tests/x:pull,push", "repository(plugin):tests/x:pull", "repository:tests/x:*", "unknown:x:pull",
     "", "a:b:c:d:e", "repository:tests/x:fly,pull", "repository:../../etc:pull"],
)
def test_unknown_and_forbidden_scopes_give_a_token(client, scope):
    """Fewer rights than asked is not an error."""
    assert client.fetch_token(scope)["token"]


@pytest.mark.parametrize("scope", ["nonsense", "repository:tests/x", "repository::pull", ":" * 50, "x" * 5000, "repository:tests/x:"])
def test_malformed_scopes_open_nothing(client, repo, scope):
    repo.push(oci.image("closed"), "v1")
    realm = client.realm()
    answer = client.session.get(realm["realm"], params={"service": realm["service"], "scope": scope}, auth=("admin", ADMIN_PASSWORD), timeout=30)
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        client.get(repo.manifest_path("v1"), headers=bearer(answer.json()["token"]), expect=401)


def test_wildcard_action(client, repo):
    repo.push(oci.image("wildcard"), "v1")
    token = client.fetch_token(f"repository:{repo.name}:*")["token"]
    client.get(f"{repo.base}/manifests/v1", headers=bearer(token), expect=200)
    client.delete(f"{repo.base}/manifests/v1", headers=bearer(token), expect=202)


def test_many_scopes(client):
    """docker build asks for dozens at once."""
    scopes = [f"repository:tests/many{number}:pull,push" for number in range(60)]
    assert client.fetch_token(*scopes)["token"]


def test_unknown_service_is_refused_or_ignored(client):
    realm = client.realm()["realm"]
    answer = client.session.get(realm, params={"service": "other"}, auth=("admin", ADMIN_PASSWORD), timeout=30)
    assert answer.status_code in (200, 400, 401)


# -- POST

def test_password_grant(client, service, repo):
    repo.push(oci.image("grant"), "v1")
    found = service(grant_type="password", username="admin", password=ADMIN_PASSWORD, scope=f"repository:{repo.name}:pull")
    assert found["expires_in"] >= 60 and "scope" in found and "refresh_token" not in found
    client.get(f"{repo.base}/manifests/v1", headers=bearer(found["access_token"]), expect=200)


def test_password_grant_with_several_scopes(client, service, repo, other):
    repo.push(oci.image("g1"), "v1")
    other.push(oci.image("g2"), "v1")
    found = service(
        grant_type="password", username="admin", password=ADMIN_PASSWORD,
        scope=f"repository:{repo.name}:pull repository:{other.name}:pull,push",
    )
    for repository in (repo, other):
        client.get(f"{repository.base}/manifests/v1", headers=bearer(found["access_token"]), expect=200)


def test_offline_access_and_refresh(client, service, repo):
    repo.push(oci.image("offline"), "v1")
    found = service(grant_type="password", username="admin", password=ADMIN_PASSWORD, access_type="offline", scope="")
    for _ in range(2):
        found = {**found, **service(grant_type="refresh_token", refresh_token=found["refresh_token"], scope=f"repository:{repo.name}:pull")}
        client.get(f"{repo.base}/manifests/v1", headers=bearer(found["access_token"]), expect=200)


def test_access_token_is_no_refresh_token_and_the_other_way_round(client, service):
    found = service(grant_type="password", username="admin", password=ADMIN_PASSWORD, access_type="offline")
    service(grant_type="refresh_token", refresh_token=found["access_token"], expect=401)
    client.get("/v2/", headers=bearer(found["refresh_token"]), expect=401)


@pytest.mark.parametrize(
    "form, status",
    [
        ({"grant_type": "password", "username": "admin", "password": "wrong"}, (401,)),
        ({"grant_type": "password", "username": "nobody", "password": "x"}, (401,)),
        ({"grant_type": "password"}, (400, 401)),
        ({"grant_type": "refresh_token", "refresh_token": "garbage"}, (401,)),
        ({"grant_type": "refresh_token"}, (400, 401)),
        ({"grant_type": "unknown"}, (400, 401)),
        ({}, (400, 401)),
    ],
    ids=str,
)
def test_refused_grants(client, form, status):
    realm = client.realm()
    answer = client.session.post(realm["realm"], data={"service": realm["service"], **form}, timeout=30)
    assert answer.status_code in status, answer.text
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.json()["errors"][0]["code"]


def test_post_ignores_unknown_fields(service):
    assert service(grant_type="password", username="admin", password=ADMIN_PASSWORD, whatever="1", scope="repository:a/b:pull")


def test_post_with_odd_bodies(client):
    realm = client.realm()["realm"]
    for kind, body in [("application/json", b'{"grant_type":"password"}'), ("", b""), ("application/x-www-form-urlencoded", b"%%%=&=&"),
                       ("application/x-www-form-urlencoded", b"grant_type=password&username=%00&password=%ff"),
                       ("application/x-www-form-urlencoded", b"a=" + b"x" * 200_000)]:
        answer = client.session.post(realm, data=body, headers={"Content-Type": kind}, timeout=30)
        assert answer.status_code in (400, 401, 405, 411, 413, 415), (kind, answer.status_code)
        assert answer.headers["Content-Type"].startswith("application/json")


def test_post_form_values_are_decoded_as_forms(client, service):
    """In a form + means a blank: scopes are separated by it."""
    realm = client.realm()
    body = (f"grant_type=password&service=harbor-registry&client_id=t&username=admin&password={ADMIN_PASSWORD}"
            "&scope=repository%3Atests%2Fa%3Apull+repository%3Atests%2Fb%3Apull")
    answer = client.session.post(realm["realm"], data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}, timeout=30)
    assert answer.status_code == 200, answer.text


# -- what a token opens

def test_token_limits_actions(client, repo):
    content = oci.image("limits")
    repo.push(content, "v1")
    pull = bearer(client.fetch_token(f"repository:{repo.name}:pull")["token"])
    push = bearer(client.fetch_token(f"repository:{repo.name}:pull,push")["token"])
    client.get(repo.manifest_path("v1"), headers=pull, expect=200)
    for headers, method, path in [
        (pull, "POST", f"{repo.base}/blobs/uploads/"),
        (pull, "PUT", repo.manifest_path("v2")),
        (pull, "DELETE", repo.manifest_path("v1")),
        (push, "DELETE", repo.manifest_path("v1")),
        (push, "DELETE", repo.blob_path(oci.digest_of(content.blobs[0]))),
    ]:
        answer = client.request(method, path, headers=headers, expect=401)
        fields = parse_challenge(answer.headers["WWW-Authenticate"])[1]
        assert fields["error"] == "insufficient_scope", f"{method} {path}: {fields}"
        assert repo.name in fields["scope"]
    assert repo.get_manifest("v1").content == content.body


def test_token_of_another_repository(client, repo, other):
    repo.push(oci.image("mine"), "v1")
    token = bearer(client.fetch_token(f"repository:{other.name}:pull")["token"])
    client.get(repo.manifest_path("v1"), headers=token, expect=401)


def test_token_of_a_name_that_is_a_prefix(client, name):
    inner = client.repository(name + "/inner")
    inner.push(oci.image("inner"), "v1")
    token = bearer(client.fetch_token(f"repository:{name}:pull")["token"])
    client.get(inner.manifest_path("v1"), headers=token, expect=401)


@pytest.mark.parametrize("what", ["garbage", "x.y.z", "", "flipped", "none", "truncated", "other-key", "extra", "huge"])
def test_bad_tokens_are_401_invalid_token(client, repo, what):
    repo.push(oci.image("bad token"), "v1")
    good = client.fetch_token(f"repository:{repo.name}:pull")["token"]
    head, body, signature = good.split(".")

    def encode(document):
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")

    claims = payload(good)
    token = {
        "garbage": "garbage", "x.y.z": "x.y.z", "": "",
        "flipped": f"{head}.{body}.{signature[:10]}{'A' if signature[10] != 'A' else 'B'}{signature[11:]}",
        "none": f"{encode({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "truncated": good[:-10],
        "other-key": f"{head}.{encode({**claims, 'sub': 'somebody'})}.{signature}",
        "extra": good + ".x",
        "huge": "A" * 30_000,
    }[what]
    for path in (repo.manifest_path("v1"), "/v2/"):
        answer = client.get(path, headers=bearer(token), expect=401)
        fields = parse_challenge(answer.headers["WWW-Authenticate"])[1]
        if token:
            assert fields.get("error") == "invalid_token", fields
        assert fields["realm"]


def encoded(part):
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512", "RS256", "PS256", "ES384", "ES256K", "EdDSA", "es256", "none", "None", "", None, 5])
def test_tokens_of_another_algorithm(client, alg):
    """Which algorithm counts is ours to say: not the header's, whatever key it would be checked with."""
    head, body, signature = client.fetch_token()["token"].split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    changed = encoded(json.dumps({**header, "alg": alg}).encode())
    signatures = [signature, ""]
    for key in (b"", header["kid"].encode(), b"harbor-registry", json.dumps(header).encode()):
        signatures.append(encoded(hmac.digest(key, f"{changed}.{body}".encode(), "sha256")))
    for forged in signatures:
        client.get("/v2/", headers=bearer(f"{changed}.{body}.{forged}"), expect=401)


@pytest.mark.parametrize("header", [
    {"jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}}, {"jku": "http://127.0.0.1:1/keys"}, {"x5u": "http://127.0.0.1:1/x"},
    {"crit": ["exp"]}, {"kid": "../../../../dev/null"}, {"kid": ""}, {"kid": None}, {"kid": "' OR 1=1 --"}, {"b64": False, "crit": ["b64"]},
])
def test_tokens_that_bring_their_own_key(client, header):
    head, body, signature = client.fetch_token()["token"].split(".")
    before = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    forged = encoded(json.dumps({**before, **header}).encode())
    client.get("/v2/", headers=bearer(f"{forged}.{body}.{signature}"), expect=401)


@pytest.mark.parametrize("change", [
    {"aud": "other"}, {"aud": ["harbor-registry", "other"]}, {"iss": "harbor-token-issuer"}, {"exp": 9999999999}, {"flg": 1}, {"uid": 1},
    {"access": [{"type": "registry", "name": "catalog", "actions": ["*"]}]}, {"use": "refresh"},
])
def test_claims_that_were_changed(anonymous, client, change):
    head, body, signature = anonymous.fetch_token()["token"].split(".")
    claims = payload(f"{head}.{body}.{signature}")
    forged = encoded(json.dumps({**claims, **change}).encode())
    client.get("/v2/", headers=bearer(f"{head}.{forged}.{signature}"), expect=401)


@pytest.mark.own_server
@pytest.mark.settings(tokens_lifetime="1s")
def test_a_token_ends(client, repo):
    token = client.fetch_token(f"repository:{repo.name}:pull")["token"]
    client.get("/v2/", headers=bearer(token), expect=(200, 401))

    def refused():
        answer = client.get("/v2/", headers=bearer(token), expect=(200, 401))
        return answer.headers.get("WWW-Authenticate")

    assert 'error="invalid_token"' in wait_until(refused)


@pytest.mark.own_server
@pytest.mark.settings(tokens_lifetime="60s")
def test_lifetime_is_an_option(client):
    found = client.fetch_token("repository:a/b:pull")
    assert found["expires_in"] == 60
    claims = payload(found["token"])
    assert claims["exp"] - claims["iat"] == 60


def test_token_outlives_a_restart(make_registry):
    """The signing key is kept: a deploy does not log everybody out."""
    registry = make_registry()
    client = registry.client()
    token = client.fetch_token()["token"]
    registry.restart()
    client.get("/v2/", headers=bearer(token), expect=200)


def test_token_of_another_server(make_registry):
    first, second = make_registry(), make_registry()
    token = first.client().fetch_token()["token"]
    second.client().get("/v2/", headers=bearer(token), expect=401)


# -- Basic directly on /v2/

def test_basic_is_accepted_directly(registry, name):
    client = registry.client(auth="basic")
    repository = client.repository(name)
    content = oci.image("basic")
    repository.push(content, "v1")
    assert repository.get_manifest("v1").content == content.body
    assert name in client.get("/v2/_catalog", params={"n": 1000}, expect=200).json()["repositories"]
    repository.delete_manifest(content.digest)


def test_wrong_basic_on_v2_is_401(registry, name):
    client = registry.client(password="wrong", auth="basic")
    answer = client.get("/v2/", expect=401)
    assert answer.headers["WWW-Authenticate"]
    client.get(f"/v2/{name}/tags/list", expect=401)


def test_password_may_contain_anything(make_registry):
    password = "p:ä ss%wörd+&=\"'\\"
    registry = make_registry(admin_password=password)
    header = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
    client = registry.client()
    client.get("/v2/", headers={"Authorization": header}, expect=200)
    realm = client.realm()
    answer = client.session.post(
        realm["realm"], timeout=30,
        data={"grant_type": "password", "service": realm["service"], "client_id": "t", "username": "admin", "password": password},
    )
    assert answer.status_code == 200, answer.text


def test_admin_password_stays_that_of_the_first_start(make_registry):
    """The option is for the first start; a changed environment must not lock the old password's owner out silently."""
    registry = make_registry()
    registry.client(auth="basic").get("/v2/", expect=200)
    registry.restart()
    registry.client(auth="basic").get("/v2/", expect=200)


def test_passwords_and_tokens_stay_out_of_the_log(make_registry):
    registry = make_registry(log_level="debug")
    client = registry.client()
    repository = client.repository("tests/secret")
    repository.push(oci.image("secret"), "v1")
    found = client.fetch_token("repository:tests/secret:pull", offline_token="true")
    client.get("/v2/", headers={"Authorization": client.basic()}, expect=200)
    text = registry.log_text()
    for secret in (ADMIN_PASSWORD, found["token"], found["refresh_token"], client.basic().split()[1]):
        assert secret not in text
