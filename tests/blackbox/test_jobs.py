# SPDX-License-Identifier: Apache-2.0
"""What happens by itself shows: in metrics, in /debug, and in the rows."""
import re

import pytest

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
    wait_until(lambda: registry.query("SELECT COUNT(*) FROM job_schedule") in (["5"], [5]), what="the schedules")
    registry.execute("UPDATE job_schedule SET next_at_us = 1 WHERE name = 'purge_expired'")
    ready = 'berth_jobs{kind="purge_expired",state="ready"} 1'
    wait_until(lambda: ready in admin.get("/metrics", expect=200).text, what="a job that waits")
    registry.restart(jobs_workers="1")
    wait_until(lambda: registry.query("SELECT state FROM job WHERE kind = 'purge_expired'") in (["3"], [3]), what="its being done")
    assert ready not in registry.client(auth="basic").get("/metrics", expect=200).text
