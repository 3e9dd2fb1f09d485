# SPDX-License-Identifier: Apache-2.0
"""/debug: what a node does at this moment, for administrators only."""
import threading

import pytest

from harness import oci
from harness.people import make_person
from harness.wait import wait_until

PARTS = {"threads", "queues", "locks", "slow"}


def test_all_of_it(admin):
    found = admin.get("/debug", expect=200).json()
    assert set(found) == PARTS
    own = [thread for thread in found["threads"] if thread.get("route") == "/debug"]
    assert len(own) == 1 and own[0]["method"] == "GET" and own[0]["request_ms"] >= 0


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_part(admin, part):
    assert set(admin.get(f"/debug/{part}", expect=200).json()) == {part}


def test_nothing_else(admin):
    admin.get("/debug/memory", expect=404)


def test_for_administrators_only(registry, admin, anonymous):
    anonymous.get("/debug", headers={"Authorization": None}, expect=401)
    make_person(admin).client.get("/debug/slow", expect=403)


def test_the_slow_are_named(admin, repo):
    repo.push(oci.image("slow"), "v1")
    slow = admin.get("/debug/slow", expect=200).json()["slow"]
    assert slow["requests"] and slow["calls"]
    for call in slow["requests"] + slow["calls"]:
        assert call["ms"] >= 0 and call["kind"] and call["what"] and call["ended"]
    assert [call["ms"] for call in slow["requests"]] == sorted((call["ms"] for call in slow["requests"]), reverse=True)
    assert any(call["kind"].startswith("sql_") for call in slow["calls"])


@pytest.mark.own_server
def test_who_waits_for_a_lock_is_seen(registry, admin, client, repo):
    repo.push_blob(b"a project is there")
    admin.get("/debug/locks", expect=200)
    with registry.locked_database():
        pusher = threading.Thread(target=lambda: registry.client().repository(repo.name).push_blob(b"waits"))
        client.token()
        pusher.start()
        wait_until(lambda: [thread for thread in admin.get("/debug/threads", expect=200).json()["threads"]
                            if thread.get("step") and thread["route"] != "/debug/{word}"], what="the one that waits")
    pusher.join()
