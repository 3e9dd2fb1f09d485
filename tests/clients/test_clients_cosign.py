# SPDX-License-Identifier: Apache-2.0
"""cosign, run for real in its three ways to store: under tags, as referrers, and as referrers of its first draft.

What it stores is checked by cosign itself: it verifies with the right key, not with another, and not what is unsigned.
"""
import base64
import json

import images
import pytest

BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
SBOM = "application/vnd.dev.cosign.artifact.sbom.v1+json"

# Options of signing and of verifying, the ends of the tags made, the types of the referrers made.
STYLES = {
    "tag": (["--new-bundle-format=false"], ["--new-bundle-format=false"], [".sig"], []),
    "referrer": ([], [], [], [BUNDLE]),
    "draft": (
        ["--new-bundle-format=false", "--registry-referrers-mode=oci-1-1"],
        ["--new-bundle-format=false", "--experimental-oci11"], [], [SIGNATURE],
    ),
}


@pytest.fixture
def cosign(engine):
    return engine("cosign")


@pytest.fixture
def push(engine, reference):
    """Pushes with crane; returns the image and the reference by digest that is signed."""
    def pushed(content):
        engine("crane").push(content, reference)
        return content, f"{reference.rpartition(':')[0]}@{content.digest}"
    return pushed


@pytest.fixture(params=STYLES)
def style(request, cosign, monkeypatch):
    """Of the draft's referrers cosign itself reads the last only, so some tests leave that style out."""
    if request.param == "draft":
        monkeypatch.setitem(cosign.environment, "COSIGN_EXPERIMENTAL", "1")
    return STYLES[request.param]


def digest_tag(content, end):
    return content.digest.replace(":", "-") + end


def referrer_types(repo, content):
    return [entry["artifactType"] for entry in repo.referrers(content.digest).json()["manifests"]]


def signed_digests(payloads):
    return [payload["critical"]["image"]["docker-manifest-digest"] for payload in payloads]


def predicates(envelopes):
    return [json.loads(base64.b64decode(envelope["payload"]))["predicate"] for envelope in envelopes]


def test_sign_and_verify(cosign, push, repo, style):
    sign, verify, tags, types = style
    image, signed = push(images.Image("cosign"))
    with pytest.raises(AssertionError, match="(?i)no (matching )?(signatures|attestations)"):
        cosign.verifying("verify", signed, *verify)
    cosign.signing("sign", signed, *sign)
    assert repo.tag_names() == sorted(["v1", *(digest_tag(image, end) for end in tags)])
    assert referrer_types(repo, image) == types
    assert signed_digests(cosign.verifying("verify", signed, *verify)) == [image.digest]
    cosign.run("generate-key-pair", "--output-key-prefix", stranger := cosign.fresh("stranger").name)
    with pytest.raises(AssertionError, match="(?i)invalid signature|no matching|no signatures found"):
        cosign.verifying("verify", signed, *verify, key=f"{stranger}.pub")


@pytest.mark.parametrize("style", ["tag", "referrer"], indirect=True)
def test_second_signature_keeps_the_first(cosign, push, repo, style):
    """Under a tag it is read, changed and written again; as a referrer it is one more."""
    sign, verify, _, types = style
    image, signed = push(images.Image("twice"))
    for number in ("1", "2"):
        cosign.signing("sign", signed, *sign, "-a", f"number={number}")
    found = cosign.verifying("verify", signed, *verify)
    assert signed_digests(found) == [image.digest] * 2
    assert len(referrer_types(repo, image)) == 2 * len(types)


@pytest.mark.parametrize("old", [True, False], ids=["tag", "referrer"])
def test_attestation(cosign, push, repo, old):
    options = ["--new-bundle-format=false"] if old else []
    image, signed = push(images.Image("attested"))
    (cosign.root / "predicate.json").write_text('{"scanned": true}')
    cosign.signing("attest", signed, *options, "--type", "custom", "--predicate", "predicate.json")
    found = predicates(cosign.verifying("verify-attestation", signed, *options, "--type", "custom"))
    assert [predicate["Data"] for predicate in found] == ['{"scanned": true}']
    assert repo.tag_names() == (sorted(["v1", digest_tag(image, ".att")]) if old else ["v1"])
    assert referrer_types(repo, image) == ([] if old else [BUNDLE])


def test_attached_sbom_is_read_back(cosign, push, repo):
    image, signed = push(images.Image("sbom"))
    (cosign.root / "sbom.json").write_text('{"packages":[]}')
    cosign.plain("attach sbom", "--type", "spdx", "--sbom", "sbom.json", signed)
    assert cosign.plain("download sbom", signed) == '{"packages":[]}'
    assert repo.tag_names() == sorted(["v1", digest_tag(image, ".sbom")])


def test_attached_sbom_as_a_referrer(cosign, engine, push, repo, monkeypatch):
    monkeypatch.setitem(cosign.environment, "COSIGN_EXPERIMENTAL", "1")
    image, signed = push(images.Image("sbom-referrer"))
    (cosign.root / "sbom.json").write_text('{"packages":[]}')
    cosign.plain("attach sbom", "--registry-referrers-mode=oci-1-1", "--type", "spdx", "--sbom", "sbom.json", signed)
    assert referrer_types(repo, image) == [SBOM]
    assert SBOM in engine("regctl").text("artifact", "list", signed)
    assert SBOM in engine("oras").text("discover", "--plain-http", signed)


def test_index_and_its_images_are_signed(cosign, push):
    content, signed = push(images.MultiArchitecture("signed-index"))
    cosign.signing("sign", signed, "--recursive")
    for part in (content, *content.images):
        one = f"{signed.partition('@')[0]}@{part.digest}"
        assert signed_digests(cosign.verifying("verify", one)) == [part.digest]


def test_copy_takes_tags_along(cosign, client, push, name, reference):
    """Another repository, another project: cosign copies what it finds under tags."""
    image, signed = push(images.Image("copied"))
    cosign.signing("sign", signed, "--new-bundle-format=false")
    target = reference.replace("/tests/", "/copies/")
    cosign.plain("copy", signed, target)
    copied = f"{target.rpartition(':')[0]}@{image.digest}"
    assert signed_digests(cosign.verifying("verify", copied, "--new-bundle-format=false")) == [image.digest]
    there = client.repository(name.replace("tests/", "copies/", 1))
    assert {"v1", digest_tag(image, ".sig")} <= set(there.tag_names())


def test_oras_copy_takes_referrers_along(cosign, engine, push, reference):
    image, signed = push(images.Image("copied-referrers"))
    cosign.signing("sign", signed)
    target = reference.replace("/tests/", "/copies/")
    engine("oras").run("copy", "--recursive", "--from-plain-http", signed, "--to-plain-http", target)
    copied = f"{target.rpartition(':')[0]}@{image.digest}"
    assert signed_digests(cosign.verifying("verify", copied)) == [image.digest]


def test_tree_shows_and_clean_removes(cosign, push, repo):
    image, signed = push(images.Image("cleaned"))
    cosign.signing("sign", signed)
    cosign.signing("sign", signed, "--new-bundle-format=false")
    shown = cosign.plain("tree", signed)
    referrer = repo.referrer_digests(image.digest)[0]
    assert referrer in shown and digest_tag(image, ".sig") in shown
    cosign.plain("clean", "--force", "--type", "all", signed)
    assert repo.tag_names() == ["v1"]
    assert repo.referrer_digests(image.digest) == []
    repo.get_manifest(referrer, expect=404)
