# SPDX-License-Identifier: Apache-2.0
"""Interoperability bugs that other registries had, one test each.

The name says the cause, the docstring the thread. What is left out concerns clients only:
stargz-snapshotter#348, tunaOS#579 (the same causes as the first tests), distribution-spec#303 and #404 (texts),
gitea#33646 and #31865 (no cause known), containerd#11949 (a client's redirect), buildkit#2530.
"""
import json
import re
import threading

import pytest

from harness import oci
from harness.client import Upload, codes, parse_challenge
from harness.registry import ADMIN_PASSWORD
from harness.wire import Wire, basic, request

ADMIN = {"Authorization": basic("admin", ADMIN_PASSWORD)}


def test_range_with_many_parts_answered_200_or_501(repo):
    """zot#3623: zstd:chunked pulls failed; a multi-range GET must be 206 multipart."""
    data = oci.random_bytes(10_000, "3623")
    digest = repo.push_blob(data)
    answer = repo.get_blob(digest, expect=206, headers={"Range": "bytes=0-9,100-109,5000-5009"})
    assert answer.headers["Content-Type"].startswith("multipart/byteranges; boundary=")


def test_blob_without_content_type(repo):
    """zot#3879: stargz fails with "mime: no media type" on an empty Content-Type."""
    digest = repo.push_blob(b"typed")
    for headers in ({}, {"Range": "bytes=0-1"}):
        assert repo.get_blob(digest, expect=(200, 206), headers=headers).headers["Content-Type"] == "application/octet-stream"
    assert repo.head_blob(digest).headers["Content-Type"] == "application/octet-stream"


def test_range_parts_merged_or_missing(repo):
    """container-libs#188, containers/image#2792: "invalid number of chunks"."""
    digest = repo.push_blob(oci.random_bytes(10_000, "188"))
    answer = repo.get_blob(digest, expect=206, headers={"Range": "bytes=0-9,10-19,20-29,20-29"})
    assert len(re.findall(rb"(?i)content-range: bytes", answer.content)) == 4


def test_range_single_part_without_content_range(repo):
    """stargz-snapshotter#81: a 206 needs Content-Range."""
    digest = repo.push_blob(oci.random_bytes(1000, "81"))
    assert repo.get_blob(digest, expect=206, headers={"Range": "bytes=10-19"}).headers["Content-Range"] == "bytes 10-19/1000"


def test_retag_from_index_to_manifest_refused(repo):
    """zot#3005: "cannot change media-type"."""
    index, image = oci.index([oci.image("3005")]), oci.image("3005b")
    repo.push(index, "latest")
    repo.push(image, "latest")
    assert repo.get_manifest("latest").content == image.body


def test_subject_before_image_answered_500(repo):
    """zot#1424."""
    repo.push(oci.artifact("application/vnd.example", oci.image("1424").descriptor()), "signature")


def test_referrer_listed_twice_after_tagging(repo):
    """zot#2506."""
    subject = oci.image("2506")
    repo.push(subject)
    content = oci.artifact("application/vnd.example", subject.descriptor())
    repo.push(content)
    repo.put_manifest(content, "tagged")
    assert repo.referrer_digests(subject.digest) == [content.digest]


def test_delete_of_a_sigstore_bundle_answered_500_though_deleted(repo):
    """zot#4286."""
    subject = oci.image("4286")
    repo.push(subject)
    bundle = oci.artifact("application/vnd.dev.sigstore.bundle.v0.3+json", subject.descriptor())
    repo.push(bundle)
    repo.delete_manifest(bundle.digest, expect=202)
    assert repo.referrer_digests(subject.digest) == []


def test_deduplicated_blob_served_empty(client, name):
    """zot#4427: a dedupe stub answered 200 with an empty body."""
    data = oci.random_bytes(4000, "4427")
    for number in range(3):
        repository = client.repository(f"{name}/{number}")
        digest = repository.push_blob(data)
        assert repository.get_blob(digest).content == data
    client.repository(f"{name}/0").delete_blob(digest)
    for number in (1, 2):
        assert client.repository(f"{name}/{number}").get_blob(digest).content == data


def test_range_ignored(repo):
    """zot#762."""
    digest = repo.push_blob(b"0123456789")
    assert repo.get_blob(digest, expect=206, headers={"Range": "bytes=2-4"}).content == b"234"


def test_upload_range_is_of_the_chunk_instead_of_the_whole(repo):
    """regclient#961, distribution-spec#580."""
    upload = repo.start_upload()
    upload.patch(b"x" * 100, 0)
    assert upload.patch(b"y" * 50, 100).headers["Range"] == "0-149"


def test_upload_range_stuck(repo):
    """aws/containers-roadmap#2831 (ECR): Range did not move."""
    upload = repo.start_upload()
    seen = [upload.patch(b"x" * 10, start).headers["Range"] for start in range(0, 50, 10)]
    assert seen == ["0-9", "0-19", "0-29", "0-39", "0-49"]


def test_final_put_with_a_bad_range_appended(repo):
    """distribution-spec#590: 416, and nothing appended."""
    upload = repo.start_upload()
    upload.patch(b"x" * 100, 0)
    upload.put(oci.digest_of(b"x" * 100 + b"y" * 10), b"y" * 10, 0, expect=416)
    assert upload.size() == 100
    upload.put(oci.digest_of(b"x" * 100))


def test_empty_upload_range_unparsable(repo):
    """distribution-spec#577, #578: docker's client refuses 0--1."""
    upload = repo.start_upload()
    for answer in (upload.answer, upload.get()):
        assert re.fullmatch(r"\d+-\d+", answer.headers["Range"])


def test_streamed_patch_refused(repo):
    """distribution-spec#576: docker streams a whole layer in one chunked PATCH."""
    upload = repo.start_upload()
    upload.patch(iter([b"streamed"]))
    upload.put(oci.digest_of(b"streamed"))


def test_interleaved_patch_and_put(registry, repo):
    """distribution#2593: "upload resumed at wrong offset"."""
    data = oci.random_bytes(60_000, "2593")
    upload = repo.start_upload()
    with Wire(registry) as wire:
        wire.send(request("PATCH", upload.location, {**ADMIN, "Content-Length": len(data)}) + data[:30_000])
        results = []
        rival = threading.Thread(target=lambda: results.append(
            upload.put(oci.digest_of(data), expect=(201, 400, 404, 416)).status_code))
        rival.start()
        wire.send(data[30_000:])
        first = wire.answer().status
        rival.join(60)
    if results == [201]:
        assert repo.get_blob(oci.digest_of(data)).content == data
    elif first == 202:
        upload.put(oci.digest_of(data), expect=(201, 404))


def test_state_in_the_query_lost_by_the_client(repo):
    """distribution#2867, containerd#2385: clients drop or mangle the query of Location."""
    upload = repo.start_upload()
    bare = upload.location.split("?")[0]
    upload.patch(b"state", 0, location=bare)
    digest = oci.digest_of(b"state")
    repo.request("PUT", f"{bare}?digest={digest}", expect=201)


def test_blob_found_in_a_cache_after_it_was_deleted(repo, other):
    """distribution#4269, #3800, #4868, #4849: stale descriptors, "layer already exists", MANIFEST_UNKNOWN."""
    content = oci.image("4269")
    repo.push(content, "v1")
    repo.get_manifest("v1")
    for blob in content.blobs:
        repo.get_blob(oci.digest_of(blob))
    repo.delete_manifest(content.digest)
    for blob in content.blobs:
        repo.delete_blob(oci.digest_of(blob))
    for blob in content.blobs:
        repo.head_blob(oci.digest_of(blob), expect=404)
        assert other.mount(oci.digest_of(blob), repo.name, expect=202)
    repo.push(content, "v1")
    for blob in content.blobs:
        assert repo.get_blob(oci.digest_of(blob)).content == blob


def test_children_of_a_tagged_index_deleted_with_something_else(repo):
    """distribution#3178, #3004, #2914, #3822."""
    child = oci.image("3178")
    kept, gone = oci.index([child]), oci.index([child], annotations={"a": "b"})
    repo.push(kept, "kept")
    repo.push(gone, "gone")
    repo.push(child, "child")
    repo.delete_manifest("child")
    repo.delete_manifest(gone.digest)
    assert repo.get_manifest(child.digest).content == child.body
    assert repo.get_manifest("kept").content == kept.body


def test_delete_by_digest_left_the_tags(repo):
    """distribution#3828, nora#697."""
    content = oci.image("3828")
    repo.push(content, "a")
    repo.put_manifest(content, "b")
    repo.delete_manifest(content.digest)
    assert repo.tags(expect=(200, 404)).json().get("tags", []) == []


def test_tag_list_ignored_n_and_last(repo):
    """distribution#1936."""
    content = oci.image("1936")
    repo.push(content)
    for tag in "abcde":
        repo.put_manifest(content, tag)
    answer = repo.tags(n=2, last="b")
    assert answer.json()["tags"] == ["c", "d"]
    assert "Link" in answer.headers


def test_tags_null_after_the_last_page(repo):
    """distribution#4931."""
    repo.push(oci.image("4931"), "only")
    assert repo.tags(n=5, last="only").json()["tags"] == []


def test_tag_lost_when_a_prefix_of_another(repo):
    """distribution#4898, #4904."""
    content = oci.image("4898")
    repo.push(content)
    for tag in ("1", "1.2", "1.2.3", "1.2.3-rc"):
        repo.put_manifest(content, tag)
    for size in (1, 2, 3):
        assert repo.follow(f"{repo.base}/tags/list?n={size}", "tags") == ["1", "1.2", "1.2.3", "1.2.3-rc"]


@pytest.mark.own_server
def test_torn_link_file_made_a_repository_unreadable_for_ever(registry, repo):
    """distribution#1960, #2635, harbor#18793: an empty file after a crash, "invalid checksum digest format"."""
    for number in range(5):
        repo.push(oci.image(f"torn{number}"), "latest")
        registry.kill9()
        registry.start()
        assert repo.get_manifest("latest").content == oci.image(f"torn{number}").body


@pytest.mark.settings(manifests_require_children="false")
def test_sparse_index_refused(repo):
    """distribution#3536, regclient#836: mirrors copy some platforms only."""
    index = oci.index([oci.image("3536"), oci.image("absent")])
    repo.push(index.children[0])
    repo.put_manifest(index, "sparse")


def buildkit_cache(repo):
    layer, config = oci.random_bytes(500, "cache layer"), oci.encode({"layers": [{"blob": "x", "parent": -1}], "records": []})
    for blob in (layer, config):
        repo.push_blob(blob)
    document = {
        "schemaVersion": 2, "mediaType": oci.OCI_INDEX,
        "manifests": [
            oci.descriptor(layer, oci.OCI_LAYER_GZIP, annotations={"buildkit/createdat": "2024-01-01T00:00:00Z"}),
            oci.descriptor(config, "application/vnd.buildkit.cacheconfig.v0"),
        ],
    }
    return oci.Content(document, oci.OCI_INDEX)


def test_buildkit_cache_index_with_blobs_as_children_refused(repo):
    """gitea#28973, buildkit#1550, #2251: children are layers and a cacheconfig, looked up as blobs."""
    content = buildkit_cache(repo)
    repo.put_manifest(content, "buildcache")
    assert repo.get_manifest("buildcache").content == content.body


def test_buildkit_cache_as_a_docker_list(repo):
    """containers-roadmap#876: the older form is a manifest list."""
    content = buildkit_cache(repo)
    content.document["mediaType"] = oci.DOCKER_LIST
    repo.put_manifest(oci.Content(content.document, oci.DOCKER_LIST), "buildcache")


def test_attestation_with_an_unknown_platform_refused(repo):
    """gitea#31861: BuildKit provenance."""
    image = oci.image("31861")
    attestation = oci.image("provenance", layer_type="application/vnd.in-toto+json")
    index = oci.index([image, attestation])
    index.document["manifests"][1]["platform"] = {"architecture": "unknown", "os": "unknown"}
    index.document["manifests"][1]["annotations"] = {
        "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image.digest}
    index.body = oci.encode(index.document)
    repo.push(index, "latest")
    repo.push(image, "latest")
    repo.push(index, "latest")
    assert repo.get_manifest("latest").content == index.body


def test_second_patch_replaced_instead_of_appending(repo):
    """sdk-container-builds#471 (.NET SDK against Gitea)."""
    upload = repo.start_upload()
    upload.patch(b"first")
    upload.patch(b"second")
    upload.put(oci.digest_of(b"firstsecond"))


@pytest.mark.parametrize(
    "config_type",
    ["application/vnd.cncf.helm.config.v1+json", "application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.tekton.chain",
     "application/vnd.unheard.of", "application/vnd.oci.empty.v1+json", "application/vnd.cncf.notary.signature"],
)
def test_config_type_not_on_a_white_list(repo, config_type):
    """cosign#40, chains#252, cosign#1645, helm#30987, helm#31567 (Quay)."""
    content = oci.image("whitelist", config_type=config_type, config=oci.EMPTY_JSON, layer_type="application/vnd.any.layer")
    repo.push(content, "v1")


def test_head_before_the_repository_exists_not_404(client, name):
    """helm#30987: oras-go HEADs the manifest first in a repository that is not there yet."""
    fresh = client.repository(name + "/chart")
    fresh.head_manifest("0.1.0", expect=404)
    fresh.head_manifest(oci.EMPTY_JSON_DIGEST, expect=404)
    fresh.push(oci.image("chart", config_type="application/vnd.cncf.helm.config.v1+json"), "0.1.0_build.5")


def test_referrers_known_late(repo):
    """harbor#17928, #22592, #23013: a cosign v3 bundle is seen by the next request."""
    subject = oci.image("22592")
    repo.push(subject, "v1")
    for number in range(5):
        bundle = oci.artifact("application/vnd.dev.sigstore.bundle.v0.3+json", subject.descriptor(), seed=number)
        repo.push(bundle)
        assert bundle.digest in repo.referrer_digests(
            subject.digest, artifactType="application/vnd.dev.sigstore.bundle.v0.3+json")


def test_head_200_and_get_404_for_a_manifest_digest_under_blobs(repo):
    """containerd#7390: nodes were poisoned."""
    content = oci.image("7390")
    repo.push(content)
    assert (repo.head_blob(content.digest, expect=(200, 404)).status_code
            == repo.get_blob(content.digest, expect=(200, 404)).status_code)


def test_head_without_digest_or_length(repo):
    """containerd#3238, #5124, diun#591: resolve is a HEAD by tag."""
    content = oci.image("3238")
    repo.push(content, "v1")
    head = repo.head_manifest("v1")
    assert head.headers["Docker-Content-Digest"] == content.digest
    assert head.headers["Content-Length"] == str(len(content.body))
    assert head.headers["Content-Type"] == content.media_type
    assert repo.head_blob(oci.digest_of(content.blobs[0])).headers["Content-Length"] == str(len(content.blobs[0]))


def test_token_post_answered_403_or_html(client):
    """containerd#4982, #12822: a POST that fails must be 401, 400, 404 or 405, and JSON."""
    realm = client.realm()
    answer = client.session.post(realm["realm"], data={"grant_type": "password", "username": "x", "password": "y"}, timeout=30)
    assert answer.status_code in (400, 401, 404, 405)
    json.loads(answer.content)


def test_token_post_with_unknown_form_fields_refused(client):
    """nydus#1594 (GAR), buildkit#2553: POST first with a refresh token."""
    realm = client.realm()
    answer = client.session.post(
        realm["realm"], timeout=30,
        data={"grant_type": "password", "service": realm["service"], "client_id": "buildkit", "username": "admin",
              "password": ADMIN_PASSWORD, "access_type": "offline", "scope": "repository:a/b:pull", "made_up": "1"},
    )
    assert answer.status_code == 200 and answer.json()["access_token"]


def test_mount_without_right_on_the_source_refused(client, repo, other):
    """containerd#14086, buildkit#2454, kaniko#1013: the push stopped instead of uploading."""
    digest = repo.push_blob(b"14086")
    token = client.fetch_token(f"repository:{other.name}:pull,push")["token"]
    answer = other.request("POST", f"{other.base}/blobs/uploads/?mount={digest}&from={repo.name}",
                           headers={"Authorization": f"Bearer {token}"}, expect=202)
    Upload(other, answer).put(digest, b"14086")


def test_restart_at_byte_zero_without_a_way_back(repo):
    """apple/containerization#790, container#1895: the 416 says where to go on."""
    upload = repo.start_upload()
    upload.patch(b"x" * 100, 0)
    answer = upload.patch(b"x" * 150, 0, expect=416)
    assert answer.headers["Range"] == "0-99" and answer.headers["Location"]
    upload.patch(b"x" * 50, 100, location=answer.headers["Location"])
    upload.put(oci.digest_of(b"x" * 150))


def test_accept_mismatch_answered_404(repo):
    """oc-mirror#677, docker-drag#41, cup#132, docker-registry-browser#409."""
    index = oci.index([oci.image("677")])
    repo.push(index, "v1")
    assert repo.get_manifest("v1", accept=oci.DOCKER_MANIFEST).content == index.body


def test_docker_and_oci_types_in_one_repository(repo):
    """zot#3000."""
    docker, plain = oci.image("3000", media_type=oci.DOCKER_MANIFEST), oci.image("3000")
    mixed = oci.index([docker, plain])
    repo.push(docker, "docker")
    repo.push(plain, "oci")
    repo.push(mixed, "mixed")
    for tag, content in (("docker", docker), ("oci", plain), ("mixed", mixed)):
        assert repo.get_manifest(tag).headers["Content-Type"] == content.media_type


def test_content_range_with_unit_and_total_refused(repo):
    """distribution#4892."""
    upload = repo.start_upload()
    upload.patch(b"x" * 10, headers={"Content-Range": "bytes 0-9/20"})
    upload.patch(b"x" * 10, headers={"Content-Range": "bytes 10-19/*"})
    upload.put(oci.digest_of(b"x" * 20))


def test_relative_location_without_a_leading_slash(repo):
    """containerd takes anything that is neither path-absolute nor a URL for a host name; swift-container-plugin#43."""
    upload = repo.start_upload()
    assert upload.location.startswith("/v2/")
    digest = oci.digest_of(b"43")
    assert upload.put(digest, b"43").headers["Location"].startswith("/v2/")


def test_absolute_link_behind_a_proxy(repo):
    """oras-go and ggcr refuse a Link of another origin: it is relative."""
    content = oci.image("link")
    repo.push(content)
    for tag in "abc":
        repo.put_manifest(content, tag)
    assert repo.tags(n=1).headers["Link"].startswith("</v2/")


def test_challenge_values_without_quotes(client):
    """Suites' and clients' expressions need quoted values."""
    header = client.get("/v2/", headers={"Authorization": None}, expect=401).headers["WWW-Authenticate"]
    assert parse_challenge(header)[1].keys() >= {"realm", "service"}


def test_scope_with_a_port_in_the_name_refused(client):
    """An extra colon: repository:host:5000/name:pull,push."""
    assert client.fetch_token("repository:registry.example:5000/a/b:pull,push")["token"]


def test_only_the_first_scope_read(client, repo, other):
    """ggcr merges scopes and puts the missing one first, because some servers read only that."""
    repo.push(oci.image("s1"), "v1")
    other.push(oci.image("s2"), "v1")
    token = client.fetch_token(f"repository:{repo.name}:pull", f"repository:{other.name}:pull")["token"]
    for repository in (repo, other):
        repository.get_manifest("v1", headers={"Authorization": f"Bearer {token}"})


def test_cancel_wanted_the_right_to_delete(client, repo):
    """containers/image's comment on distribution: cancelling an upload needs push."""
    upload = repo.start_upload()
    token = client.fetch_token(f"repository:{repo.name}:push")["token"]
    upload.request("DELETE", headers={"Authorization": f"Bearer {token}"}, expect=204)


def test_referrers_with_n_refused(repo):
    """oras-go may send n."""
    repo.push(oci.image("n"), "v1")
    repo.referrers(oci.image("n").digest, n=10)


def test_referrers_of_an_unknown_repository_404(client):
    """A 404 with NAME_UNKNOWN makes oras-go fail instead of falling back."""
    client.repository("tests/absent-repository").referrers(oci.EMPTY_JSON_DIGEST, expect=200)


def test_schema1_refused_with_another_code(repo):
    """containers/image tries another format only after MANIFEST_INVALID and its like."""
    repo.push_blob(b"x")
    body = oci.encode({"schemaVersion": 1, "name": "x", "tag": "y", "fsLayers": [], "history": []})
    assert codes(repo.put_manifest(None, "v1", body=body, media_type=oci.DOCKER_SCHEMA1, expect=400)) == ["MANIFEST_INVALID"]
