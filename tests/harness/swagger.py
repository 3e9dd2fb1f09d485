# SPDX-License-Identifier: Apache-2.0
"""Harbor's own description of its API, held against every answer of the black box.

The contract is the swagger file in Harbor's Go client, which ./dev fetches as a module. An answer below /api/v2.0 must be of
an operation that is described there, with a status that is declared for it, and a body that fits its schema. Which
operations were answered with success is written down, so that a run of everything can say which never were (tests/contract).
"""
import functools
from pathlib import Path

import jsonschema
import yaml

from harness.contract import Contract, Operation, assert_fits, assert_location, note

PREFIX = "/api/v2.0"
FILE = Path(__file__).resolve().parents[2] / "build" / "tools" / "harbor-swagger.yaml"

# Whatever the operation: what a gate before it may answer.
ALWAYS = {400, 401, 403, 404, 405, 413, 422, 429, 501, 503}

# What Harbor answers although its description does not say so.
UNDECLARED = {
    "CreateRobot": {409}, "deleteArtifact": {412}, "deleteTag": {412}, "deleteRepository": {412}, "CopyArtifact": {412},
    "getCurrentUserInfo": {412}, "createRetention": {409}, "updateRetention": {409},
    "CreateImmuRule": {409}, "UpdateImmuRule": {409},
    "CreateWebhookPolicyOfProject": {409}, "UpdateWebhookPolicyOfProject": {409},
    # A gate of ours: rules that would leave nothing need a dry run first; and one run of a project at a time.
    "triggerRetentionExecution": {409, 412},
}

# Tags of the operations that are served; the others answer 501.
SERVED = frozenset(
    """health ping systeminfo statistic search configure project projectMetadata member repository artifact user usergroup
    robot label quota permissions auditlog Ldap oidc SystemCVEAllowlist icon jobservice schedule purge gc Retention immutable webhook webhookjob""".split()
)
# Operations of those tags that are not there yet: they answer 501 like the others. The list may only shrink.
LATER_FILE = Path(__file__).with_name("operations-later")
LATER = frozenset(LATER_FILE.read_text(encoding="utf-8").split())


class HarborOperation(Operation):
    def served(self):
        return self.tag in SERVED and self.name not in LATER


class Harbor(Contract):
    operation_class = HarborOperation

    @functools.lru_cache(maxsize=None)
    def validator(self, name, status):
        operation = next(o for o in self.operations if o.name == name)
        answer = self.resolve(operation.responses[status])
        if "schema" not in answer:
            return None
        schema = {"definitions": self.document["definitions"], "allOf": [answer["schema"]]}
        return jsonschema.Draft4Validator(schema, format_checker=jsonschema.Draft4Validator.FORMAT_CHECKER)


def nullable(node):
    """Swagger 2.0 has no null; Harbor says x-nullable, and its clients read null as absent."""
    if isinstance(node, dict):
        for value in node.values():
            nullable(value)
        if node.get("x-nullable") and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
    elif isinstance(node, list):
        for value in node:
            nullable(value)


def as_written():
    return yaml.load(FILE.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


@functools.lru_cache(maxsize=1)
def contract():
    document = as_written()
    nullable(document)
    # Of this "object" the generator of Harbor and its clients makes any value at all, and Harbor answers texts and numbers.
    del document["definitions"]["InternalConfigurationValue"]["properties"]["value"]["type"]
    document["definitions"]["ExtraAttrs"]["additionalProperties"] = {}
    document["definitions"]["RetentionRule"]["properties"]["params"]["additionalProperties"] = {}
    # A "string" that is whatever the addition is: JSON, YAML, Markdown.
    addition = "/projects/{project_name}/repositories/{repository_name}/artifacts/{reference}/additions/{addition}"
    del document["paths"][addition]["get"]["responses"]["200"]["schema"]
    return Harbor(document, PREFIX)


def check(method, path, answer):
    """Fails unless the answer is one that Harbor's description allows."""
    if not path.startswith(PREFIX + "/") or not FILE.exists():
        return
    where = f"{method} {path}"
    operation = contract().find(method, path)
    status = answer.status_code
    if operation is None:
        assert status in (404, 405), f"{method} {path} answers {status}, and Harbor's API has no such operation"
        return
    declared = operation.responses
    assert status in declared or status in ALWAYS or status in UNDECLARED.get(operation.name, ()), (
        f"{method} {path} ({operation.name}) answers {status}; declared are {sorted(declared)}: {answer.text[:300]}"
    )
    assert answer.headers.get("X-Request-Id"), f"{method} {path}: X-Request-Id is missing"
    if 200 <= status < 300:
        note(operation.name)
        assert_location(answer, where)
    if method == "HEAD" or status not in declared or "json" not in answer.headers.get("Content-Type", ""):
        return
    validator = contract().validator(operation.name, status)
    if validator and answer.content:
        assert_fits(validator, answer.json(), f"{where} ({operation.name}, {status})")
