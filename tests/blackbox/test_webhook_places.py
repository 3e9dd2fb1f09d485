# SPDX-License-Identifier: Apache-2.0
"""Webhooks of tenants and of the whole system, what was told by policies of each place, and tests of their targets."""
import json

import pytest

from harness.hooks import push
from harness.mail import MailServer
from harness.people import API, call, make_person
from harness.port import free_port
from harness.receivers import HttpReceiver
from harness.wait import wait_until
from harness.wire import unique

BERTH = "/api/berth/v1"
PLACES = {"project": None, "tenant": f"{BERTH}/webhooks", "system": f"{BERTH}/system/webhooks"}
PORT = free_port()

pytestmark = [
    pytest.mark.settings(webhooks_allow="127.0.0.0/8", webhooks_timeout="1s", smtp_host="127.0.0.1", smtp_port=PORT, smtp_tls="none",
                         smtp_from="berth@example.com"),
    pytest.mark.usefixtures("clean"),
]


@pytest.fixture
def admin(registry):
    return registry.client(auth="basic")


@pytest.fixture
def receiver():
    with HttpReceiver() as receiver:
        yield receiver


@pytest.fixture
def project(admin):
    return make_project(admin)


@pytest.fixture
def clean(admin):
    """What a policy of all projects is told depends on the other tests: there is none of before."""
    yield
    for path in (PLACES["tenant"], PLACES["system"]):
        for policy in admin.get(path, expect=200).json():
            admin.delete(f"{path}/{policy['id']}", expect=200)


def make_project(client):
    name = unique("placed")
    call(client, "POST", f"{API}/projects", {"project_name": name}, expect=201)
    return name


def policy(receiver, **more):
    return {"name": unique("policy"), "enabled": True, "event_types": ["PUSH_ARTIFACT"],
            "targets": [{"type": "http", "address": f"http://127.0.0.1:{receiver.port}/", "auth_header": "hush"}], **more}


def make(client, path, body):
    """Where a policy is, in our own API."""
    return call(client, "POST", path, body, expect=201).headers["Location"]


def make_in(admin, place, project, body):
    if place != "project":
        return make(admin, PLACES[place], body)
    number = make(admin, f"{API}/projects/{project}/webhook/policies", body).rsplit("/", 1)[1]
    return f"{BERTH}/projects/{project}/webhooks/{number}"


def told(receiver, count):
    wait_until(lambda: len(receiver.taken) >= count, what=f"{count} webhooks")
    return [json.loads(request["body"])["event_data"]["repository"]["repo_full_name"] for request in receiver.taken]


def deliveries(client, path, **query):
    return client.get(f"{path}/deliveries", params=query, expect=200).json()


@pytest.mark.parametrize("place", ["tenant", "system"])
def test_a_policy_of_many_projects_is_made_read_changed_and_deleted(admin, receiver, place):
    path = make(admin, PLACES[place], policy(receiver, description="all"))
    made = admin.get(path, expect=200).json()
    assert made["project_id"] == 0 and made["targets"][0]["auth_header"] == "********" and made["description"] == "all"
    assert made in admin.get(PLACES[place], expect=200).json()
    wanted = {key: made[key] for key in ("name", "description", "event_types", "targets")}
    call(admin, "POST", PLACES[place], {**wanted, "enabled": True}, expect=409)
    call(admin, "PUT", path, {**wanted, "enabled": False, "filters": {"projects": ["a*"]}})
    changed = admin.get(path, expect=200).json()
    assert changed["enabled"] is False and changed["filters"] == {"projects": ["a*"]}
    admin.delete(path, expect=200)
    admin.get(path, expect=404)


@pytest.mark.parametrize("place", PLACES)
def test_what_a_policy_of_each_place_told_is_listed_and_sent_once_more(admin, receiver, project, place):
    path = make_in(admin, place, project, policy(receiver))
    push(admin, project)
    assert told(receiver, 1) == [f"{project}/app"] and receiver.taken[0]["headers"]["Authorization"] == "hush"
    row, = wait_until(lambda: deliveries(admin, path, state="told"), what="a delivery that is told")
    assert row["event_type"] == "PUSH_ARTIFACT" and row["target_type"] == "http" and (row["state"], row["status"]) == ("told", 204)
    assert row["payload"]["event_data"]["repository"]["namespace"] == project and deliveries(admin, path, state="dead") == []
    whole = admin.get(f"{path}/deliveries/{row['id']}", expect=200).json()
    attempt, = whole["attempts"]
    assert attempt["status"] == 204 and "Authorization: ********" in attempt["request"] and {**whole, "attempts": None} == {**row, "attempts": None}
    call(admin, "POST", f"{path}/deliveries/{row['id']}/redeliver", expect=202)
    assert len(told(receiver, 2)) == 2
    admin.get(f"{path}/deliveries/999999", expect=404)
    assert "state is one of" in admin.get(f"{path}/deliveries?state=Success", expect=400).json()["errors"][0]["detail"]


def test_filters_choose_among_projects(admin, receiver):
    mine, other = make_project(admin), make_project(admin)
    make(admin, PLACES["tenant"], policy(receiver, filters={"projects": [mine], "repositories": [f"{mine}/app"]}))
    push(admin, other)
    push(admin, mine, name="web")
    push(admin, mine)
    assert told(receiver, 1) == [f"{mine}/app"]


def test_the_source_of_a_cloudevent_is_the_policy_alone(admin, receiver, project):
    path = make(admin, PLACES["tenant"], policy(receiver, targets=[{"type": "http", "payload_format": "CloudEvents",
                                                                    "address": f"http://127.0.0.1:{receiver.port}/"}]))
    push(admin, project)
    wait_until(lambda: receiver.taken, what="a webhook")
    assert json.loads(receiver.taken[0]["body"])["source"] == f"/webhook/policies/{path.rsplit('/', 1)[1]}"


# -- who may, and who sees what


def test_a_tenants_policy_is_told_of_its_own_projects_and_the_systems_of_all(registry, admin, receiver):
    acme, other = registry.tenant("acme"), registry.tenant("other")
    with HttpReceiver() as of_system:
        make(acme.client(auth="basic"), PLACES["tenant"], policy(receiver))
        make(admin, PLACES["system"], policy(of_system))
        projects = {}
        for tenant in (other, registry, acme):
            client = tenant.client(auth="basic")
            projects[tenant] = make_project(client)
            push(client, projects[tenant])
        assert sorted(told(of_system, 3)) == sorted(f"{name}/app" for name in projects.values())
        assert told(receiver, 1) == [f"{projects[acme]}/app"] and len(receiver.requests) == 1


def test_another_tenants_policies_and_deliveries_are_unknown(registry, receiver):
    acme, other = registry.tenant("acme"), registry.tenant("other")
    path = make(acme.client(auth="basic"), PLACES["tenant"], policy(receiver))
    call(acme.client(auth="basic"), "POST", f"{path}/ping")
    row, = deliveries(acme.client(auth="basic"), path)
    person = make_person(other.admin)
    call(other.admin, "POST", f"{other.path}/administrators", {"user_id": person.id})
    assert person.client.get(PLACES["tenant"], expect=200).json() == []
    for method, question in (("GET", path), ("PUT", path), ("DELETE", path), ("GET", f"{path}/deliveries"), ("GET", f"{path}/deliveries/{row['id']}"),
                             ("POST", f"{path}/deliveries/{row['id']}/redeliver"), ("POST", f"{path}/ping")):
        call(person.client, method, question, policy(receiver) if method == "PUT" else None, expect=404)
    mine = make(person.client, PLACES["tenant"], policy(receiver))
    call(person.client, "GET", f"{mine}/deliveries/{row['id']}", expect=404)
    person.client.delete(mine, expect=200)
    acme.client(auth="basic").delete(path, expect=200)


def test_the_systems_policies_are_for_its_administrators(registry, receiver):
    acme = registry.tenant("acme")
    person = make_person(acme.admin)
    call(acme.admin, "POST", f"{acme.path}/administrators", {"user_id": person.id})
    person.client.get(PLACES["system"], expect=403)
    call(person.client, "POST", PLACES["system"], policy(receiver), expect=403)
    stranger = make_person(acme.admin)
    stranger.client.get(PLACES["tenant"], expect=403)
    call(stranger.client, "POST", PLACES["tenant"], policy(receiver), expect=403)


@pytest.mark.settings(webhooks_allow="")
def test_a_tenants_receiver_inside_the_network_is_not_connected_to_but_the_systems_is(admin, receiver):
    refused = call(admin, "POST", f"{make(admin, PLACES['tenant'], policy(receiver))}/ping").json()
    assert refused["state"] == "dead" and "no address that may be connected to" in refused["error"] and not receiver.requests
    assert call(admin, "POST", f"{make(admin, PLACES['system'], policy(receiver))}/ping").json()["state"] == "told"


# -- tests of targets


@pytest.mark.parametrize("place", PLACES)
def test_a_ping_tells_one_target_at_once_and_is_in_the_list(admin, receiver, project, place):
    body = policy(receiver)
    path = make_in(admin, place, project, {**body, "targets": [{"type": "http", "address": "http://127.0.0.1:1/"}, *body["targets"]]})
    answer = call(admin, "POST", f"{path}/ping?target=1").json()
    request, = receiver.taken
    event = json.loads(request["body"])
    assert event["type"] == "PING" and event["operator"] == "admin" and body["name"] in event["event_data"]["custom_attributes"]["Details"]
    assert request["headers"]["Berth-Event"] == "PING" and request["headers"]["Berth-Delivery"] == str(answer["id"])
    assert (answer["state"], answer["target"], answer["event_type"], answer["status"]) == ("told", 1, "PING", 204)
    assert answer["attempts"][0]["status"] == 204 and "Authorization: ********" in answer["attempts"][0]["request"]
    listed, = deliveries(admin, path)
    assert listed["id"] == answer["id"] and listed["state"] == "told"
    call(admin, "POST", f"{path}/ping?target=2", expect=400)
    call(admin, "POST", f"{path}/deliveries/{answer['id']}/redeliver", expect=202)
    wait_until(lambda: len(receiver.taken) == 2, what="it once more")


def test_a_ping_that_fails_says_why_and_is_not_tried_again(admin, project):
    with HttpReceiver(answers=[503]) as receiver:
        path = make_in(admin, "project", project, policy(receiver))
        answer = call(admin, "POST", f"{path}/ping").json()
        assert answer["state"] == "dead" and answer["error"] == "the receiver answers 503" and answer["attempts"][0]["status"] == 503
        push(admin, project)
        told_later = wait_until(lambda: receiver.taken, what="what waits behind it")
        assert len(receiver.requests) == 2 and json.loads(told_later[0]["body"])["type"] == "PUSH_ARTIFACT"


def test_a_ping_is_told_in_each_format(admin, project, receiver):
    kinds = ["slack", "mattermost", "teams", "distribution"]
    body = policy(receiver, targets=[{"type": kind, "address": f"http://127.0.0.1:{receiver.port}/{kind}"} for kind in kinds])
    path = make_in(admin, "project", project, {**body, "targets": body["targets"] + [{"type": "email", "address": "a@example.com"}]})
    with MailServer(PORT) as server:
        answers = [call(admin, "POST", f"{path}/ping?target={target}").json() for target in range(5)]
    assert [answer["state"] for answer in answers] == ["told"] * 5 and [request["path"][1:] for request in receiver.taken] == kinds
    assert all(b"PING" in request["body"] or b"berth.ping" in request["body"] for request in receiver.taken)
    message, = server.messages
    assert b"Subject: PING\r\n" in message["bytes"] and b"a test of the webhook policy" in message["bytes"]


def test_no_policy_can_name_the_event_of_a_ping(admin, project, receiver):
    answer = call(admin, "POST", f"{API}/projects/{project}/webhook/policies", policy(receiver, event_types=["PING"]), expect=400)
    assert "event_types[0]: there is no type PING" in answer.json()["errors"][0]["detail"]
