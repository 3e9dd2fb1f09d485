# SPDX-License-Identifier: Apache-2.0
"""Identity providers for tests: the real things, on loopback, with their state in a folder of the test's.

OidcProvider   npm's oidc-provider (tests/idp), which is certified
Keystone       OpenStack's, from Debian's package, on SQLite
Browser        who logs in there: follows redirects and fills in forms
"""
import contextlib
import html.parser
import itertools
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import urllib.parse
from pathlib import Path

import pytest
import requests

from harness.client import close_now
from harness.port import free_port
from harness.wait import wait_until

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCE = ROOT / "tests" / "idp"
MODULES = ROOT / "build" / "idp"


# -- OpenID Connect


def need_oidc_provider():
    if not shutil.which("node") or not (MODULES / "node_modules" / "oidc-provider").exists():
        pytest.skip("no oidc-provider: ./dev deps test installs it")


class OidcProvider:
    """people: {subject: claims}. clients: as oidc-provider's metadata."""

    def __init__(self, clients, people, port=0, **options):
        self.configuration = {"clients": clients, "people": people, "port": port, **options}
        self.process = None
        self.issuer = None
        self.lock = threading.Lock()

    def start(self):
        # Modules are found beside the file that imports them, and what is installed belongs below build/.
        script = MODULES / f"provider-{os.getpid()}.mjs"
        script.write_bytes((SOURCE / "provider.mjs").read_bytes())
        self.process = subprocess.Popen(
            ["node", "--no-warnings", str(script), json.dumps(self.configuration)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for line in self.process.stdout:
            if line.startswith("listening "):
                self.issuer = line.split()[1]
                self.configuration["port"] = int(self.issuer.rsplit(":", 1)[1])
                return self
        raise AssertionError("oidc-provider did not start")

    def tell(self, **command):
        with self.lock:
            self.process.stdin.write(json.dumps(command) + "\n")
            self.process.stdin.flush()
            for line in self.process.stdout:  # it also warns of what it would not do in production
                if line.strip() == "done":
                    return
            raise AssertionError("oidc-provider has ended")

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.stdout.close()
            self.process.wait(30)
            self.process = None


class Form(html.parser.HTMLParser):
    """The first form of a page."""

    def __init__(self, text):
        super().__init__()
        self.action = self.method = None
        self.fields = {}
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form" and self.method is None:
            self.action, self.method = given.get("action"), given.get("method", "get")
        elif tag in ("input", "button") and given.get("name"):
            self.fields[given["name"]] = given.get("value") or ""


class Browser:
    """A browser without scripts. Cookies are kept by host and port, as different sites would have them."""

    def __init__(self):
        self.jars = {}
        self.visited = []

    def jar(self, url):
        return self.jars.setdefault(urllib.parse.urlsplit(url).netloc, requests.Session())

    def request(self, method, url, **options):
        session = self.jar(url)
        session.trust_env = False
        self.visited.append(url)
        answer = session.request(method, url, allow_redirects=False, timeout=60, **options)
        answer.close()
        return answer

    def follow(self, answer, until=None, fill=None):
        """Follows redirects and sends forms filled with `fill` until a URL starts with `until`, or nothing leads on."""
        for _ in range(30):
            if "Location" in answer.headers and 300 <= answer.status_code < 400:
                url = urllib.parse.urljoin(answer.url, answer.headers["Location"])
                if until and url.startswith(until):
                    self.visited.append(url)
                    return url
                answer = self.request("GET", url)
            elif answer.status_code == 200 and fill is not None and "<form" in answer.text:
                form = Form(answer.text)
                fields = {**form.fields, **{key: value for key, value in fill.items() if key in form.fields or key in ("logout",)}}
                answer = self.request(form.method.upper(), urllib.parse.urljoin(answer.url, form.action or ""), data=fields)
            else:
                return answer
        raise AssertionError(f"redirects without an end: {self.visited[-5:]}")

    def close(self):
        for session in self.jars.values():
            close_now(session)


# -- Keystone


def need_keystone():
    if not shutil.which("keystone-manage") or not shutil.which("keystone-wsgi-public"):
        pytest.skip("no Keystone: ./dev deps test installs it")


class Keystone:
    """Has the domain Default with the administrator `admin`; everything else is made by the calls."""

    ADMIN_PASSWORD = "the-admin-of-a-test"

    def __init__(self, root):
        # Its schema takes a hundred migrations with a flush each: memory where there is some.
        shared = Path("/dev/shm")
        self.root = Path(tempfile.mkdtemp(prefix="keystone-", dir=shared if shared.is_dir() else root))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v3"
        self.process = None
        self.token = None
        self.roles = {}
        self.names = itertools.count(1)

    def manage(self, *arguments):
        user = str(os.getuid())
        done = subprocess.run(
            ["keystone-manage", "--config-file", str(self.root / "keystone.conf"), *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240,
        )
        assert done.returncode == 0, f"keystone-manage {arguments[0]} as {user}: {done.stdout[-2000:]}"

    def write_configuration(self):
        (self.root / "keystone.conf").write_text(
            f"[DEFAULT]\nlog_file = {self.root}/log\n"
            f"[database]\nconnection = sqlite:///{self.root}/db.sqlite\n"
            f"[token]\nprovider = fernet\n[fernet_tokens]\nkey_repository = {self.root}/fernet\n"
            f"[credential]\nkey_repository = {self.root}/credential\n"
            "[cache]\nenabled = false\n[identity]\npassword_hash_rounds = 4\n"
        )

    def start(self):
        self.write_configuration()
        (self.root / "fernet").mkdir(mode=0o700)
        user, group = os.getuid(), os.getgid()
        self.manage("db_sync")
        # A failed request of Keystone's may hold its read transaction until the garbage collector comes. Without a write-ahead
        # log a writer waits for that, for five seconds, and then answers 500 "database is locked".
        with contextlib.closing(sqlite3.connect(self.root / "db.sqlite")) as database:
            assert database.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        self.manage("fernet_setup", "--keystone-user", str(user), "--keystone-group", str(group))
        self.manage("bootstrap", "--bootstrap-password", self.ADMIN_PASSWORD, "--bootstrap-public-url", self.url, "--bootstrap-region-id", "R")
        return self.serve()

    def serve(self):
        self.process = subprocess.Popen(
            ["keystone-wsgi-public", "-p", str(self.port), "-b", "127.0.0.1", "--", "--config-file", str(self.root / "keystone.conf")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        wait_until(self.answers, timeout=120, what="Keystone")
        return self

    def answers(self):
        assert self.process.poll() is None, self.log_text()[-2000:]
        try:
            return requests.get(self.url, timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def log_text(self):
        return (self.root / "log").read_text(errors="replace")

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def destroy(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    # -- administration, by its own API

    def authenticate(self, user, password, project, domain="Default"):
        identity = {"methods": ["password"], "password": {"user": {"name": user, "domain": {"name": domain}, "password": password}}}
        answer = requests.post(
            f"{self.url}/auth/tokens", timeout=60,
            json={"auth": {"identity": identity, "scope": {"project": {"name": project, "domain": {"name": domain}}}}},
        )
        assert answer.status_code == 201, answer.text
        return answer.headers["X-Subject-Token"], answer.json()["token"]

    def call(self, method, path, body=None, token=None, expect=(200, 201, 204)):
        if token is None and self.token is None:
            self.token, _ = self.authenticate("admin", self.ADMIN_PASSWORD, "admin")
        answer = requests.request(method, f"{self.url}/{path}", json=body, headers={"X-Auth-Token": token or self.token}, timeout=60)
        assert answer.status_code in expect, f"{method} {path}: {answer.status_code} {answer.text} {self.log_text()[-3000:]}"
        return answer.json() if answer.content else None

    def role(self, name):
        if not self.roles:
            self.roles = {role["name"]: role["id"] for role in self.call("GET", "roles")["roles"]}
        if name not in self.roles:
            self.roles[name] = self.call("POST", "roles", {"role": {"name": name}})["role"]["id"]
        return self.roles[name]

    def make_domain(self, name):
        return self.call("POST", "domains", {"domain": {"name": name}})["domain"]["id"]

    def make_project(self, name, domain="default"):
        return self.call("POST", "projects", {"project": {"name": name, "domain_id": domain}})["project"]["id"]

    def make_user(self, name, password, domain="default"):
        return self.call("POST", "users", {"user": {"name": name, "password": password, "domain_id": domain}})["user"]["id"]

    def grant(self, user, project, role):
        self.call("PUT", f"projects/{project}/users/{user}/roles/{self.role(role)}")

    def change_user(self, user, **members):
        self.call("PATCH", f"users/{user}", {"user": members})

    def make_credential(self, user_name, password, project, roles, **members):
        """(id, secret) of an application credential."""
        token, described = self.authenticate(user_name, password, project)
        body = {"name": f"credential-{next(self.names)}", "roles": [{"name": role} for role in roles], **members}
        made = self.call("POST", f"users/{described['user']['id']}/application_credentials", {"application_credential": body}, token=token)
        return made["application_credential"]["id"], made["application_credential"]["secret"]
