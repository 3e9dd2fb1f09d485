# SPDX-License-Identifier: Apache-2.0
"""The description of our own API: served to everybody as it stands in the source. The harness holds every answer against it."""
import jsonschema
import pytest

from harness import openapi

PATH = openapi.PREFIX + "/openapi.json"


def test_everybody_gets_it(anonymous):
    answer = anonymous.get(PATH, expect=200)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == openapi.document()
    anonymous.head(PATH, expect=200)
    anonymous.post(PATH, expect=405)


def test_every_path_parameter_is_described():
    contract = openapi.contract()
    for operation in contract.operations:
        shared = contract.document["paths"][operation.path].get("parameters", [])
        described = [contract.resolve(p) for p in [*shared, *operation.described.get("parameters", [])]]
        in_path = {p["name"] for p in described if p["in"] == "path" and p["required"]}
        assert in_path == {part.strip("{}") for part in operation.path.split("/") if part.startswith("{")}, operation.path


def test_every_schema_is_one():
    for schema in openapi.document()["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("change", [{"more": 1}, {"id": "1"}, {"kind": "kerberos"}, {"settings": {"client_secret": 1}}])
def test_an_answer_that_does_not_fit_is_seen(change):
    fits = {"id": 1, "tenant_id": 1, "name": "a", "kind": "oidc", "position": 0, "enabled": False, "settings": {"endpoint": "https://a"}}
    validator = openapi.contract().answer_validator("getIdentityProvider", 200)
    assert not list(validator.iter_errors(fits))
    assert list(validator.iter_errors({**fits, **change}))
