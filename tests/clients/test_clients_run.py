# SPDX-License-Identifier: Apache-2.0
"""What was pulled runs: a container of the image prints the file that only this image has.

An engine that cannot run containers on this kernel at all (its own import of the same image fails, too) is
skipped with what it said.
"""
import tarfile

import images
import pytest
from engines import ENGINES, Unavailable

from harness.wire import unique

SHOW = ["/bin/busybox", "cat", "/etc/release"]


def docker_run(engine, reference):
    return engine.run("run", "--rm", "--network", "none", "--pull", "always" if "/" in reference else "never", reference, *SHOW)


def podman_run(engine, reference):
    """With runc and modest limits: crun refuses hybrid cgroups, and the defaults exceed what a container may raise."""
    pull = ["--pull=always", "--tls-verify=false"] if "/" in reference else []
    return engine.run(
        "--runtime", "runc", "--cgroup-manager", "cgroupfs", "run", "--rm", "--network", "none",
        "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", *pull, reference, *SHOW)


def containerd_run(engine, reference):
    if "/clients/" in reference:
        engine.run("images", "pull", "--snapshotter", "native", *engine.credentials(), reference)
    return engine.run("run", "--rm", "--snapshotter", "native", reference, unique("c"), *SHOW)


RUN = {"docker": docker_run, "containerd": containerd_run, "podman": podman_run}


def import_locally(name, engine, image):
    """Puts the image into the engine without any registry; returns what it is called there."""
    if name == "docker":
        engine.run("load", "-i", image.docker_archive(engine.fresh("archive"), "probe:v1"))
        return "probe:v1"
    if name == "podman":
        (engine.root / "auth.json").write_text("{}")
        return engine.text("pull", "-q", f"oci:{engine.layout(image)}:v1").splitlines()[-1]
    packed = engine.fresh("archive")
    layout = engine.layout(image, **{"io.containerd.image.name": "probe.test/probe:v1"})
    with tarfile.open(packed, "w") as archive:
        archive.add(layout, arcname=".")
    engine.run("images", "import", "--snapshotter", "native", packed)
    return "probe.test/probe:v1"


@pytest.mark.skipif(not images.BUSYBOX.exists(), reason="no static shell: the package busybox-static is not installed")
@pytest.mark.parametrize("name_of_engine", RUN)
def test_image_runs_after_the_pull(registry, name, folder, name_of_engine):
    try:
        pusher, engine = ENGINES["skopeo"](folder / "s"), ENGINES[name_of_engine](folder / "e")
    except Unavailable as reason:
        pytest.skip(str(reason))
    try:
        probe = images.Image("probe")
        try:
            assert RUN[name_of_engine](engine, import_locally(name_of_engine, engine, probe)) == probe.files["etc/release"]
        except AssertionError as reason:
            said = " ".join(str(reason).split())
            pytest.skip(f"{name_of_engine} cannot run containers here: {said[-300:]}")
        image = images.Image(unique("runs"))
        reference = f"{registry.address}/clients/{name.split('/')[1]}:v1"
        pusher.login(registry)
        engine.login(registry)
        pusher.push(image, reference)
        assert RUN[name_of_engine](engine, reference) == image.files["etc/release"]
    finally:
        engine.stop()
