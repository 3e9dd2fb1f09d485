# SPDX-License-Identifier: Apache-2.0
"""Programs that prove who they are by somebody else's token: which are believed, as whom, for how long, and which never."""
import json
import re
import time
import urllib.parse

import pytest

from harness import oci
from harness.issuer import EXCHANGE, Issuer, Key, b64, github, gitlab, kubernetes, part
from harness.people import call, make_person
from harness.wait import wait_until
from harness.wire import unique

API = "/api/v2.0"
BERTH = "/api/berth/v1"
PULL = {"resource": "repository", "action": "pull"}
PUSH = {"resource": "repository", "action": "push"}


def made_id(answer):
    return int(answer.headers["Location"].rpartition("/")[2])


# Some of these tokens are so wrong that they are passwords like any other.
pytestmark = pytest.mark.settings(auth_name_attempts=0, auth_address_attempts=0)


@pytest.fixture
def project(admin, client):
    name = unique("workload")
    call(admin, "POST", f"{API}/projects", {"project_name": name}, expect=201)
    client.repository(f"{name}/app").push(oci.image("workload"), "v1")
    return name


class Trust:
    """An issuer as the server knows it, and its bindings."""

    def __init__(self, registry, admin, issuer):
        self.registry, self.admin, self.issuer = registry, admin, issuer
        self.path = None

    def add(self, expect=201, **members):
        body = {"name": unique("issuer"), "url": self.issuer.url, "audiences": ["berth"], **members}
        answer = call(self.admin, "POST", f"{BERTH}/issuers", body, expect=expect)
        if expect == 201:
            self.path = answer.headers["Location"]
        return answer

    def bind(self, conditions, project=None, expect=201, access=(PULL,), **members):
        body = {"name": unique("binding"), "conditions": conditions, **members}
        if project:
            body["permissions"] = [{"kind": "project", "namespace": project, "access": list(access)}]
        answer = call(self.admin, "POST", f"{self.path}/bindings", body, expect=expect)
        return made_id(answer) if expect == 201 else answer

    def change(self, **members):
        return call(self.admin, "PUT", self.path, members)

    def login(self, token, user="workload", auth="bearer"):
        return self.registry.client(user, token, auth=auth)

    def refused(self, token, user="workload"):
        self.login(token, user).fetch_token(expect=401)

    def remove(self):
        if self.path:
            call(self.admin, "DELETE", self.path, expect=(200, 404))


@pytest.fixture
def trust(registry, admin, issuer):
    made = Trust(registry, admin, issuer)
    yield made
    made.remove()


@pytest.fixture
def trusted(trust, project):
    """An issuer whose tokens for acme/shop may pull from the project."""
    trust.add()
    trust.bind([{"claim": "repository", "equals": "acme/shop"}], project)
    return trust


def pulls(client, project, expect=200):
    client.repository(f"{project}/app").get_manifest("v1", expect=expect)


# -- who is believed


def test_a_pod_pulls_with_its_service_account_token(trust, project, issuer):
    trust.add(audiences=["https://registry.example.com", "berth"])
    trust.bind([
        {"claim": ["kubernetes.io", "namespace"], "matches": "prod*"},
        {"claim": "sub", "matches": "system:serviceaccount:prod*:puller"},
    ], project)
    pulls(trust.login(issuer.token(aud=["other", "berth"], **kubernetes())), project)
    trust.refused(issuer.token(**kubernetes(namespace="test")))
    trust.refused(issuer.token(**kubernetes(account="other")))


def test_a_cluster_that_cannot_be_reached_has_its_keys_uploaded(trust, project, tmp_path, issuer):
    unreachable = Issuer(tmp_path / "cluster")
    unreachable.close()
    unreachable.url = "https://kubernetes.default.svc.cluster.local"
    trust.add(url=unreachable.url, keys=unreachable.key_set())
    trust.bind([{"claim": "sub", "equals": "system:serviceaccount:prod:puller"}], project)
    pulls(trust.login(unreachable.token(**kubernetes())), project)
    other = Key(tmp_path, "first")
    trust.refused(unreachable.token(key=other, **kubernetes()))
    shown = trust.admin.get(trust.path, expect=200).json()
    assert shown["keys"]["keys"][0]["kid"] == "first"


def test_a_github_job_pushes_where_it_may(trust, project, issuer, registry):
    trust.add()
    trust.bind([
        {"claim": "repository", "equals": "acme/shop"}, {"claim": "ref", "matches": "refs/{heads/main,tags/*}"},
        {"claim": "environment", "equals": "production"},
    ], project, access=(PULL, PUSH))
    job = trust.login(issuer.token(**github(environment="production")))
    job.repository(f"{project}/app").push(oci.image("job"), "v2")
    trust.refused(issuer.token(**github()))  # a claim that is missing never fits
    trust.refused(issuer.token(**github(environment="production", ref="refs/heads/main/x")))
    trust.refused(issuer.token(**github(environment="production", repository="acme/shop2")))
    trust.refused(issuer.token(**github(environment=["production"])))


def test_a_gitlab_job(trust, project, issuer):
    trust.add()
    trust.bind([{"claim": "project_path", "matches": "acme/*"}, {"claim": "ref_protected", "equals": "true"}], project)
    pulls(trust.login(issuer.token(**gitlab()), user="gitlab-ci-token"), project)
    trust.refused(issuer.token(**gitlab(protected=False)))
    trust.refused(issuer.token(**{**gitlab(), "ref_protected": True}))


def test_a_binding_to_a_robot_and_the_robots_name(trust, project, issuer, admin):
    robots = [
        call(admin, "POST", f"{API}/robots", {
            "name": name, "level": "project", "duration": -1,
            "permissions": [{"kind": "project", "namespace": project, "access": [access]}],
        }, expect=201).json()
        for name, access in (("reader", PULL), ("writer", PUSH))
    ]
    trust.add()
    condition = [{"claim": "repository", "equals": "acme/shop"}]
    for robot in robots:
        trust.bind(condition, robot_id=robot["id"])
    token = issuer.token(**github())
    writer = trust.login(token, user=robots[1]["name"])
    writer.repository(f"{project}/app").push(oci.image("writer"), "v3")
    reader = trust.login(token, user="any-name")  # the first that fits
    pulls(reader, project)
    granted = reader.fetch_token(f"repository:{project}/app:pull,push")
    assert granted["scope"] == f"repository:{project}/app:pull"
    trust.refused(token, user=robots[0]["name"] + "x")
    call(admin, "DELETE", f"{API}/robots/{robots[1]['id']}")
    trust.refused(token, user=robots[1]["name"])


@pytest.mark.settings(auth_methods="robot,local,workload")
def test_the_order_of_methods_does_not_matter(trust, project, issuer, admin):
    robot = call(admin, "POST", f"{API}/robots", {
        "name": "late", "level": "project", "duration": -1,
        "permissions": [{"kind": "project", "namespace": project, "access": [PULL]}],
    }, expect=201).json()
    trust.add()
    trust.bind([{"claim": "repository", "equals": "acme/shop"}], robot_id=robot["id"])
    pulls(trust.login(issuer.token(**github()), user=robot["name"]), project)


@pytest.mark.settings(auth_methods="robot,local")
def test_a_method_that_is_not_asked_lets_nobody_in(trusted, issuer):
    trusted.refused(issuer.token(**github()))


@pytest.mark.expect_errors(502)
def test_an_issuer_that_is_gone(trust, project, tmp_path):
    gone = Issuer(tmp_path / "gone")
    gone.close()
    trust.add(url=gone.url)
    trust.bind([{"claim": "repository", "equals": "acme/shop"}], project)
    trust.login(gone.token(**github()), auth="basic").get("/v2/", expect=502)


def test_the_order_of_bindings_counts(trust, project, issuer):
    trust.add()
    condition = [{"claim": "repository", "equals": "acme/shop"}]
    trust.bind(condition, project, position=5)
    trust.bind(condition, project, position=1, access=(PULL, PUSH))
    granted = trust.login(issuer.token(**github())).fetch_token(f"repository:{project}/app:pull,push")
    assert granted["scope"] == f"repository:{project}/app:pull,push"


def test_the_api_takes_the_token_as_password_and_as_bearer(trusted, project, issuer, registry):
    token = issuer.token(**github())
    trusted.login(token, auth="basic").get(f"/v2/{project}/app/manifests/v1", expect=200)
    registry.anonymous().get(f"/v2/{project}/app/manifests/v1", headers={"Authorization": f"Bearer {token}"}, expect=200)


def test_a_new_key_of_the_issuer_is_found(trusted, project, issuer, tmp_path):
    pulls(trusted.login(issuer.token(**github())), project)
    key = Key(tmp_path, "second")
    issuer.keys.append(key)
    try:
        # Asked at most every ten seconds, so the first try may come too soon.
        client = trusted.login(issuer.token(key=key, **github()), auth="basic")
        answer = client.get("/v2/", expect=(200, 401))
        assert answer.status_code == 200 or "/keys" in issuer.asked
    finally:
        issuer.keys.remove(key)


# -- the exchange


def exchange(registry, token, expect=200, **members):
    form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", **members}
    return registry.anonymous().request(
        "POST", "/service/token", headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urllib.parse.urlencode({k: v for k, v in form.items() if v is not None}), expect=expect)


def test_rfc_8693_gives_a_short_lived_token(trust, project, issuer, registry):
    trust.add()
    trust.bind([{"claim": "repository", "equals": "acme/shop"}], project, lifetime_seconds=120)
    answer = exchange(registry, issuer.token(**github()), scope=f"repository:{project}/app:pull,push").json()
    assert answer["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert answer["token_type"] == "Bearer" and answer["expires_in"] == 120
    assert answer["scope"] == f"repository:{project}/app:pull" and "refresh_token" not in answer
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    registry.anonymous().get(f"/v2/{project}/app/manifests/v1", headers=bearer, expect=200)


def test_the_exchange_and_its_record_have_one_id(trust, project, issuer, registry):
    trust.add()
    trust.bind([{"claim": "repository", "equals": "acme/shop"}], project)
    request_id = exchange(registry, issuer.token(**github()), scope=f"repository:{project}/app:pull").headers["X-Request-Id"]
    admin = registry.client(auth="basic")
    found = f"/api/berth/v1/audit/records?q=request_id={request_id}"
    record, = wait_until(lambda: admin.get(found, expect=200).json()["records"], what="the record")
    assert record["operation"] == "exchange" and record["resource_type"] == "token"


def check_refusal(answer, error):
    """RFC 6749 §5.2, and beside it what docker's and containerd's clients read."""
    said = answer.json()
    assert said["error"] == error and said["errors"][0]["message"]
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", said["error_description"])
    assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Pragma"] == "no-cache"
    return said


@pytest.mark.parametrize("members, error, described", [
    ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request", "subject_token_type"),
    ({"subject_token_type": None}, "invalid_request", "subject_token_type"),
    ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request", "requested_token_type"),
    ({"actor_token": "x"}, "invalid_request", "actor_token"),
    ({"subject_token": None}, "invalid_request", "subject_token"),
    ({"subject_token": "a.b.c"}, "invalid_request", "authentication"),
    ({"username": "robot$nobody"}, "invalid_request", "authentication"),
    ({"audience": "somebody-else"}, "invalid_target", "audience"),
    ({"resource": "https://example.com/v2"}, "invalid_target", "resource"),
    ({"grant_type": None}, "invalid_request", "grant_type"),
    ({"grant_type": "client_credentials"}, "unsupported_grant_type", "grant_type"),
])
def test_exchanges_that_cannot_be(trusted, issuer, registry, members, error, described):
    said = check_refusal(exchange(registry, issuer.token(**github()), expect=400, **members), error)
    assert described in said["error_description"]
    assert "WWW-Authenticate" not in exchange(registry, "a.b.c", expect=400).headers


def test_an_exchange_for_this_registry(trusted, project, issuer, registry):
    for meant in ({"audience": "harbor-registry"}, {"audience": registry.url}, {"resource": registry.url + "/v2/"}):
        exchange(registry, issuer.token(**github()), **meant)
    exchange(registry, issuer.token(**github()), expect=400, resource=registry.url + "0/v2/")


def test_the_token_service_refuses_in_both_languages(registry):
    """docker asks its user again when it is told 401, so there it stays."""
    anonymous = registry.anonymous()
    form = {"grant_type": "password", "username": "admin", "password": "wrong", "service": "harbor-registry"}
    said = check_refusal(anonymous.request("POST", "/service/token", body=form, expect=401), "invalid_grant")
    assert said["errors"][0]["code"] == "UNAUTHORIZED"
    form = {"grant_type": "refresh_token", "refresh_token": "x.y.z"}
    check_refusal(anonymous.request("POST", "/service/token", body=form, expect=401), "invalid_grant")
    wrong = registry.client("admin", "wrong", auth="basic")
    for answer in (wrong.get("/service/token?service=harbor-registry", expect=401),
                   wrong.request("POST", "/service/token", body={"grant_type": "password"}, expect=401)):
        check_refusal(answer, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_no_refresh_token_for_a_workload(trusted, project, issuer, registry):
    token = issuer.token(**github())
    assert "refresh_token" not in trusted.login(token).fetch_token(f"repository:{project}/app:pull", offline_token="true")
    assert "refresh_token" not in exchange(registry, token, access_type="offline").json()


def test_a_login_token_is_a_password_for_a_while(trusted, project, issuer, registry):
    answer = call(registry.anonymous(), "POST", f"{BERTH}/token-exchange", {"token": issuer.token(**github())}).json()
    assert answer["expires_in"] == 900
    client = registry.client(answer["username"], answer["password"])
    pulls(client, project)
    assert client.fetch_token()["expires_in"] <= 900
    registry.client("robot$other", answer["password"]).fetch_token(expect=401)
    bearer = {"Authorization": f"Bearer {answer['password']}"}
    registry.anonymous().get(f"/v2/{project}/app/manifests/v1", headers=bearer, expect=401)
    exchange(registry, answer["password"], expect=400)
    trusted.change(enabled=False)
    client.fetch_token(expect=401)


def test_a_login_token_of_nothing(registry, issuer):
    anonymous = registry.anonymous()
    for body in ({}, {"token": ""}, {"token": "x"}, {"token": issuer.token(iss="https://nobody.example.com")}):
        call(anonymous, "POST", f"{BERTH}/token-exchange", body, expect=401)
    call(anonymous, "POST", f"{BERTH}/token-exchange", {"token": 7}, expect=422)


# -- what is never believed


def test_wrong_tokens(trusted, issuer, tmp_path):
    now = int(time.time())
    good = github()
    forged = Key(tmp_path, "first")
    trusted.login(issuer.token(**good)).fetch_token()
    header, payload, signature = issuer.token(**good).split(".")
    wrong = {
        "another audience": issuer.token(aud="somebody-else", **good),
        "no audience": issuer.token(aud=None, **good),
        "an audience that only begins like ours": issuer.token(aud="berth2", **good),
        "expired": issuer.token(exp=now - 120, **good),
        "never expires": issuer.token(exp=None, **good),
        "expiry as text": issuer.token(exp=str(now + 600), **good),
        "not valid yet": issuer.token(nbf=now + 600, **good),
        "issued in the future": issuer.token(iat=now + 600, **good),
        "a forged key of the same name": issuer.token(key=forged, **good),
        "no signature": issuer.token_unsigned(**good),
        "a signature taken away": f"{header}.{payload}.",
        "another payload": f"{header}.{part(issuer.claims(**github(), extra=1))}.{signature}",
        "the public key as a shared secret": issuer.token_of_secret(issuer.keys[0].public_pem(), **good),
        "the modulus as a shared secret": issuer.token_of_secret(issuer.keys[0].modulus, **good),
        "a key in the token": issuer.token(key=forged, header={"jwk": forged.jwk()}, **good),
        "a place of keys in the token": issuer.token(key=forged, header={"jku": "http://127.0.0.1:1/keys"}, **good),
        "a certificate in the token": issuer.token(key=forged, header={"x5c": ["AAAA"]}, **good),
        "an unknown key": issuer.token(header={"kid": "third"}, **good),
        "a critical extension": issuer.token(header={"crit": ["x"], "x": 1}, **good),
        "another algorithm": issuer.token(header={"alg": "RS512"}, **good),
        "another issuer": issuer.token(iss="http://127.0.0.1:1", **good),
        "the issuer with a slash": issuer.token(iss=issuer.url + "/", **good),
    }
    for what, token in wrong.items():
        answer = trusted.login(token, auth="basic").get("/v2/", expect=401)
        assert answer.status_code == 401, what


@pytest.mark.parametrize("claims", [
    {"repository": ["acme/shop"]}, {"repository": {"equals": "acme/shop"}}, {"repository": None}, {"repository": "acme/shop "},
    {"repository": "ACME/shop"}, {"repository": "x\",\"repository\":\"acme/shop"}, {"repository": "acme/shop\n"}, {"repository": True},
])
def test_claims_are_compared_strictly(trusted, issuer, claims):
    trusted.refused(issuer.token(**{**github(), **claims}))


def test_a_claim_said_twice_is_refused(trusted, issuer):
    """Two readers of such a token could see two repositories."""
    key = issuer.keys[0]
    claims = json.dumps(issuer.claims(**github(repository="evil/x")))[:-1] + ',"repository":"acme/shop"}'
    signed = f"{part({'alg': 'RS256', 'kid': key.name})}.{b64(claims.encode())}"
    trusted.refused(f"{signed}.{b64(key.sign(signed.encode()))}")


def test_a_token_that_counts_once(trust, project, issuer, registry):
    trust.add(single_use=True)
    trust.bind([{"claim": "repository", "equals": "acme/shop"}], project)
    token = issuer.token(**github())
    exchange(registry, token)
    exchange(registry, token, expect=400)
    trust.refused(token)
    call(registry.anonymous(), "POST", f"{BERTH}/token-exchange", {"token": token}, expect=401)
    exchange(registry, issuer.token(**{**github(), "jti": "2"}))


def test_a_replayed_token_of_another_registry(trusted, issuer):
    """A job that logs in elsewhere hands its token to that registry: its audience keeps that one out of here."""
    trusted.refused(issuer.token(aud="other-registry.example.com", **github()))


def test_disabled_and_removed_things_end_at_once(trusted, project, issuer, registry, admin):
    client = trusted.login(issuer.token(**github()))
    scope = f"repository:{project}/app:pull"
    bearer = {"Authorization": f"Bearer {client.token(scope)}"}
    path = f"/v2/{project}/app/manifests/v1"
    registry.anonymous().get(path, headers=bearer, expect=200)
    trusted.change(enabled=False)
    registry.anonymous().get(path, headers=bearer, expect=401)
    client.fetch_token(expect=401)
    trusted.change(enabled=True)
    fresh = {"Authorization": f"Bearer {client.fetch_token(scope)['token']}"}
    binding = admin.get(f"{trusted.path}/bindings", expect=200).json()[0]
    call(admin, "PUT", f"{trusted.path}/bindings/{binding['id']}", {"enabled": False})
    registry.anonymous().get(path, headers=fresh, expect=401)
    client.fetch_token(expect=401)
    call(admin, "PUT", f"{trusted.path}/bindings/{binding['id']}", {"enabled": True})
    fresh = {"Authorization": f"Bearer {client.fetch_token(scope)['token']}"}
    call(admin, "DELETE", f"{trusted.path}/bindings/{binding['id']}")
    registry.anonymous().get(path, headers=fresh, expect=401)
    client.fetch_token(expect=401)
    admin.get(f"{trusted.path}/bindings/{binding['id']}", expect=404)


@pytest.mark.settings(auth_name_attempts=3, auth_address_attempts=0)
def test_a_wrong_token_is_no_guess(trusted, project, issuer):
    """One pod with an old token would lock out all others of its node, and nobody guesses a signature."""
    for _ in range(6):
        trusted.login(issuer.token(exp=int(time.time()) - 3600, **github()), auth="basic").get("/v2/", expect=401)
    pulls(trusted.login(issuer.token(**github())), project)


# -- an issuer that does not behave


@pytest.mark.expect_errors(502)
def test_an_issuer_that_lies(trust, project, tmp_path):
    liar = Issuer(tmp_path / "liar")
    try:
        trust.add(url=liar.url)
        trust.bind([{"claim": "repository", "equals": "acme/shop"}], project)
        liar.tamper = lambda path, document: {**document, "issuer": "https://other.example.com"} if "openid" in path else document
        client = trust.login(liar.token(iss=liar.url, **github()), auth="basic")
        client.get("/v2/", expect=502)
    finally:
        liar.close()


@pytest.mark.expect_errors(502)
def test_an_issuer_that_sends_nonsense(trust, project, tmp_path):
    liar = Issuer(tmp_path / "liar")
    try:
        trust.add(url=liar.url)
        trust.bind([{"claim": "repository", "equals": "acme/shop"}], project)
        liar.tamper = lambda path, document: b"x" * 100 if path == "/keys" else document
        trust.login(liar.token(**github()), auth="basic").get("/v2/", expect=502)
    finally:
        liar.close()


@pytest.mark.slow
@pytest.mark.expect_errors(502, 503)
def test_an_issuer_that_hangs_stops_nobody_else(trust, project, issuer, tmp_path, registry, admin):
    hanging = Issuer(tmp_path / "hanging")
    try:
        hanging.hold()
        trust.add(url=hanging.url)
        trust.bind([{"claim": "repository", "equals": "acme/shop"}], project)
        began = time.monotonic()
        trust.login(hanging.token(**github()), auth="basic").get("/v2/", expect=(502, 503))
        assert time.monotonic() - began < 15
        began = time.monotonic()
        trust.login(hanging.token(**github()), auth="basic").get("/v2/", expect=(502, 503))
        assert time.monotonic() - began < 2  # it is not asked again at once
        admin.get("/v2/", expect=200)
    finally:
        hanging.close()


# -- configuration


@pytest.mark.parametrize("change", [
    {"name": "Upper"}, {"name": ""}, {"url": ""}, {"url": "http://issuer.example.com"}, {"audiences": []}, {"audiences": [""]},
    {"audiences": ["x"] * 17}, {"keys": {"keys": []}}, {"keys": {"keys": [{"kty": "oct", "k": "AAAA"}]}},
])
def test_issuers_that_cannot_be(trust, change):
    trust.add(expect=400, **change)


def test_an_issuer_is_shown_changed_and_there_once(trust, admin, issuer):
    trust.add()
    shown = admin.get(trust.path, expect=200).json()
    assert shown["url"] == issuer.url and shown["audiences"] == ["berth"] and shown["enabled"] and not shown["single_use"]
    assert shown["id"] in [i["id"] for i in admin.get(f"{BERTH}/issuers?page_size=100", expect=200).json()]
    Trust(trust.registry, admin, issuer).add(expect=409)
    changed = call(admin, "PUT", trust.path, {"audiences": ["a", "b"], "single_use": True}).json()
    assert changed["audiences"] == ["a", "b"] and changed["single_use"] and changed["url"] == issuer.url
    call(admin, "PUT", trust.path, {"name": "other"}, expect=400)
    call(admin, "PUT", trust.path, {"audiences": "a"}, expect=422)
    call(admin, "DELETE", trust.path)
    admin.get(trust.path, expect=404)
    call(admin, "DELETE", trust.path, expect=404)


@pytest.mark.parametrize("change", [
    {"conditions": []}, {"conditions": [{"claim": "sub", "matches": "**"}]}, {"conditions": [{"claim": "sub"}]},
    {"conditions": [{"claim": "sub", "matches": "["}]}, {"name": "A B"}, {"lifetime_seconds": 59}, {"lifetime_seconds": 43201},
    {"permissions": []}, {"permissions": None}, {"robot_id": 999999, "permissions": None}, {"robot_id": 1},
    {"permissions": [{"kind": "project", "namespace": "x", "access": [{"resource": "nothing", "action": "pull"}]}]},
])
def test_bindings_that_cannot_be(trust, project, change):
    trust.add()
    body = {
        "name": "b", "conditions": [{"claim": "sub", "equals": "x"}],
        "permissions": [{"kind": "project", "namespace": project, "access": [PULL]}], **change,
    }
    call(trust.admin, "POST", f"{trust.path}/bindings", body, expect=400)


def test_a_bindings_own_robot_is_nobody_elses(trusted, project, admin):
    binding = admin.get(f"{trusted.path}/bindings", expect=200).json()[0]
    assert binding["permissions"][0]["namespace"] == project and "/" in binding["robot"]
    admin.get(f"{API}/robots/{binding['robot_id']}", expect=404)
    assert binding["robot"] not in [r["name"] for r in admin.get(f"{API}/robots?page_size=100", expect=200).json()]
    call(admin, "PATCH", f"{API}/robots/{binding['robot_id']}", {}, expect=404)
    other = {"name": "again", "conditions": binding["conditions"], "robot_id": binding["robot_id"]}
    call(admin, "POST", f"{trusted.path}/bindings", other, expect=400)


def test_a_bindings_permissions_can_be_changed(trusted, project, issuer, admin):
    binding = admin.get(f"{trusted.path}/bindings", expect=200).json()[0]
    path = f"{trusted.path}/bindings/{binding['id']}"
    permissions = [{"kind": "project", "namespace": project, "access": [PULL, PUSH]}]
    changed = call(admin, "PUT", path, {"permissions": permissions}).json()
    assert {a["action"] for a in changed["permissions"][0]["access"]} == {"pull", "push"}
    granted = trusted.login(issuer.token(**github())).fetch_token(f"repository:{project}/app:pull,push")
    assert granted["scope"].endswith("pull,push")
    call(admin, "PUT", path, {"name": "other"}, expect=400)
    call(admin, "PUT", path, {"robot_id": 1}, expect=400)
    assert admin.get(path, expect=200).json()["name"] == binding["name"]


def test_nobody_else_configures_whom_we_trust(admin, trust, anonymous):
    person = make_person(admin)
    trust.add()
    for method, path in (("GET", f"{BERTH}/issuers"), ("POST", f"{BERTH}/issuers"), ("GET", trust.path), ("PUT", trust.path),
                         ("DELETE", trust.path), ("GET", f"{trust.path}/bindings"), ("POST", f"{trust.path}/bindings"),
                         ("GET", f"{BERTH}/certificate-bindings"), ("POST", f"{BERTH}/certificate-bindings")):
        call(anonymous, method, path, None if method == "GET" else {}, expect=401)
        call(person.client, method, path, None if method == "GET" else {}, expect=403)


def test_a_tenants_administrator_binds_no_more_than_he_holds(registry, admin, trust, project, issuer):
    """Whoever says whose tokens stand for a robot can become it; so he must hold what it holds."""
    person = make_person(admin)
    registry.execute(f"UPDATE account SET is_tenant_admin = 1, epoch = epoch + 1 WHERE id = {person.id}")
    restless = {"resource": "scan-all", "action": "create"}
    robot = call(admin, "POST", f"{API}/robots", {
        "name": unique("strong"), "level": "system", "duration": -1,
        "permissions": [{"kind": "system", "namespace": "/", "access": [restless]}],
    }, expect=201).json()
    trust.add()
    binding = {"name": "b", "conditions": [{"claim": "sub", "equals": "x"}], "robot_id": robot["id"]}
    wait_until(lambda: person.client.get(f"{BERTH}/issuers").status_code == 200, what="the new rights", timeout=15)
    call(person.client, "POST", f"{trust.path}/bindings", binding, expect=403)
    call(person.client, "PATCH", f"{API}/robots/{robot['id']}", {}, expect=403)
    call(person.client, "POST", f"{BERTH}/robots/{robot['id']}/secrets", {}, expect=403)
    call(admin, "POST", f"{trust.path}/bindings", binding, expect=201)
    call(person.client, "PUT", trust.path, {"keys": issuer.key_set()}, expect=403)
    call(person.client, "PUT", f"{trust.path}/bindings/{made_id(call(admin, 'POST', f'{trust.path}/bindings', {**binding, 'name': 'c'}, 201))}",
         {"conditions": [{"claim": "sub", "equals": "me"}]}, expect=403)
    own = {"name": "own", "conditions": [{"claim": "sub", "equals": "x"}],
           "permissions": [{"kind": "project", "namespace": project, "access": [PULL]}]}
    call(person.client, "POST", f"{trust.path}/bindings", own, expect=201)


@pytest.mark.parametrize("subject", [None, "", "ä" * 600])
def test_an_odd_subject_is_recorded_as_far_as_it_goes(trusted, project, issuer, registry, subject):
    trusted.login(issuer.token(**{**github(), "sub": subject})).fetch_token(f"repository:{project}/app:pull")
    said = ("ä" * 256 + '"') if subject else "(no subject)"
    query = f"SELECT detail FROM audit_record WHERE operation = 'exchange' AND detail LIKE '%{said}%'"
    assert wait_until(lambda: registry.query(query), what="a record of the exchange")


def test_the_audit_trail_says_who_vouched_and_for_whom(trusted, project, issuer, registry):
    subject = f"repo:acme/shop:ref:refs/heads/{unique('branch')}"
    trusted.login(issuer.token(**{**github(), "sub": subject})).fetch_token(f"repository:{project}/app:pull")
    query = f"SELECT detail FROM audit_record WHERE operation = 'exchange' AND detail LIKE '%{subject}%'"
    [detail] = wait_until(lambda: registry.query(query), what="a record of the exchange")
    assert issuer.url in detail
