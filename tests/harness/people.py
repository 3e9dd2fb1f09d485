# SPDX-License-Identifier: Apache-2.0
"""People with accounts, as Harbor's API makes them, and browsers that log in as them."""
import itertools
import json
from http.cookies import SimpleCookie

API = "/api/v2.0"
PASSWORD = "Secret-1234"
numbers = itertools.count(1)


def call(client, method, path, body=None, expect=200, **options):
    """A request with a JSON body; its answer."""
    headers = {"Content-Type": "application/json", **options.pop("headers", {})}
    return client.request(method, path, headers=headers, body=None if body is None else json.dumps(body), expect=expect, **options)


class Person:
    """An account and how its owner asks: `client` sends name and password with every request."""

    def __init__(self, registry, name, user_id):
        self.registry = registry
        self.name = name
        self.id = user_id
        self.path = f"{API}/users/{user_id}"
        self.client = registry.client(name, PASSWORD, auth="basic")

    def browser(self, expect=200, password=PASSWORD):
        browser = Browser(self.registry)
        browser.log_in(self.name, password, expect=expect)
        return browser


def body_of(name, **members):
    return {"username": name, "password": PASSWORD, "email": f"{name}@example.com", "realname": "Some Body", "comment": "", **members}


def fresh_name(stem="user"):
    return f"{stem}-{next(numbers)}"


def make_person(admin, name=None, **members):
    name = name or fresh_name()
    answer = call(admin, "POST", f"{API}/users", body_of(name, **members), expect=201)
    return Person(admin.registry, name, int(answer.headers["Location"].rsplit("/", 1)[1]))


class Browser:
    """Keeps cookies and the last CSRF token, as Harbor's portal does."""

    def __init__(self, registry):
        self.registry = registry
        self.client = registry.client(None, None, auth="none")
        self.token = None

    def request(self, method, path, expect=None, csrf=True, headers=None, **options):
        headers = dict(headers or {})
        if csrf and self.token:
            headers.setdefault("X-Harbor-CSRF-Token", self.token)
        answer = self.client.request(method, path, expect=expect, headers=headers, **options)
        self.token = answer.headers.get("X-Harbor-CSRF-Token", self.token)
        return answer

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def call(self, method, path, body=None, expect=200, **options):
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return self.request(method, path, headers=headers, body=None if body is None else json.dumps(body), expect=expect, **options)

    def submit(self, path, expect=200, **fields):
        return self.request("POST", path, body=fields, expect=expect)

    def log_in(self, name, password=PASSWORD, expect=200):
        if not self.token:
            self.get("/c/oidc/providers", expect=200)
        return self.submit("/c/login", principal=name, password=password, expect=expect)

    def cookie(self, name="sid"):
        return next((c.value for c in self.client.session.cookies if c.name == name), None)

    def set_cookie(self, name, value, path="/"):
        self.client.session.cookies.set(name, value, domain="127.0.0.1", path=path)

    def who(self, expect=200):
        answer = self.get(f"{API}/users/current", expect=expect)
        return answer.json()["username"] if answer.status_code == 200 else None


def set_cookies(answer):
    """The cookies an answer sets, with their attributes."""
    found = {}
    for value in answer.raw.headers.getlist("Set-Cookie"):
        parsed = SimpleCookie()
        parsed.load(value)
        found.update(parsed)
    return found
