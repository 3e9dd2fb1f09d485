# SPDX-License-Identifier: Apache-2.0
"""What there is besides plain images: indexes, zstd layers, attachments, strangers, names from before. A file of its own, so that
the two halves run side by side."""
import json

import images
import pytest
from engines import ENGINES, assert_files

from harness.wire import unique

UNPACK_ZSTD = ("buildah", "podman", "containerd")
COPY = {
    "crane": lambda one, *names: one.run("copy", "--insecure", *names),
    "oras": lambda one, source, target: one.run("copy", "--from-plain-http", source, "--to-plain-http", target),
    "regctl": lambda one, *names: one.run("image", "copy", *names),
    "skopeo": lambda one, *names: one.run(
        "copy", "--src-tls-verify=false", "--dest-tls-verify=false", *(f"docker://{name}" for name in names)),
}


@pytest.mark.parametrize("name_of_engine", ["skopeo", "regctl", "crane", "oras"])
def test_index_of_two_architectures(engine, repo, reference, name_of_engine):
    content = images.MultiArchitecture(name_of_engine)
    engine(name_of_engine).push(content, reference)
    assert repo.get_manifest("v1").content == content.manifest
    for image in content.images:
        assert repo.get_manifest(image.digest).content == image.manifest


@pytest.mark.parametrize("name_of_engine", ENGINES)
def test_one_architecture_out_of_an_index(engine, reference, name_of_engine):
    puller, content = engine(name_of_engine), images.MultiArchitecture(unique("choice"))
    engine("crane").push(content, reference)
    for image in content.images:
        digest, files = puller.pull(reference, *puller.choose(image.architecture))
        assert digest in (image.digest, content.digest)
        assert_files(files, image)


@pytest.mark.parametrize("name_of_engine", ["buildah", "podman"])
def test_index_made_by_the_engine(engine, repo, reference, name_of_engine):
    """They put an index together themselves, of images that they hold."""
    maker, content = engine(name_of_engine), images.MultiArchitecture(unique("made"))
    listing = unique("list")
    maker.run("manifest", "create", listing)
    for image in content.images:
        maker.run("manifest", "add", listing, f"oci:{maker.layout(image)}:v1")
    maker.run("manifest", "push", "--all", "--tls-verify=false", listing, f"docker://{reference}")
    assert {entry["platform"]["architecture"] for entry in repo.get_manifest("v1").json()["manifests"]} == {"amd64", "arm64"}
    skopeo = engine("skopeo")
    for image in content.images:
        assert_files(skopeo.pull(reference, *skopeo.choose(image.architecture))[1], image)


# What makes zstd layers, and the options of its push.
MAKE_ZSTD = {
    "skopeo": ["--dest-compress-format", "zstd"],
    "buildah": ["--compression-format", "zstd"],
    "podman": ["--compression-format", "zstd"],
}


@pytest.mark.parametrize("puller", UNPACK_ZSTD)
@pytest.mark.parametrize("pusher", MAKE_ZSTD)
def test_zstd_layers(engine, repo, reference, pusher, puller):
    pulling = engine(puller)
    image = images.Image(unique(f"zstd-{puller}"), compressed=False)
    engine(pusher).push(image, reference, *MAKE_ZSTD[pusher])
    answer = repo.get_manifest("v1")
    types = {layer["mediaType"] for layer in answer.json()["layers"]}
    assert types == {images.LAYER + "+zstd"}
    digest, files = pulling.pull(reference)
    assert digest == answer.headers["Docker-Content-Digest"]
    assert_files(files, image)


@pytest.mark.parametrize("copier", ["crane", "oras", "regctl", "skopeo"])
def test_zstd_layers_copied_by_another(engine, client, repo, reference, copier):
    """Into another repository, byte for byte."""
    engine("skopeo").push(images.Image(unique("zstd"), compressed=False), reference, *MAKE_ZSTD["skopeo"])
    target = reference.replace("/tests/", "/copies/")
    COPY[copier](engine(copier), reference, target)
    copied = client.repository(target.partition("/")[2].rpartition(":")[0]).get_manifest("v1")
    assert copied.content == repo.get_manifest("v1").content


def test_attach_and_discover(engine, repo, reference):
    image = images.Image("attached")
    oras = engine("oras")
    oras.push(image, reference)
    (oras.root / "sbom.json").write_text('{"packages":[]}')
    oras.run(
        "attach", "--plain-http", "--artifact-type", "application/vnd.test.sbom", "--annotation", "note=kept",
        reference, "sbom.json:application/json",
    )
    found = json.loads(oras.run("discover", "--plain-http", "--format", "json", reference))
    listed = found.get("referrers") or found.get("manifests")
    assert [entry["artifactType"] for entry in listed] == ["application/vnd.test.sbom"]
    seen = engine("regctl").text("artifact", "list", reference, "--format", "{{jsonPretty .}}")
    assert listed[0]["digest"] in seen
    assert repo.get_manifest(listed[0]["digest"]).json()["subject"]["digest"] == image.digest
    tags = engine("crane").text("ls", "--insecure", reference.rpartition(":")[0]).split()
    assert tags == ["v1"], "the client fell back to a tag although there is a referrers API"


@pytest.mark.parametrize("name_of_engine", ["skopeo", "crane", "oras"])
def test_anonymous_pull_of_a_private_repository_fails(engine, reference, tmp_path, name_of_engine):
    engine("skopeo").push(images.Image("private"), reference)
    engine(name_of_engine)
    with pytest.raises(AssertionError, match="(?i)unauthorized|authentication required|401"):
        ENGINES[name_of_engine](tmp_path / "stranger").pull(reference)


@pytest.mark.parametrize("name_of_engine", ["skopeo", "crane", "containerd"])
def test_a_name_from_before_is_pulled_and_pushed(engine, registry, name_of_engine):
    """The project has another name since; the client does not know."""
    one, before, after = engine(name_of_engine), unique("before"), unique("after")
    image, later = images.Image(unique("old")), images.Image(unique("new"))
    reference = f"{registry.address}/{before}/lib/app"
    one.push(image, f"{reference}:v1")
    registry.client(auth="basic").post(
        f"/api/berth/v1/projects/{before}/rename", body=json.dumps({"name": after}),
        headers={"Content-Type": "application/json"}, expect=200)
    assert_files(one.pull(f"{reference}:v1")[1], image)
    one.push(later, f"{reference}:v2")
    assert_files(one.pull(f"{registry.address}/{after}/lib/app:v2")[1], later)
