# SPDX-License-Identifier: Apache-2.0
"""The audit trail when its database fails or takes its time: what verifies it, and what takes records out of it."""
import json
import time

import pytest
import requests

from harness.wait import wait_until

BASE = "/api/berth/v1/audit"
ROWS_PER_PAGE = 200


@pytest.fixture
def admin_of(make_registry, program_with_faults):
    def start(fault, **settings):
        registry = make_registry(program=program_with_faults, environment={"BERTH_FAULT": fault}, **settings)
        admin = registry.client(auth="basic")
        admin.make_project("noticed")
        wait_until(lambda: registry.query("SELECT seq FROM audit_seal"), what="a place")
        return registry, admin
    return start


def state(admin):
    return admin.get(f"{BASE}/verification", expect=200).json()


def verify(admin, expect=200):
    return admin.request("POST", f"{BASE}/verification", expect=expect).json()


# -- verifying


def test_one_verification_at_a_time(admin_of):
    registry, admin = admin_of("audit.verify:1=wait:1500")
    began = verify(admin)
    assert began["state"] == "running" and "verdict" not in began
    refused = verify(admin, expect=409)
    assert refused["errors"][0]["code"] == "CONFLICT"
    assert state(admin) == began, "the one that runs is not disturbed"
    done = wait_until(lambda: (now := state(admin))["state"] == "finished" and now, what="the verdict")
    assert done["verdict"]["intact"] and done["started_time"] == began["started_time"]
    verify(admin)


def test_a_verification_that_could_not_read_has_no_verdict(admin_of):
    """Neither intact nor changed: that nothing could be found out is no finding."""
    registry, admin = admin_of("audit.verify:1=errno:5")
    verify(admin)
    failed = wait_until(lambda: (now := state(admin))["state"] == "failed" and now, what="the end")
    assert "verdict" not in failed and failed["finished_time"]
    log = registry.log_text()
    assert "could not be verified" in log and "was changed" not in log
    verify(admin)
    done = wait_until(lambda: (now := state(admin))["state"] == "finished" and now, what="the verdict")
    assert done["verdict"]["intact"]


def test_a_stop_does_not_wait_for_the_end_of_a_verification(admin_of):
    registry, admin = admin_of("audit.verify:*=wait:1200")
    verify(admin)
    before = time.monotonic()
    assert registry.stop() == 0, registry.log_text()[-3000:]
    assert time.monotonic() - before < 10
    assert "could not be verified" in registry.log_text(), "it was ended, and did not come to its end"
    registry.extra_environment = {}
    registry.start()
    assert state(registry.client(auth="basic")) == {"state": "never"}


# -- exporting


def fill(admin, project, count):
    for n in range(count):
        admin.request("POST", "/api/v2.0/labels", headers={"Content-Type": "application/json"}, expect=201,
                      body=json.dumps({"name": f"{project}{n}", "scope": "g"}))


@pytest.mark.expect_errors("503", "DATABASE")
@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_an_export_that_fails_in_the_middle_is_cut_off(admin_of, kind, page):
    """The answer began with 200: only its end can still say that it is not whole."""
    registry, admin = admin_of(f"audit.search:{page}=errno:5")
    fill(admin, "many", (page - 1) * (ROWS_PER_PAGE + 10))
    with pytest.raises(requests.exceptions.RequestException):
        admin.session.get(f"{registry.url}{BASE}/export?format={kind}", auth=(admin.username, admin.password), timeout=60)
    assert registry.running()
    whole = admin.get(f"{BASE}/export?format={kind}", expect=200)
    assert len(whole.text.splitlines()) >= (page - 1) * ROWS_PER_PAGE
    registry.assert_nothing_leaked()


@pytest.mark.expect_errors("503", "DATABASE")
def test_a_cut_export_never_looks_whole_to_an_old_client(admin_of):
    """HTTP/1.0 knows no chunks, and an answer ends with its connection: so this one is reset."""
    registry, admin = admin_of("audit.search:1=errno:5")
    basic = requests.auth._basic_auth_str(admin.username, admin.password)
    with registry.connect() as socket:
        socket.sendall(f"GET {BASE}/export?format=csv HTTP/1.0\r\nAuthorization: {basic}\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            while socket.recv(65536):
                pass
