# SPDX-License-Identifier: Apache-2.0
"""What /metrics says of webhooks: attempts by type of target and result, and what waits."""
import pytest

from harness.exposition import scrape
from harness.hooks import executions, hook, push
from harness.mail import MailServer
from harness.people import API, call
from harness.port import free_port
from harness.receivers import HttpReceiver
from harness.wait import wait_until
from harness.wire import unique

PORT = free_port()
pytestmark = [pytest.mark.own_server, pytest.mark.settings(
    webhooks_allow="127.0.0.0/8", smtp_host="127.0.0.1", smtp_port=PORT, smtp_tls="none", smtp_from="berth@example.com")]


@pytest.fixture
def admin(registry):
    return registry.client(auth="basic")


@pytest.fixture
def project(admin):
    name = unique("counted")
    call(admin, "POST", f"{API}/projects", {"project_name": name}, expect=201)
    return name


def target(receiver, kind="http"):
    return {"type": kind, "address": f"http://127.0.0.1:{receiver.port}/"}


def attempts(admin, kind, result):
    return scrape(admin).of("berth_webhook_attempts_total", type=kind, result=result)


def waiting(admin):
    return scrape(admin).of("berth_webhook_waiting")


def test_attempts_are_counted_by_type_and_result(admin, project):
    with HttpReceiver(answers=[500]) as receiver, MailServer(PORT, answers={"DATA": ["554 no"]}) as server:
        path = hook(admin, project, target(receiver), {"type": "email", "address": "a@example.com"})
        push(admin, project)
        wait_until(lambda: executions(admin, path, q="status=Success") and executions(admin, path, q="status=Error"), what="both being over")
        wait_until(lambda: waiting(admin) == 0, what="nothing waiting")
        number = path.rsplit("/", 1)[1]
        call(admin, "POST", f"/api/berth/v1/projects/{project}/webhooks/{number}/ping")
        assert server.connections == 1
    found = {(kind, result): attempts(admin, kind, result) for kind in ("http", "email", "slack") for result in ("told", "retried", "dead")}
    assert {labels: count for labels, count in found.items() if count} == {("http", "retried"): 1, ("http", "told"): 2, ("email", "dead"): 1}
    kinds = {dict(labels)["type"] for name, labels in scrape(admin).samples if name == "berth_webhook_attempts_total"}
    assert kinds == {"http", "slack", "mattermost", "teams", "distribution", "email"}, "all there is, from the first on"


def test_what_waits_is_counted_with_the_age_of_the_oldest(registry, admin, project):
    assert waiting(admin) == 0 and scrape(admin).of("berth_webhook_waiting_seconds") == 0
    with HttpReceiver(answers=[500] * 1000) as receiver:
        hook(admin, project, target(receiver))
        for number in range(3):
            push(admin, project, f"v{number}", seed=number)
        assert waiting(admin) == 3
        registry.execute("UPDATE outbox SET created_at_us = created_at_us - 3700000000 WHERE id = (SELECT MIN(id) FROM outbox)")
        assert 3700 <= scrape(admin).of("berth_webhook_waiting_seconds") < 7200
