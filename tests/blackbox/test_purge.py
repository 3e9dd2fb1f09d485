# SPDX-License-Identifier: Apache-2.0
"""Purging the audit trail, by Harbor's API: what is old goes, by hand and by the clock, and the trail still proves itself."""
import json
import time

import pytest

from harness.client import codes
from harness.people import call
from harness.wait import wait_until

API = "/api/v2.0"
PURGE = f"{API}/system/purgeaudit"
SCHEDULE = f"{PURGE}/schedule"
HOUR_US = 3600 * 10**6
PARAMETERS = {"audit_retention_hour": 24, "dry_run": False, "include_event_types": "create_artifact,pull_artifact,delete_tag"}
pytestmark = [pytest.mark.own_server, pytest.mark.settings(audit_checkpoint_interval="1s")]


def verify(registry):
    status, output = registry.berth("audit", "verify", "-o", "json")
    assert status in (0, 1), output
    return json.loads(output)


def write_old(registry, hours, **counts):
    """Records as they were written that many hours ago."""
    at_us = int(time.time() * 10**6) - hours * HOUR_US
    columns = "time_us, tenant_id, project_id, project, actor_type, actor_id, actor, operation, resource_type, resource, address, result, detail"
    for name, count in counts.items():
        operation, kind = name.split("_")
        series = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        insert = (
            f"INSERT INTO audit_record ({columns})"
            f" SELECT {at_us}, 1, 0, '', 'user', 1, 'alice', '{operation}', '{kind}', 'library/old', '', 0, '{{}}' FROM n"
        )
        if registry.database is None:
            registry.execute(f"{series} {insert}")
        else:
            registry.execute(f"{series}, made AS ({insert} RETURNING id) INSERT INTO audit_unsealed (record_id) SELECT id FROM made")


def old_ones(registry):
    rows = registry.query("SELECT operation || '_' || resource_type FROM audit_record WHERE resource = 'library/old'")
    return sorted(str(row) for row in rows)


def signed(registry):
    """All that was written has a place, and a checkpoint behind it."""
    def reached():
        verdict = verify(registry)
        return verdict["waiting"] == 0 and verdict["last_checkpoint"] == verdict["places"] + verdict["purged"] and verdict
    return wait_until(reached, timeout=20, what="a checkpoint")


def start(admin, **parameters):
    answer = call(admin, "POST", SCHEDULE, {"schedule": {"type": "Manual"}, "parameters": {**PARAMETERS, **parameters}}, expect=201)
    path = answer.headers["Location"]
    assert path.rsplit("/", 1)[0] == PURGE
    return path


def ended(admin, path):
    return wait_until(lambda: admin.get(path, expect=200).json()["job_status"] not in ("Pending", "Running", "Scheduled")
                      and admin.get(path).json(), what="the end of the purge")


def log_of(admin, path):
    answer = admin.get(f"{path}/log", expect=200)
    assert answer.headers["Content-Type"].startswith("text/plain")
    return answer.text


def test_what_is_old_goes_and_the_trail_still_proves_itself(registry):
    admin = registry.client(auth="basic")
    write_old(registry, 48, create_artifact=5, pull_artifact=300, create_tag=2)
    write_old(registry, 2, create_artifact=1)
    before = signed(registry)
    assert before["intact"] and before["purged"] == 0

    dry = start(admin, dry_run=True)
    assert ended(admin, dry)["job_status"] == "Success"
    assert "pull_artifact: 300 would be removed" in log_of(admin, dry)
    assert len(old_ones(registry)) == 308

    path = start(admin)
    job = ended(admin, path)
    assert (job["job_status"], job["job_name"], job["job_kind"]) == ("Success", "PURGE_AUDIT_LOG", "MANUAL")
    assert json.loads(job["job_parameters"]) == PARAMETERS
    log = log_of(admin, path)
    assert "create_artifact: 5 removed" in log and "pull_artifact: 300 removed" in log and "305 records from before" in log
    assert old_ones(registry) == ["create_artifact", "create_tag", "create_tag"]

    after = signed(registry)
    assert after["intact"] and after["purged"] == 305
    told = admin.get(f"{API}/auditlog-exts?q=operation=purge", expect=200).json()
    assert [(row["username"], row["resource_type"], row["resource"]) for row in told] == [("admin", "audit", "end"), ("admin", "audit", "begin")]
    detail = json.loads(admin.get("/api/berth/v1/audit/records?q=operation=purge", expect=200).text)
    assert "305" in json.dumps(detail) and "pull_artifact" in json.dumps(detail)

    history = admin.get(f"{PURGE}?page_size=1", expect=200)
    assert history.headers["X-Total-Count"] == "2" and [f"{PURGE}/{row['id']}" for row in history.json()] == [path]

    # All that is left of those goes too, by its operation.
    again = start(admin, include_event_types="", include_operations="create")
    assert ended(admin, again)["job_status"] == "Success"
    assert old_ones(registry) == ["create_artifact"]
    registry.stop()
    verdict = verify(registry)
    assert verdict["intact"] and verdict["purged"] >= 307

    # And whoever removes something himself is still found.
    registry.execute("DELETE FROM audit_seal WHERE seq = (SELECT MAX(seq) - 1 FROM audit_seal)")
    assert not verify(registry)["intact"]


def test_a_purge_by_the_clock(registry):
    admin = registry.client(auth="basic")
    unset = admin.get(SCHEDULE, expect=200)
    assert unset.text == "", "by which Harbor's Terraform provider knows that there is none"
    call(admin, "POST", SCHEDULE, {"schedule": {"type": "Daily"}, "parameters": PARAMETERS}, expect=201)
    shown = admin.get(SCHEDULE, expect=200).json()
    assert shown["schedule"]["type"] == "Daily" and shown["schedule"]["cron"] == "0 0 0 * * *" and shown["schedule"]["next_scheduled_time"]
    assert json.loads(shown["job_parameters"]) == PARAMETERS and shown["job_name"] == "PURGE_AUDIT_LOG"
    assert "PURGE_AUDIT_LOG" in {row["vendor_type"] for row in admin.get(f"{API}/schedules?page_size=100", expect=200).json()}

    custom = {"schedule": {"type": "Custom", "cron": "0 30 1 * * 1-5"}, "parameters": {**PARAMETERS, "audit_retention_hour": 25}}
    call(admin, "PUT", SCHEDULE, custom, expect=200)
    assert admin.get(SCHEDULE, expect=200).json()["schedule"]["cron"] == "0 30 1 * * 1-5"

    # A night that nobody was there for.
    write_old(registry, 48, pull_artifact=3)
    signed(registry)
    registry.stop()
    registry.execute("UPDATE job_schedule SET next_at_us = 1 WHERE name = 'purge_audit'")
    registry.start()
    admin = registry.client(auth="basic")
    rows = wait_until(lambda: [row for row in admin.get(PURGE, expect=200).json() if row["job_status"] == "Success"], what="the purge")
    assert [(row["job_kind"], row["schedule"]["type"]) for row in rows] == [("SCHEDULE", "Schedule")]
    assert old_ones(registry) == []
    assert admin.get(f"{API}/auditlog-exts?q=operation=purge", expect=200).json()[0]["username"] == "berth"

    call(admin, "PUT", SCHEDULE, {"schedule": {"type": "None"}}, expect=200)
    assert admin.get(SCHEDULE, expect=200).text == ""
    operations = [row["operation"] for row in admin.get(f"{API}/auditlog-exts?q=resource=purge_audit", expect=200).json()]
    assert operations.count("update") == 3


def test_what_was_changed_before_is_kept_and_told(registry):
    admin = registry.client(auth="basic")
    write_old(registry, 48, pull_artifact=4)
    signed(registry)
    registry.execute("UPDATE audit_record SET actor = 'eve' WHERE id = (SELECT MIN(id) FROM audit_record WHERE resource = 'library/old')")
    path = start(admin)
    log = wait_until(lambda: "1 records were kept" in log_of(admin, path) and log_of(admin, path), what="what the log says")
    assert "berth audit verify" in log and "pull_artifact: 3 removed" in log
    admin.request("PUT", path, expect=200)
    assert ended(admin, path)["job_status"] in ("Stopped", "Error")
    assert old_ones(registry) == ["pull_artifact"]
    assert "was changed" in verify(registry)["difference"]


def test_a_kill_in_the_middle_leaves_a_whole_trail_and_the_purge_goes_on(make_registry):
    registry = make_registry(audit_checkpoint_interval="1s", jobs_lease="1s")
    write_old(registry, 48, pull_artifact=1500, create_artifact=500)
    signed(registry)
    path = start(registry.client(auth="basic"))
    for _ in range(2):  # a third time would be too often
        registry.kill9()
        verdict = verify(registry)
        assert verdict["intact"] and verdict["purged"] + len(old_ones(registry)) == 2000
        registry.start()
    admin = registry.client(auth="basic")
    assert ended(admin, path)["job_status"] == "Success"
    assert old_ones(registry) == [] and verify(registry)["purged"] == 2000
    assert admin.get(f"{API}/auditlog-exts?q=operation=purge", expect=200).json()


WRONG = [
    ({"parameters": PARAMETERS}, 400, "schedule"),
    ({"schedule": {"type": "Yearly"}, "parameters": PARAMETERS}, 400, "schedule.type"),
    ({"schedule": {"type": "Custom", "cron": "0 0 25 * * *"}, "parameters": PARAMETERS}, 400, "schedule.cron"),
    ({"schedule": {"type": "Custom"}, "parameters": PARAMETERS}, 400, "schedule.cron"),
    ({"schedule": {"type": "Daily"}}, 400, "audit_retention_hour"),
    ({"schedule": {"type": "Manual"}, "parameters": {**PARAMETERS, "audit_retention_hour": 0}}, 400, "audit_retention_hour"),
    ({"schedule": {"type": "Daily"}, "parameters": {**PARAMETERS, "audit_retention_hour": "x"}}, 400, "audit_retention_hour"),
    ({"schedule": {"type": "Daily"}, "parameters": {**PARAMETERS, "include_event_types": "eat_cake"}}, 400, "eat_cake"),
    ({"schedule": {"type": "Daily"}, "parameters": {**PARAMETERS, "include_event_types": "purge_audit"}}, 400, "purge_audit"),
    ({"schedule": {"type": "Daily"}, "parameters": {**PARAMETERS, "include_operations": "eat"}}, 400, "eat"),
]


def test_what_is_wrong_is_said_with_where(registry):
    admin = registry.client(auth="basic")
    for body, status, text in WRONG:
        for method in ("POST", "PUT"):
            answer = call(admin, method, SCHEDULE, body, expect=status)
            assert codes(answer) and text in answer.text, (body, answer.text)
    assert admin.get(SCHEDULE, expect=200).text == ""
    for path in (f"{PURGE}/1", f"{PURGE}/1/log", f"{PURGE}/9999999999"):
        admin.get(path, expect=404)
    admin.request("PUT", f"{PURGE}/1", expect=404)
    nobody = registry.client(None, None, auth="none")
    nobody.get(PURGE, expect=401)
    call(nobody, "POST", SCHEDULE, {"schedule": {"type": "Daily"}, "parameters": PARAMETERS}, expect=401)
