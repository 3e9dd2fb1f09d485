# SPDX-License-Identifier: Apache-2.0
"""Webhook policies of a project, and what becomes of what they tell."""
from harness import oci
from harness.people import API, call
from harness.wire import unique

EVENTS = ["PUSH_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT", "SCANNING_FAILED", "SCANNING_COMPLETED", "SCANNING_STOPPED", "QUOTA_EXCEED",
          "QUOTA_WARNING", "REPLICATION", "TAG_RETENTION", "MOVE_TAG"]


def policies_of(project):
    return f"{API}/projects/{project}/webhook/policies"


def hook(admin, project, *targets, events=EVENTS[:3], expect=201, **more):
    body = {"name": unique("policy"), "enabled": True, "event_types": events, "targets": list(targets), **more}
    answer = call(admin, "POST", policies_of(project), body, expect=expect)
    return answer.headers["Location"] if expect == 201 else answer


def push(admin, project, tag="v1", name="app", seed=0):
    image = oci.image(seed=seed)
    admin.repository(f"{project}/{name}").push(image, tag)
    return image


def executions(admin, path, **query):
    return admin.get(f"{path}/executions", params=query, expect=200).json()
