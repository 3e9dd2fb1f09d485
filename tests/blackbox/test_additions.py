# SPDX-License-Identifier: Apache-2.0
"""Additions: histories, charts, models and icons, also those that somebody packed with bad intentions."""
import base64
import gzip
import io
import json
import tarfile
import zlib

import pytest

from harness import oci
from harness.wire import unique

API = "/api/v2.0"
CHART_CONFIG = "application/vnd.cncf.helm.config.v1+json"
CHART_LAYER = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
MODEL = "application/vnd.cncf.model.manifest.v1+json"
MODEL_CONFIG = "application/vnd.cncf.model.config.v1+json"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 50


class Artifact:
    def __init__(self, client, repo, base):
        self.client, self.repo, self.base = client, repo, base

    def push(self, content, tag="v1"):
        self.repo.push(content, tag)
        return self

    def get(self, addition, expect=200):
        return self.client.get(f"{self.base}/v1/additions/{addition}", expect=expect)


@pytest.fixture
def artifact(client, admin):
    project = unique("additions")
    client.make_project(project)
    return Artifact(admin, client.repository(f"{project}/deep/app"), f"{API}/projects/{project}/repositories/deep%252Fapp/artifacts")


def layered(config, layers, config_type=CHART_CONFIG, **more):
    """A manifest over the given layers: (bytes, media type, annotations)."""
    content = oci.image("unused", config=config, config_type=config_type, layers=0, **more)
    for data, media_type, annotations in layers:
        content.document["layers"].append(oci.descriptor(data, media_type, **({"annotations": annotations} if annotations else {})))
        content.blobs.append(data)
    content.body = oci.encode(content.document)
    return content


def tar(*entries, mode="w:gz"):
    """Entries are (name, bytes) or TarInfo."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for entry in entries:
            if isinstance(entry, tarfile.TarInfo):
                archive.addfile(entry)
                continue
            info = tarfile.TarInfo(entry[0])
            info.size = len(entry[1])
            archive.addfile(info, io.BytesIO(entry[1]))
    return out.getvalue()


def chart(archive, **config):
    return layered(oci.encode({"name": "x", "version": "1.0.0", **config}), [(archive, CHART_LAYER, None)])


class TestHistory:
    def push(self, artifact, config):
        return artifact.push(oci.image("history", config=config if isinstance(config, bytes) else oci.encode(config)))

    def test_of_an_image(self, artifact):
        steps = [{"created": "2026-01-01T00:00:00Z", "created_by": "RUN x", "author": "a", "comment": "c", "empty_layer": True},
                 {"created_by": "COPY"}]
        self.push(artifact, {"architecture": "amd64", "os": "linux", "history": steps})
        answer = artifact.get("build_history")
        assert answer.json() == steps and answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        link = artifact.client.get(f"{artifact.base}/v1", expect=200).json()["addition_links"]["build_history"]
        assert link["absolute"] is False
        assert artifact.client.get(link["href"], expect=200).json() == steps

    @pytest.mark.parametrize("config, found", [
        ({"os": "linux"}, []), ({"history": None}, []), ({"history": {}}, []), ({"history": [1, None, {}, [], {"created_by": 7}]}, [{}, {}]),
    ])
    def test_of_odd_configs(self, artifact, config, found):
        self.push(artifact, config)
        assert artifact.get("build_history").json() == found

    @pytest.mark.parametrize("config", [b"{", b"", b"[]", b"\xff"])
    def test_of_configs_that_are_none(self, artifact, config):
        self.push(artifact, config)
        artifact.get("build_history", expect=404)

    def test_of_a_huge_history(self, artifact):
        self.push(artifact, {"history": [{"created_by": "x" * 1000}] * 4000})
        assert 1000 < len(artifact.get("build_history", expect=(200, 413)).json() or [0] * 2000) <= 4000

    def test_of_an_index(self, artifact):
        artifact.push(oci.index([oci.image("child")]))
        artifact.get("build_history", expect=400)


class TestChart:
    def test_files(self, artifact):
        dependencies = [{"name": "d", "version": "1", "repository": "https://example.org"}]
        artifact.push(chart(tar(("x/Chart.yaml", b"name: x"), ("x/values.yaml", b"a: 1\n"), ("x/README.md", b"# Hello\n"),
                                ("x/charts/sub/README.md", b"no"), ("x/templates/values.yaml", b"no")), dependencies=dependencies))
        assert artifact.get("values.yaml").content == b"a: 1\n"
        readme = artifact.get("readme.md")
        assert readme.content == b"# Hello\n" and readme.headers["Content-Type"] == "text/markdown; charset=utf-8"
        assert "sandbox" in readme.headers["Content-Security-Policy"]
        assert artifact.get("dependencies").json() == dependencies
        links = artifact.client.get(f"{artifact.base}/v1", expect=200).json()["addition_links"]
        assert set(links) == {"values.yaml", "readme.md", "dependencies"}

    @pytest.mark.parametrize("addition, status", [("build_history", 400), ("files", 400), ("license", 400), ("sbom", 400), ("other", 422)])
    def test_has_no_other(self, artifact, addition, status):
        artifact.push(chart(tar(("x/values.yaml", b"a"))))
        artifact.get(addition, expect=status)

    def test_plain_tar_and_dotted_names(self, artifact):
        artifact.push(chart(tar(("./x/values.yaml", b"a"), ("./x/readme.MD", b"r"), mode="w")))
        assert artifact.get("values.yaml").content == b"a"
        assert artifact.get("readme.md").content == b"r"

    def test_without_them(self, artifact):
        artifact.push(chart(tar(("x/Chart.yaml", b""))))
        artifact.get("values.yaml", expect=404)
        artifact.get("readme.md", expect=404)
        assert artifact.get("dependencies").json() == []

    @pytest.mark.parametrize("archive", [
        b"", b"no archive", b"\x1f\x8b", gzip.compress(b"no tar inside at all" * 100), tar(("x/values.yaml", b"a" * 5000))[:-40],
        b"\x1f\x8b\x08\x00" + b"\xff" * 100,
    ], ids=["empty", "text", "begin-of-gzip", "text-in-gzip", "cut", "noise"])  # gzip has the time in it, which no two workers share
    def test_that_is_no_archive(self, artifact, archive):
        artifact.push(chart(archive))
        artifact.get("values.yaml", expect=404)

    def link(self, name, target, kind):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        return info

    @pytest.mark.parametrize("name", ["../values.yaml", "x/../values.yaml", "/values.yaml", "/x/values.yaml", "values.yaml", "x/y/values.yaml", "x//values.yaml"])
    def test_names_that_lead_astray(self, artifact, name):
        artifact.push(chart(tar((name, b"astray"))))
        artifact.get("values.yaml", expect=404)

    def test_links_are_followed_nowhere(self, artifact):
        artifact.push(chart(tar(self.link("x/values.yaml", "/etc/passwd", tarfile.SYMTYPE), self.link("x/README.md", "/etc/passwd", tarfile.LNKTYPE))))
        artifact.get("values.yaml", expect=404)
        artifact.get("readme.md", expect=404)

    def test_a_readme_without_end(self, artifact):
        artifact.push(chart(tar(("x/README.md", b"r" * (5 << 20)))))
        artifact.get("readme.md", expect=413)

    def test_a_bomb(self, artifact):
        """300 MiB of nothing in front of the file, in 300 KiB."""
        artifact.push(chart(tar(("x/padding", bytes(300 << 20)), ("x/values.yaml", b"a"))))
        artifact.get("values.yaml", expect=413)

    def test_a_bomb_that_says_it_is_small(self, artifact):
        """A header of one byte and then gigabytes of gzip: nothing but the header is believed, and nothing more is read."""
        info = tarfile.TarInfo("x/values.yaml")
        info.size = 1
        body = info.tobuf() + b"a" + bytes(511)
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = packer.compress(body) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
        artifact.push(chart(packed))
        assert artifact.get("values.yaml").content == b"a"

    def test_a_sparse_file(self, artifact):
        info = tarfile.TarInfo("x/values.yaml")
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "x/values.yaml", "GNU.sparse.realsize": str(1 << 40)}
        info.size = 512
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w:gz", format=tarfile.PAX_FORMAT) as archive:
            archive.addfile(info, io.BytesIO(b"1\n1099511627776\n0\n".ljust(512, b"\0")))
        artifact.push(chart(out.getvalue()))
        artifact.get("values.yaml", expect=(404, 413))

    def test_too_many_entries(self, artifact):
        artifact.push(chart(tar(*[(f"x/{number}", b"") for number in range(10001)], ("x/values.yaml", b"a"))))
        artifact.get("values.yaml", expect=413)


class TestModel:
    def push(self, artifact, *files):
        """Files are (path, bytes, media type)."""
        layers = [(data, media_type, {"org.cncf.model.filepath": path}) for path, data, media_type in files]
        return artifact.push(layered(b'{"descriptor":{"name":"m"}}', layers, MODEL_CONFIG, artifact_type=MODEL))

    RAW, TAR, WEIGHT = (f"application/vnd.cncf.model.{kind}" for kind in ("doc.v1.raw", "doc.v1.tar", "weight.v1.raw"))

    def test_documents(self, artifact):
        self.push(artifact, ("README.md", b"# model", self.RAW), ("LICENSE", tar(("LICENSE", b"free"), mode="w"), self.TAR))
        assert artifact.get("readme.md").content == b"# model"
        assert artifact.get("license").content == b"free"
        assert artifact.get("license").headers["Content-Type"] == "text/plain; charset=utf-8"
        assert set(artifact.client.get(f"{artifact.base}/v1", expect=200).json()["addition_links"]) == {"readme.md", "license", "files"}
        artifact.get("values.yaml", expect=400)

    def test_without_documents(self, artifact):
        self.push(artifact, ("README.md", b"w", self.WEIGHT))
        artifact.get("readme.md", expect=404)
        artifact.get("license", expect=404)

    def test_files(self, artifact):
        self.push(artifact, ("b/z.bin", b"zz", self.WEIGHT), ("a.txt", b"1", self.RAW), ("b/c/d.bin", b"123", self.WEIGHT), ("empty/", b"", self.RAW),
                  ("../up", b"u", self.RAW), ("", b"none", self.RAW), ("b/../../x", b"x", self.RAW), ("/b/y.bin", b"y", self.RAW))
        assert artifact.get("files").json() == [
            {"name": "b", "type": "directory", "children": [
                {"name": "c", "type": "directory", "children": [{"name": "d.bin", "type": "file", "size": 3}]},
                {"name": "y.bin", "type": "file", "size": 1}, {"name": "z.bin", "type": "file", "size": 2},
            ]},
            {"name": "empty", "type": "directory", "children": []},
            {"name": "a.txt", "type": "file", "size": 1},
        ]

    def test_a_name_that_is_file_and_directory(self, artifact):
        self.push(artifact, ("a", b"1", self.RAW), ("a/b", b"22", self.RAW))
        assert artifact.get("files").json() == [{"name": "a", "type": "directory", "children": [{"name": "b", "type": "file", "size": 2}]}]

    def test_too_deep(self, artifact):
        self.push(artifact, ("/".join("a" * 40), b"1", self.RAW), ("ok", b"2", self.RAW))
        assert artifact.get("files").json() == [{"name": "ok", "type": "file", "size": 1}]


def test_sbom(artifact):
    sbom = {"spdxVersion": "SPDX-2.3"}
    artifact.push(layered(oci.EMPTY_JSON, [(oci.encode(sbom), "application/spdx+json", None)], oci.OCI_EMPTY,
                          artifact_type="application/vnd.goharbor.harbor.sbom.v1"))
    assert artifact.get("sbom").json() == sbom


def test_of_what_is_not_there(artifact):
    artifact.push(oci.image("there"))
    artifact.client.get(f"{artifact.base}/none/additions/build_history", expect=404)


class TestIcons:
    ROCKET = "application/vnd.acme.rocket.config.v1+json"

    def icon(self, client, digest, expect=200):
        return client.get(f"{API}/icons/{digest}", expect=expect).json()

    def push(self, artifact, picture):
        artifact.push(layered(b"{}", [(picture, "image/png", {"io.goharbor.artifact.v1alpha1.icon": ""})], self.ROCKET))
        found = artifact.client.get(f"{artifact.base}/v1", expect=200).json()["icon"]
        assert found == oci.digest_of(picture)
        return found

    def test_of_a_kind(self, artifact, anonymous):
        artifact.push(oci.image("an image"))
        digest = artifact.client.get(f"{artifact.base}/v1", expect=200).json()["icon"]
        found = self.icon(anonymous, digest)
        picture = base64.b64decode(found["content"])
        assert found["content-type"] == "image/svg+xml" and oci.digest_of(picture) == digest
        assert b"<svg" in picture and b"script" not in picture

    def test_of_its_own(self, artifact, anonymous):
        digest = self.push(artifact, PNG)
        assert base64.b64decode(self.icon(artifact.client, digest)["content"]) == PNG
        self.icon(anonymous, digest, expect=404)

    @pytest.mark.parametrize("picture", [b"<svg onload=alert(1)>", b"", b"\x89PN", PNG + b"\0" * (1 << 20)])
    def test_that_is_none(self, artifact, picture):
        self.icon(artifact.client, self.push(artifact, picture), expect=404)

    def test_that_nobody_has(self, anonymous):
        self.icon(anonymous, "sha256:" + "0" * 64, expect=404)
        self.icon(anonymous, "sha256:xyz", expect=400)
