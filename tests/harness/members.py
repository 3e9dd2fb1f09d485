# SPDX-License-Identifier: Apache-2.0
"""Projects with members, as Harbor's API makes them, and what the audit trail says of them."""
from harness.people import API, call

ROLES = {"projectAdmin": 1, "developer": 2, "guest": 3, "maintainer": 4, "limitedGuest": 5}


def make_project(admin, name, **body):
    """Makes a project; returns its id."""
    answer = call(admin, "POST", f"{API}/projects", {"project_name": name, **body}, expect=201)
    return int(answer.headers["Location"].rsplit("/", 1)[1])


def add_member(admin, project, role, expect=201, **who):
    """who: username=, user_id=, or group={…}; `role` a name of ROLES or a number. Returns the member's path, or the answer."""
    entity = {"member_group": who["group"]} if "group" in who else {"member_user": who}
    answer = call(admin, "POST", f"{API}/projects/{project}/members", {"role_id": ROLES.get(role, role), **entity}, expect=expect)
    return answer.headers["Location"] if answer.status_code == 201 else answer


def recorded(registry, project):
    """What was done in a project and recorded, in its order: "create member alice"."""
    return registry.query(
        "SELECT operation || ' ' || resource_type || ' ' || resource FROM audit_record "
        f"WHERE project = '{project}' AND result = 0 ORDER BY id"
    )
