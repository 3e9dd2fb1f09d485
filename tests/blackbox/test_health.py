# SPDX-License-Identifier: Apache-2.0
"""Health is tried, not believed: a broken disk and a silent database show, and so does their recovery."""
import threading

import pytest

from harness.wait import wait_until

PATH = "/api/v2.0/health"


def parts(client):
    found = client.get(PATH, expect=200, headers={"Authorization": None}).json()
    return found["status"], {part["name"]: part["status"] for part in found["components"]}


def test_all_is_well_for_everybody(anonymous):
    assert parts(anonymous) == ("healthy", {"core": "healthy", "database": "healthy", "registry": "healthy"})


def test_a_look_leaves_nothing_behind(registry, anonymous):
    for _ in range(3):
        parts(anonymous)
    assert not registry.stored_files("uploads")


@pytest.mark.own_server
def test_many_may_ask_at_once_also_at_first(registry):
    found = []

    def ask():
        found.append(parts(registry.anonymous(keep_alive=False))[0])

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["healthy"] * 16


@pytest.mark.own_server
def test_a_disk_that_takes_nothing_shows_until_it_does_again(registry, anonymous):
    uploads = registry.data / "uploads"
    away = registry.data / "uploads-away"
    assert parts(anonymous)[0] == "healthy"
    # The server holds the directory open: without it under any name nothing can be made in it.
    uploads.rename(away)
    uploads.mkdir()
    away.rmdir()
    wait_until(lambda: parts(anonymous) == ("unhealthy", {"core": "healthy", "database": "healthy", "registry": "unhealthy"}),
               timeout=5, what="the broken storage showing")
    assert '"part":"storage"' in registry.log_text()
    registry.restart()
    assert parts(anonymous)[0] == "healthy"


@pytest.mark.own_server
def test_a_database_that_is_gone_shows(registry, anonymous):
    if registry.database is None:
        pytest.skip("an embedded database does not go away")
    assert parts(anonymous)[0] == "healthy"
    with registry.database.refusing():
        wait_until(lambda: parts(anonymous)[1]["database"] == "unhealthy", timeout=10, what="the missing database showing")
    wait_until(lambda: parts(anonymous)[0] == "healthy", timeout=10, what="the database being back")


@pytest.mark.own_server
def test_the_storage_of_a_tenant_shows_too(registry, anonymous):
    acme = registry.tenant("acme", storage={"location": "acme", "encrypted": True})
    acme.client().repository("tests/health").push_blob(b"so that its storage is open")
    assert parts(anonymous)[0] == "healthy"
    uploads = registry.data / "storages" / "acme" / "uploads"
    away = uploads.with_name("uploads-away")
    uploads.rename(away)
    uploads.mkdir()
    away.rmdir()
    wait_until(lambda: parts(anonymous)[1]["registry"] == "unhealthy", timeout=5, what="the broken storage showing")
    assert '"part":"storage"' in registry.log_text() and "storage 2" in registry.log_text()
    registry.restart()
    assert parts(anonymous)[0] == "healthy"
