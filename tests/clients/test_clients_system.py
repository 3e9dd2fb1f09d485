# SPDX-License-Identifier: Apache-2.0
"""A whole Debian, made by debootstrap, packed by buildah, pushed by one engine, and run by the others after the pull.

Thousands of files with owners, modes and links come back as they were: dpkg compares each with its checksum,
and what has another owner than root or runs as it has kept that.
"""
import os
import shutil
import subprocess

import pytest
from engines import RUNTIMES

RELEASE = "bookworm"
FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT)"


def mirror():
    """Where this machine's own apt finds the release."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", FORMAT, "Created-By: Packages"], capture_output=True, text=True, timeout=60,
    ).stdout
    found = [line.split()[0] for line in listed.splitlines() if line.split()[1:] == [RELEASE, "main"]]
    return found[0] if found else None


def said(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=250)
    assert done.returncode == 0, f"{' '.join(map(str, command))} ends with {done.returncode}:\n{done.stdout.decode()[-3000:]}"
    return done.stdout.decode()


class System:
    """Its root as an archive, and what a container of it must show."""

    def __init__(self, folder, url):
        root = folder / "root"
        said("debootstrap", "--variant=minbase", RELEASE, root, url)
        for package in (root / "var/cache/apt/archives").glob("*.deb"):
            package.unlink()
        self.packages = said("dpkg-query", f"--admindir={root}/var/lib/dpkg", "--show").strip().splitlines()
        self.release = (root / "etc/debian_version").read_text().strip()
        self.marked = {path: mode_of(root, path) for path in ("/etc/shadow", "/usr/bin/passwd", "/tmp")}
        self.archive = folder / "root.tar"
        said("tar", "-C", root, "--numeric-owner", "--exclude=./dev/*", "-cf", self.archive, ".")
        shutil.rmtree(root)


def mode_of(root, path):
    status = os.lstat(f"{root}{path}")
    return f"{status.st_mode & 0o7777:o} {status.st_uid}:{status.st_gid}"


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        pytest.skip("debootstrap is not installed, or this is not root")
    url = mirror()
    if not url:
        pytest.skip(f"apt knows no mirror of {RELEASE}")
    made = System(tmp_path_factory.mktemp("system"), url)
    yield made
    made.archive.unlink()


@pytest.fixture(scope="module")
def packed(fleet, system):
    """The image in buildah's storage."""
    buildah = fleet.start("buildah")
    container = buildah.text("from", "scratch")
    buildah.run("add", container, system.archive, "/")
    buildah.run("config", "--cmd", "/bin/bash", container)
    identity = buildah.text("commit", "-q", "--rm", container).splitlines()[-1]
    yield identity
    buildah.run("rmi", "-f", identity)


@pytest.fixture
def pushed(engine, registry, packed):
    reference = f"{registry.address}/clients/debian:{RELEASE}"
    engine("buildah").run("push", "--tls-verify=false", packed, f"docker://{reference}")
    return reference


def assert_runs(runtime, name, system):
    execute = lambda *command: runtime.execute(name, *command).decode().strip()  # noqa: E731
    assert execute("/bin/cat", "/etc/debian_version") == system.release
    assert execute("/usr/bin/dpkg-query", "--show").splitlines() == system.packages
    assert execute("/usr/bin/dpkg", "--verify") == "", "files differ from what their packages hold"
    shown = execute("/usr/bin/stat", "-c", "%n %a %u:%g", *system.marked)
    assert shown.splitlines() == [f"{path} {mode}" for path, mode in system.marked.items()]


@pytest.mark.parametrize("puller", RUNTIMES)
def test_whole_system_runs_after_the_pull(fleet, engine, system, pushed, puller):
    runtime = engine(puller)
    runtime.fetch(pushed)
    assert_runs(runtime, pushed, system)


def layer_types(client, reference):
    path, _, tag = reference.partition("/")[2].rpartition(":")
    return {layer["mediaType"] for layer in client.repository(path).get_manifest(tag).json()["layers"]}


def test_system_passed_on_by_docker(engine, client, system, pushed):
    """It compresses anew and writes its own format."""
    passed = pushed.replace("/debian:", "/debian-docker:")
    docker, runtime = engine("docker"), engine("containerd")
    docker.fetch(pushed)
    docker.run("tag", pushed, passed)
    docker.run("push", passed)
    assert layer_types(client, passed) == {"application/vnd.docker.image.rootfs.diff.tar.gzip"}
    runtime.fetch(passed)
    assert_runs(runtime, passed, system)


def test_system_compressed_anew_by_regctl(engine, client, system, pushed):
    """Not by skopeo: its cache knows the layer, and that the registry has it as it is."""
    passed, runtime = pushed.replace("/debian:", "/debian-zstd:"), engine("podman")
    engine("regctl").run("image", "mod", pushed, "--layer-compress", "zstd", "--create", passed)
    assert layer_types(client, passed) == {"application/vnd.oci.image.layer.v1.tar+zstd"}
    runtime.fetch(passed)
    assert_runs(runtime, passed, system)
