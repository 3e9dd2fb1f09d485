# SPDX-License-Identifier: Apache-2.0
"""Real images as OCI layouts and archives: a static shell, files over it, and a layer that takes one away."""
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from harness import oci

BUSYBOX = Path("/bin/busybox")
LAYER = "application/vnd.oci.image.layer.v1.tar"
ARCHITECTURES = ("amd64", "arm64")


def program():
    """The static shell of Debian where there is one; any bytes do for a test that only moves them."""
    return BUSYBOX.read_bytes() if BUSYBOX.exists() else oci.random_bytes(1 << 20, "program")


def tar_of(files, mode=0o644):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for folder in sorted({str(Path(name).parent) for name in files}):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    """Three layers of one architecture; `files` is what its root shows."""

    def __init__(self, seed, architecture="amd64", compressed=True):
        self.files = {
            "bin/busybox": program(),
            "etc/release": f"{seed}-{architecture}\n".encode(),
            "etc/noise": oci.random_bytes(300_000, f"{seed}-{architecture}"),
        }
        # Every layer is this image's own, so that no engine finds it under another image's compression.
        removed = {"etc/.wh.removed": b"", "etc/seed": seed.encode()}
        self.tars = [
            tar_of({"bin/busybox": self.files["bin/busybox"], "etc/removed": seed.encode()}, mode=0o755),
            tar_of({name: data for name, data in self.files.items() if name.startswith("etc/")}), tar_of(removed),
        ]
        self.architecture = architecture
        self.layers = [gzip.compress(tar, 1, mtime=0) if compressed else tar for tar in self.tars]
        self.config = json.dumps({
            "architecture": architecture, "os": "linux", "config": {"Cmd": ["/bin/busybox", "sh"]},
            "rootfs": {"type": "layers", "diff_ids": [digest_of(tar) for tar in self.tars]},
            "history": [{"created_by": f"layer {number}"} for number in range(len(self.tars))],
        }).encode()
        media_type = LAYER + ("+gzip" if compressed else "")
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": oci.OCI_MANIFEST,
            "config": oci.descriptor(self.config, "application/vnd.oci.image.config.v1+json"),
            "layers": [oci.descriptor(layer, media_type) for layer in self.layers],
        }).encode()
        self.digest = digest_of(self.manifest)
        self.blobs = [self.manifest, self.config, *self.layers]

    def descriptor(self):
        platform = {"os": "linux", "architecture": self.architecture}
        return {**oci.descriptor(self.manifest, oci.OCI_MANIFEST), "platform": platform}

    def docker_archive(self, path, reference):
        """What `docker load` takes."""
        config = digest_of(self.config)[7:] + ".json"
        names = [f"{number}.tar" for number in range(len(self.tars))]
        listing = [{"Config": config, "RepoTags": [reference], "Layers": names}]
        members = {"manifest.json": json.dumps(listing).encode(), config: self.config, **dict(zip(names, self.tars))}
        path.write_bytes(tar_of(members))
        return path


class MultiArchitecture:
    """An index over one image for each of ARCHITECTURES."""

    def __init__(self, seed):
        self.images = [Image(seed, architecture) for architecture in ARCHITECTURES]
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": oci.OCI_INDEX,
            "manifests": [image.descriptor() for image in self.images],
        }).encode()
        self.digest = digest_of(self.manifest)
        self.blobs = [self.manifest] + [blob for image in self.images for blob in image.blobs]

    def descriptor(self):
        return oci.descriptor(self.manifest, oci.OCI_INDEX)


def write_layout(path, content, tag="v1", **annotations):
    """An OCI layout with `content` as its one entry."""
    blobs = path / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for blob in content.blobs:
        (blobs / digest_of(blob)[7:]).write_bytes(blob)
    notes = {"org.opencontainers.image.ref.name": tag, **annotations}
    entry = {**content.descriptor(), "annotations": notes}
    (path / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (path / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": oci.OCI_INDEX, "manifests": [entry]}))
    return path


def checked(path, digest):
    data = path.read_bytes()
    assert digest_of(data) == digest, f"{path} holds other bytes than {digest}"
    return data


def read_layout(path):
    """(digest, files) of the one image in a layout, every byte checked on the way."""
    entries = json.loads((path / "index.json").read_bytes())["manifests"]
    assert len(entries) == 1, entries
    blobs = path / "blobs" / "sha256"
    manifest = checked(blobs / entries[0]["digest"][7:], entries[0]["digest"])
    return entries[0]["digest"], read_image(blobs, json.loads(manifest))


def read_folder(path):
    """The same of what skopeo calls a dir."""
    manifest = (path / "manifest.json").read_bytes()
    return digest_of(manifest), read_image(path, json.loads(manifest))


def read_image(blobs, manifest):
    checked(blobs / manifest["config"]["digest"][7:], manifest["config"]["digest"])
    files = {}
    for layer in manifest["layers"]:
        data = checked(blobs / layer["digest"][7:], layer["digest"])
        apply_layer(files, gzip.decompress(data) if layer["mediaType"].endswith("gzip") else data)
    return files


def apply_layer(files, packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for entry in archive:
            name = str(Path(entry.name))
            folder, _, last = name.rpartition("/")
            if last.startswith(".wh."):
                files.pop(f"{folder}/{last[4:]}", None)
            elif entry.isfile():
                files[name] = archive.extractfile(entry).read()


def read_tree(path):
    return {str(found.relative_to(path)): found.read_bytes() for found in Path(path).rglob("*")
            if found.is_file() and not found.is_symlink()}


def read_tar(packed):
    files = {}
    apply_layer(files, packed)
    return files
