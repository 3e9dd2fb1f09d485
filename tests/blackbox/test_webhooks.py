# SPDX-License-Identifier: Apache-2.0
"""Webhooks: what a project's policies tell their receivers, in Harbor's formats, in order, until it is accepted."""
import base64
import hashlib
import hmac
import json
import socket
import threading
import urllib.parse

import pytest

from harness import oci
from harness.hooks import EVENTS, executions, hook, policies_of, push
from harness.people import API, call, make_person
from harness.receivers import HttpReceiver
from harness.wait import wait_until
from harness.wire import unique

pytestmark = pytest.mark.settings(webhooks_allow="127.0.0.0/8", webhooks_timeout="1s")
MASK = "********"


@pytest.fixture
def admin(registry):
    return registry.client(auth="basic")


@pytest.fixture
def project(admin):
    name = unique("hooked")
    call(admin, "POST", f"{API}/projects", {"project_name": name, "public": False}, expect=201)
    return name


@pytest.fixture
def receiver():
    with HttpReceiver() as receiver:
        yield receiver


def target(receiver, kind="http", **more):
    return {"type": kind, "address": f"http://127.0.0.1:{receiver.port}/hook", **more}


def arrived(receiver, count):
    wait_until(lambda: len(receiver.taken) >= count, what=f"{count} webhooks")
    return [json.loads(request["body"]) for request in receiver.taken]


# -- what is told


def test_a_push_a_pull_and_a_delete_are_told_in_harbors_default_format(registry, admin, project, receiver):
    hook(admin, project, target(receiver, auth_header="Bearer let-me-in"))
    image = push(admin, project)
    admin.get(f"/v2/{project}/app/manifests/v1", expect=200)
    admin.get(f"/v2/{project}/app/manifests/{image.digest}", expect=200)
    admin.delete(f"{API}/projects/{project}/repositories/app/artifacts/{image.digest}", expect=200)
    told = arrived(receiver, 4)
    assert [event["type"] for event in told] == ["PUSH_ARTIFACT", "PULL_ARTIFACT", "PULL_ARTIFACT", "DELETE_ARTIFACT"]
    host = f"127.0.0.1:{registry.port}"
    pushed = told[0]
    assert pushed["event_data"]["resources"] == [{"digest": image.digest, "tag": "v1", "resource_url": f"{host}/{project}/app:v1"}]
    repository = pushed["event_data"]["repository"]
    assert isinstance(repository.pop("date_created"), int) and isinstance(pushed["occur_at"], int)
    assert repository == {"name": "app", "namespace": project, "repo_full_name": f"{project}/app", "repo_type": "private"}
    assert pushed["operator"] == "admin" and set(pushed) == {"type", "occur_at", "operator", "event_data"}
    assert told[2]["event_data"]["resources"] == [{"digest": image.digest, "tag": image.digest,
                                                   "resource_url": f"{host}/{project}/app@{image.digest}"}]
    assert told[3]["event_data"]["resources"][0]["tag"] == "v1"
    headers = receiver.taken[0]["headers"]
    assert headers["Content-Type"] == "application/json" and headers["Authorization"] == "Bearer let-me-in"
    assert headers["Berth-Event"] == "PUSH_ARTIFACT" and int(headers["Berth-Delivery"]) > 0


def test_a_receiver_gets_the_id_of_the_request(admin, project, receiver):
    """Traces are off here: there is none to go on with."""
    hook(admin, project, target(receiver, payload_format="CloudEvents"))
    image = push(admin, project)
    pushed, = arrived(receiver, 1)
    answer = admin.get(f"/v2/{project}/app/manifests/{image.digest}", expect=200, headers={"X-Request-Id": "pull-1"})
    pulled = arrived(receiver, 2)[1]
    ids = [request["headers"]["X-Request-Id"] for request in receiver.taken]
    assert answer.headers["X-Request-Id"] == "pull-1" and ids == [pushed["requestid"], "pull-1"] == [pushed["requestid"], pulled["requestid"]]
    assert not any("traceparent" in request["headers"] for request in receiver.taken)


def test_cloudevents_have_harbors_members(admin, project, receiver):
    path = hook(admin, project, target(receiver, payload_format="CloudEvents"))
    image = push(admin, project)
    event, = arrived(receiver, 1)
    number = admin.get(f"{API}/projects/{project}", expect=200).json()["project_id"]
    assert list(event) == ["specversion", "requestid", "id", "source", "type", "datacontenttype", "time", "data", "operator"]
    assert event["specversion"] == "1.0" and event["type"] == "harbor.artifact.pushed" and event["datacontenttype"] == "application/json"
    assert event["source"] == f"/projects/{number}/webhook/policies/{path.rsplit('/', 1)[1]}"
    assert len(event["id"]) == len(event["requestid"]) == 36 and event["time"].endswith("Z") and "." not in event["time"]
    assert event["data"]["resources"][0]["digest"] == image.digest and event["operator"] == "admin"
    assert receiver.taken[0]["headers"]["Content-Type"] == "application/cloudevents+json"


def test_each_kind_of_receiver_gets_its_own_format(admin, project, receiver):
    for kind in ("slack", "mattermost", "teams", "distribution"):
        hook(admin, project, {**target(receiver, kind), "address": f"http://127.0.0.1:{receiver.port}/{kind}"}, events=["PUSH_ARTIFACT"])
    image = push(admin, project)
    arrived(receiver, 4)
    told = {request["path"][1:]: request for request in receiver.taken}
    blocks = json.loads(told["slack"]["body"])["blocks"]
    texts = [block["text"]["text"] for block in blocks]
    assert texts[:2] == ["*Harbor webhook events*", "*event_type:* PUSH_ARTIFACT"] and texts[3:5] == ["*operator:* admin", "*event_data:*"]
    assert texts[2].startswith("*occur_at:* <!date^") and texts[2].endswith("^{date} at {time}|February 18th, 2014 at 6:39 AM PST>")
    assert texts[5].startswith('```{\n\t"resources": [\n\t\t{\n\t\t\t"digest": ') and texts[5].endswith("\n}```")
    assert json.loads(texts[5].strip("`"))["resources"][0]["digest"] == image.digest
    assert json.loads(told["mattermost"]["body"])["text"].startswith("**PUSH_ARTIFACT** by admin\n```\n{")
    card = json.loads(told["teams"]["body"])["attachments"][0]
    assert card["contentType"] == "application/vnd.microsoft.card.adaptive" and card["content"]["type"] == "AdaptiveCard"
    envelope, = json.loads(told["distribution"]["body"])["events"]
    assert told["distribution"]["headers"]["Content-Type"] == "application/vnd.docker.distribution.events.v2+json"
    assert envelope["action"] == "push" and envelope["target"] == {"mediaType": image.media_type, "digest": image.digest,
                                                                   "repository": f"{project}/app", "tag": "v1"}
    assert envelope["actor"] == {"name": "admin"}


def test_filters_choose_by_repository_tag_and_media_type(admin, project, receiver):
    hook(admin, project, target(receiver), filters={"repositories": ["app/**"], "tags": ["v*"], "media_types": [oci.OCI_MANIFEST]})
    push(admin, project, "v1", "other")
    push(admin, project, "latest", "app/web")
    push(admin, project, "v1", "app/web")
    event, = arrived(receiver, 1)
    assert event["event_data"]["resources"][0]["resource_url"].endswith("/app/web:v1")


def test_a_project_that_is_nearly_full_and_then_full_is_told_of(admin, project, receiver):
    hook(admin, project, target(receiver), events=["QUOTA_WARNING", "QUOTA_EXCEED"])
    push(admin, project)
    number = admin.get(f"{API}/projects/{project}", expect=200).json()["project_id"]
    quota, = [row for row in admin.get(f"{API}/quotas", params={"reference": "project", "page_size": 100}, expect=200).json()
              if row["ref"]["id"] == number]
    call(admin, "PUT", f"{API}/quotas/{quota['id']}", {"hard": {"storage": quota["used"]["storage"] * 21 // 10}})
    push(admin, project, "v2", seed=2)
    told, = arrived(receiver, 1)
    assert told["type"] == "QUOTA_WARNING" and told["event_data"]["repository"]["namespace"] == project
    assert "resource storage used" in told["event_data"]["custom_attributes"]["Details"]


def test_nothing_is_told_where_it_is_switched_off(admin, project, receiver):
    path = hook(admin, project, target(receiver), enabled=False)
    push(admin, project, "v1")
    call(admin, "PUT", f"{API}/configurations", {"notification_enable": False})
    other = hook(admin, project, target(receiver))
    push(admin, project, "v2")
    call(admin, "PUT", f"{API}/configurations", {"notification_enable": True})
    push(admin, project, "v3")
    event, = arrived(receiver, 1)
    assert event["event_data"]["resources"][0]["tag"] == "v3"
    assert executions(admin, path) == [] and len(executions(admin, other)) == 1


# -- how it is told


def test_a_signature_proves_time_and_body_under_two_secrets(admin, project, receiver):
    hook(admin, project, target(receiver, secret="new", secret_before="old"))
    push(admin, project)
    arrived(receiver, 1)
    parts = [part.split("=", 1) for part in receiver.taken[0]["headers"]["Berth-Signature"].split(",")]
    signed = parts[0][1].encode() + b"." + receiver.taken[0]["body"]
    assert parts[0][0] == "t" and parts[1:] == [["v1", hmac.new(secret, signed, hashlib.sha256).hexdigest()] for secret in (b"new", b"old")]


def test_what_fails_is_tried_again_in_order_and_holds_up_nobody_else(admin, project):
    with HttpReceiver(answers=[500, 302]) as first, HttpReceiver() as second:
        path = hook(admin, project, target(first), target(second))
        for number in range(5):
            push(admin, project, f"v{number}", seed=number)
        assert [event["event_data"]["resources"][0]["tag"] for event in arrived(second, 5)] == [f"v{number}" for number in range(5)]
        assert [event["event_data"]["resources"][0]["tag"] for event in arrived(first, 5)] == [f"v{number}" for number in range(5)]
        assert len(first.requests) == 7, "neither a redirect nor an error is followed by the next"
    listed = wait_until(lambda: [row for row in executions(admin, path, q="status=Success", page_size=20) if len(executions(
        admin, path, q="status=Success", page_size=20)) == 10], what="ten that are told")
    assert {row["vendor_type"] for row in listed} == {"WEBHOOK"} and {row["trigger"] for row in listed} == {"EVENT"}
    oldest = min(row["id"] for row in listed)
    task, = admin.get(f"{path}/executions/{oldest}/tasks", expect=200).json()
    assert task["status"] == "Success" and task["run_count"] == 3
    log = admin.get(f"{path}/executions/{oldest}/tasks/{task['id']}/log", expect=200).text
    assert "the receiver answers 500" in log and "the receiver answers 302" in log and '"PUSH_ARTIFACT"' in log
    jobs = admin.get(f"{API}/projects/{project}/webhook/jobs", params={"policy_id": path.rsplit("/", 1)[1]}, expect=200).json()
    assert len(jobs) == 10 and jobs[0]["event_type"] == "PUSH_ARTIFACT" and jobs[0]["notify_type"] == "http"
    last = admin.get(f"{API}/projects/{project}/webhook/lasttrigger", expect=200).json()
    assert [("last_trigger_time" in row) for row in last] == [True, False, False]


@pytest.mark.settings(webhooks_retry_for="0s")
def test_what_was_tried_for_long_enough_is_given_up_and_those_behind_it_are_told(admin, project):
    with HttpReceiver(answers=[503]) as receiver:
        path = hook(admin, project, target(receiver))
        push(admin, project, "v1")
        wait_until(lambda: executions(admin, path, q="status=Error"), what="one that is given up")
        push(admin, project, "v2", seed=2)
        event, = arrived(receiver, 1)
        assert event["event_data"]["resources"][0]["tag"] == "v2"
        dead, = executions(admin, path, q="status=Error")
        assert dead["status_message"] == "the receiver answers 503" and dead["metrics"] == {"task_count": 1, "error_task_count": 1}
        again = f"/api/berth/v1/projects/{project}/webhooks/{path.rsplit('/', 1)[1]}/deliveries/{dead['id']}/redeliver"
        call(admin, "POST", again, expect=202)
        assert arrived(receiver, 2)[1]["event_data"]["resources"][0]["tag"] == "v1"
        wait_until(lambda: not executions(admin, path, q="status=Error"), what="it being told")
        call(admin, "POST", again.replace(f"/{dead['id']}/", "/999999/"), expect=404)


class Rude:
    """Takes connections; then `say` is all there is of it."""

    def __init__(self, say):
        self.say, self.count = say, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        self.kept = []
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            self.kept.append(connection)
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        try:
            self.say(connection)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.kept:
            connection.close()


def flood(connection):
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    while True:
        connection.sendall(bytes(65536))


@pytest.mark.settings(webhooks_retry_for="0s")
@pytest.mark.parametrize("say", [lambda connection: None, flood], ids=["hangs", "sends a gigabyte"])
def test_a_receiver_that_behaves_badly_costs_a_bounded_while(admin, project, say):
    rude = Rude(say)
    path = hook(admin, project, target(rude))
    push(admin, project)
    dead = wait_until(lambda: executions(admin, path, q="status=Error"), what="the end of patience")
    assert dead[0]["status_message"] and rude.count == 1
    rude.close()


@pytest.mark.settings(webhooks_allow="", webhooks_retry_for="0s")
def test_a_projects_receiver_inside_the_network_is_not_connected_to(admin, project, receiver):
    path = hook(admin, project, target(receiver))
    push(admin, project)
    dead = wait_until(lambda: executions(admin, path, q="status=Error"), what="a refusal")
    assert "no address that may be connected to" in dead[0]["status_message"] and not receiver.requests


@pytest.mark.own_server
def test_what_was_pushed_before_a_kill_is_told_after_it(registry):
    admin = registry.client(auth="basic")
    name = unique("killed")
    call(admin, "POST", f"{API}/projects", {"project_name": name}, expect=201)
    with HttpReceiver(answers=[500]) as receiver:
        hook(admin, name, target(receiver), events=["PUSH_ARTIFACT"])
        push(admin, name, "v1")
        push(admin, name, "v2", seed=2)
        wait_until(lambda: receiver.requests, what="a first attempt")
        registry.kill9()
        registry.start()
        tags = [event["event_data"]["resources"][0]["tag"] for event in arrived(receiver, 2)]
        assert tags == ["v1", "v2"]


def waits_for(admin, project, receiver, number=2):
    """A policy whose deliveries wait behind one that fails."""
    path = hook(admin, project, target(receiver), events=["PUSH_ARTIFACT"])
    for at in range(1, number + 1):
        push(admin, project, f"v{at}", seed=at)
    wait_until(lambda: receiver.requests, what="a first attempt")
    return path


def redelivered(admin, project, path, dead):
    for row in sorted(dead, key=lambda row: row["id"]):
        call(admin, "POST", f"/api/berth/v1/projects/{project}/webhooks/{path.rsplit('/', 1)[1]}/deliveries/{row['id']}/redeliver", expect=202)


@pytest.mark.own_server
@pytest.mark.parametrize("queue", ["WEBHOOK", "all", "one job"])
def test_what_a_stopped_queue_was_to_send_waited_for_ever_and_could_not_be_sent_again(registry, queue):
    admin = registry.client(auth="basic")
    name = unique("stopped")
    call(admin, "POST", f"{API}/projects", {"project_name": name}, expect=201)
    with HttpReceiver(answers=[500] * 8) as receiver:
        path = waits_for(admin, name, receiver)

        def stopped():
            if queue == "one job":
                for job in registry.query("SELECT id FROM job WHERE kind = 'webhook' AND state < 3"):
                    admin.put(f"{API}/jobservice/jobs/{job}", json={"action": "stop"})
            else:
                call(admin, "PUT", f"{API}/jobservice/queues/{queue}", {"action": "stop"})
            return [row for row in [executions(admin, path, q="status=Error")] if len(row) == 2]

        dead, = wait_until(stopped, what="two that are given up")
        assert {row["status_message"] for row in dead} == {"stopped"}
        del receiver.answers[:]
        redelivered(admin, name, path, dead)
        tags = [event["event_data"]["resources"][0]["tag"] for event in arrived(receiver, 2)]
        assert tags == ["v1", "v2"]
        wait_until(lambda: len(executions(admin, path, q="status=Success")) == 2, what="both being told")


# -- policies


def test_a_policy_is_read_changed_and_deleted_and_its_secrets_are_not_shown(registry, admin, project, receiver):
    path = hook(admin, project, target(receiver, auth_header="hush-hush", secret="quiet-quiet"), description="all")
    policy = admin.get(path, expect=200).json()
    made, = policy["targets"]
    assert made == {"type": "http", "address": f"http://127.0.0.1:{receiver.port}/hook", "skip_cert_verify": False, "payload_format": "Default",
                    "auth_header": MASK, "secret": MASK}
    assert policy["event_types"] == EVENTS[:3] and policy["creator"] == "admin" and policy["enabled"] is True
    stored, = registry.query(f"SELECT targets || secrets FROM webhook_policy WHERE id = {policy['id']}")
    assert "hush-hush" not in str(stored) and "quiet-quiet" not in str(stored)
    call(admin, "PUT", path, {**policy, "name": unique("renamed"), "event_types": EVENTS})
    assert admin.get(path, expect=200).json()["event_types"] == EVENTS
    push(admin, project)
    arrived(receiver, 1)
    assert receiver.taken[0]["headers"]["Authorization"] == "hush-hush", "a mask that is sent back keeps what there is"
    delivery = receiver.taken[0]["headers"]["Berth-Delivery"]
    log = wait_until(lambda: admin.get(f"{path}/executions/{delivery}/tasks/{delivery}/log", expect=200).text, what="the attempt in the log")
    assert f"Authorization: {MASK}" in log and "hush-hush" not in log
    assert len(admin.get(policies_of(project), expect=200).json()) == 1
    call(admin, "POST", policies_of(project), {**policy, "name": admin.get(path, expect=200).json()["name"]}, expect=409)
    admin.delete(path, expect=200)
    admin.get(path, expect=404)
    push(admin, project, "v2", seed=2)
    assert len(receiver.requests) == 1


BASIC = base64.b64encode(b"ci:open/sesame 1").decode()
BOUND = 4096  # so much of an answer is kept
ECHOES = {
    "headers and body": lambda path, headers, body: "".join(f"{key}: {value}\n" for key, value in headers.items()).encode() + body,
    "as JSON": lambda path, headers, body: json.dumps({"got": headers}).replace("/", "\\/").encode(),
    "in a URL": lambda path, headers, body: urllib.parse.urlencode(headers).encode(),
    "the login": lambda path, headers, body: b"login " + base64.b64decode(headers["Authorization"].split(" ")[1]) + b" open/sesame 1",
    "both keys": lambda path, headers, body: b"key-of-today, key-of-yesterday",
    "over the bound": lambda path, headers, body: b"." * (BOUND - 15) + headers["Authorization"].encode(),
    "cut": lambda path, headers, body: b"Authorization: " + headers["Authorization"].encode()[:-4],
}


@pytest.mark.settings(webhooks_retry_for="0s")
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("how", ECHOES)
def test_a_receiver_that_echoed_what_it_got_had_the_secrets_in_the_log(admin, project, how, status):
    with HttpReceiver(answers=[status], echo=ECHOES[how]) as receiver:
        path = hook(admin, project, target(receiver, auth_header=f"Basic {BASIC}", secret="key-of-today", secret_before="key-of-yesterday"))
        push(admin, project)
        row, = wait_until(lambda: executions(admin, path, q=f"status={'Success' if status == 200 else 'Error'}"), what="its end")
        log = admin.get(f"{path}/executions/{row['id']}/tasks/{row['id']}/log", expect=200).text
    request, response = log.split('"occur_at"', 1)
    assert f"Authorization: {MASK}" in request
    assert MASK in response or how == "over the bound" and "." * (BOUND - 15) in response, response
    for secret in (BASIC[:8], urllib.parse.quote(BASIC)[:8], "sesame", "key-of"):
        assert secret not in log


def test_what_there_is_to_choose_from_is_listed(admin, project):
    offered = admin.get(f"{API}/projects/{project}/webhook/events", expect=200).json()
    assert offered["event_type"] == EVENTS and offered["notify_type"][:2] == ["http", "slack"]
    formats = {row["notify_type"]: row["formats"] for row in offered["payload_formats"]}
    assert formats["http"] == ["Default", "CloudEvents"] and formats["slack"] == ["Default"]


@pytest.mark.parametrize("wrong, says", [
    ({"name": ""}, "name has from 1 to"),
    ({"event_types": []}, "event_types: there is none"),
    ({"event_types": ["PUSH_ARTIFACT", "NOTHING"]}, "event_types[1]: there is no type NOTHING"),
    ({"targets": []}, "targets: there is none"),
    ({"targets": [{"type": "pigeon", "address": "http://a"}]}, "targets[0].type: there is no type pigeon"),
    ({"targets": [{"type": "http", "address": "ftp://a"}]}, "targets[0].address: not an http or https URL"),
    ({"targets": [{"type": "http", "address": "http://user:word@a"}]}, "targets[0].address: not an http or https URL"),
    ({"targets": [{"type": "slack", "address": "http://a", "payload_format": "CloudEvents"}]}, "targets[0].payload_format: slack has no such"),
    ({"targets": [{"type": "http", "address": "http://a", "secret": "a\nb"}]}, "targets[0]: a secret has control characters"),
    ({"filters": {"tags": ["v[1"]}}, "filters.tags[0]: "),
    ({"filters": {"colours": []}}, "filters.colours: none of"),
    ({"filters": {"tags": "v1"}}, "filters.tags: not a list"),
])
def test_what_cannot_be_is_refused_with_the_place_and_the_reason(admin, project, wrong, says):
    body = {"name": "x", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": [{"type": "http", "address": "http://a"}], **wrong}
    answer = call(admin, "POST", policies_of(project), body, expect=400)
    assert says in answer.json()["errors"][0]["detail"]


def test_another_projects_policy_is_unknown(admin, project, receiver):
    path = hook(admin, project, target(receiver))
    other = unique("other")
    call(admin, "POST", f"{API}/projects", {"project_name": other}, expect=201)
    admin.get(f"{policies_of(other)}/{path.rsplit('/', 1)[1]}", expect=404)
    make_person(admin).client.get(path, expect=403)
