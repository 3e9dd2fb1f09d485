# SPDX-License-Identifier: Apache-2.0
"""Our own OpenAPI document, held against every answer of the black box below /api/berth/v1.

An answer must be of an operation that is described, with a declared status and a body that fits its schema; a member that is
described nowhere does not fit. A request body that was accepted must fit too: what is described is what is taken.
"""
import functools
import json
import subprocess
import sys
from pathlib import Path

import jsonschema

from harness.contract import Contract, assert_fits, assert_location, note, resolve

PREFIX = "/api/berth/v1"
ROOT = Path(__file__).resolve().parents[2]
PARTS = ROOT / "src" / "api" / "openapi"


class Document(Contract):
    @functools.lru_cache(maxsize=None)
    def answer_validator(self, name, status):
        """None when an answer of this status has no body."""
        responses = self.named(name).described["responses"]
        return self.body_validator(self.resolve(responses.get(str(status), responses["default"])))

    @functools.lru_cache(maxsize=None)
    def request_validator(self, name):
        return self.body_validator(self.resolve(self.named(name).described.get("requestBody", {})))

    def named(self, name):
        return next(o for o in self.operations if o.name == name)

    def body_validator(self, described):
        schema = described.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return None
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        return jsonschema.Draft202012Validator({"components": self.document["components"], "allOf": [schema]}, format_checker=checker)


def close(node, open_ones, inside=False):
    """Refuses members that an object schema does not name. `inside` an allOf others may name more."""
    if isinstance(node, list):
        for value in node:
            close(value, open_ones, inside)
    if not isinstance(node, dict):
        return
    for key, value in node.items():
        if key == "properties" and isinstance(value, dict):
            for member in value.values():
                close(member, open_ones)
        else:
            close(value, open_ones, inside=key == "allOf")
    mine = isinstance(node.get("properties"), dict) or isinstance(node.get("allOf"), list)
    if mine and not inside and id(node) not in open_ones and "additionalProperties" not in node:
        node["unevaluatedProperties"] = False


def parts_of_others(node, document):
    """The components that stand in an allOf."""
    found = set()
    if isinstance(node, dict):
        if isinstance(node.get("allOf"), list):
            found = {id(resolve(document, part)) for part in node["allOf"] if "$ref" in part}
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            found |= parts_of_others(value, document)
    return found


@functools.lru_cache(maxsize=1)
def document():
    """As it stands in the source; that the server has the same is a test of its own."""
    parts = sorted(map(str, PARTS.glob("*.json")))
    joined = subprocess.run([sys.executable, str(ROOT / "tools" / "openapi"), "--json", *parts], capture_output=True, text=True, check=True)
    return json.loads(joined.stdout)


@functools.lru_cache(maxsize=1)
def contract():
    strict = json.loads(json.dumps(document()))
    close(strict, parts_of_others(strict, strict))
    return Document(strict, PREFIX)


def check(method, path, answer):
    """Fails unless request and answer are as our document says."""
    if not contract().covers(path):
        return
    operation, status, where = contract().find(method, path), answer.status_code, f"{method} {path}"
    if operation is None:
        assert status in (404, 405), f"{where} answers {status}, and the document has no such operation"
        return
    assert answer.headers.get("X-Request-Id"), f"{where}: X-Request-Id is missing"
    assert status >= 400 or status in operation.responses, f"{where} ({operation.name}) answers {status}, which is not declared"
    if status < 300:
        note(f"berth:{operation.name}")
        assert_location(answer, where)
        check_request(operation, answer.request, where)
    if method != "HEAD":
        check_body(operation, answer, where)


def check_request(operation, request, where):
    validator = contract().request_validator(operation.name)
    if validator is None:
        assert not request.body, f"{where} took a body that is not described"
    elif request.body:
        assert_fits(validator, without_nulls(json.loads(request.body)), f"{where} ({operation.name}) took a body that does not fit")


def without_nulls(node):
    """The document says it of all bodies: a member that is null counts as absent."""
    if isinstance(node, dict):
        return {key: without_nulls(value) for key, value in node.items() if value is not None}
    return [without_nulls(value) for value in node] if isinstance(node, list) else node


def check_body(operation, answer, where):
    validator = contract().answer_validator(operation.name, answer.status_code)
    media_type = answer.headers.get("Content-Type", "").split(";")[0].strip()
    is_json = media_type == "application/json" or media_type.endswith("+json")
    assert not (validator and answer.status_code < 300) or is_json, f"{where} ({operation.name}): no JSON"
    if validator and is_json:
        assert_fits(validator, answer.json(), f"{where} ({operation.name}, {answer.status_code})")
    elif answer.status_code < 300 and is_json:
        assert not answer.content, f"{where} ({operation.name}): the body is not described"
