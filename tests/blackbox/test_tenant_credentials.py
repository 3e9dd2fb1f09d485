# SPDX-License-Identifier: Apache-2.0
"""Credentials that several tenants could know: on a tenant's host only its own count, elsewhere the default tenant's, else what is clear."""
import base64
import json
import urllib.parse

import pytest

from harness.issuer import EXCHANGE, github
from harness.people import call
from harness.wire import unique

API = "/api/v2.0"
BERTH = "/api/berth/v1"
SECRET = "The-Same-Secret-1"
PULL = [{"kind": "project", "namespace": "*", "access": [{"resource": "repository", "action": "pull"}]}]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

# Some of these tokens are wrong on purpose, one after another.
pytestmark = pytest.mark.settings(auth_name_attempts=0, auth_address_attempts=0, outbound_tenants_allow="127.0.0.1")


@pytest.fixture
def places(registry):
    """Two tenants, and the default one as the main host shows it."""
    return registry.tenant("acme"), registry.tenant("globex"), registry


def administrator(place):
    return place.client(auth="basic")


def who(place, name, secret):
    """The id of the robot that these credentials are, by the token that they give; None when they are nobody's."""
    answer = place.anonymous().session.get(
        f"{place.url}/service/token?service=harbor-registry", auth=(name, secret), timeout=60)
    return subject(answer)


def subject(answer):
    if answer.status_code != 200:
        assert answer.status_code in (400, 401), answer.text
        return None
    claims = answer.json()["token"].split(".")[1]
    found = json.loads(base64.urlsafe_b64decode(claims + "=="))
    return found["tid"], found["uid"]


# -- robots


def robot(place, name, secret=None):
    wanted = {"name": name, "level": "system", "duration": -1, "permissions": PULL}
    made = call(administrator(place), "POST", f"{API}/robots", wanted, expect=201).json()
    if secret:
        call(administrator(place), "PATCH", f"{API}/robots/{made['id']}", {"secret": secret})
    return made


def test_a_secret_that_robots_of_two_tenants_share_is_neithers_on_the_main_host(places):
    acme, globex, main = places
    name = unique("twin")
    first, second = robot(acme, name, SECRET), robot(globex, name, SECRET)
    full = first["name"]
    assert full == second["name"]
    assert who(acme, full, SECRET) == (acme.id, first["id"])
    assert who(globex, full, SECRET) == (globex.id, second["id"])
    assert who(main, full, SECRET) is None
    assert who(main, f"acme/{full}", SECRET) == (acme.id, first["id"])
    assert who(main, f"globex/{full}", SECRET) == (globex.id, second["id"])
    ours = robot(main, name, SECRET)
    assert who(main, full, SECRET) == (1, ours["id"]), "the default tenant's goes before"
    assert who(acme, full, SECRET) == (acme.id, first["id"])


def test_a_secret_of_ones_own_is_not_clouded_by_a_robot_of_the_same_name(places):
    acme, globex, main = places
    name = unique("twin")
    first, second = robot(acme, name), robot(globex, name)
    assert who(main, first["name"], first["secret"]) == (acme.id, first["id"])
    assert who(main, first["name"], second["secret"]) == (globex.id, second["id"])
    assert who(globex, first["name"], first["secret"]) is None


# -- workload identity


@pytest.fixture
def trusted(places, issuer):
    """trusted(place): it believes the issuer from now on, and its binding names a robot of its own. Gives the path and that robot's place."""
    made = []

    def trust(place, conditions=({"claim": "repository", "equals": "acme/shop"},), **members):
        admin = administrator(place)
        body = {"name": unique("issuer"), "url": issuer.url, "audiences": ["berth"], **members}
        path = call(admin, "POST", f"{BERTH}/issuers", body, expect=201).headers["Location"].split("?")[0]
        made.append((place, path))
        mine = robot(place, unique("bound"))
        bound = {"name": unique("binding"), "conditions": list(conditions), "robot_id": mine["id"]}
        call(admin, "POST", f"{path}/bindings", bound, expect=201)
        return getattr(place, "id", 1), mine["id"]

    yield trust
    for place, path in made:
        call(administrator(place), "DELETE", path)


def by_password(place, token, name="workload"):
    return who(place, name, token)


def by_exchange(place, token, name=None):
    form = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}
    form.update({"username": name} if name else {})
    answer = place.anonymous().request(
        "POST", "/service/token", headers=FORM, body=urllib.parse.urlencode(form), expect=(200, 400))
    return subject(answer)


WAYS = pytest.mark.parametrize("identify", [by_password, by_exchange])


@WAYS
def test_a_token_that_two_tenants_believe_is_each_ones_on_its_own_host(places, trusted, issuer, identify):
    acme, globex, main = places
    first, second = trusted(acme), trusted(globex)
    token = issuer.token(**github())
    assert identify(acme, token) == first and identify(globex, token) == second
    assert identify(main, token) is None, "nobody said whose"
    ours = trusted(main)
    assert identify(main, token) == ours and identify(acme, token) == first


@WAYS
def test_a_token_that_only_one_tenant_has_a_use_for_needs_no_host(places, trusted, issuer, identify):
    acme, globex, main = places
    first = trusted(acme)
    trusted(globex, conditions=[{"claim": "repository", "equals": "other/thing"}])
    token = issuer.token(**github())
    assert identify(main, token) == first
    assert identify(globex, token) is None


@WAYS
def test_a_name_with_its_tenant_says_which(places, trusted, issuer, registry, identify):
    acme, globex, main = places
    first, second = trusted(acme), trusted(globex)
    token = issuer.token(**github())
    named = {place: call(administrator(place), "GET", f"{API}/robots/{made[1]}").json()["name"] for place, made in ((acme, first), (globex, second))}
    assert identify(main, token, f"acme/{named[acme]}") == first
    assert identify(main, token, f"globex/{named[globex]}") == second
    assert identify(main, token, named[acme]) == first, "only one robot has the name"
    assert identify(main, token, f"acme/{named[globex]}") is None
    # On another tenant's host that is no robot's name: any name will do for a password, none for an exchange.
    assert identify(globex, token, f"acme/{named[acme]}") == (second if identify is by_password else None)


def test_a_token_that_counts_once_is_not_used_up_where_nobody_comes_in(places, trusted, issuer):
    acme, globex, main = places
    first = trusted(acme, single_use=True)
    trusted(globex, single_use=True)
    token = issuer.token(**github())
    assert by_exchange(main, token) is None
    assert by_exchange(acme, token) == first
    assert by_exchange(acme, token) is None


def test_a_login_token_by_our_own_api_is_the_hosts_tenants(places, trusted, issuer):
    acme, globex, main = places
    first = trusted(acme)
    second = trusted(globex)
    token = issuer.token(**github())
    got = {}
    for place in (acme, globex):
        got[place] = call(place.anonymous(), "POST", f"{BERTH}/token-exchange", {"token": token}).json()
        assert who(place, got[place]["username"], got[place]["password"]) == (first if place is acme else second)
    call(main.anonymous(), "POST", f"{BERTH}/token-exchange", {"token": token}, expect=401)
    assert who(globex, got[acme]["username"], got[acme]["password"]) is None
