# SPDX-License-Identifier: Apache-2.0
"""What happens by itself shows: in metrics, in /debug, and in the rows."""
import re

import pytest

from harness.people import call, make_person
from harness.wait import wait_until

ATTEMPTS = r'berth_jobs_attempts_total\{kind="expire_uploads",result="done"\} (\d+)'


def done(admin):
    found = re.search(ATTEMPTS, admin.get("/metrics", expect=200).text)
    return int(found.group(1)) if found else 0


@pytest.mark.settings(uploads_expiry="1s")
def test_jobs_are_seen(registry):
    admin = registry.client(auth="basic")
    first = done(admin)
    wait_until(lambda: done(admin) > first, what="another job")
    text = admin.get("/metrics", expect=200).text
    for kind in ("expire_uploads", "purge_expired", "purge_jobs", "rotate_keys"):
        for state in ("asleep", "ready", "running"):
            assert f'berth_jobs{{kind="{kind}",state="{state}"}} ' in text
        assert f'berth_jobs_waiting_seconds{{kind="{kind}"}} ' in text
    queues = admin.get("/debug/queues", expect=200).json()["queues"]
    mine = [queue for queue in queues if queue["name"] == "berth_jobs" and queue["kind"] == "rotate_keys"]
    assert {queue["state"] for queue in mine} == {"asleep", "ready", "running"}


@pytest.mark.settings(jobs_workers="0")
def test_a_node_without_workers_runs_none(registry):
    admin = registry.client(auth="basic")
    wait_until(lambda: registry.query("SELECT name FROM job_schedule WHERE name = 'purge_expired'"), what="the schedules")
    registry.execute("UPDATE job_schedule SET next_at_us = 1 WHERE name = 'purge_expired'")
    ready = 'berth_jobs{kind="purge_expired",state="ready"} 1'
    wait_until(lambda: ready in admin.get("/metrics", expect=200).text, what="a job that waits")
    registry.restart(jobs_workers="1")
    wait_until(lambda: registry.query("SELECT state FROM job WHERE kind = 'purge_expired'") in (["3"], [3]), what="its being done")
    assert ready not in registry.client(auth="basic").get("/metrics", expect=200).text


def run_now(registry, kind):
    """Lets the clock ask for it, and waits for its end."""
    first = int(registry.query("SELECT COALESCE(MAX(id), 0) FROM job")[0])
    registry.execute(f"UPDATE job_schedule SET next_at_us = 1 WHERE name = '{kind}'")
    wait_until(lambda: registry.query(f"SELECT id FROM job WHERE kind = '{kind}' AND state = 3 AND id > {first}"), what=kind)


@pytest.mark.own_server
def test_what_has_expired_is_purged_and_nothing_else(registry):
    admin = registry.client(auth="basic")
    anna = make_person(admin)
    for browser in (anna.browser(), anna.browser()):
        assert browser.get("/api/v2.0/users/current", expect=200).json()["username"] == anna.name
    for name in ("old", "new", "eternal"):
        call(anna.client, "POST", "/api/berth/v1/access-tokens", {"name": name}, expect=201)
    registry.execute(
        "UPDATE session SET expires_at_us = 1 WHERE id = (SELECT MIN(id) FROM session)",
        "UPDATE access_token SET expires_at_us = 1 WHERE name = 'old'",
        "UPDATE access_token SET expires_at_us = 9000000000000000 WHERE name = 'new'",
    )
    run_now(registry, "purge_expired")
    assert len(registry.query("SELECT id FROM session")) == 1
    assert sorted(str(name) for name in registry.query("SELECT name FROM access_token")) == ["eternal", "new"]
    log = registry.query("SELECT text FROM job_log WHERE job_id = (SELECT MAX(id) FROM job WHERE kind = 'purge_expired')")
    assert "expired sessions and tokens removed: 2" in "".join(str(part) for part in log)


@pytest.mark.own_server
@pytest.mark.settings(jobs_keep="1s")
def test_finished_jobs_are_kept_as_long_as_is_said(registry):
    """Those that people ask for; and one that waits is not finished, however old it is."""
    admin = registry.client(auth="basic")
    parameters = {"audit_retention_hour": 1, "include_operations": "pull"}
    answer = call(admin, "POST", "/api/v2.0/system/purgeaudit/schedule", {"schedule": {"type": "Manual"}, "parameters": parameters}, expect=201)
    path = answer.headers["Location"]
    wait_until(lambda: admin.get(path, expect=200).json()["job_status"] == "Success", what="a job")
    assert admin.get(f"{path}/log", expect=200).text
    call(admin, "PUT", "/api/v2.0/jobservice/queues/PURGE_AUDIT_LOG", {"action": "pause"}, expect=200)
    call(admin, "POST", "/api/v2.0/system/purgeaudit/schedule", {"schedule": {"type": "Manual"}, "parameters": parameters}, expect=201)
    registry.execute("UPDATE job SET created_at_us = 1 WHERE kind = 'purge_audit'")
    number = path.rsplit("/", 1)[1]
    wait_until(lambda: run_now(registry, "purge_jobs") or not registry.query(f"SELECT id FROM job WHERE id = {number}"), what="its removal")
    assert not registry.query(f"SELECT part FROM job_log WHERE job_id = {number}")
    assert len(registry.query("SELECT id FROM job WHERE kind = 'purge_audit'")) == 1
    assert registry.query("SELECT id FROM job WHERE kind = 'purge_jobs' AND state = 3"), "housekeeping is kept by its own time"
