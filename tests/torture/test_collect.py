# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the server at each step of garbage collection: what is referred to stays, and the next one ends what was begun."""
import pytest

from harness import oci
from harness.people import call
from harness.wait import wait_until

pytestmark = pytest.mark.own_server

POINTS = ["collect.condemned:1", "collect.condemned:2", "collect.removed:1", "store.remove:1", "store.remove:130"]
AT_ONCE = {"garbage_window": "0s", "jobs_lease": "1s"}


@pytest.mark.parametrize("point", POINTS)
def test_kill_at_each_step_of_a_collection(make_registry, program_with_faults, point):
    registry = make_registry(program=program_with_faults, jobs_workers="0", **AT_ONCE)
    repo = registry.client(auth="basic").repository("tests/collected")
    keeps = oci.image("keeps", layers=2)
    repo.push(keeps, "keeps")
    gone = [oci.image(f"gone {number}", layers=2) for number in range(100)]  # more than one batch
    for content in gone:
        repo.push(content, "moves")
        repo.delete_manifest(content.digest)
    call(registry.client(auth="basic"), "POST", "/api/v2.0/system/gc/schedule", {"schedule": {"type": "Manual"}}, expect=201)
    registry.extra_environment = {"BERTH_FAULT": f"{point}=kill"}
    registry.settings["JOBS_WORKERS"] = "1"
    registry.restart()
    assert registry.wait_dead() == -9
    registry.assert_fsck_clean()
    registry.execute("UPDATE blob SET condemned_at_us = 1 WHERE condemned_at_us IS NOT NULL")  # two minutes later
    registry.extra_environment = {}
    registry.start()
    named = ", ".join(f"'{oci.digest_of(blob)}'" for content in gone for blob in content.blobs)
    wait_until(lambda: registry.query(f"SELECT COUNT(*) FROM blob WHERE digest IN ({named})")[0] in ("0", 0), what="all of it gone")
    repo = registry.client(auth="basic").repository("tests/collected")
    for blob in keeps.blobs:
        assert repo.get_blob(oci.digest_of(blob)).content == blob
    assert len(registry.stored_files()) == len(keeps.blobs)
    registry.assert_fsck_clean()
