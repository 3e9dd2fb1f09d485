# SPDX-License-Identifier: Apache-2.0
"""Where a tenant's servers may be: nothing that its administrator names leads into the operator's network; and names that nobody resolves."""
import socket
import threading
import urllib.parse

import pytest

from harness import oci
from harness.dns import Counter, NameServer, need_own_mounts
from harness.issuer import github
from harness.people import API, PASSWORD, call, make_person
from harness.registry import binary
from harness.wait import wait_until
from harness.wire import unique

BERTH = "/api/berth/v1"
PROVIDERS = f"{BERTH}/identity-providers"
REFUSED = "is not an address that a tenant's server may have"
TOLD = "a tenant's server is at no address that outbound.tenants_allow lets it have"
INSIDE = ["127.0.0.1", "127.0.0.1:8080", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1",
          "[::1]", "[::1]:80", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[ff02::1]"]


def settings_of(kind, host):
    scheme = "ldap" if kind == "ldap" else "https"
    url = f"{scheme}://{host}"
    return {
        "oidc": {"endpoint": url, "client_id": "x", "client_secret": "y"},
        "ldap": {"url": url, "base_dn": "dc=example", "uid": "uid", "timeout": 2},
        "keystone": {"url": url, "verify_cert": False, "domain": "Default", "timeout": 2},
    }[kind]


@pytest.fixture
def acme(registry):
    return registry.tenant("acme")


@pytest.fixture
def chief(acme):
    """The tenant's own administrator."""
    person = make_person(acme.admin)
    call(acme.admin, "POST", f"{acme.path}/administrators", {"user_id": person.id})
    return person.client


@pytest.fixture
def provide():
    made = []

    def configure(client, kind, expect=201, **settings):
        body = {"name": unique(kind), "kind": kind, "enabled": True, "settings": settings}
        answer = call(client, "POST", PROVIDERS, body, expect=expect)
        if answer.status_code == 201:
            made.append((client, answer.headers["Location"].split("?")[0]))
            return made[-1][1]
        return answer

    yield configure
    for client, path in made:
        call(client, "DELETE", path)


@pytest.fixture
def inside():
    """A port of this machine that nobody of a tenant may come to."""
    port = Counter()
    yield port
    port.close()


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def told(registry, since):
    return [line for line in registry.log_text(since).splitlines() if TOLD in line]


# -- addresses that are written out


@pytest.mark.parametrize("kind", ["oidc", "ldap", "keystone"])
def test_an_address_inside_is_refused_when_it_is_saved(admin, chief, provide, kind):
    for host in INSIDE:
        said = provide(chief, kind, expect=400, **settings_of(kind, host)).json()["errors"][0]
        assert REFUSED in said["detail"], (host, said)
    path = provide(chief, kind, **settings_of(kind, "login.example.com"))
    call(chief, "PUT", path, {"settings": settings_of(kind, "10.0.0.1")}, expect=400)
    for host in ("127.0.0.1", "10.1.2.3"):
        provide(admin, kind, **settings_of(kind, host))
    if kind == "ldap":
        provide(chief, kind, expect=400, **{**settings_of(kind, "x"), "url": "ldap://directory.example ldap://10.0.0.1"})
        provide(chief, kind, expect=400, **{**settings_of(kind, "x"), "url": "192.168.0.1:389"})


def test_an_issuer_inside_is_refused_when_it_is_saved_unless_its_keys_are_given(chief, issuer):
    body = {"name": unique("issuer"), "url": issuer.url, "audiences": ["berth"]}
    said = call(chief, "POST", f"{BERTH}/issuers", body, expect=400).json()["errors"][0]
    assert REFUSED in said["detail"]
    body["url"] = "https://169.254.169.254"
    call(chief, "POST", f"{BERTH}/issuers", body, expect=400)
    body["keys"] = issuer.key_set()
    path = call(chief, "POST", f"{BERTH}/issuers", body, expect=201).headers["Location"]
    call(chief, "DELETE", path)


# -- names that lead inside


def login(place, name, password=PASSWORD):
    answer = place.client(name, password, auth="basic").get("/service/token?service=harbor-registry", expect=(200, 401, 502))
    return answer.status_code, answer.text.replace(name, "")


LOGINS = {"ldap": "somebody", "keystone": "somebody/project"}


@pytest.mark.expect_errors(502)
@pytest.mark.parametrize("kind", ["ldap", "keystone"])
def test_a_name_that_leads_inside_is_not_gone_to_and_open_and_closed_ports_are_alike(registry, acme, chief, admin, provide, inside, kind):
    since = registry.log_size()
    said = []
    for port in (inside.port, closed_port()):
        path = provide(chief, kind, **{**settings_of(kind, f"localhost:{port}")})
        said.append(login(acme, LOGINS[kind]))
        call(chief, "PUT", path, {"enabled": False})
    assert said[0] == said[1] and said[0][0] == 502
    assert inside.came == 0
    assert len(told(registry, since)) >= 2 and f"localhost:{inside.port}" in registry.log_text(since)
    provide(admin, kind, **settings_of(kind, f"localhost:{inside.port}"))
    login(registry, LOGINS[kind])
    assert inside.came > 0, "the operator's own may be anywhere"


@pytest.mark.expect_errors(502)
def test_an_issuer_whose_name_leads_inside_is_not_asked(registry, acme, chief, issuer):
    since = registry.log_size()
    asked = len(issuer.asked)
    port = urllib.parse.urlsplit(issuer.url).port
    said = []
    for number in (port, closed_port()):
        url = f"http://localhost:{number}"
        path = call(chief, "POST", f"{BERTH}/issuers", {"name": unique("issuer"), "url": url, "audiences": ["berth"]}, expect=201).headers["Location"]
        said.append(login(acme, "workload", issuer.token(**{**github(), "iss": url})))
        call(chief, "DELETE", path)
    assert said[0] == said[1] and said[0][0] != 200
    assert len(issuer.asked) == asked
    assert told(registry, since)


@pytest.mark.parametrize("path, body", [
    ("/ldap/ping", {"ldap_url": "ldap://localhost:{port}", "ldap_base_dn": "dc=x", "ldap_uid": "uid", "ldap_connection_timeout": 2}),
    ("/system/oidc/ping", {"url": "http://localhost:{port}", "verify_cert": False}),
])
def test_trying_a_tenants_server_tells_nothing_of_what_is_inside(registry, acme, inside, path, body):
    said = []
    for port in (inside.port, closed_port()):
        filled = {key: value.replace("{port}", str(port)) if isinstance(value, str) else value for key, value in body.items()}
        answer = call(acme.admin, "POST", API + path, filled, expect=(200, 400))
        said.append((answer.status_code, answer.text.replace(str(port), "")))
    assert said[0] == said[1] and "address" in said[0][1]
    assert inside.came == 0


@pytest.mark.expect_errors(502)
@pytest.mark.settings(outbound_tenants_allow="127.0.0.1, ::1")
def test_the_operator_opens_networks(acme, chief, provide, inside):
    for kind, name in LOGINS.items():
        before = inside.came
        provide(chief, kind, **settings_of(kind, f"127.0.0.1:{inside.port}"))
        login(acme, name)
        assert inside.came > before
        said = provide(chief, kind, expect=400, **settings_of(kind, "127.0.0.2"))
        assert REFUSED in said.text


@pytest.mark.own_server
@pytest.mark.parametrize("value", ["10.0.0.0/33", "example.com", "unix", "10.0.0.0/8;::1"])
def test_networks_that_are_none_are_refused_at_the_start(make_registry, value):
    registry = make_registry(start=False, outbound_tenants_allow=value)
    registry.spawn()
    assert registry.wait_dead() != 0
    assert "outbound.tenants_allow" in registry.log_text()


# -- a name server that lies, or never answers


@pytest.fixture
def names():
    need_own_mounts()
    server = NameServer()
    yield server
    server.close()


@pytest.fixture
def guarded(make_registry, names, tmp_path):
    """A server that asks `names`, and lets tenants' servers be at 127.0.0.9."""
    return make_registry(program=names.program(tmp_path, binary()), outbound_tenants_allow="127.0.0.9")


@pytest.fixture
def relay_to():
    made = []
    yield lambda path: made.append(Counter(to=path)) or made[-1]
    for relay in made:
        relay.close()


def chief_of(tenant):
    person = make_person(tenant.admin)
    call(tenant.admin, "POST", f"{tenant.path}/administrators", {"user_id": person.id})
    return person.client


@pytest.mark.expect_errors(502)
def test_every_look_up_is_looked_at_and_every_address(guarded, names, provide, inside):
    acme = guarded.tenant("acme")
    chief = chief_of(acme)
    with socket.create_server(("127.0.0.9", inside.port)) as allowed:
        came = []
        threading.Thread(target=accept_all, args=(allowed, came), daemon=True).start()
        host = unique("flips") + ".test"
        names.names[host] = [["127.0.0.9"], ["127.0.0.1"], ["127.0.0.1", "127.0.0.9"], []]
        provide(chief, "ldap", **settings_of("ldap", f"{host}:{inside.port}"))
        first = login(acme, "somebody")
        assert first[0] == 502 and came
        count = len(came)
        rebound = login(acme, "somebody")
        assert rebound[0] == 502 and len(came) == count
        login(acme, "somebody")
        wait_until(lambda: len(came) > count, what="the allowed one of two addresses")
        gone = login(acme, "somebody")
        assert gone == rebound, "that there is no such name is told in the same words"
    assert inside.came == 0


def accept_all(server, came):
    while True:
        try:
            peer, _ = server.accept()
        except OSError:
            return
        came.append(1)
        peer.close()


@pytest.mark.expect_errors(502)
def test_a_name_that_nobody_resolves_costs_the_directorys_timeout_and_others_nothing(guarded, names, provide):
    """Whoever waited for the resolver itself would be ended by the request's own deadline, with 503."""
    admin = guarded.client(auth="basic")
    acme = guarded.tenant("acme")
    chief = chief_of(acme)
    for number in range(6):
        names.names[f"hangs-{number}.test"] = None
    provide(chief, "ldap", **{**settings_of("ldap", "x"), "timeout": 1, "url": " ".join(f"ldap://hangs-{n}.test" for n in range(6))})
    assert login(acme, "somebody")[0] == 502
    names.names["directory.test"] = ["127.0.0.1"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        came = []
        threading.Thread(target=accept_all, args=(server, came), daemon=True).start()
        provide(admin, "ldap", **settings_of("ldap", f"directory.test:{server.getsockname()[1]}"))
        login(guarded, "somebody")
        assert came, "another's names are looked up meanwhile"
    assert login(acme, "default/admin", "Correct-Horse-7")[0] == 200


@pytest.mark.own_server
@pytest.mark.expect_errors(503, "DATABASE")
def test_a_database_is_found_by_name_and_a_resolver_that_is_gone_ends_in_words(names, relay_to, make_registry, tmp_path):
    names.names["db.test"] = ["127.0.0.1"]
    registry = make_registry(start=False, program=names.program(tmp_path, binary()), http_request_timeout="3s", database_connections="2")
    if not registry.database:
        pytest.skip("SQLite has no server")
    folder = urllib.parse.parse_qs(urllib.parse.urlsplit(registry.database.url).query)["host"][0]
    relay = relay_to(f"{folder}/.s.PGSQL.5432")
    registry.settings["DATABASE_URL"] = f"postgresql://gone.test:1,db.test:{relay.port}/{registry.database.name}?user=postgres"
    registry.start()
    content = oci.image("by name")
    registry.client().repository("library/app").push(content, "v1")
    assert relay.came > 0 and "gone.test" in names.asked
    names.names["db.test"] = names.names["gone.test"] = None
    with registry.database.refusing():
        pass
    asker = registry.client(auth="basic")
    asker.get(f"{API}/projects/library", expect=503)  # and not held for as long as the resolver likes
    names.names["db.test"] = ["127.0.0.1"]
    names.names.pop("gone.test")
    wait_until(lambda: asker.get(f"{API}/projects/library", expect=(200, 503)).status_code == 200, what="the database being found again")
