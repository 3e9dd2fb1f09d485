# SPDX-License-Identifier: Apache-2.0
"""A tenant with one of everything that a tenant can have."""
import re

from harness import oci
from harness.members import add_member, make_project
from harness.people import API, call, make_person
from harness.wire import unique

BERTH = "/api/berth/v1"
NO_DIGEST = "sha256:" + "0" * 64
PULL = {"resource": "repository", "action": "pull"}
SYSTEM_ROBOT = {"name": "r", "level": "system", "duration": -1, "permissions": [{"kind": "project", "namespace": "*", "access": [PULL]}]}


def made(client, path, body):
    answer = call(client, "POST", path, body, expect=201)
    return int(answer.headers["Location"].rsplit("/", 1)[1])


class Victim:
    """A tenant with one of everything, and a name for each: project, repository, digest, tag, robot, …"""

    def __init__(self, registry):
        self.tenant = registry.tenant(unique("victim"))
        self.admin = self.tenant.admin
        self.project = unique("treasure")
        self.content = oci.image(self.project)
        self.repository = self.tenant.client().repository(f"{self.project}/app")
        project_id = make_project(self.admin, self.project)
        self.repository.push(self.content, "v1")
        self.person = make_person(self.admin)
        self.person.browser()
        member = add_member(self.admin, self.project, "projectAdmin", username=self.person.name)
        robot = call(self.admin, "POST", f"{API}/robots", {
            **SYSTEM_ROBOT, "name": "keeper", "level": "project",
            "permissions": [{"kind": "project", "namespace": self.project, "access": [PULL]}]}, expect=201).json()
        upload = self.repository.start_upload()
        self.names = {
            "project": self.project, "project_id": project_id, "digest": self.content.digest, "tag": "v1",
            "blob": self.content.document["layers"][0]["digest"], "upload": upload.uuid,
            "user": self.person.id, "username": self.person.name, "member": int(member.rsplit("/", 1)[1]),
            "token": made(self.person.client, f"{BERTH}/access-tokens", {"name": "ci"}),
            "session": call(self.admin, "GET", f"{BERTH}/users/{self.person.id}/sessions").json()[0]["id"],
            "robot": robot["id"], "robot_name": robot["name"],
            "secret": call(self.admin, "GET", f"{BERTH}/robots/{robot['id']}/secrets").json()[0]["id"],
            "group": made(self.admin, f"{API}/usergroups", {"group_name": self.project, "group_type": 3}),
            "retention": made(self.admin, f"{API}/retentions", {"rules": [], "scope": {"level": "project", "ref": project_id}}),
            "label": made(self.admin, f"{API}/labels", {"name": self.project, "scope": "g"}),
            "project_label": made(self.admin, f"{API}/labels", {"name": self.project, "scope": "p", "project_id": project_id}),
            "role": made(self.admin, f"{BERTH}/roles", {"name": self.project, "grants": [{"permissions": ["repository:pull"]}]}),
            "issuer": made(self.admin, f"{BERTH}/issuers", {
                "name": self.project, "url": f"https://{self.project}.example", "audiences": ["berth"]}),
            "tenant": self.tenant.id,
        }
        self.names["provider"] = made(self.admin, f"{BERTH}/identity-providers", {
            "name": "corporate", "kind": "oidc", "settings": {"endpoint": "https://login.example", "client_id": "x", "client_secret": "hush"}})
        call(self.admin, "POST", f"{API}/projects/{self.project}/webhook/policies", {
            "name": "told", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": [{"type": "http", "address": "https://told.example"}]}, expect=201)
        self.names["webhook"] = made(self.admin, f"{BERTH}/webhooks", {
            "name": "told", "enabled": True, "event_types": ["DELETE_ARTIFACT"], "targets": [{"type": "http", "address": "https://told.example"}]})
        call(self.admin, "POST", f"{BERTH}/inventory", {"cluster": "cluster-" + self.project, "digests": [self.content.digest]})
        binding = {"name": "b", "conditions": [{"claim": "sub", "equals": "x"}], "robot_id": robot["id"]}
        self.names["binding"] = made(self.admin, f"{BERTH}/issuers/{self.names['issuer']}/bindings", binding)
        self.names["certificate"] = made(self.admin, f"{BERTH}/certificate-bindings", binding)
        self.nobody = {
            "project": "no-" + self.project, "digest": NO_DIGEST, "tag": "v1", "blob": NO_DIGEST, "username": "no-" + self.person.name,
            "upload": "00000000-0000-4000-8000-000000000000", "robot_name": "robot$no-" + robot["name"][6:],
        }

    def state(self):
        """What is there, to be compared."""
        lists = (
            f"{API}/projects/{self.project}", f"{API}/projects/{self.project}/summary", f"{API}/projects/{self.project}/members",
            f"{API}/projects/{self.project}/repositories", f"{API}/projects/{self.project}/repositories/app/artifacts?with_label=true",
            f"{API}/users", f"{API}/usergroups", f"{API}/labels?scope=g", f"{API}/labels?scope=p&project_id={self.names['project_id']}",
            f"{API}/robots", f"{BERTH}/robots/{self.names['robot']}", f"{BERTH}/robots/{self.names['robot']}/secrets", f"{BERTH}/roles",
            f"{BERTH}/users/{self.person.id}", f"{BERTH}/users/{self.person.id}/access-tokens", f"{BERTH}/users/{self.person.id}/sessions",
            f"{BERTH}/issuers", f"{BERTH}/issuers/{self.names['issuer']}/bindings", f"{BERTH}/certificate-bindings",
            self.tenant.path, f"{self.tenant.path}/administrators",
        )
        texts = [call(self.admin, "GET", path).text for path in lists]
        return [re.sub(r'"(used_time|update_time|expiration_time|last_used_time|pull_count|pull_time)":("[^"]*"|\d+),?', "", text) for text in texts]
