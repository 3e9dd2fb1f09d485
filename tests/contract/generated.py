# SPDX-License-Identifier: Apache-2.0
"""Requests that schemathesis makes of a description, sent to a server with something in it, as one of several people.

What is generated is its coverage of every operation: each parameter and each member of a body absent, empty, at its limits,
beyond them and of every wrong type. The cases are the same in each run. Where a case leaves the path alone, the path names
what is there, so that it reaches more than the question whether there is such a thing.
"""
import functools
import json
import re
import sqlite3
import urllib.parse
from pathlib import Path

import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import CoverageScenario
from schemathesis.generation.modes import GenerationMode

from harness import oci, openapi, swagger

ROUTES = Path(__file__).resolve().parents[1] / "blackbox" / "routes.golden"
PASSWORD = "Correct-Horse-8"
LATER_CASES_MAX = 3  # of an operation that is not there yet

# Last, because others need what they take away or change.
ORDER = {"GET": 0, "HEAD": 0, "POST": 1, "PUT": 2, "PATCH": 3, "DELETE": 4}
VERY_LAST = ("/configurations", "/users/{user_id}/password", "/users/{user_id}/sysadmin")

# Tables that change by asking.
ALWAYS_CHANGING = re.compile("audit_|session|signing_key|upload|sqlite_")


class World:
    """A project with an image, people, a robot and whatever else is there to name."""

    def __init__(self, registry):
        self.registry = registry
        self.admin = registry.client(auth="basic")
        self.make("projects", {"project_name": "generated"})
        registry.client().repository("generated/app").push(oci.image(), "v1")
        for name in ("victim", "somebody"):
            self.make("users", {"username": name, "realname": name, "email": f"{name}@example.com", "password": PASSWORD})
        ids = {
            "user_id": self.find("users?q=username%3Dvictim", "user_id"),
            "robot_id": self.make("robots", {"name": "r", "level": "system", "duration": 1, "disable": False, "permissions": [
                {"kind": "system", "namespace": "/", "access": [{"resource": "project", "action": "list"}]}]}),
            "label_id": self.make("labels", {"name": "l", "scope": "g"}),
            "group_id": self.make("usergroups", {"group_name": "g", "group_type": 3}),
            "mid": self.make("projects/generated/members", {"role_id": 3, "member_user": {"username": "victim"}}),
            "id": 1,
        }
        self.parameters = {
            "project_name_or_id": "generated", "project_name": "generated", "repository_name": "app", "reference": "v1",
            "tag_name": "v1", "meta_name": "public", "addition": "build_history", "digest": oci.digest_of(b""), "project": "generated",
            **{name: value for name, value in ids.items() if value},
        }

    def ask(self, method, path, body=None):
        return self.admin.request(
            method, "/api/v2.0/" + path, headers={"Content-Type": "application/json"}, body=None if body is None else json.dumps(body),
            expect=tuple(range(200, 502)),
        )

    def make(self, path, body):
        """Its id, or None when that is not there yet."""
        answer = self.ask("POST", path, body)
        assert answer.status_code in (201, 501), f"{path}: {answer.status_code} {answer.text}"
        last = answer.headers.get("Location", "").rstrip("/").rsplit("/", 1)[-1]
        return int(last) if last.isdigit() else None

    def find(self, path, member):
        return self.ask("GET", path).json()[0][member]


@functools.lru_cache(maxsize=None)
def schema(name):
    document = swagger.as_written() if name == "harbor" else openapi.document()
    return schemathesis.openapi.from_dict(document)


def contract_of(name):
    return swagger.contract() if name == "harbor" else openapi.contract()


def operations(name):
    found = [result.ok() for result in schema(name).get_all_operations()]
    return sorted(found, key=lambda o: (o.path in VERY_LAST, ORDER[o.method.upper()]))


def cases(name):
    """All cases of a description, as (operation of the contract, case)."""
    contract = contract_of(name)
    described = {(o.method, o.path): o for o in contract.operations}
    for operation in operations(name):
        mine = described[operation.method.upper(), operation.path]
        later = name == "harbor" and not mine.served()
        made = schema(name).iter_coverage_cases(
            operation, generation_modes=list(GenerationMode), generation_config=operation.schema.config.generation_for(operation=operation)
        )
        count = 0
        for case in made:
            data = case.meta.phase.data
            if data.scenario == CoverageScenario.UNSPECIFIED_HTTP_METHOD or (later and count == LATER_CASES_MAX):
                continue
            count += 1
            yield mine, case


def fill_path(case, parameters):
    """Names what is there, unless the path is what this case is about."""
    path = case.meta.components.get(ParameterLocation.PATH)
    if path is not None and path.mode == GenerationMode.POSITIVE:
        case.path_parameters = {**case.path_parameters, **{k: str(v) for k, v in parameters.items() if k in case.path_parameters}}


def matrix():
    """{(method, path without names): {role: may in a private project}} from the agreed routes."""
    found = {}
    for row in ROUTES.read_text(encoding="utf-8").splitlines():
        words = row.split()
        if words and words[0] != "#":
            found[words[0], plain(words[1])] = {role: may[0] == "y" for role, may in (word.split("=") for word in words[3:])}
    return found


def plain(path):
    return re.sub(r"\{\w+\}", "{}", path).rstrip("/")


class Sender:
    """Sends cases as one person and gathers what is wrong with the answers."""

    def __init__(self, world, name, client, role):
        self.world, self.name, self.client, self.role = world, name, client, role
        self.contract = contract_of(name)
        self.matrix = matrix()
        self.problems = []
        self.count = 0

    def send(self, operation, case):
        fill_path(case, self.world.parameters)
        arguments = case.as_transport_kwargs(base_url=self.world.registry.url + self.contract.prefix)
        arguments["headers"] = {k: v for k, v in arguments["headers"].items() if not k.startswith("X-Schemathesis")}
        auth = (self.client.username, self.client.password) if self.client.username else None
        answer = self.client.session.request(**arguments, auth=auth, allow_redirects=False, timeout=60)
        self.count += 1
        try:
            self.check(operation, answer)
        except AssertionError as error:
            what = f"{operation.method} {answer.request.path_url} {(answer.request.body or b'')[:300]!r}"
            self.problems.append(f"{what}\n    {str(error)[:600]}")
        return answer

    def check(self, operation, answer):
        status = answer.status_code
        later = self.name == "harbor" and not operation.served()
        assert status < 500 or (status == 501 and later), f"answers {status}: {answer.text[:300]}"
        may = self.matrix[operation.method, plain(self.contract.prefix + operation.path)][self.role]
        assert may or status >= 400, f"{self.role} may not, and is answered {status}"
        path = urllib.parse.urlsplit(answer.request.url).path
        module = swagger if self.name == "harbor" else openapi
        module.check(operation.method, path, answer)


def rows(registry):
    """{table: rows} of all that does not change by asking alone."""
    with sqlite3.connect(f"file:{registry.data}/berth.sqlite?mode=ro", uri=True) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: set(database.execute(f'SELECT * FROM "{name}"')) for name in names if not ALWAYS_CHANGING.match(name)
        }
