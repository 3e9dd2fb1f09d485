# SPDX-License-Identifier: Apache-2.0
"""Logging in with OpenStack's Keystone: the real one, with its users, projects, roles and application credentials."""
import http.server
import itertools
import json
import threading

import pytest

from harness import oci
from harness.idp import Keystone, need_keystone
from harness.people import Browser

PROVIDERS = "/api/berth/v1/identity-providers"
ROLES = [
    {"keystone_role": "member", "project": "{domain}-{project}", "role": "developer"},
    {"keystone_role": "reader", "project": "{domain}-{project}", "role": "guest"},
]
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def keystone(tmp_path_factory):
    """Domains Default and acme; in acme the projects web and api*, anna (member of web), rita (reader of web), and mail@acme."""
    need_keystone()
    server = Keystone(tmp_path_factory.mktemp("keystone"))
    try:
        server.start()
        acme = server.make_domain("acme")
        server.projects = {name: server.make_project(name, acme) for name in ("web", "api*")}
        server.users = {
            name: server.make_user(name, f"secret of {name}", acme) for name in ("anna", "rita", "nobody", "mail@example.com", "gone")
        }
        server.grant(server.users["anna"], server.projects["web"], "member")
        server.grant(server.users["anna"], server.projects["api*"], "member")
        server.grant(server.users["rita"], server.projects["web"], "reader")
        server.grant(server.users["mail@example.com"], server.projects["web"], "member")
        server.grant(server.users["gone"], server.projects["web"], "member")
        yield server
    finally:
        server.destroy()


def administer(client, method, path, body=None, expect=200):
    headers = {"Authorization": client.basic(), "Content-Type": "application/json"}
    return client.request(method, path, headers=headers, body=None if body is None else json.dumps(body), expect=expect)


@pytest.fixture
def provide(client):
    """Configures a Keystone provider; removed afterwards."""
    made = []

    def configure(url, **settings):
        body = {
            "name": f"keystone-{next(numbers)}", "kind": "keystone", "enabled": True, "position": len(made),
            "settings": {"url": url, "roles": ROLES, **settings},
        }
        made.append(administer(client, "POST", PROVIDERS, body, expect=201).headers["Location"])
        return made[-1]

    yield configure
    for path in made:
        administer(client, "DELETE", path)


@pytest.fixture
def provider(provide, keystone):
    return provide(keystone.url)


@pytest.fixture
def project(client):
    """A project that OpenStack's web in acme is mapped to."""
    client.make_project("acme-web", expect=(201, 409))
    return "acme-web"


def grants(client, repository):
    """The actions that a token for this repository holds."""
    answer = client.fetch_token(f"repository:{repository}:pull,push,delete")
    return set((answer["scope"].rsplit(":", 1)[1] if answer["scope"] else "").split(",")) - {""}


def test_a_member_pushes_and_pulls(registry, provider, project):
    anna = registry.client("anna@acme/web", "secret of anna")
    repository = anna.repository(f"{project}/app")
    image = oci.image()
    repository.push(image, "v1")
    assert repository.get_manifest("v1").content == image.body


def test_roles_of_the_openstack_project_decide(registry, provider, project, client):
    client.make_project("acme-other", expect=(201, 409))
    anna = registry.client("anna@acme/web", "secret of anna")
    rita = registry.client("rita@acme/web", "secret of rita")
    assert grants(anna, f"{project}/app") == {"pull", "push"}
    assert grants(rita, f"{project}/app") == {"pull"}
    assert grants(anna, "acme-other/app") == set()
    assert grants(rita, "acme-other/app") == set()
    assert grants(registry.client("mail@example.com@acme/web", "secret of mail@example.com"), f"{project}/app") == {"pull", "push"}


def test_a_session_in_a_browser_has_the_rights_of_its_login(registry, provider, project, client):
    client.make_project("acme-other", expect=(201, 409))
    browser = Browser(registry)
    browser.log_in("rita@acme/web", "secret of rita")
    browser.get(f"/api/v2.0/projects/{project}", expect=200)
    browser.get("/api/v2.0/projects/acme-other", expect=403)
    browser.log_in("rita@acme/web", "wrong", expect=401)


def test_a_project_named_like_a_pattern_is_no_pattern(registry, provider, client):
    client.make_project("acme-api-internal", expect=(201, 409))
    anna = registry.client("anna@acme/api*", "secret of anna")
    assert grants(anna, "acme-api-internal/app") == set()


@pytest.mark.parametrize("user,password", [
    ("anna@acme/web", "wrong"),
    ("anna@acme/web", "secret of rita"),
    ("ANNA/web", "secret of anna"),
    ("anna@Default/web", "secret of anna"),
    ("anna@acme/nowhere", "secret of anna"),
    ("nobody@acme/web", "secret of nobody"),
    ("stranger@acme/web", "x"),
    ("anna@acme/web@Default", "secret of anna"),
    ("applicationcredential-00000000000000000000000000000000", "x"),
    ("anna@acme/web\" OR \"1\"=\"1", "x"),
    ("admin", "the-admin-of-a-test"),
])
def test_credentials_that_are_wrong(registry, provider, project, user, password):
    registry.client(user, password).fetch_token(f"repository:{project}/app:pull", expect=401)


def test_an_application_credential_and_its_end(registry, provide, keystone, project):
    provide(keystone.url, remember=0)
    token, described = keystone.authenticate("anna", "secret of anna", "web", domain="acme")
    body = {"name": f"ci-{next(numbers)}", "roles": [{"name": "member"}]}
    made = keystone.call("POST", f"users/{described['user']['id']}/application_credentials", {"application_credential": body}, token=token)
    made = made["application_credential"]
    robot = registry.client(f"applicationcredential-{made['id']}", made["secret"])
    assert grants(robot, f"{project}/app") == {"pull", "push"}
    registry.client(f"applicationcredential-{made['id']}", "not the secret").fetch_token(expect=401)
    keystone.call("DELETE", f"users/{described['user']['id']}/application_credentials/{made['id']}", token=token)
    robot.fetch_token(expect=401)


def test_who_is_disabled_is_out_and_what_is_remembered_is_bounded(registry, provide, keystone, project):
    path = provide(keystone.url, remember=3600)
    gone = registry.client("gone@acme/web", "secret of gone")
    assert grants(gone, f"{project}/app") == {"pull", "push"}
    keystone.change_user(keystone.users["gone"], enabled=False)
    try:
        assert grants(gone, f"{project}/app") == {"pull", "push"}, "remembered"
        # The mapping counts at once, whatever is remembered of the user.
        administer(registry.client(), "PUT", path, {"settings": {"roles": []}})
        assert grants(gone, f"{project}/app") == set()
        administer(registry.client(), "PUT", path, {"settings": {"remember": 0, "domain": "acme"}})
        gone.fetch_token(expect=401)
    finally:
        keystone.change_user(keystone.users["gone"], enabled=True)


def test_several_providers_one_after_the_other(registry, provide, keystone, project):
    provide("http://127.0.0.1:1/v3")
    provide(keystone.url)
    anna = registry.client("anna@acme/web", "secret of anna")
    assert grants(anna, f"{project}/app") == {"pull", "push"}
    registry.client("anna@acme/web", "wrong").fetch_token(expect=401)


def test_no_token_outlives_the_password(registry, provider, project):
    answer = registry.client("anna@acme/web", "secret of anna").fetch_token(f"repository:{project}/app:pull", offline_token="true")
    assert "refresh_token" not in answer


class Upset(http.server.BaseHTTPRequestHandler):
    """A Keystone that hangs, is busy, or answers nonsense, as its path says."""

    def do_POST(self):
        what = self.path.split("/")[1]
        self.rfile.read(int(self.headers["Content-Length"]))
        if what == "hangs":
            self.server.asked.set()
            self.server.released.wait(60)
            return
        status, body = {"busy": (429, b"{}"), "broken": (500, b""), "nonsense": (201, b"<html>")}[what]
        self.send_response(status)
        self.send_header("Retry-After", "17")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def upset():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upset)
    server.asked, server.released = threading.Event(), threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


def ask(registry, user="anna@acme/web", password="secret of anna"):
    session = registry.anonymous().session
    return session.get(f"{registry.url}/service/token", params={"service": "harbor-registry"}, auth=(user, password), timeout=60)


def test_a_busy_keystone_says_when_to_come_back(registry, provide, upset):
    provide(f"http://127.0.0.1:{upset.server_port}/busy")
    answer = ask(registry)
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "17"
    assert answer.json()["errors"][0]["code"] == "TOOMANYREQUESTS"


@pytest.mark.expect_errors(502)
@pytest.mark.parametrize("how", ["broken", "nonsense"])
def test_a_broken_keystone_is_not_a_wrong_password(registry, provide, upset, how):
    provide(f"http://127.0.0.1:{upset.server_port}/{how}")
    assert ask(registry).status_code == 502
    assert ask(registry, "admin", registry.client().password).status_code == 200
    assert ask(registry, "admin", "wrong").status_code == 401
    assert ask(registry, "somebody", "else").status_code == 401


@pytest.mark.expect_errors(502)
def test_a_keystone_that_hangs_holds_up_nobody_else(registry, provide, upset, keystone, project):
    provide(f"http://127.0.0.1:{upset.server_port}/hangs", timeout=2)
    waiting = []
    thread = threading.Thread(target=lambda: waiting.append(ask(registry).status_code))
    thread.start()
    assert upset.asked.wait(30)
    assert ask(registry, "admin", registry.client().password).status_code == 200
    registry.client().catalog()
    thread.join(60)
    assert waiting == [502]
