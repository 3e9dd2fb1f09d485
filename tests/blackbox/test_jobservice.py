# SPDX-License-Identifier: Apache-2.0
"""Queues, workers and schedules of what happens by itself, as Harbor's job service shows them."""
import os

import pytest

from harness.client import codes
from harness.people import PASSWORD, call, make_person
from harness.wait import wait_until

API = "/api/v2.0"
JOBS = f"{API}/jobservice"
FUTURE = 10**17  # microseconds: so a job that waits for it waits


def queue(admin, kind):
    return next(row for row in admin.get(f"{JOBS}/queues", expect=200).json() if row["job_type"] == kind)


def act(admin, kind, action, **wanted):
    return call(admin, "PUT", f"{JOBS}/queues/{kind}", {"action": action}, **wanted)


def state_of(registry, kind):
    return [str(state) for state in registry.query(f"SELECT state FROM job WHERE kind = '{kind}' ORDER BY id")]


def test_a_node_is_a_pool_of_workers(registry):
    admin = registry.client(auth="basic")
    pools = wait_until(lambda: admin.get(f"{JOBS}/pools", expect=200).json(), what="the node")
    assert len(pools) == 1
    assert pools[0]["concurrency"] > 0 and pools[0]["host"] == os.uname().nodename and pools[0]["heartbeat_at"]
    name = pools[0]["worker_pool_id"]
    workers = admin.get(f"{JOBS}/pools/{name}/workers", expect=200).json()
    assert len(workers) == pools[0]["concurrency"]
    assert {worker["pool_id"] for worker in workers} == {name}
    assert len(admin.get(f"{JOBS}/pools/all/workers", expect=200).json()) == len(workers)
    admin.get(f"{JOBS}/pools/nobody/workers", expect=404)
    registry.restart()
    admin = registry.client(auth="basic")
    again = wait_until(lambda: admin.get(f"{JOBS}/pools", expect=200).json(), what="the node after a restart")
    assert [pool["worker_pool_id"] for pool in again] != [name] and len(again) == 1, "who stopped is no pool any more"


def test_a_queue_is_paused_and_goes_on(registry):
    admin = registry.client(auth="basic")
    wait_until(lambda: state_of(registry, "rotate_keys") or registry.query("SELECT name FROM job_schedule WHERE name = 'rotate_keys'"),
               what="its schedule")
    assert not queue(admin, "rotate_keys")["paused"]
    act(admin, "rotate_keys", "pause", expect=200)
    assert queue(admin, "rotate_keys")["paused"]
    assert admin.get(f"{API}/schedules/rotate_keys/paused", expect=200).json() == {"paused": True}
    assert admin.get(f"{API}/schedules/all/paused", expect=200).json() == {"paused": False}
    wait_until(lambda: not {"1", "2"} & set(state_of(registry, "rotate_keys")), what="quiet")
    before = len(state_of(registry, "rotate_keys"))
    registry.execute("UPDATE job_schedule SET next_at_us = 1 WHERE name = 'rotate_keys'")
    waiting = wait_until(lambda: queue(admin, "rotate_keys")["count"] == 1 and queue(admin, "rotate_keys"), what="a job that waits")
    assert waiting["paused"] and waiting["latency"] >= 0
    act(admin, "rotate_keys", "stop", expect=200)
    assert queue(admin, "rotate_keys")["count"] == 0
    assert state_of(registry, "rotate_keys")[before:] == ["5"]
    registry.execute("UPDATE job_schedule SET next_at_us = 1 WHERE name = 'rotate_keys'")
    wait_until(lambda: queue(admin, "rotate_keys")["count"] == 1, what="another one that waits")
    act(admin, "rotate_keys", "resume", expect=200)
    wait_until(lambda: state_of(registry, "rotate_keys")[before:] == ["5", "3"], what="its being done")
    operations = [row["operation"] + " " + row["resource"] for row in admin.get(f"{API}/auditlog-exts?page_size=20", expect=200).json()]
    assert operations.count("update rotate_keys") == 2 and "stop rotate_keys" in operations


@pytest.mark.parametrize("body, status", [({"action": "restart"}, 422), ({"action": 3}, 422), ({}, 422), ([], 400)])
def test_an_action_that_is_none_is_refused(admin, body, status):
    assert codes(call(admin, "PUT", f"{JOBS}/queues/rotate_keys", body, expect=status))
    act(admin, "NO_SUCH_QUEUE", "pause", expect=404)
    admin.get(f"{API}/schedules/NO_SUCH_QUEUE/paused", expect=404)


def test_schedules_are_listed(admin):
    rows = wait_until(lambda: admin.get(f"{API}/schedules?page_size=100", expect=200).json(), what="the program's own")
    assert {"rotate_keys", "purge_jobs"} <= {row["vendor_type"] for row in rows}
    assert all(row["cron"] and row["update_time"] for row in rows)
    page = admin.get(f"{API}/schedules?page=2&page_size=1", expect=200)
    assert page.json() == rows[1:2] and page.headers["X-Total-Count"] == str(len(rows))


def test_a_job_has_a_log_and_is_stopped(registry):
    admin = registry.client(auth="basic")
    done = wait_until(lambda: registry.query("SELECT id FROM job WHERE kind = 'rotate_keys' AND state = 3")
                      or registry.execute("UPDATE job_schedule SET next_at_us = 1 WHERE name = 'rotate_keys'"), what="a job")
    assert admin.get(f"{JOBS}/jobs/{done[0]}/log", expect=200).headers["Content-Type"].startswith("text/plain")
    for wrong in ("0", "x", "99999999999999999999"):
        admin.get(f"{JOBS}/jobs/{wrong}/log", expect=404)
        admin.request("PUT", f"{JOBS}/jobs/{wrong}", expect=404)
    admin.request("PUT", f"{JOBS}/jobs/{done[0]}", expect=200)
    assert registry.query(f"SELECT state FROM job WHERE id = {done[0]}") in (["3"], [3]), "what is over stays as it is"
    registry.execute(f"UPDATE job SET state = 0, due_at_us = {FUTURE}, finished_at_us = 0 WHERE id = {done[0]}")
    admin.request("PUT", f"{JOBS}/jobs/{done[0]}", expect=200)
    assert registry.query(f"SELECT state FROM job WHERE id = {done[0]}") in (["5"], [5])
    admin.request("PUT", f"{JOBS}/jobs/all", expect=200)


OPERATIONS = [
    ("GET", "/jobservice/pools"), ("GET", "/jobservice/pools/all/workers"), ("GET", "/jobservice/queues"), ("PUT", "/jobservice/queues/all"),
    ("PUT", "/jobservice/jobs/all"), ("GET", "/jobservice/jobs/1/log"), ("GET", "/schedules"), ("GET", "/system/purgeaudit"),
    ("GET", "/system/purgeaudit/1"), ("PUT", "/system/purgeaudit/1"), ("GET", "/system/purgeaudit/1/log"), ("GET", "/system/purgeaudit/schedule"),
    ("POST", "/system/purgeaudit/schedule"), ("PUT", "/system/purgeaudit/schedule"),
]


def test_only_administrators_see_any_of_it(admin, registry, anonymous):
    """Of the system: a tenant's own administrator is none."""
    anna = make_person(admin)
    somebody = anna.client
    tenant = registry.tenant("jobs-elsewhere")
    owner = make_person(tenant.admin)
    call(tenant.admin, "POST", f"{tenant.path}/administrators", {"user_id": owner.id})
    owner = tenant.client(owner.name, PASSWORD, auth="basic")
    for method, path in OPERATIONS:
        anonymous.request(method, f"{API}{path}", expect=401)
        call(somebody, method, f"{API}{path}", {}, expect=403)
        call(owner, method, f"{API}{path}", {}, expect=403)
    somebody.get(f"{API}/schedules/all/paused", expect=200)
    anonymous.get(f"{API}/schedules/all/paused", expect=401)
