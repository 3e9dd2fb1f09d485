# SPDX-License-Identifier: Apache-2.0
"""Artifacts by Harbor's API: what lists show of manifests, indexes, charts and signatures, and what they leave out."""
import json

import pytest

from harness import oci
from harness.wire import unique

API = "/api/v2.0"
CHART = "application/vnd.cncf.helm.config.v1+json"
SIMPLE_SIGNING = "application/vnd.dev.cosign.simplesigning.v1+json"


class Artifacts:
    """A repository seen through Harbor's API."""

    def __init__(self, admin, project, rest):
        self.admin = admin
        self.base = f"{API}/projects/{project}/repositories/{rest}/artifacts"

    def list(self, query="", expect=200):
        return self.admin.get(f"{self.base}?{query}", expect=expect)

    def digests(self, query=""):
        return [entry["digest"] for entry in self.list(query).json()]

    def get(self, reference, query="", expect=200):
        return self.admin.get(f"{self.base}/{reference}?{query}", expect=expect).json()

    def delete(self, reference, expect=200):
        return self.admin.delete(f"{self.base}/{reference}", expect=expect)


@pytest.fixture
def project(client):
    name = unique("artifacts")
    client.make_project(name)
    return name


@pytest.fixture
def repo(client, project):
    return client.repository(f"{project}/app")


@pytest.fixture
def artifacts(admin, project):
    return Artifacts(admin, project, "app")


def image_config(**more):
    return oci.encode({
        "architecture": "arm64", "os": "linux", "author": "me", "created": "2026-01-02T03:04:05Z",
        "config": {"Env": ["A=b"], "Labels": {"k": "v"}}, "rootfs": {"type": "layers", "diff_ids": []}, **more,
    })


def size_of(content):
    return len(content.body) + sum(len(blob) for blob in content.blobs)


def test_an_image(repo, artifacts, project):
    content = oci.image("i", config=image_config(), annotations={"org.example": "yes"})
    repo.push(content, "v1")
    found = artifacts.get("v1")
    assert found == artifacts.get(content.digest)
    assert found["digest"] == content.digest
    assert found["type"] == "IMAGE"
    assert found["media_type"] == oci.OCI_CONFIG
    assert found["manifest_media_type"] == oci.OCI_MANIFEST
    assert found["repository_name"] == f"{project}/app"
    assert found["size"] == size_of(content)
    assert found["annotations"] == {"org.example": "yes"}
    assert found["extra_attrs"] == {
        "architecture": "arm64", "os": "linux", "author": "me", "created": "2026-01-02T03:04:05Z",
        "config": {"Env": ["A=b"], "Labels": {"k": "v"}},
    }
    tag = found["tags"][0]
    assert (tag["name"], tag["artifact_id"], tag["immutable"]) == ("v1", found["id"], False)
    assert tag["push_time"] >= found["push_time"] and "pull_time" not in tag
    assert artifacts.list().json() == [found]


@pytest.mark.parametrize("config, author", [
    ({"author": "", "config": {"Labels": {"maintainer": "old"}}}, "old"),
    ({"author": None, "config": {"Labels": {"maintainer": "old", "org.opencontainers.image.authors": "new"}}}, "new"),
    ({"author": 7, "config": None}, ""),
])
def test_author(repo, artifacts, config, author):
    repo.push(oci.image("author", config=image_config(**config)), "v1")
    assert artifacts.get("v1")["extra_attrs"]["author"] == author


@pytest.mark.parametrize("config", [
    b"", b"{", b"[]", b"7", b'{"architecture":7,"os":{},"config":[]}', b'{"a":1,"a":2}', b'{"created":"\\u0000"}',
    b"\xff\xfe", b'{"config":' + b"[" * 100 + b"]" * 100 + b"}", b"{}" + b" " * (1 << 20),
    json.dumps({"config": {"Labels": {"big": "x" * 100000}}, "os": "linux"}).encode(),
])
def test_a_config_that_is_none_spoils_nothing(repo, artifacts, config):
    content = oci.image("bad", config=config)
    repo.push(content, "v1")
    repo.push(oci.image("good", config=image_config()), "v2")
    found = artifacts.get("v1")
    assert found["type"] == "IMAGE" and found["size"] == size_of(content)
    assert len(json.dumps(found)) < 70000
    assert len(artifacts.digests()) == 2
    assert artifacts.get("v2")["extra_attrs"]["os"] == "linux"


@pytest.mark.parametrize("config_type, artifact_type, found", [
    (oci.DOCKER_CONFIG, None, "IMAGE"),
    (CHART, None, "CHART"),
    ("application/vnd.cnab.manifest.v1", None, "CNAB"),
    ("application/vnd.wasm.config.v1+json", None, "WASM"),
    ("application/vnd.acme.rocket.config.v1+json", None, "ROCKET"),
    ("application/vnd.acme.rocket.stage.config.v1+json", None, "ROCKET.STAGE"),
    ("application/vnd.acme.config.v1+json", None, "UNKNOWN"),
    ("text/plain", None, "UNKNOWN"),
    (oci.OCI_EMPTY, "application/vnd.goharbor.harbor.sbom.v1", "SBOM"),
    ("application/vnd.cncf.model.config.v1+json", "application/vnd.cncf.model.manifest.v1+json", "CNAI"),
])
def test_types(repo, artifacts, config_type, artifact_type, found):
    repo.push(oci.image("t", config=b'{"name":"x"}', config_type=config_type, artifact_type=artifact_type), "v1")
    answer = artifacts.get("v1")
    assert answer["type"] == found and answer["media_type"] == config_type
    assert artifacts.digests(f"q=type={found}") == [answer["digest"]]
    assert artifacts.digests("q=type=OTHER") == []
    assert artifacts.digests(f"q=media_type={config_type.replace('+', '%252B')}") == [answer["digest"]]


def test_attributes_of_a_chart_are_its_config(repo, artifacts):
    chart = {"name": "x", "version": "1.2.3", "appVersion": "4", "keywords": ["a"]}
    repo.push(oci.image("c", config=oci.encode(chart), config_type=CHART), "v1")
    assert artifacts.get("v1")["extra_attrs"] == chart


def test_what_the_pusher_wants_left_out(repo, artifacts):
    content = oci.image("s", config=b'{"keep":1,"metrics":{"a":1},"git":"x"}', config_type="application/vnd.acme.rocket.config.v1+json")
    content.document["config"]["annotations"] = {"io.goharbor.artifact.v1alpha1.skip-list": "metrics,git"}
    content.document["layers"][0]["annotations"] = {"io.goharbor.artifact.v1alpha1.icon": ""}
    content.body = oci.encode(content.document)
    repo.push(content, "v1")
    found = artifacts.get("v1")
    assert found["extra_attrs"] == {"keep": 1}
    assert found["icon"] == content.document["layers"][0]["digest"]


class TestIndex:
    def test_references_and_size(self, repo, artifacts):
        children = [oci.image("one"), oci.image("two")]
        index = oci.index(children, annotations={"a": "b"})
        repo.push(index, "multi")
        found = artifacts.get("multi")
        assert found["type"] == "IMAGE" and found["media_type"] == oci.OCI_INDEX
        assert found["size"] == len(index.body) + sum(map(size_of, children))
        references = {entry["child_digest"]: entry for entry in found["references"]}
        assert list(references) == [child.digest for child in children]
        first = references[children[0].digest]
        assert first["parent_id"] == found["id"]
        assert first["platform"] == {"architecture": "amd64", "os": "linux"}
        child = artifacts.get(children[0].digest)
        assert first["child_id"] == child["id"]

    def test_children_are_listed_when_they_have_a_tag(self, repo, artifacts):
        index = oci.index([oci.image("one"), oci.image("two")])
        repo.push(index, "multi")
        assert artifacts.digests() == [index.digest]
        repo.put_manifest(index.children[0], "tagged")
        assert set(artifacts.digests()) == {index.digest, index.children[0].digest}
        repo.delete_manifest("tagged")
        assert artifacts.digests() == [index.digest]
        assert set(artifacts.digests("q=base=*")) == {index.digest, *(child.digest for child in index.children)}

    def test_deleting_a_child_is_412(self, repo, artifacts):
        index = oci.index([oci.image("one"), oci.image("two")])
        repo.push(index, "multi")
        artifacts.delete(index.children[0].digest, expect=412)
        artifacts.delete("multi")
        assert artifacts.digests("q=base=*") == []

    def test_children_with_a_tag_or_another_index_stay(self, repo, artifacts):
        shared, tagged, lonely = oci.image("shared"), oci.image("tagged"), oci.image("lonely")
        repo.push(oci.index([shared]), "other")
        repo.push(tagged, "kept")
        repo.push(oci.index([shared, tagged, lonely]), "multi")
        artifacts.delete("multi")
        repo.get_manifest(shared.digest)
        repo.get_manifest("kept")
        repo.get_manifest(lonely.digest, expect=404)

    def test_type_by_annotation(self, repo, artifacts):
        index = oci.index([oci.image("b")], annotations={"org.opencontainers.artifactType": "application/vnd.cnab.manifest.v1"})
        repo.push(index, "bundle")
        assert artifacts.get("bundle")["type"] == "CNAB"

    def test_thousands_of_platforms(self, repo, artifacts):
        child = oci.image("child")
        repo.push(child)
        entries = [child.descriptor(platform={"architecture": "x" * 200, "os": f"os{number}"}) for number in range(3000)]
        body = oci.encode({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": entries})
        repo.put_manifest(None, "huge", body=body, media_type=oci.OCI_INDEX)
        found = artifacts.get("huge")
        assert 100 < len(found["references"]) <= 1000


class TestAccessories:
    @pytest.mark.parametrize("artifact_type, found", [
        ("application/vnd.dev.cosign.artifact.sig.v1+json", "signature.cosign"),
        ("application/vnd.dev.sigstore.bundle.v0.3+json", "signature.cosign"),
        ("application/vnd.cncf.notary.signature", "signature.notation"),
        ("application/vnd.goharbor.harbor.sbom.v1", "sbom.harbor"),
        ("application/spdx+json", "subject.accessory"),
    ])
    def test_referrers(self, repo, artifacts, artifact_type, found):
        content = oci.image("signed")
        repo.push(content, "v1")
        accessory = oci.artifact(artifact_type, subject=content.descriptor())
        repo.push(accessory)
        assert artifacts.digests() == [content.digest]
        entry = artifacts.get("v1")["accessories"][0]
        assert entry["type"] == found and entry["digest"] == accessory.digest
        assert entry["subject_artifact_digest"] == content.digest
        assert "accessories" not in artifacts.get("v1", "with_accessory=false")
        listed = artifacts.admin.get(f"{artifacts.base}/v1/accessories", expect=200)
        assert listed.json() == [entry] and listed.headers["X-Total-Count"] == "1"
        assert artifacts.admin.get(f"{artifacts.base}/v1/accessories?q=type={found}", expect=200).json() == [entry]
        assert artifacts.admin.get(f"{artifacts.base}/v1/accessories?q=type=other", expect=200).json() == []

    def signature(self, content):
        return oci.image(f"sig {content.digest}", layer_type=SIMPLE_SIGNING), content.digest.replace(":", "-") + ".sig"

    def test_signature_by_tag(self, repo, artifacts):
        content = oci.image("signed")
        repo.push(content, "v1")
        signature, tag = self.signature(content)
        repo.push(signature, tag)
        assert artifacts.digests() == [content.digest]
        entry, = artifacts.get("v1")["accessories"]
        assert entry["type"] == "signature.cosign" and entry["digest"] == signature.digest
        assert repo.get_manifest(tag).content == signature.body

    def test_signature_that_gets_its_tag_later(self, repo, artifacts):
        content = oci.image("signed")
        signature, tag = self.signature(content)
        repo.push(signature)
        assert artifacts.digests() == [signature.digest]
        repo.push(signature, tag)
        repo.push(content, "v1")
        assert artifacts.digests() == [content.digest]

    def test_ordinary_layers_under_such_a_tag_are_no_signature(self, repo, artifacts):
        content = oci.image("signed")
        repo.push(content, "v1")
        repo.push(oci.image("plain"), self.signature(content)[1])
        assert len(artifacts.digests()) == 2

    def test_that_sign_each_other(self, repo, artifacts):
        one, two = (oci.image(f"knot {number}", layer_type=SIMPLE_SIGNING) for number in (1, 2))
        repo.push(one, two.digest.replace(":", "-") + ".sig")
        repo.push(two, one.digest.replace(":", "-") + ".sig")
        assert artifacts.digests() == []
        artifacts.delete(one.digest)
        repo.get_manifest(two.digest, expect=404)

    @pytest.mark.parametrize("way", ["harbor", "oci"])
    def test_go_with_what_they_belong_to(self, repo, artifacts, way):
        content, other = oci.image("signed"), oci.image("other")
        repo.push(content, "v1")
        repo.push(other, "v2")
        first = oci.artifact("application/x", subject=content.descriptor())
        second = oci.artifact("application/y", subject=first.descriptor())
        signature, tag = self.signature(content)
        repo.push(first)
        repo.push(second, "tagged")
        repo.push(signature, tag)
        if way == "harbor":
            artifacts.delete("v1")
        else:
            repo.delete_manifest(content.digest)
        for gone in (content.digest, first.digest, second.digest, signature.digest, tag, "tagged"):
            repo.get_manifest(gone, expect=404)
        assert artifacts.digests("q=base=*") == [other.digest]

    def test_deleting_one_leaves_its_subject(self, repo, artifacts):
        content = oci.image("signed")
        repo.push(content, "v1")
        accessory = oci.artifact("application/x", subject=content.descriptor())
        repo.push(accessory)
        artifacts.delete(accessory.digest)
        assert "accessories" not in artifacts.get("v1")

    def test_subject_that_comes_later(self, repo, artifacts):
        content = oci.image("late")
        accessory = oci.artifact("application/x", subject=content.descriptor())
        repo.push(accessory)
        assert artifacts.digests() == []
        repo.push(content, "v1")
        assert artifacts.get("v1")["accessories"][0]["digest"] == accessory.digest


class TestLists:
    @pytest.fixture
    def pushed(self, repo):
        contents = [oci.image(f"list {number}", layer_size=1000 - 100 * number) for number in range(3)]
        for number, content in enumerate(contents):
            repo.push(content, f"v{number}")
        return [content.digest for content in contents]

    @pytest.mark.parametrize("query, order", [
        ("", [2, 1, 0]), ("sort=-push_time", [2, 1, 0]), ("sort=push_time", [0, 1, 2]), ("sort=size", [2, 1, 0]),
        ("sort=-size", [0, 1, 2]), ("page_size=2", [2, 1]), ("page_size=2&page=2", [0]), ("page=9", []),
        ("q=tags=v1", [1]), ("q=tags=none", []), ("q=tags=~v", [2, 1, 0]), ("q=tags=~2", [2]), ("q=tags=*", [2, 1, 0]),
        ("q=tags=nil", []), ("q=push_time=[2020-01-01T00:00:00~]", [2, 1, 0]), ("q=push_time=[~2020-01-01T00:00:00]", []),
        ("q=unknown=1", [2, 1, 0]), ("q=tags=sha256:0", []), ("q=digest=nonsense", []), ("q=labels=(99 98)", []),
    ])
    def test_filters_and_order(self, artifacts, pushed, query, order):
        answer = artifacts.list(query)
        assert [entry["digest"] for entry in answer.json()] == [pushed[number] for number in order]
        if "page" not in query:
            assert answer.headers["X-Total-Count"] == str(len(order))
        else:
            assert answer.headers["X-Total-Count"] == "3"

    def test_by_digest(self, artifacts, pushed):
        assert artifacts.digests(f"q=digest={pushed[1]}") == [pushed[1]]

    def test_untagged(self, repo, artifacts, pushed):
        repo.delete_manifest("v1")
        assert artifacts.digests("q=tags=nil") == [pushed[1]]
        assert artifacts.digests("q=tags=*") == [pushed[2], pushed[0]]

    @pytest.mark.parametrize("query", ["q=labels={1 2}", "q=labels=x", "q=labels=(x)", "q=push_time=[x~y]"])
    def test_bad_filters_are_400(self, artifacts, pushed, query):
        artifacts.list(query, expect=400)

    def test_without_tags(self, artifacts, pushed):
        assert all("tags" not in entry for entry in artifacts.list("with_tag=false").json())

    def test_a_bad_switch_is_422(self, artifacts, pushed):
        artifacts.list("with_tag=maybe", expect=422)

    def test_of_an_unknown_repository(self, admin, project):
        admin.get(f"{API}/projects/{project}/repositories/none/artifacts", expect=404)

    @pytest.mark.parametrize("reference", ["none", "sha256:" + "0" * 64, "sha256:xyz", "-bad", "a" * 200])
    def test_unknown_artifacts_are_404(self, artifacts, pushed, reference):
        artifacts.get(reference, expect=404)
        artifacts.delete(reference, expect=404)

    def test_of_a_project(self, admin, client, project, artifacts, pushed):
        other = oci.image("other repository")
        client.repository(f"{project}/deep/other").push(other, "v1")
        answer = admin.get(f"{API}/projects/{project}/artifacts", expect=200)
        assert [entry["digest"] for entry in answer.json()] == [other.digest, *reversed(pushed)]
        assert answer.headers["X-Total-Count"] == "4"
        assert {entry["repository_name"] for entry in answer.json()} == {f"{project}/app", f"{project}/deep/other"}
        latest = admin.get(f"{API}/projects/{project}/artifacts?latest_in_repository=true", expect=200)
        assert [entry["digest"] for entry in latest.json()] == [other.digest, pushed[2]]
        assert latest.headers["X-Total-Count"] == "2"

    def test_many_tags_are_cut_in_lists(self, repo, artifacts, pushed):
        content = oci.image("many tags")
        repo.push(content)
        for start in range(0, 150, 50):
            query = "&".join(f"tag=t{number}" for number in range(start, start + 50))
            repo.request("PUT", f"{repo.manifest_path(content.digest)}?{query}", body=content.body,
                         headers={"Content-Type": content.media_type}, expect=201)
        shown = artifacts.list("page_size=1").json()[0]
        assert len(shown["tags"]) == 100
        assert len(artifacts.get(content.digest)["tags"]) == 150

    def test_a_page_of_giants(self, repo, artifacts):
        """Annotations of many pages full must not make the list fail."""
        for number in range(30):
            repo.push(oci.image(f"giant {number}", layers=1, layer_size=10, annotations={"a": "\"" * 30000}), f"g{number}")
        listed = artifacts.list("page_size=100").json()
        assert len(listed) == 30
        assert "annotations" in listed[0]


def test_visibility(anonymous, repo, artifacts, client, project):
    repo.push(oci.image("private"), "v1")
    anonymous.get(f"{artifacts.base}/v1", expect=401)
    anonymous.get(artifacts.base, expect=401)
    client.publish_project(project)
    anonymous.get(f"{artifacts.base}/v1", expect=200)
    anonymous.delete(f"{artifacts.base}/v1", expect=401)


class TestDeepPages:
    """Where a page deep in a list begins is remembered as long as the list does not change."""

    COUNT = 330

    def assert_pages(self, artifacts, digests):
        for sort, expected in (("-push_time", digests), ("push_time", digests[::-1])):
            for page in (33, 34, 22, 23, 28, 33):
                answer = artifacts.list(f"sort={sort}&page_size=10&page={page}")
                assert answer.headers["X-Total-Count"] == str(len(digests))
                assert [entry["digest"] for entry in answer.json()] == expected[10 * page - 10:10 * page]

    def numbered(self, repo, number):
        content = oci.image("deep", annotations={"number": str(number)})
        repo.put_manifest(content)
        return content

    def test_pages_are_those_of_the_list_as_it_is_now(self, repo, artifacts):
        repo.push(oci.image("deep"), "base")
        contents = [self.numbered(repo, number) for number in range(self.COUNT - 1)][::-1]
        digests = [content.digest for content in contents] + [oci.image("deep").digest]
        self.assert_pages(artifacts, digests)
        repo.delete_manifest(digests.pop(50))
        self.assert_pages(artifacts, digests)
        digests.insert(0, self.numbered(repo, "newer").digest)
        self.assert_pages(artifacts, digests)
        # As long as before, and another: an index takes the place of its child, whose tags are none.
        child = contents[300]
        index = oci.index([child])
        repo.put_manifest(index)
        digests.remove(child.digest)
        digests.insert(0, index.digest)
        self.assert_pages(artifacts, digests)
