# SPDX-License-Identifier: Apache-2.0
"""Pushing manifests and indexes: exact bytes, any type, strict only where the specification is."""
import json

import pytest

from harness import oci
from harness.client import codes

ALGORITHMS = ["sha256", "sha512"]


def chunked(body, step=1000):
    return (body[start:start + step] for start in range(0, len(body), step))


@pytest.mark.parametrize("by", ["tag", "sha256", "sha512"])
def test_created_answer(repo, by):
    content = oci.image(by)
    repo.push(content)
    reference = "v1" if by == "tag" else content.digest_as(by)
    answer = repo.put_manifest(content, reference)
    digest = content.digest if by == "tag" else reference
    assert answer.headers["Docker-Content-Digest"] == digest
    assert answer.headers["Location"].startswith(f"{repo.base}/manifests/")
    got = repo.request("GET", answer.headers["Location"], expect=200)
    assert got.content == content.body
    assert got.headers["Content-Type"] == content.media_type
    assert got.headers["Content-Length"] == str(len(content.body))


def test_bytes_are_kept_exactly(repo):
    """Blanks, key order and trailing newlines belong to the digest."""
    content = oci.image("exact")
    repo.push(content)
    for body in (
        json.dumps(content.document, separators=(",", ":")).encode(),
        json.dumps(content.document, indent=9, sort_keys=True).encode() + b"\n\n  \t\r\n",
        b"  \n" + content.body,
        content.body.replace(b'"schemaVersion"', b'"schema\\u0056ersion"'),
    ):
        digest = oci.digest_of(body)
        repo.put_manifest(content, digest, body=body)
        assert repo.get_manifest(digest).content == body


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_digest_that_does_not_match_is_400(repo, algorithm):
    content = oci.image("mismatch")
    repo.push(content)
    wrong = oci.digest_of(b"something else", algorithm)
    assert codes(repo.put_manifest(content, wrong, expect=400)) == ["DIGEST_INVALID"]
    repo.head_manifest(wrong, expect=404)


@pytest.mark.parametrize("reference", ["sha256:baddigeststring", "sha256:" + "A" * 64, "md5:" + "0" * 32, "sha512:" + "0" * 64])
def test_malformed_digest_on_push_is_400(repo, reference):
    content = oci.image("bad digest")
    repo.push(content)
    repo.put_manifest(content, reference, expect=400)


@pytest.mark.parametrize("tag", [".dot", "-dash", "a" * 129, "sp%20ace", "%C3%A4", "a%00b", "pl+us", "a%2Fb"])
def test_invalid_tag_on_push_is_400(repo, tag):
    content = oci.image("bad tag")
    repo.push(content)
    answer = repo.put_manifest(content, tag, expect=(400, 404))
    assert codes(answer)[0] in ("MANIFEST_INVALID", "NAME_INVALID", "UNSUPPORTED", "MANIFEST_UNKNOWN")
    assert repo.tag_names() == []


@pytest.mark.parametrize("tag", ["a", "_", "_x", "0", "A.b-c_d", "a" * 128, "latest", "sha256-" + "0" * 64, "v1..2", "list", "uploads"])
def test_valid_tags(repo, tag):
    content = oci.image("good tag")
    repo.push(content, tag)
    assert repo.get_manifest(tag).content == content.body
    assert tag in repo.tag_names()


@pytest.mark.parametrize(
    "media_type",
    [oci.OCI_MANIFEST, oci.DOCKER_MANIFEST, "application/vnd.example.custom.v1+json", "application/json", "application/x+y+json"],
)
def test_any_manifest_type(repo, media_type):
    content = oci.image("type", media_type=media_type)
    repo.push(content, "v1")
    answer = repo.get_manifest("v1")
    assert answer.headers["Content-Type"] == media_type
    assert answer.content == content.body


def test_manifest_without_media_type_field(repo):
    """The old conformance suite pushes one."""
    content = oci.image("no field", omit_media_type=True)
    repo.push(content, "v1")
    assert repo.get_manifest("v1").headers["Content-Type"] == oci.OCI_MANIFEST


def test_content_type_parameters_are_ignored(repo):
    content = oci.image("parameters")
    repo.push(content)
    repo.put_manifest(content, "v1", media_type=content.media_type + "; charset=utf-8")
    assert repo.get_manifest("v1").headers["Content-Type"] == content.media_type


def test_content_type_that_contradicts_the_body(repo):
    content = oci.image("contradiction")
    repo.push(content)
    answer = repo.put_manifest(content, "v1", media_type=oci.OCI_INDEX, expect=400)
    assert codes(answer) == ["MANIFEST_INVALID"]


def test_push_without_content_type(repo):
    content = oci.image("no header")
    repo.push(content)
    answer = repo.put_manifest(content, "v1", media_type="", expect=(201, 400))
    if answer.status_code == 201:
        assert repo.get_manifest("v1").headers["Content-Type"] == content.media_type


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_chunked_put(repo, by):
    """The conformance suite sends manifests without Content-Length."""
    content = oci.image("chunked", annotations={"filler": "x" * 10_000})
    repo.push(content)
    reference = "v1" if by == "tag" else content.digest
    repo.request(
        "PUT", repo.manifest_path(reference), body=chunked(content.body),
        headers={"Content-Type": content.media_type}, expect=201,
    )
    assert repo.get_manifest(reference).content == content.body


def big(size, seed="big"):
    content = oci.image(seed)
    content.document["annotations"] = {f"org.example.{n:04d}": "x" * 10_000 for n in range(size // 10_030)}
    content.body = oci.encode(content.document)
    return content


@pytest.mark.own_server
@pytest.mark.parametrize("send", ["whole", "chunked"])
def test_manifest_of_nearly_four_megabytes(repo, send):
    """The conformance suite pushes 390 annotations of 10 kB."""
    content = big(3_950_000)
    assert len(content.body) > 3_900_000
    repo.push(content)
    if send == "chunked":
        repo.put_manifest(content, "v1", body=chunked(content.body, 70_000))
    else:
        repo.put_manifest(content, "v1")
    assert repo.get_manifest("v1").content == content.body


@pytest.mark.own_server
@pytest.mark.parametrize("send", ["whole", "chunked"])
def test_manifest_over_the_limit_is_413(repo, send):
    content = oci.image("over")
    repo.push(content)
    body = oci.encode({**content.document, "annotations": {"x": "x" * (5 << 20)}})
    repo.request(
        "PUT", repo.manifest_path("v1"), body=chunked(body, 65536) if send == "chunked" else body,
        headers={"Content-Type": content.media_type}, expect=413,
    )
    repo.head_manifest("v1", expect=404)


@pytest.mark.own_server
@pytest.mark.settings(manifests_size_max="6MiB")
def test_size_limit_is_an_option(repo):
    fits, large = big(5_500_000), big(6_500_000)
    repo.push(fits, "fits")
    assert codes(repo.put_manifest(large, "large", expect=413)) == ["SIZE_INVALID"]


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"[]", b"null", b"1", b'"text"', b"{}x", b"\x00", b"\xff\xfe", b'{"a":"\xff"}', b'{"schemaVersion":2,"config":',
     b'{"a":1,}', b"{'a':1}"],
)
def test_what_is_no_json_object_is_refused(repo, body):
    repo.push_blob(b"so that the repository exists")
    answer = repo.put_manifest(None, "v1", body=body, expect=400)
    assert codes(answer) == ["MANIFEST_INVALID"]


@pytest.mark.parametrize(
    "change",
    [
        {"config": []}, {"config": "x"}, {"layers": {}}, {"layers": ["x"]}, {"layers": [{"size": 1}]},
        {"config": {"mediaType": "x", "digest": "nonsense", "size": 1}}, {"subject": "x"}, {"subject": {"digest": 5}},
        {"annotations": []}, {"annotations": {"a": 1}}, {"mediaType": 7}, {"artifactType": {}},
        {"layers": [{"mediaType": "x", "digest": "../../etc/passwd", "size": 1}]},
        {"config": {"mediaType": "x", "digest": "sha256:" + "0" * 63, "size": 1}},
    ],
    ids=lambda change: json.dumps(change)[:40],
)
def test_malformed_fields_are_refused(repo, change):
    content = oci.image("fields")
    repo.push(content)
    body = oci.encode({**content.document, **change})
    answer = repo.put_manifest(content, "v1", body=body, expect=(400, 404))
    assert codes(answer)[0] in ("MANIFEST_INVALID", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN")
    repo.head_manifest("v1", expect=404)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_json_too_deep_is_refused(repo, opening):
    repo.push_blob(b"so that the repository exists")
    depth = 100_000
    body = b'{"schemaVersion":2,"x":' + opening * depth + b"1" + {b"[": b"]"}.get(opening, b"}") * depth + b"}"
    assert codes(repo.put_manifest(None, "v1", body=body, expect=(400, 413)))[0] in ("MANIFEST_INVALID", "SIZE_INVALID")


def test_size_that_contradicts_the_blob_is_harmless(repo):
    """A descriptor whose size lies is refused or stored as it is, never repaired."""
    content = oci.image("lies")
    repo.push(content)
    document = json.loads(content.body)
    document["layers"][0]["size"] += 1
    body = oci.encode(document)
    answer = repo.put_manifest(content, "v1", body=body, expect=(201, 400))
    if answer.status_code == 201:
        assert repo.get_manifest("v1").content == body


# -- what must be accepted

@pytest.mark.parametrize(
    "content",
    [
        oci.image("custom", **{"org.example.extra": {"a": [1, None, True, 1.5e300]}, "newField": "x"}),
        oci.image("nolayers", layers=0),
        oci.image("emptyconfig", config=oci.EMPTY_JSON, config_type=oci.OCI_EMPTY, artifact_type="application/vnd.example+type"),
        oci.image("emptyconfig2", config=oci.EMPTY_JSON, config_type=oci.OCI_EMPTY),
        oci.image("unknownlayer", layer_type="application/vnd.unknown.layer.v9+weird"),
        oci.image("helm", config_type="application/vnd.cncf.helm.config.v1+json",
                  layer_type="application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
        oci.image("wasm", config_type="application/vnd.wasm.config.v0+json", layer_type="application/wasm"),
        oci.image("zstd", layer_type=oci.OCI_LAYER_ZSTD,
                  annotations={"io.github.containers.zstd-chunked.manifest-position": "1:2:3:1"}),
        oci.image("unicode", annotations={"schlüssel": "wert ☃ \U0001f600", "": "", "a b": "\u001f"}),
        oci.image("manylayers", layers=200, layer_size=10),
        oci.index([]),
        oci.index([], artifact_type="application/vnd.example.list"),
        oci.index([oci.image("child")], **{"org.example.extra": [1]}),
        oci.index([oci.index([oci.index([oci.image("nested")])]), oci.image("beside")]),
        oci.index([oci.image("d", media_type=oci.DOCKER_MANIFEST)], media_type=oci.DOCKER_LIST),
        oci.index([oci.image("d2", media_type=oci.DOCKER_MANIFEST), oci.image("o2")]),
        oci.image("sha512", algorithm="sha512"),
    ],
    ids=lambda content: content.digest[7:15],
)
def test_unusual_but_legal(repo, content):
    repo.push(content, "v1")
    answer = repo.get_manifest("v1")
    assert answer.content == content.body
    assert answer.headers["Content-Type"] == content.media_type


def test_data_field(repo):
    content = oci.image("data", config=oci.EMPTY_JSON, config_type=oci.OCI_EMPTY)
    content.document["config"]["data"] = "e30="
    content.body = oci.encode(content.document)
    repo.push(content, "v1")
    assert repo.get_manifest("v1").content == content.body


@pytest.mark.parametrize("layer_type", [oci.OCI_NONDISTRIBUTABLE, oci.DOCKER_FOREIGN])
def test_nondistributable_layers_need_not_exist(repo, layer_type):
    content = oci.image("foreign")
    content.document["layers"].append(
        {"mediaType": layer_type, "digest": oci.digest_of(b"foreign"), "size": 7, "urls": ["https://example.invalid/layer"]}
    )
    content.body = oci.encode(content.document)
    repo.push(content, "v1")
    repo.head_blob(oci.digest_of(b"foreign"), expect=404)


def test_unknown_algorithm_in_a_descriptor_is_legal(repo):
    """image-spec: digests with unknown algorithms should pass validation."""
    content = oci.image("algorithm", layers=0)
    content.document["layers"] = [
        {"mediaType": oci.OCI_NONDISTRIBUTABLE, "digest": "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8", "size": 9}
    ]
    content.body = oci.encode(content.document)
    repo.push(content, "v1")


# -- missing references

def test_missing_layer_is_manifest_blob_unknown(repo):
    content = oci.image("missing", layers=2)
    repo.push_blob(content.blobs[0])
    repo.push_blob(content.blobs[1])
    answer = repo.put_manifest(content, "v1", expect=(400, 404))
    assert codes(answer) == ["MANIFEST_BLOB_UNKNOWN"]
    repo.head_manifest("v1", expect=404)
    repo.push_blob(content.blobs[2])
    repo.put_manifest(content, "v1")


def test_missing_config_is_manifest_blob_unknown(repo):
    content = oci.image("missing config")
    repo.push_blob(content.blobs[1])
    assert codes(repo.put_manifest(content, "v1", expect=(400, 404))) == ["MANIFEST_BLOB_UNKNOWN"]


def test_blob_of_another_repository_does_not_count(repo, other):
    content = oci.image("elsewhere")
    other.push(content)
    assert codes(repo.put_manifest(content, "v1", expect=(400, 404))) == ["MANIFEST_BLOB_UNKNOWN"]


def test_missing_child_is_manifest_blob_unknown(repo):
    content = oci.index([oci.image("absent child")])
    assert codes(repo.put_manifest(content, "v1", expect=(400, 404))) == ["MANIFEST_BLOB_UNKNOWN"]


@pytest.mark.settings(manifests_require_blobs="false", manifests_require_children="false")
def test_sparse_when_allowed(repo):
    content = oci.index([oci.image("sparse child"), oci.image("sparse child 2")])
    repo.put_manifest(content, "sparse")
    repo.put_manifest(content.children[0], "half")
    assert repo.get_manifest("sparse").content == content.body
    repo.get_manifest(content.children[1].digest, expect=404)


@pytest.mark.settings(manifests_require_children="false")
def test_sparse_index_but_strict_layers(repo):
    """Two switches: mirrors copy one platform of an index (distribution#3536)."""
    content = oci.index([oci.image("platform"), oci.image("left out")])
    repo.push(content.children[0])
    repo.put_manifest(content, "v1")
    assert codes(repo.put_manifest(content.children[1], "v2", expect=(400, 404))) == ["MANIFEST_BLOB_UNKNOWN"]


def test_subject_need_not_exist(repo):
    content = oci.artifact("application/vnd.example", oci.image("never pushed").descriptor())
    repo.push(content, "v1")


# -- subject

@pytest.mark.parametrize("kind", ["image", "index"])
@pytest.mark.parametrize("by", ["tag", "digest"])
def test_oci_subject_header(repo, kind, by):
    subject = oci.image("the subject").descriptor()
    content = oci.artifact("application/vnd.example", subject) if kind == "image" else oci.index([], subject=subject)
    repo.push(content)
    answer = repo.put_manifest(content, "v1" if by == "tag" else content.digest)
    assert answer.headers["OCI-Subject"] == subject["digest"]


def test_no_subject_header_without_subject(repo):
    content = oci.image("no subject")
    repo.push(content)
    assert "OCI-Subject" not in repo.put_manifest(content, "v1").headers


# -- ?tag= (dev)

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_tag_parameters(repo, algorithm):
    content = oci.image("tag parameter")
    repo.push(content)
    digest = content.digest_as(algorithm)
    tags = [f"t{number}" for number in range(12)]
    answer = repo.put_manifest(content, digest, params=[("tag", tag) for tag in tags])
    shown = [tag.strip() for tag in answer.headers["OCI-Tag"].split(",")]
    assert sorted(shown) == sorted(tags)
    assert answer.headers["Docker-Content-Digest"] == digest
    for tag in tags:
        head = repo.head_manifest(tag)
        assert head.headers["Docker-Content-Digest"] == digest, "a tag answers in the algorithm it was pushed with"
        assert repo.get_manifest(tag).headers["Docker-Content-Digest"] == digest
    assert set(tags) <= set(repo.tag_names())


def test_tag_parameter_with_an_invalid_tag(repo):
    content = oci.image("invalid tag parameter")
    repo.push(content)
    repo.put_manifest(content, content.digest, params=[("tag", "good"), ("tag", ".bad")], expect=400)
    repo.head_manifest("good", expect=404)


def test_too_many_tag_parameters_is_414(repo):
    content = oci.image("too many")
    repo.push(content)
    params = [("tag", f"t{number}") for number in range(1200)]
    answer = repo.put_manifest(content, content.digest, params=params, expect=(201, 414))
    if answer.status_code == 414:
        assert repo.tag_names() == []


def test_oci_tag_header_lists_what_was_set_once(repo):
    content = oci.image("twice")
    repo.push(content)
    answer = repo.put_manifest(content, content.digest, params=[("tag", "same"), ("tag", "same")])
    assert set(answer.headers["OCI-Tag"].replace(" ", "").split(",")) == {"same"}


# -- tags move

def test_tag_moves(repo):
    first, second = oci.image("first"), oci.image("second")
    repo.push(first, "latest")
    repo.push(second, "latest")
    assert repo.get_manifest("latest").content == second.body
    assert repo.get_manifest(first.digest).content == first.body
    assert repo.tag_names() == ["latest"]


def test_tag_moves_between_image_and_index(repo):
    """zot#3005 "cannot change media-type", gitea#31861."""
    single = oci.image("single")
    multi = oci.index([oci.image("m1"), oci.image("m2")])
    for content in (multi, single, multi):
        repo.push(content, "latest")
        answer = repo.get_manifest("latest")
        assert answer.content == content.body
        assert answer.headers["Content-Type"] == content.media_type


def test_same_manifest_twice(repo):
    content = oci.image("again")
    repo.push(content, "v1")
    repo.push(content, "v1")
    repo.push(content, "v2")
    assert repo.tag_names() == ["v1", "v2"]


def test_same_bytes_under_another_content_type(repo):
    """No mediaType in the body: the header of the last push counts, or the first stays; never a mixture."""
    content = oci.image("two types", omit_media_type=True)
    repo.push(content, "v1")
    repo.put_manifest(content, "v2", media_type=oci.DOCKER_MANIFEST, expect=(201, 400))
    kind = repo.head_manifest(content.digest).headers["Content-Type"]
    assert kind in (oci.OCI_MANIFEST, oci.DOCKER_MANIFEST)
    assert repo.get_manifest("v1").content == content.body


# -- conditions

def test_if_match_on_a_tag(repo):
    """Two writers of a fallback tag: the one who did not see the other's is told (412)."""
    first, second, third = (oci.image(seed) for seed in ("c1", "c2", "c3"))
    for content in (first, second, third):
        repo.push(content)
    repo.put_manifest(first, "list")
    etag = repo.head_manifest("list").headers["ETag"]
    repo.put_manifest(second, "list", headers={"If-Match": etag})
    repo.put_manifest(third, "list", headers={"If-Match": etag}, expect=412)
    assert repo.get_manifest("list").content == second.body


def test_if_match_on_a_tag_that_is_not_there(repo):
    content = oci.image("absent")
    repo.push(content)
    repo.put_manifest(content, "list", headers={"If-Match": '"sha256:x"'}, expect=412)
    repo.head_manifest("list", expect=404)


def test_if_none_match_star_creates_only(repo):
    first, second = oci.image("create"), oci.image("overwrite")
    repo.push(first)
    repo.push(second)
    repo.put_manifest(first, "once", headers={"If-None-Match": "*"})
    repo.put_manifest(second, "once", headers={"If-None-Match": "*"}, expect=412)
    assert repo.get_manifest("once").content == first.body


# -- schema 1

@pytest.mark.parametrize("media_type", [oci.DOCKER_SCHEMA1, "application/vnd.docker.distribution.manifest.v1+json"])
def test_schema1_is_refused_in_words(repo, media_type):
    """containers/image reacts to the code MANIFEST_INVALID by trying another format."""
    repo.push_blob(b"so that the repository exists")
    body = oci.encode(
        {"schemaVersion": 1, "name": "a/b", "tag": "v1", "architecture": "amd64",
         "fsLayers": [{"blobSum": oci.digest_of(b"x")}], "history": [{"v1Compatibility": "{}"}], "signatures": []}
    )
    answer = repo.put_manifest(None, "v1", body=body, media_type=media_type, expect=400)
    assert codes(answer) == ["MANIFEST_INVALID"]
    assert "schema" in answer.json()["errors"][0]["message"]


def test_names_that_look_like_paths(client, name):
    """Paths are read from the right: these are all legal repository names."""
    content = oci.image("names")
    project = "tests"
    for odd in ("manifests", "blobs", "tags/list", "x/blobs/uploads", "a/manifests/b", "referrers/x", "blobs/uploads/y", "v2"):
        repository = client.repository(f"{project}/{name.split('/')[1]}/{odd}")
        digest = repository.push(content, "list")
        assert repository.get_manifest("list").content == content.body
        assert repository.get_manifest(digest).content == content.body
        assert repository.tag_names() == ["list"]
        assert repository.referrers(digest).json()["manifests"] == []
        for blob in content.blobs:
            assert repository.get_blob(oci.digest_of(blob)).content == blob
    flat = client.repository("tags/list")
    flat.push(content, "v1")
    assert flat.tag_names() == ["v1"]


def test_a_name_without_a_slash_means_library(client):
    content = oci.image("library")
    short, long = client.repository("berthtestshort"), client.repository("library/berthtestshort")
    short.push(content, "v1")
    assert short.get_manifest("v1").content == content.body
    assert long.get_manifest("v1").content == content.body


@pytest.mark.parametrize(
    "bad", ["Upper/case", "tests/-dash", "tests/a..b", "tests/a___b", "tests/.hidden", "tests/a/", "tests//a", "tests/sp%20ace",
            "tests/" + "a" * 260, "tests/%2e%2e", "tests/a_", "tests/ümlaut", "tests/a%00b", "_catalog/x"]
)
def test_invalid_repository_names(client, bad):
    path = f"/v2/{bad}"
    headers = {"Authorization": client.basic()}
    answer = client.post(f"{path}/blobs/uploads/", headers=headers, expect=(400, 404))
    assert codes(answer)[0] in ("NAME_INVALID", "UNSUPPORTED", "NAME_UNKNOWN")


# -- NUL characters: a manifest is bytes, and what is indexed of it is text

def test_nul_characters_are_kept(repo):
    """In what nobody reads, and in annotations, which referrers give back."""
    subject = oci.image("nul subject")
    repo.push(subject)
    annotations = {"org.example.odd": "before\0after", "plain": "x"}
    content = oci.artifact("application/vnd.example", subject.descriptor(), annotations=annotations, unknown=["\0", {"a": "\0"}])
    assert b"\\u0000" in content.body
    repo.push(content, "v1")
    assert repo.get_manifest("v1").content == content.body
    assert repo.get_manifest(content.digest).content == content.body
    found = repo.referrers(subject.digest).json()["manifests"]
    assert [entry["annotations"] for entry in found] == [annotations]


@pytest.mark.parametrize(
    "fields, word",
    [({"artifact_type": "a/b\0c"}, "artifact type"), ({"config_type": "a/b\0"}, "mediaType"), ({"layer_type": "a/\0b"}, "mediaType"),
     ({"annotations": {"a\0b": "x"}}, "key"), ({"labels": {"a\0b": "x"}}, "key")],
    ids=["artifact type", "config type", "layer type", "annotation's name", "unknown name"],
)
def test_nul_characters_that_cannot_be_told_are_refused(repo, fields, word):
    content = oci.image("nul refused", **fields)
    for blob in content.blobs:
        repo.push_blob(blob)
    answer = repo.put_manifest(content, "v1", expect=400)
    assert codes(answer) == ["MANIFEST_INVALID"]
    assert "NUL" in answer.text and word in answer.text
    repo.get_manifest("v1", expect=404)
