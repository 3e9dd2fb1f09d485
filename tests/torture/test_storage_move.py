# SPDX-License-Identifier: Apache-2.0
"""kill -9 at each step of a tenant's move to another storage, the server running: whoever comes next goes on, and nothing is lost."""
import json
import subprocess

import pytest

from harness import oci

pytestmark = pytest.mark.own_server

POINTS = ["move.begun:1", "move.copied:1", "move.copied:3", "move.moved:2", "store.append:2", "store.rename:1", "store.sync:2", "store.remove:1",
          "move.moved:1", "move.swept:1"]


def move(registry, *place, fault=None):
    environment = registry.environment()
    if fault:
        environment["BERTH_FAULT"] = f"{fault}=kill"
    return subprocess.run([str(registry.program), "storage", "move", "acme", *place], env=environment, cwd=registry.root,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_kill_at_each_step_of_a_move(registry, encrypted):
    tenant = registry.tenant("acme", storage={"location": "old", "encrypted": not encrypted})
    repo = tenant.client().repository("tests/moves")
    blobs = {repo.push_blob(content): content for content in (oci.random_bytes(90_000, f"move-{number}") for number in range(9))}
    path = registry.root / "place.json"
    path.write_text(json.dumps({"driver": "filesystem", "location": "new", "encrypted": encrypted}))
    place = [str(path)]
    for point in POINTS:
        done = move(registry, *place, fault=point)
        assert done.returncode == -9, (point, done.stdout)
        place = []
        registry.assert_fsck_clean()
        for digest, content in blobs.items():
            assert repo.get_blob(digest).content == content, point
        content = oci.random_bytes(50_000, point)
        blobs[repo.push_blob(content)] = content
    done = move(registry)
    assert done.returncode == 0, done.stdout
    assert [found for found in (registry.data / "storages" / "old").glob("blobs/**/*") if found.is_file()] == []
    for digest, content in blobs.items():
        assert repo.get_blob(digest).content == content
    registry.assert_fsck_clean()


def test_what_is_removed_when_it_was_copied_and_no_row_said_so_is_garbage_and_no_stray(registry):
    """By hand, as who collects garbage does it: the link, the bytes, the row. What is in the new storage by then gets a row again."""
    tenant = registry.tenant("acme", storage={"location": "old"})
    repo = tenant.client().repository("tests/moves")
    blobs = {repo.push_blob(content): content for content in (oci.random_bytes(50_000, f"move-{number}") for number in range(3))}
    path = registry.root / "place.json"
    path.write_text(json.dumps({"driver": "filesystem", "location": "new"}))
    assert move(registry, str(path), fault="move.copied:1").returncode == -9
    copied, = [found for found in (registry.data / "storages" / "new").glob("blobs/**/*") if found.is_file()]
    digest = f"sha256:{copied.name}"
    repo.delete_blob(digest)
    next((registry.data / "storages" / "old").glob(f"blobs/**/{copied.name}")).unlink()
    registry.execute(f"DELETE FROM blob WHERE digest = '{digest}'")
    done = move(registry)
    assert done.returncode == 0 and "2 blobs moved" in done.stdout, done.stdout
    registry.assert_fsck_clean()
    due = registry.query(f"SELECT COUNT(*) FROM garbage g JOIN blob b ON b.id = g.blob_id WHERE g.repository_id = 0 AND b.digest = '{digest}'")
    assert int(due[0]) == 1
    repo.push_blob(blobs[digest])
    for digest, content in blobs.items():
        assert repo.get_blob(digest).content == content
