# SPDX-License-Identifier: Apache-2.0
"""`berth audit verify`: the trail proves itself, whatever somebody does to the database or to the server."""
import json

import pytest

from harness import oci
from harness.wait import wait_until

SETTINGS = {"audit_checkpoint_interval": "1s"}
pytestmark = [pytest.mark.own_server, pytest.mark.settings(**SETTINGS)]


def verify(registry):
    status, output = registry.berth("audit", "verify", "-o", "json")
    assert status in (0, 1), output
    verdict = json.loads(output)
    assert verdict["intact"] == (status == 0)
    return verdict


def fill(registry, count=3):
    admin = registry.client()
    first = len(registry.query("SELECT id FROM project"))
    for number in range(first, first + count):
        admin.make_project(f"project-{number}")


def signed(registry, places):
    """Waits until that many records have a place and the last of them is signed."""
    def reached():
        verdict = verify(registry)
        return verdict["last_checkpoint"] >= places and verdict["waiting"] == 0 and verdict
    return wait_until(reached, timeout=20, what="a checkpoint")


def test_beside_a_running_server_and_after_it(registry):
    fill(registry)
    verdict = signed(registry, 3)
    assert verdict["intact"] and verdict["places"] >= 3
    assert (registry.data / "audit.checkpoint").stat().st_size > 100
    registry.stop()
    assert verify(registry)["intact"]
    status, output = registry.berth("audit", "verify")
    assert status == 0 and output.startswith("the audit trail is intact\n")


def test_the_last_records_are_signed_when_the_server_stops(make_registry):
    registry = make_registry(audit_checkpoint_interval="1h")
    fill(registry)
    registry.stop()
    verdict = verify(registry)
    assert verdict["waiting"] == 0 and verdict["last_checkpoint"] == verdict["places"] >= 3


def test_no_verdict_is_no_intact_trail(registry):
    registry.stop()
    status, output = registry.berth("audit", "prove")
    assert status == 2 and "usage" in output
    (registry.data / "master.key").rename(registry.data / "lost.key")
    status, output = registry.berth("audit", "verify")
    assert status == 2 and "master.key" in output


TAMPERINGS = {
    "changed": (("UPDATE audit_record SET actor = 'nobody' WHERE id = 2",), "record 2 was changed"),
    "denial made to look allowed": (("UPDATE audit_record SET result = 1 - result WHERE id = 2",), "record 2 was changed"),
    "removed": (("DELETE FROM audit_record WHERE id = 2",), "record 2 was removed"),
    "removed with its place": (
        ("DELETE FROM audit_record WHERE id = 2", "DELETE FROM audit_seal WHERE record_id = 2"), "place is missing"),
    "inserted": (
        ("INSERT INTO audit_record (id, time_us, tenant_id, project_id, project, actor_type, actor_id, actor, operation,"
         " resource_type, resource, address, result, detail)"
         " SELECT 0, time_us, tenant_id, project_id, project, actor_type, actor_id, actor, operation,"
         " resource_type, resource, address, result, detail FROM audit_record WHERE id = 2",), "record 0 was inserted"),
    "exchanged": (
        ("UPDATE audit_seal SET record_id = -record_id WHERE record_id IN (1, 2)",
         "UPDATE audit_seal SET record_id = 3 + record_id WHERE record_id IN (-1, -2)"), "record 2 was changed"),
    "tail cut": (
        ("DELETE FROM audit_record WHERE id > 2", "DELETE FROM audit_seal WHERE seq > 2", "DELETE FROM audit_checkpoint",
         "UPDATE audit_chain SET seq = 2, record_id = 2, checkpoint_seq = 0, hash = (SELECT hash FROM audit_seal WHERE seq = 2)"),
        "the chain ends here, but a checkpoint was signed"),
    "began anew": (
        ("DELETE FROM audit_record", "DELETE FROM audit_seal", "DELETE FROM audit_checkpoint", "DELETE FROM audit_key",
         "UPDATE audit_chain SET seq = 0, record_id = 0, checkpoint_seq = 0"), "is not signed by a key of this trail"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_database_that_was(registry, name):
    statements, difference = TAMPERINGS[name]
    fill(registry)
    registry.stop()
    assert verify(registry)["intact"]
    registry.execute(*statements)
    verdict = verify(registry)
    assert not verdict["intact"] and difference in verdict["difference"], verdict
    status, output = registry.berth("audit", "verify")
    assert status == 1 and "was changed" in output and difference in output


def test_a_kill_at_any_moment_leaves_a_whole_trail(registry):
    for _ in range(4):
        repository = registry.client().repository("library/app")
        image = oci.image()
        repository.push(image, "v1")
        repository.get_manifest("v1")
        fill(registry)
        registry.kill9()
        assert verify(registry)["intact"]
        registry.start()
    registry.stop()
    verdict = verify(registry)
    assert verdict["intact"] and verdict["waiting"] == 0
    # What was answered is there: every project that was made has its record.
    made = registry.query("SELECT resource FROM audit_record WHERE operation = 'create' AND resource_type = 'project'")
    assert {f"project-{n}" for n in range(1, 13)} <= set(made)
