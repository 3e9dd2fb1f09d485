# SPDX-License-Identifier: Apache-2.0
"""A disk that is really full, and one that is really read-only. Needs root and mount(8)."""
import os
import subprocess

import pytest

from harness import oci
from harness.wait import wait_until
from torture.workload import NETWORK, Refused, Workload

pytestmark = [
    pytest.mark.own_server,
    pytest.mark.expect_errors("500", "503", "507", "STORAGE", "STORAGE_FULL", "DATABASE", "INTERNAL"),
]


@pytest.fixture
def small_disk(tmp_path):
    """A tmpfs of 24 MiB."""
    where = tmp_path / "disk"
    where.mkdir()
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(where)], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=False)


@pytest.fixture
def registry(small_disk, make_registry):
    return make_registry(data_dir=small_disk / "data")


def refusal(client, repo, data):
    """The status of a push that may fail, with its session cleaned up."""
    answer = client.session.post(
        f"{client.registry.url}{repo.base}/blobs/uploads/?digest={oci.digest_of(data)}", data=data,
        headers={"Authorization": client.basic()}, timeout=60)
    if answer.status_code >= 400:
        assert answer.json()["errors"][0]["code"]
    return answer.status_code


def test_full_disk(registry, client, repo, small_disk):
    """507 while it is full, everything older readable, and pushes again as soon as there is room."""
    before = Workload("before")
    before.run(client)
    ballast = small_disk / "ballast"
    free = os.statvfs(small_disk)
    ballast.write_bytes(b"\0" * (free.f_bavail * free.f_bsize - (1 << 20)))
    statuses = {refusal(client, repo, oci.random_bytes(3 << 20, number)) for number in range(3)}
    assert statuses == {507}, statuses
    before.verify(client)
    assert registry.running()
    ballast.unlink()
    assert wait_until(lambda: refusal(client, repo, oci.random_bytes(1 << 20, "after")) == 201, what="a push with room again")
    after = Workload("after")
    after.run(client)
    after.verify(client)
    before.verify(client)


def test_disk_that_fills_up_slowly(registry, client, small_disk):
    """Pushes until nothing fits any more: what was acknowledged stays, the rest is refused."""
    done = []
    for number in range(200):
        workload = Workload(f"w{number}")
        done.append(workload)
        try:
            workload.run(client)
            workload.push_blob(client, oci.random_bytes(1 << 20, number))
        except (Refused, *NETWORK):
            break
    else:
        raise AssertionError("24 MiB held everything")
    assert registry.running()
    for workload in done:
        workload.verify(client)
    registry.restart()
    for workload in done:
        workload.verify(client)


def test_read_only_disk(registry, client, repo, small_disk):
    """Remounted read-only under the running server: pulls go on, pushes are refused in order."""
    content = oci.image("read only")
    repo.push(content, "v1")
    before = Workload("before")
    before.run(client)
    done = subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], capture_output=True, text=True)
    if done.returncode != 0:
        # Descriptors open for writing forbid the remount; a stopped server has none.
        registry.stop()
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
        registry.spawn()
        wait_until(lambda: not registry.running() or "listening" in registry.log_text().splitlines()[-1], what="an answer or an end")
        if registry.running():
            assert refusal(client, repo, b"refused") >= 500
        else:
            registry.process = None
    else:
        assert refusal(client, repo, b"refused") >= 500
        assert repo.get_manifest("v1").content == content.body
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    registry.kill9()
    registry.start()
    assert repo.get_manifest("v1").content == content.body
    before.verify(client)
    repo.push_blob(b"accepted again")
