# SPDX-License-Identifier: Apache-2.0
"""What Harbor's swagger and our own OpenAPI document have in common: operations, and which one a request is of."""
import os
import re
import urllib.parse
from pathlib import Path

METHODS = ("get", "head", "put", "post", "patch", "delete", "options")


class Operation:
    def __init__(self, method, path, described):
        self.method, self.path, self.described = method, path, described
        self.name = described["operationId"]
        self.tag = described["tags"][0]
        self.responses = {int(status): answer for status, answer in described["responses"].items() if status != "default"}
        pattern = re.sub(r"\\{[a-z_]+\\}", "[^/]+", re.escape(path.rstrip("/")))
        self.pattern = re.compile(pattern + "/?")
        self.parameters = path.count("{")


class Contract:
    operation_class = Operation

    def __init__(self, document, prefix):
        self.document, self.prefix = document, prefix
        self.operations = [
            self.operation_class(method.upper(), path, described)
            for path, methods in document["paths"].items()
            for method, described in methods.items()
            if method in METHODS
        ]
        self.operations.sort(key=lambda operation: operation.parameters)

    def covers(self, path):
        return urllib.parse.urlsplit(path).path.startswith(self.prefix + "/")

    def find(self, method, path):
        """The operation behind a request below the prefix, or None."""
        plain = urllib.parse.urlsplit(path).path[len(self.prefix):]
        plain = re.sub("/+", "/", plain)
        methods = (method, "GET") if method == "HEAD" else (method,)
        for wanted in methods:
            for operation in self.operations:
                if operation.method == wanted and operation.pattern.fullmatch(plain.rstrip("/") or "/"):
                    return operation
        return None

    def resolve(self, node):
        return resolve(self.document, node)


def resolve(document, node):
    """What a reference stands for, or the node itself."""
    while "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def assert_fits(validator, value, where):
    problems = [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in validator.iter_errors(value)]
    assert not problems, f"{where}: " + "; ".join(problems[:5])[:1000]


def assert_location(answer, where):
    location = answer.headers.get("Location", "/")
    assert answer.status_code != 201 or location.startswith("/"), f"{where}: Location is no path: {location}"


def note(name):
    """Writes down that an operation was answered with success, for tests/contract at the end of a run of everything."""
    folder = os.environ.get("BERTH_OPERATIONS_SEEN")
    if folder:
        Path(folder, name).touch()
