# SPDX-License-Identifier: Apache-2.0
"""The referrers API: descriptors, filter, pages, order of pushing, and tags of the fallback scheme."""
import urllib.parse

import pytest

from harness import oci
from harness.client import codes, next_link

SBOM, SIGNATURE = "application/vnd.example.sbom.v1", "application/vnd.example.signature.v1+json"


@pytest.fixture
def subject(repo):
    content = oci.image("subject")
    repo.push(content, "v1")
    return content


def attach(repo, subject, artifact_type=SBOM, seed=0, **fields):
    content = oci.artifact(artifact_type, subject.descriptor(), seed=seed, **fields)
    repo.push(content)
    return content


def test_shape(repo, subject):
    answer = repo.referrers(subject.digest)
    assert answer.headers["Content-Type"] == oci.OCI_INDEX
    body = answer.json()
    assert body["schemaVersion"] == 2
    assert body["mediaType"] == oci.OCI_INDEX
    assert body["manifests"] == []
    assert "OCI-Filters-Applied" not in answer.headers


def test_unknown_digest_is_an_empty_list(repo, subject):
    """Decision 4: never 404."""
    assert repo.referrers(oci.digest_of(b"unknown")).json()["manifests"] == []


@pytest.mark.parametrize("where", ["tests/never-existed", "never/existed"])
def test_unknown_repository_is_an_empty_list(client, where):
    repository = client.repository(where)
    assert repository.referrers(oci.digest_of(b"unknown")).json()["manifests"] == []


@pytest.mark.parametrize("digest", ["sha256:short", "nonsense", "sha256:" + "A" * 64, "v1", "%2e%2e"])
def test_malformed_digest_is_400(repo, subject, digest):
    assert codes(repo.referrers(digest, expect=400)) in (["DIGEST_INVALID"], ["UNSUPPORTED"])


def test_descriptor_of_an_artifact(repo, subject):
    annotations = {"org.example.key": "value", "other": ""}
    content = attach(repo, subject, annotations=annotations)
    found = repo.referrers(subject.digest).json()["manifests"]
    assert found == [
        {
            "mediaType": oci.OCI_MANIFEST,
            "digest": content.digest,
            "size": len(content.body),
            "artifactType": SBOM,
            "annotations": annotations,
        }
    ]


def test_descriptor_without_annotations(repo, subject):
    attach(repo, subject)
    found = repo.referrers(subject.digest).json()["manifests"][0]
    assert found.get("annotations") in (None, {})


def test_artifact_type_falls_back_to_the_config_type(repo, subject):
    """cosign#4995: only config.mediaType is set."""
    content = oci.image("config type", config_type="application/vnd.dev.cosign.artifact.sig.v1+json", subject=subject.descriptor())
    repo.push(content)
    found = repo.referrers(subject.digest).json()["manifests"][0]
    assert found["artifactType"] == "application/vnd.dev.cosign.artifact.sig.v1+json"


def test_index_as_referrer(repo, subject):
    typed = oci.index([], artifact_type=SBOM, subject=subject.descriptor(), annotations={"a": "b"})
    plain = oci.index([], subject=subject.descriptor())
    repo.push(typed)
    repo.push(plain)
    found = {entry["digest"]: entry for entry in repo.referrers(subject.digest).json()["manifests"]}
    assert found[typed.digest]["artifactType"] == SBOM
    assert found[typed.digest]["mediaType"] == oci.OCI_INDEX
    assert found[typed.digest]["annotations"] == {"a": "b"}
    assert "artifactType" not in found[plain.digest]


def test_docker_manifest_as_subject_and_referrer(repo):
    subject = oci.image("docker subject", media_type=oci.DOCKER_MANIFEST)
    repo.push(subject, "v1")
    content = attach(repo, subject)
    assert repo.referrer_digests(subject.digest) == [content.digest]


def test_filter(repo, subject):
    wanted = attach(repo, subject, SIGNATURE, seed=1)
    attach(repo, subject, SBOM, seed=2)
    answer = repo.referrers(subject.digest, artifactType=SIGNATURE)
    assert [entry["digest"] for entry in answer.json()["manifests"]] == [wanted.digest]
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"


def test_filter_without_a_match(repo, subject):
    attach(repo, subject)
    answer = repo.referrers(subject.digest, artifactType="application/other")
    assert answer.json()["manifests"] == []
    assert answer.headers["OCI-Filters-Applied"] == "artifactType"


@pytest.mark.parametrize("encode", [lambda text: text, urllib.parse.quote_plus, lambda text: urllib.parse.quote(text, safe="/+")])
def test_filter_with_a_plus(repo, subject, encode):
    """A raw + in artifactType is a plus, not a blank."""
    content = attach(repo, subject, SIGNATURE)
    attach(repo, subject, SBOM)
    path = f"{repo.base}/referrers/{subject.digest}?artifactType={encode(SIGNATURE)}"
    answer = repo.request("GET", path, expect=200)
    assert [entry["digest"] for entry in answer.json()["manifests"]] == [content.digest]


def test_filter_by_config_type(repo, subject):
    content = oci.image("x", config_type="application/vnd.x.config+json", subject=subject.descriptor())
    repo.push(content)
    assert repo.referrer_digests(subject.digest, artifactType="application/vnd.x.config+json") == [content.digest]


def test_referrer_pushed_before_its_subject(repo):
    """zot#1424: 500 on subject before image."""
    subject = oci.image("later")
    content = attach(repo, subject)
    assert repo.referrer_digests(subject.digest) == [content.digest]
    repo.push(subject, "v1")
    assert repo.referrer_digests(subject.digest) == [content.digest]


def test_subject_that_never_comes(repo):
    subject = oci.image("never")
    content = attach(repo, subject)
    assert repo.referrer_digests(subject.digest) == [content.digest]


def test_tagged_referrer_is_listed_once(repo, subject):
    """zot#2506: duplicates after the referrer is tagged."""
    content = attach(repo, subject)
    repo.put_manifest(content, "sbom-1")
    repo.put_manifest(content, "sbom-2")
    assert repo.referrer_digests(subject.digest) == [content.digest]


def test_referrers_of_a_referrer(repo, subject):
    sbom = attach(repo, subject)
    signature = attach(repo, sbom, SIGNATURE)
    assert repo.referrer_digests(subject.digest) == [sbom.digest]
    assert repo.referrer_digests(sbom.digest) == [signature.digest]


def test_referrers_stay_in_their_repository(repo, other, subject):
    attach(repo, subject)
    other.push(subject, "v1")
    assert other.referrer_digests(subject.digest) == []


def test_deleted_referrer_leaves_at_once(repo, subject):
    """zot#4286: DELETE of a sigstore bundle answered 500 though it was deleted."""
    bundle = attach(repo, subject, "application/vnd.dev.sigstore.bundle.v0.3+json")
    stays = attach(repo, subject, SBOM)
    repo.delete_manifest(bundle.digest)
    assert repo.referrer_digests(subject.digest) == [stays.digest]
    repo.get_manifest(bundle.digest, expect=404)


def test_deleting_the_tag_of_a_referrer_keeps_it(repo, subject):
    content = attach(repo, subject)
    repo.put_manifest(content, "sbom")
    repo.delete_manifest("sbom")
    assert repo.referrer_digests(subject.digest) == [content.digest]


def test_referrers_outlive_the_subject_or_follow_it(repo, subject):
    content = attach(repo, subject)
    repo.delete_manifest(subject.digest)
    found = repo.referrer_digests(subject.digest)
    assert found == ([content.digest] if repo.get_manifest(content.digest, expect=(200, 404)).status_code == 200 else [])


def test_pages(repo, subject):
    """A page that does not fit carries Link; oras-go may send n."""
    pushed = {attach(repo, subject, SBOM if number % 2 else SIGNATURE, seed=number).digest for number in range(12)}
    assert set(repo.referrer_digests(subject.digest)) == pushed
    answer = repo.referrers(subject.digest, n=5)
    if len(answer.json()["manifests"]) == 5:
        assert next_link(answer)
    found = repo.referrer_digests(subject.digest, n=5)
    assert sorted(found) == sorted(pushed)
    half = repo.referrer_digests(subject.digest, n=2, artifactType=SBOM)
    assert len(half) == 6 and set(half) < pushed


def test_link_keeps_the_filter(repo, subject):
    for number in range(4):
        attach(repo, subject, SIGNATURE, seed=number)
    answer = repo.referrers(subject.digest, n=2, artifactType=SIGNATURE)
    link = next_link(answer)
    if link:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
        assert query["artifactType"] == [SIGNATURE]
        assert answer.headers["OCI-Filters-Applied"] == "artifactType"


@pytest.mark.own_server
@pytest.mark.slow
def test_many_large_referrers_are_paged(repo, subject):
    """oras-go reads at most 4 MiB of a list."""
    pushed = set()
    for number in range(40):
        content = attach(repo, subject, seed=number, annotations={"filler": "x" * 100_000})
        pushed.add(content.digest)
    answer = repo.referrers(subject.digest)
    assert len(answer.content) < 3 << 20
    assert next_link(answer)
    assert set(repo.referrer_digests(subject.digest)) == pushed


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_subject_in_either_algorithm(repo, algorithm):
    subject = oci.image("algorithm")
    repo.push(subject)
    repo.put_manifest(subject, subject.digest_as(algorithm))
    descriptor = {**subject.descriptor(), "digest": subject.digest_as(algorithm)}
    content = oci.artifact(SBOM, descriptor)
    answer_digest = content.digest
    repo.push(content)
    assert repo.referrer_digests(subject.digest_as(algorithm)) == [answer_digest]


# -- the fallback scheme: an index under the tag <alg>-<hex>

def fallback_tag(content):
    algorithm, _, hexadecimal = content.digest.partition(":")
    return f"{algorithm}-{hexadecimal}"


def fallback_index(contents):
    index = oci.index([])
    index.document["manifests"] = [
        {**content.descriptor(), "artifactType": content.document.get("artifactType"),
         "annotations": content.document.get("annotations", {})}
        for content in contents
    ]
    index.body = oci.encode(index.document)
    return index


def test_fallback_tag_is_folded_in(repo, subject):
    """What an old client pushed without `subject` is found by the API."""
    old = oci.artifact(SBOM, None, seed="old")
    repo.push(old)
    repo.put_manifest(fallback_index([old]), fallback_tag(subject))
    found = repo.referrers(subject.digest).json()["manifests"]
    assert [entry["digest"] for entry in found] == [old.digest]
    assert found[0]["artifactType"] == SBOM
    assert repo.get_manifest(fallback_tag(subject)).status_code == 200


def test_fallback_and_api_make_no_duplicates(repo, subject):
    both = attach(repo, subject, seed="both")
    old = oci.artifact(SIGNATURE, None, seed="old only")
    repo.push(old)
    repo.put_manifest(fallback_index([both, old]), fallback_tag(subject))
    assert sorted(repo.referrer_digests(subject.digest)) == sorted([both.digest, old.digest])


def test_filter_on_folded_entries(repo, subject):
    old, new = oci.artifact(SIGNATURE, None, seed="old sig"), attach(repo, subject, SBOM)
    repo.push(old)
    repo.put_manifest(fallback_index([old]), fallback_tag(subject))
    assert repo.referrer_digests(subject.digest, artifactType=SIGNATURE) == [old.digest]
    assert repo.referrer_digests(subject.digest, artifactType=SBOM) == [new.digest]


def test_fallback_tag_moves_and_goes(repo, subject):
    first, second = (oci.artifact(SBOM, None, seed=seed) for seed in ("f1", "f2"))
    for content in (first, second):
        repo.push(content)
    repo.put_manifest(fallback_index([first]), fallback_tag(subject))
    repo.put_manifest(fallback_index([first, second]), fallback_tag(subject))
    assert sorted(repo.referrer_digests(subject.digest)) == sorted([first.digest, second.digest])
    repo.put_manifest(fallback_index([second]), fallback_tag(subject))
    assert repo.referrer_digests(subject.digest) == [second.digest]
    repo.delete_manifest(fallback_tag(subject))
    assert repo.referrer_digests(subject.digest) == []


def test_fallback_tag_that_is_no_index_is_an_ordinary_tag(repo, subject):
    content = oci.image("not an index")
    repo.push(content, fallback_tag(subject))
    assert repo.get_manifest(fallback_tag(subject)).content == content.body
    repo.referrers(subject.digest)


def test_cosign_tags_are_ordinary(repo, subject):
    for suffix in ("sig", "att", "sbom"):
        content = oci.image(f"cosign {suffix}", config_type="application/vnd.oci.image.config.v1+json",
                            layer_type="application/vnd.dev.cosign.simplesigning.v1+json")
        repo.push(content, f"{fallback_tag(subject)}.{suffix}")
        assert repo.get_manifest(f"{fallback_tag(subject)}.{suffix}").content == content.body
    assert repo.referrers(subject.digest).status_code == 200
