# SPDX-License-Identifier: Apache-2.0
"""Tags and copies by Harbor's API, and what pulls leave behind: both APIs must tell the same story."""
import json

import pytest

from harness import oci
from harness.people import call
from harness.wait import wait_until
from harness.wire import unique

API = "/api/v2.0"
JSON = {"Content-Type": "application/json"}
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"


@pytest.fixture
def project(client):
    name = unique("tags")
    client.make_project(name)
    return name


@pytest.fixture
def repo(client, project):
    return client.repository(f"{project}/app")


@pytest.fixture
def base(project):
    return f"{API}/projects/{project}/repositories/app/artifacts"


@pytest.fixture
def content(repo):
    content = oci.image("tagged")
    repo.push(content, "v1")
    return content


@pytest.fixture
def make_robot(registry, admin):
    def make(project, *access):
        body = {
            "name": unique("bot"), "level": "project", "duration": -1,
            "permissions": [{"kind": "project", "namespace": project,
                             "access": [{"resource": resource, "action": action} for resource, action in access]}],
        }
        made = admin.request("POST", f"{API}/robots", headers=JSON, body=json.dumps(body), expect=201).json()
        return registry.client(made["name"], made["secret"], auth="basic")
    return make


def create(client, base, reference, name, expect=201):
    return client.post(f"{base}/{reference}/tags", headers=JSON, body=json.dumps({"name": name}), expect=expect)


class TestTags:
    def test_created(self, admin, repo, base, content):
        create(admin, base, "v1", "v2")
        create(admin, base, content.digest, "v3")
        assert repo.tag_names() == ["v1", "v2", "v3"]
        assert repo.get_manifest("v3").content == content.body
        listed = admin.get(f"{base}/v1/tags", expect=200)
        assert [tag["name"] for tag in listed.json()] == ["v1", "v2", "v3"]
        assert listed.headers["X-Total-Count"] == "3"

    def test_an_existing_name_is_409(self, admin, repo, base, content):
        other = oci.image("other")
        repo.push(other, "v2")
        create(admin, base, "v1", "v2", expect=409)
        assert repo.get_manifest("v2").content == other.body

    @pytest.mark.parametrize("name", ["", "-x", "a/b", "a" * 129, "a b", None, 7])
    def test_bad_names(self, admin, base, content, name):
        create(admin, base, "v1", name, expect=(400, 422))

    @pytest.mark.parametrize("reference", ["none", "sha256:" + "0" * 64])
    def test_unknown_artifacts(self, admin, base, content, reference):
        create(admin, base, reference, "v9", expect=404)

    def test_makes_an_untagged_child_stand_for_itself(self, admin, repo, base):
        index = oci.index([oci.image("one")])
        repo.push(index, "multi")
        assert len(admin.get(base, expect=200).json()) == 1
        create(admin, base, index.children[0].digest, "one")
        assert len(admin.get(base, expect=200).json()) == 2

    def test_makes_a_signature(self, admin, repo, base, content):
        signature = oci.image("sig", layer_type=SIMPLE_SIGNING)
        repo.push(signature)
        create(admin, base, signature.digest, content.digest.replace(":", "-") + ".sig")
        assert [entry["digest"] for entry in admin.get(base, expect=200).json()] == [content.digest]

    def test_deleted(self, admin, repo, base, content):
        create(admin, base, "v1", "v2")
        repo.get_manifest("v2")
        admin.delete(f"{base}/v1/tags/v2", expect=200)
        repo.get_manifest("v2", expect=404)
        admin.delete(f"{base}/v1/tags/v2", expect=404)
        admin.delete(f"{base}/v1/tags/v1", expect=200)
        repo.get_manifest(content.digest)
        assert "tags" in admin.get(f"{base}/{content.digest}", expect=200).json()

    def test_deleted_only_from_its_own_artifact(self, admin, repo, base, content):
        repo.push(oci.image("other"), "theirs")
        admin.delete(f"{base}/v1/tags/theirs", expect=404)
        assert repo.tag_names() == ["theirs", "v1"]

    @pytest.mark.parametrize("query, names", [
        ("q=name=~a", ["alpha", "beta"]), ("q=name=beta", ["beta"]), ("q=name=bet_", []), ("page_size=1", ["alpha"]),
        ("page_size=1&page=2", ["beta"]), ("page_size=2&page=2", ["v1"]),
    ])
    def test_lists(self, admin, base, content, query, names):
        create(admin, base, "v1", "beta")
        create(admin, base, "v1", "alpha")
        assert [tag["name"] for tag in admin.get(f"{base}/v1/tags?{query}", expect=200).json()] == names

    def test_want_permissions(self, make_robot, project, base, content):
        reader = make_robot(project, ("artifact", "read"), ("tag", "list"))
        reader.get(f"{base}/v1/tags", expect=200)
        create(reader, base, "v1", "v2", expect=403)
        reader.delete(f"{base}/v1/tags/v1", expect=403)

    @pytest.mark.settings(registry_delete="false")
    def test_not_deleted_where_nothing_is(self, admin, repo, base, content):
        admin.delete(f"{base}/v1/tags/v1", expect=405)
        admin.delete(f"{base}/v1", expect=405)
        admin.delete(base.removesuffix("/artifacts"), expect=405)


class TestCopies:
    def copy(self, client, project, source, expect=201, rest="copied"):
        return client.post(f"{API}/projects/{project}/repositories/{rest}/artifacts?from={source}", expect=expect)

    @pytest.fixture
    def target(self, client):
        name = unique("target")
        client.make_project(name)
        return name

    def test_with_its_tags(self, admin, client, repo, project, target, base, content):
        create(admin, base, "v1", "also")
        answer = self.copy(admin, target, f"{project}/app:v1")
        assert answer.headers["Location"] == f"{API}/projects/{target}/repositories/copied/artifacts/v1"
        copied = client.repository(f"{target}/copied")
        assert copied.tag_names() == ["also", "v1"]
        assert copied.get_manifest("v1").content == content.body
        for blob in content.blobs:
            assert copied.get_blob(oci.digest_of(blob)).content == blob
        self.copy(admin, target, f"{project}/app:v1")

    def test_by_digest_within_the_project(self, admin, client, project, content):
        self.copy(admin, project, f"{project}/app@{content.digest}")
        assert client.repository(f"{project}/copied").get_manifest(content.digest).content == content.body

    def test_with_children_and_accessories(self, admin, client, repo, project, target):
        index = oci.index([oci.image("one"), oci.image("two")])
        repo.push(index, "multi")
        sbom = oci.artifact("application/spdx+json", subject=index.descriptor())
        proof = oci.artifact("application/x", subject=sbom.descriptor())
        signature = oci.image("sig", layer_type=SIMPLE_SIGNING)
        repo.push(sbom)
        repo.push(proof)
        repo.push(signature, index.digest.replace(":", "-") + ".sig")
        self.copy(admin, target, f"{project}/app:multi")
        copied = client.repository(f"{target}/copied")
        for each in (index, *index.children, sbom, proof, signature):
            assert copied.get_manifest(each.digest).content == each.body
        assert copied.referrer_digests(index.digest) == [sbom.digest]
        listed = admin.get(f"{API}/projects/{target}/repositories/copied/artifacts", expect=200).json()
        assert [entry["digest"] for entry in listed] == [index.digest]
        assert {entry["type"] for entry in listed[0]["accessories"]} == {"subject.accessory", "signature.cosign"}

    def test_not_of_an_accessory(self, admin, repo, project, target, content):
        sbom = oci.artifact("application/spdx+json", subject=content.descriptor())
        repo.push(sbom)
        self.copy(admin, target, f"{project}/app@{sbom.digest}", expect=403)

    @pytest.mark.parametrize("source", ["", "app", "app:v1", "{project}/app", "{project}/app:-", "{project}/app@sha256:0", "UPPER/app:v1", "{project}/app@{project}:v1"])
    def test_malformed_sources(self, admin, project, target, content, source):
        self.copy(admin, target, source.format(project=project), expect=400)

    def test_unknown_sources(self, admin, project, target, content):
        self.copy(admin, target, f"{project}/app:none", expect=404)
        self.copy(admin, target, f"{project}/none:v1", expect=404)
        self.copy(admin, target, f"{unique('no')}/none:v1", expect=404)

    def test_not_without_pull_on_the_source(self, make_robot, client, project, target, content):
        """CVE-2019-19030's kind: whoever may push somewhere could take from where he may not read."""
        robot = make_robot(target, ("artifact", "create"), ("artifact", "read"), ("repository", "pull"), ("repository", "push"))
        self.copy(robot, target, f"{project}/app:v1", expect=403)
        self.copy(robot, target, f"{project}/none:v1", expect=403)
        self.copy(robot, target, f"{unique('no')}/none:v1", expect=403)
        client.repository(f"{target}/copied").get_manifest("v1", expect=404)
        client.publish_project(project)
        self.copy(robot, target, f"{project}/app:v1")

    def test_not_without_the_permission_on_the_target(self, make_robot, project, target, content):
        robot = make_robot(project, ("artifact", "create"), ("artifact", "read"), ("repository", "pull"))
        self.copy(robot, target, f"{project}/app:v1", expect=403)


@pytest.mark.settings(pulls_write_interval="100ms")
class TestPulls:
    def state(self, admin, base):
        artifact = admin.get(f"{base}/v1", expect=200).json()
        repository = admin.get(base.removesuffix("/artifacts"), expect=200).json()
        return repository["pull_count"], artifact.get("pull_time"), artifact["tags"][0].get("pull_time")

    def test_are_counted(self, admin, repo, base, content):
        assert self.state(admin, base) == (0, None, None)
        repo.head_manifest("v1")
        repo.get_manifest(content.digest)
        wait_until(lambda: self.state(admin, base)[0] == 1, what="the first pull in the count")
        count, pulled, tag_pulled = self.state(admin, base)
        assert pulled and tag_pulled is None, "it was pulled by its digest"
        for _ in range(20):
            repo.get_manifest("v1")
        wait_until(lambda: self.state(admin, base)[0] == 21, what="all pulls in the count")
        _, later, tag_pulled = self.state(admin, base)
        assert later > pulled and tag_pulled == later

    def test_order_lists(self, admin, repo, base, content):
        repo.push(oci.image("never pulled"), "v2")
        repo.get_manifest("v1")
        wait_until(lambda: self.state(admin, base)[0] == 1, what="the pull in the count")
        listed = admin.get(f"{base}?sort=-pull_time", expect=200).json()
        assert listed[0]["digest"] == content.digest
        repositories = admin.get(f"{base.removesuffix('/app/artifacts')}?sort=-pull_count", expect=200).json()
        assert repositories[0]["pull_count"] == 1

    def test_are_left_alone_when_the_settings_say_so(self, admin, repo, base, content):
        def pull_and_see(**settings):
            call(admin, "PUT", f"{API}/configurations", settings)
            before = self.state(admin, base)
            repo.get_manifest("v1")
            return before

        try:
            count, pulled, _ = pull_and_see(pull_time_update_disable=True)
            wait_until(lambda: self.state(admin, base)[0] == count + 1, what="the count without a time")
            assert self.state(admin, base)[1:] == (pulled, None)
            count, pulled, _ = pull_and_see(pull_time_update_disable=False, pull_count_update_disable=True)
            wait_until(lambda: self.state(admin, base)[1] != pulled, what="the time without a count")
            assert self.state(admin, base)[0] == count
            count, pulled, _ = pull_and_see(pull_count_update_disable=True, pull_time_update_disable=True)
        finally:
            call(admin, "PUT", f"{API}/configurations", {"pull_count_update_disable": False, "pull_time_update_disable": False})
        repo.get_manifest("v1")
        wait_until(lambda: self.state(admin, base)[0] > count, what="a pull that counts again")

    def test_of_what_is_gone_is_no_matter(self, admin, client, repo, base, content):
        repo.get_manifest("v1")
        repo.delete_manifest(content.digest)
        repo.push(oci.image("kept"), "v1")
        repo.get_manifest("v1")
        wait_until(lambda: self.state(admin, base)[1], what="the second pull in the count")


@pytest.mark.own_server
def test_pulls_are_written_down_at_the_end(make_registry):
    registry = make_registry(pulls_write_interval="1h")
    client, name = registry.client(), unique("stop")
    client.make_project(name)
    repo = client.repository(f"{name}/app")
    repo.push(oci.image("stop"), "v1")
    for _ in range(3):
        repo.get_manifest("v1")
    registry.restart()
    found = registry.client(auth="basic").get(f"{API}/projects/{name}/repositories/app", expect=200).json()
    assert found["pull_count"] == 3
