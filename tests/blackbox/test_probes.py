# SPDX-License-Identifier: Apache-2.0
"""What a cluster asks of a node: whether it lives, has started, and should get requests."""
import os
import signal

import pytest
import requests

from harness.wait import wait_until

STRANGER = {"Authorization": None}


def ask(registry, path):
    """(status, text), without the checks that errors of the API get."""
    answer = requests.get(registry.url + path, timeout=30)
    assert answer.headers["X-Request-Id"]
    return answer.status_code, answer.text


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz"])
def test_well_for_everybody(anonymous, path):
    answer = anonymous.get(path, headers=STRANGER, expect=200)
    assert answer.text == "ok\n" and answer.headers["Cache-Control"] == "no-store"
    anonymous.head(path, headers=STRANGER, expect=200)
    anonymous.post(path, headers=STRANGER, expect=405)


def test_in_detail(registry):
    assert ask(registry, "/readyz?verbose") == (200, "[+] database\n[+] storage\n[+] not draining\nok\n")
    assert ask(registry, "/livez?verbose") == (200, "[+] process\nok\n")


@pytest.mark.settings(rate_limits_address="read=1/m, login=1/m", projects_anonymous="false")
def test_neither_limits_nor_strangers_rules_count(registry):
    assert [ask(registry, "/readyz")[0] for _ in range(5)] == [200] * 5


def test_a_host_nobody_knows_is_answered(registry):
    answer = requests.get(registry.url + "/readyz", headers={"Host": "10.1.2.3:8080"}, timeout=30)
    assert answer.status_code == 200


@pytest.mark.own_server
def test_a_broken_storage_makes_it_unready_and_not_dead(registry):
    uploads, away = registry.data / "uploads", registry.data / "uploads-away"
    uploads.rename(away)
    uploads.mkdir()
    away.rmdir()
    wait_until(lambda: ask(registry, "/readyz") == (503, "[-] storage\nnot ready\n"), timeout=10, what="being unready")
    assert ask(registry, "/livez")[0] == 200
    registry.restart()
    assert ask(registry, "/readyz")[0] == 200


@pytest.mark.own_server
def test_a_database_that_is_gone_makes_it_unready_until_it_is_back(registry):
    if registry.database is None:
        pytest.skip("an embedded database does not go away")
    with registry.database.refusing():
        wait_until(lambda: ask(registry, "/readyz") == (503, "[-] database\nnot ready\n"), timeout=10, what="being unready")
        assert ask(registry, "/livez")[0] == 200
    wait_until(lambda: ask(registry, "/readyz")[0] == 200, timeout=10, what="being ready again")


@pytest.mark.own_server
@pytest.mark.settings(http_drain_delay="60s")
def test_who_is_told_to_stop_says_so_first_and_goes_on_serving(registry, client, repo):
    digest = repo.push_blob(b"still to be had")
    assert ask(registry, "/readyz")[0] == 200
    os.kill(registry.process.pid, signal.SIGTERM)
    wait_until(lambda: ask(registry, "/readyz") == (503, "[-] not draining\nnot ready\n"), what="being unready")
    repo.get_blob(digest, expect=200)
    answer = client.get("/api/v2.0/health", headers=STRANGER, expect=200)
    assert answer.json()["status"] == "healthy"
    assert answer.headers["Connection"] == "close", "who keeps connections shall go elsewhere"
    assert ask(registry, "/livez")[0] == 200
    registry.drop_connections()
    registry.process.terminate()  # the second signal: now
    assert registry.wait_dead() == 0
