# SPDX-License-Identifier: Apache-2.0
"""Projects with a quota."""
import json

API = "/api/v2.0"
OWN = "/api/berth/v1"


class Project:
    """A project of its own with its quota."""

    def __init__(self, client, admin, name, limit=None):
        self.client, self.admin, self.name = client, admin, name
        body = {"project_name": name} if limit is None else {"project_name": name, "storage_limit": limit}
        admin.post(f"{API}/projects", body=json.dumps(body), expect=201)
        self.id = admin.get(f"{API}/projects/{name}", expect=200).json()["project_id"]

    def repository(self, rest="app", client=None):
        return (client or self.client).repository(f"{self.name}/{rest}")

    def quota(self):
        return self.admin.get(f"{API}/quotas/{self.id}", expect=200).json()

    @property
    def used(self):
        return self.quota()["used"]["storage"]

    def limit(self, expect=200, **hard):
        return self.admin.put(f"{API}/quotas/{self.id}", body=json.dumps({"hard": hard}), expect=expect)

    def all(self):
        return self.admin.get(f"{OWN}/projects/{self.name}/quota", expect=200).json()
