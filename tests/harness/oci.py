# SPDX-License-Identifier: Apache-2.0
"""Content: blobs, image manifests, indexes and artifacts, built in memory.

Everything is derived from a seed, so a failing test can be repeated byte for byte.
"""
import hashlib
import json
import random

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP = OCI_LAYER + "+gzip"
OCI_LAYER_ZSTD = OCI_LAYER + "+zstd"
OCI_NONDISTRIBUTABLE = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
DOCKER_FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
DOCKER_SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"

EMPTY_JSON = b"{}"
EMPTY_JSON_DIGEST = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def digest_of(data, algorithm="sha256"):
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def random_bytes(size, seed=0):
    return random.Random(f"{size}-{seed}").randbytes(size)


def descriptor(data, media_type, *, algorithm="sha256", **more):
    return {"mediaType": media_type, "digest": digest_of(data, algorithm), "size": len(data), **more}


def encode(document):
    return json.dumps(document, indent=2, sort_keys=False).encode()


class Content:
    """One manifest with the blobs it needs: `body` are the exact bytes to push."""

    def __init__(self, document, media_type, blobs=(), children=()):
        self.document = document
        self.media_type = media_type
        self.blobs = list(blobs)
        self.children = list(children)
        self.body = encode(document)

    @property
    def digest(self):
        return digest_of(self.body)

    def digest_as(self, algorithm):
        return digest_of(self.body, algorithm)

    def descriptor(self, **more):
        return descriptor(self.body, self.media_type, **more)


def image(
    seed=0,
    *,
    layers=1,
    layer_size=1000,
    media_type=OCI_MANIFEST,
    config=None,
    config_type=None,
    layer_type=None,
    artifact_type=None,
    subject=None,
    annotations=None,
    omit_media_type=False,
    algorithm="sha256",
    **fields,
):
    """An image manifest whose config and layers follow from `seed`."""
    docker = media_type == DOCKER_MANIFEST
    config_type = config_type or (DOCKER_CONFIG if docker else OCI_CONFIG)
    layer_type = layer_type or (DOCKER_LAYER if docker else OCI_LAYER)
    bodies = [random_bytes(layer_size, f"{seed}/{number}") for number in range(layers)]
    if config is None:
        config = encode(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Labels": {"seed": str(seed)}},
                "rootfs": {"type": "layers", "diff_ids": [digest_of(body) for body in bodies]},
            }
        )
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "artifactType": artifact_type,
        "config": descriptor(config, config_type, algorithm=algorithm),
        "layers": [descriptor(body, layer_type, algorithm=algorithm) for body in bodies],
        "subject": subject,
        "annotations": annotations,
        **fields,
    }
    if omit_media_type:
        del document["mediaType"]
    document = {key: value for key, value in document.items() if value is not None}
    return Content(document, media_type, [config, *bodies])


def artifact(artifact_type, subject=None, *, seed=0, annotations=None, **fields):
    """An OCI artifact: empty config, one layer, artifactType, usually a subject."""
    content = image(
        seed,
        config=EMPTY_JSON,
        config_type=OCI_EMPTY,
        layer_type="application/octet-stream",
        layer_size=64,
        artifact_type=artifact_type,
        subject=subject,
        annotations=annotations,
        **fields,
    )
    return content


def index(children, *, media_type=OCI_INDEX, artifact_type=None, subject=None, annotations=None, platforms=True, **fields):
    """An index over `children` (Content objects)."""
    names = ["amd64", "arm64", "s390x", "ppc64le", "riscv64"]
    manifests = []
    for number, child in enumerate(children):
        entry = child.descriptor()
        if platforms:
            entry["platform"] = {"architecture": names[number % len(names)], "os": "linux"}
        manifests.append(entry)
    document = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "artifactType": artifact_type,
        "manifests": manifests,
        "subject": subject,
        "annotations": annotations,
        **fields,
    }
    document = {key: value for key, value in document.items() if value is not None}
    return Content(document, media_type, children=children)
