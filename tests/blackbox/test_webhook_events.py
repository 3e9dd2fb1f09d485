# SPDX-License-Identifier: Apache-2.0
"""What webhooks are told of besides pushes, pulls and deletions of one artifact, in both of Harbor's formats."""
import contextlib
import json
import threading

import pytest

from harness import oci
from harness.listener import Listener
from harness.people import API, call
from harness.receivers import HttpReceiver
from harness.wait import wait_until
from harness.wire import unique

pytestmark = pytest.mark.settings(webhooks_allow="127.0.0.0/8", webhooks_timeout="5s")
OVER = {"Success", "Error", "Stopped"}
EACH, TOGETHER = 1000, 25


class Hooked:
    """A project with a repository, and what a receiver is told of it."""

    def __init__(self, registry, admin):
        self.registry, self.admin, self.name = registry, admin, unique("hooked")
        call(admin, "POST", f"{API}/projects", {"project_name": self.name}, expect=201)
        self.repo = admin.repository(f"{self.name}/app")
        self.receivers = []

    def tell(self, *events, kind="http", **more):
        """A receiver of these events."""
        receiver = HttpReceiver().__enter__()
        self.receivers.append(receiver)
        target = {"type": kind, "address": f"http://127.0.0.1:{receiver.port}/", "payload_format": more.pop("payload_format", "Default")}
        body = {"name": unique("policy"), "enabled": True, "event_types": list(events), "targets": [target], **more}
        call(self.admin, "POST", f"{API}/projects/{self.name}/webhook/policies", body, expect=201)
        return receiver

    def push(self, tag, seed=None):
        content = oci.image(seed or tag)
        self.repo.push(content, tag)
        return content

    def artifact(self, digest):
        return f"{API}/projects/{self.name}/repositories/app/artifacts/{digest}"

    def retain(self, *patterns, expect="Success", dry=False):
        """A run of a policy with a rule for each pattern of tags; without patterns, of the one there is."""
        number = self.admin.get(f"{API}/projects/{self.name}", expect=200).json()["project_id"]
        rules = [{"action": "retain", "template": "always", "params": {},
                  "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": pattern, "extras": '{"untagged":false}'}],
                  "scope_selectors": {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}} for pattern in patterns]
        if rules:
            policy = {"algorithm": "or", "scope": {"level": "project", "ref": number}, "rules": rules,
                      "trigger": {"kind": "Schedule", "references": {}, "settings": {"cron": ""}}}
            call(self.admin, "POST", f"{API}/retentions", policy, expect=201)
        policy_id = self.admin.get(f"{API}/projects/{self.name}", expect=200).json()["metadata"]["retention_id"]
        run = call(self.admin, "POST", f"{API}/retentions/{policy_id}/executions", {"dry_run": dry}, expect=201).headers["Location"].rsplit("/", 1)[1]
        path = f"/api/berth/v1/projects/{self.name}/retention/runs/{run}"
        ended = wait_until(lambda: (found := self.admin.get(path, expect=200).json())["status"] in OVER and found, what="the run's end")
        assert ended["status"] == expect, ended
        return int(policy_id)


@pytest.fixture
def hooked(registry):
    made = Hooked(registry, registry.client(auth="basic"))
    yield made
    for receiver in made.receivers:
        receiver.__exit__(None, None, None)


def told(receiver, count):
    wait_until(lambda: len(receiver.taken) >= count, what=f"{count} webhooks")
    return [json.loads(request["body"]) for request in receiver.taken]


def digests(event):
    return [resource["digest"] for resource in event["event_data"]["resources"]]


# -- retention


def test_a_run_of_retention_is_told_in_harbors_two_formats(hooked):
    default, cloud = hooked.tell("TAG_RETENTION"), hooked.tell("TAG_RETENTION", payload_format="CloudEvents")
    hooked.push("v1")
    hooked.push("v2")
    hooked.push("tmp")
    hooked.repo.push(oci.image("bare"))
    policy = hooked.retain("v*", "w*")
    event, = told(default, 1)
    assert list(event) == ["type", "occur_at", "operator", "event_data"]
    assert (event["type"], event["operator"], list(event["event_data"])) == ("TAG_RETENTION", "admin", ["retention"])
    run = event["event_data"]["retention"]
    assert list(run) == ["total", "retained", "project_name", "retention_policy_id", "retention_rule", "result", "deleted_artifact"]
    assert (run["total"], run["retained"], run["project_name"], run["retention_policy_id"], run["result"]) == (4, 2, hooked.name, policy, "SUCCESS")
    scopes = {"repository": [{"kind": "doublestar", "decoration": "repoMatches", "pattern": "**"}]}
    assert run["retention_rule"] == [
        {"template": "always", "scope_selectors": scopes,
         "tag_selectors": [{"kind": "doublestar", "decoration": "matches", "pattern": pattern, "extras": '{"untagged":false}'}]} for pattern in ("v*", "w*")]
    same = {"type": "image", "status": "SUCCESS", "references": None}
    assert sorted(run["deleted_artifact"], key=lambda row: row["name_tag"]) == sorted(
        [{**same, "name_tag": "app:tmp"}, {**same, "name_tag": f"app@{oci.image('bare').digest}"}], key=lambda row: row["name_tag"])
    wrapped, = told(cloud, 1)
    assert (wrapped["type"], wrapped["operator"], wrapped["data"]) == ("harbor.tag_retention.finished", "admin", event["event_data"])


def test_a_run_that_deletes_nothing_or_is_dry_is_not_told(hooked):
    receiver, last = hooked.tell("TAG_RETENTION", "DELETE_ARTIFACT"), hooked.tell("PUSH_ARTIFACT")
    hooked.push("v1")
    hooked.push("tmp")
    hooked.retain("v*", dry=True)
    hooked.repo.delete_manifest("tmp")
    hooked.repo.delete_manifest(oci.image("tmp").digest)
    hooked.retain()
    hooked.push("tmp", "other")
    hooked.retain()
    assert [event["type"] for event in told(receiver, 3)] == ["DELETE_ARTIFACT", "DELETE_ARTIFACT", "TAG_RETENTION"]
    assert len(told(last, 3)) == 3


@pytest.mark.settings(external_url="https://registry.example.com:8443")
def test_what_retention_deletes_is_told_one_by_one(hooked):
    receiver, cloud = hooked.tell("DELETE_ARTIFACT", "TAG_RETENTION"), hooked.tell("DELETE_ARTIFACT", payload_format="CloudEvents")
    hooked.push("v1")
    gone = {hooked.push(f"tmp{number}").digest: f"tmp{number}" for number in range(60)}
    hooked.retain("v*")
    *deleted, run = told(receiver, 61)
    assert {event["type"] for event in deleted} == {"DELETE_ARTIFACT"} and {event["operator"] for event in deleted} == {"retention"}
    resources = [resource for event in deleted for resource in event["event_data"]["resources"]]
    assert {resource["digest"]: resource["tag"] for resource in resources} == gone and len(resources) == 60
    assert all(resource["resource_url"] == f"registry.example.com:8443/{hooked.name}/app:{resource['tag']}" for resource in resources)
    assert run["type"] == "TAG_RETENTION" and run["event_data"]["retention"]["harbor_hostname"] == "registry.example.com"
    assert {event["data"]["resources"][0]["digest"] for event in told(cloud, 60)} == set(gone)


@pytest.mark.settings(garbage_window="1h")
def test_what_garbage_collection_deleted_as_untagged_nobody_was_told_and_no_record_said(hooked, registry):
    receiver = hooked.tell("DELETE_ARTIFACT")
    kept, loose = hooked.push("v1"), oci.image("loose")
    hooked.repo.push(loose)
    registry.execute("UPDATE artifact SET pushed_at_us = 1")
    made = call(hooked.admin, "POST", f"{API}/system/gc/schedule", {"schedule": {"type": "Manual"}, "parameters": {"delete_untagged": True}}, expect=201)
    wait_until(lambda: hooked.admin.get(made.headers["Location"], expect=200).json()["job_status"] in OVER, what="its end")
    event, = told(receiver, 1)
    assert (event["operator"], event["event_data"]["resources"][0]["digest"]) == ("gc", loose.digest)
    records = hooked.admin.get(f"{API}/projects/{hooked.name}/auditlog-exts?page_size=50", expect=200).json()
    assert [(record["operation"], record["resource"]) for record in records if record["username"] == "gc"] == [("delete", f"{hooked.name}/app@{loose.digest}")]
    hooked.repo.get_manifest(kept.digest)


def test_a_long_list_of_what_retention_deleted_is_cut_and_the_numbers_are_not(hooked):
    receiver = hooked.tell("TAG_RETENTION", kind="slack")
    plain = hooked.tell("TAG_RETENTION")
    first = hooked.push("v1")
    for number in range(260):
        annotated = oci.image("v1", annotations={"number": str(number)})
        hooked.repo.put_manifest(annotated, f"{number:03}-" + "x" * 120)
    hooked.repo.get_manifest(first.digest)
    hooked.retain("v*")
    event, = told(plain, 1)
    run = event["event_data"]["retention"]
    assert (run["total"], run["retained"]) == (261, 1) and 40 < len(run["deleted_artifact"]) < 260
    assert len(plain.taken[0]["body"]) < 28 * 1024
    assert len(told(receiver, 1)) == 1, "the longest of formats has room for it"


# -- repositories


def test_each_artifact_of_a_deleted_repository_is_told_and_not_what_follows_it(hooked):
    receiver, cloud = hooked.tell("DELETE_ARTIFACT"), hooked.tell("DELETE_ARTIFACT", payload_format="CloudEvents")
    children = [oci.image("amd64"), oci.image("arm64")]
    index = oci.index(children)
    hooked.repo.push(index, "v1")
    single, bare = hooked.push("single"), oci.image("bare")
    hooked.repo.push(bare)
    hooked.repo.push(oci.artifact("application/vnd.example.sbom", subject=single.descriptor()))
    hooked.admin.delete(f"{API}/projects/{hooked.name}/repositories/app", expect=200)
    expected = [(index.digest, "v1"), (single.digest, "single"), (bare.digest, bare.digest)]
    events = told(receiver, 3)
    assert sorted((resource["digest"], resource["tag"]) for event in events for resource in event["event_data"]["resources"]) == sorted(expected)
    assert all(event["operator"] == "admin" and event["event_data"]["repository"]["repo_full_name"] == f"{hooked.name}/app" for event in events)
    assert sorted(event["data"]["resources"][0]["digest"] for event in told(cloud, 3)) == sorted(digest for digest, _ in expected)


def test_a_large_repository_that_is_deleted_is_told_in_fewer_rows_than_it_has_artifacts(hooked):
    receiver, odd = hooked.tell("DELETE_ARTIFACT"), hooked.tell("DELETE_ARTIFACT", filters={"tags": ["*1"]})
    hooked.push("first")
    pushed = [oci.image("first").digest]
    for number in range(EACH + TOGETHER + 1):
        content = oci.image("first", annotations={"number": str(number)})
        hooked.repo.put_manifest(content, f"t{number}")
        pushed.append(content.digest)
    hooked.admin.delete(f"{API}/projects/{hooked.name}/repositories/app", expect=200)
    events = told(receiver, EACH + 2)
    assert [len(event["event_data"]["resources"]) for event in events] == [1] * EACH + [TOGETHER, 2]
    assert [digest for event in events for digest in digests(event)] == pushed
    chosen = [number for number in range(EACH + TOGETHER + 1) if number % 10 == 1]
    late = [number for number in chosen if number >= EACH - 1]
    *_, last = told(odd, len(chosen) - len(late) + 1)
    assert [resource["tag"] for resource in last["event_data"]["resources"]] == [f"t{number}" for number in late]


# -- tags


def test_a_tag_that_is_made_or_moved_by_the_api_is_told_in_our_own_event(hooked):
    receiver, cloud = hooked.tell("MOVE_TAG", "PUSH_ARTIFACT"), hooked.tell("MOVE_TAG", payload_format="CloudEvents")
    one, two = hooked.push("v1", "one"), hooked.push("v1", "two")
    call(hooked.admin, "POST", f"{hooked.artifact(one.digest)}/tags", {"name": "stable"}, expect=201)
    call(hooked.admin, "POST", f"/api/berth/v1/projects/{hooked.name}/repositories/app/tags/v1/revert", {}, expect=200)
    call(hooked.admin, "POST", f"/api/berth/v1/projects/{hooked.name}/repositories/app/tags/v1/revert", {"digest": one.digest}, expect=200)
    hooked.push("end")
    events = told(receiver, 5)
    assert [(event["type"], event["event_data"]["resources"][0]["tag"], digests(event)) for event in events] == [
        ("PUSH_ARTIFACT", "v1", [one.digest]), ("PUSH_ARTIFACT", "v1", [two.digest]), ("MOVE_TAG", "stable", [one.digest]),
        ("MOVE_TAG", "v1", [one.digest]), ("PUSH_ARTIFACT", "end", [oci.image("end").digest])], "what is there already is not moved"
    assert [event["event_data"].get("custom_attributes") for event in events] == [None, None, {"how": "retag"}, {"how": "revert"}, None]
    wrapped = told(cloud, 2)
    assert [(event["type"], event["data"]["custom_attributes"]["how"]) for event in wrapped] == [("berth.tag.moved", "retag"), ("berth.tag.moved", "revert")]


def test_a_push_of_several_tags_names_them_all(hooked):
    default, cloud = hooked.tell("PUSH_ARTIFACT"), hooked.tell("PUSH_ARTIFACT", payload_format="CloudEvents")
    some, envelope = hooked.tell("PUSH_ARTIFACT", filters={"tags": ["1.*"]}), hooked.tell("PUSH_ARTIFACT", kind="distribution")
    image = hooked.push("one", "same")
    told(default, 1)
    tags = ["1", "1.2", "1.2.3", "latest"]
    hooked.admin.put(f"/v2/{hooked.name}/app/manifests/{image.digest}?" + "&".join(f"tag={tag}" for tag in tags), body=image.body,
                     headers={"Content-Type": image.media_type}, expect=201)
    event = told(default, 2)[1]
    assert [resource["tag"] for resource in event["event_data"]["resources"]] == tags
    assert {resource["digest"] for resource in event["event_data"]["resources"]} == {image.digest}
    assert [resource["tag"] for resource in told(cloud, 2)[1]["data"]["resources"]] == tags
    assert [resource["tag"] for resource in told(some, 1)[0]["event_data"]["resources"]] == ["1.2", "1.2.3"]
    events = told(envelope, 2)[1]["events"]
    assert [row["target"]["tag"] for row in events] == tags and len({row["id"] for row in events}) == 4
    many = [f"m{number}" for number in range(60)]
    hooked.admin.put(f"/v2/{hooked.name}/app/manifests/{image.digest}?" + "&".join(f"tag={tag}" for tag in many), body=image.body,
                     headers={"Content-Type": image.media_type}, expect=201)
    assert [resource["tag"] for event in told(default, 5)[2:] for resource in event["event_data"]["resources"]] == many


# -- receivers that behave badly


class Silent(Listener):
    """Takes connections; what it reads of one goes to `answer`, which may hang."""

    def __init__(self, answer, host="127.0.0.1"):
        self.answer, self.closing = answer, threading.Event()
        super().__init__(host=host)

    def talk(self, connection):
        with contextlib.suppress(OSError):
            connection.recv(65536)
            self.answer(self, connection)

    def close(self):
        self.closing.set()
        super().close()


def drip(receiver, connection):
    """A gigabyte is promised, and comes so slowly that nothing else ends it."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    while not receiver.closing.wait(0.05):
        connection.sendall(b"x")


@pytest.mark.own_server
@pytest.mark.settings(webhooks_timeout="5m", jobs_workers="3")
@pytest.mark.parametrize("answer", [lambda receiver, connection: receiver.closing.wait(), drip], ids=["hangs", "sends a gigabyte slowly"])
def test_a_receiver_that_hangs_costs_one_worker_and_holds_up_no_other_policy(hooked, answer):
    """It took two workers, which is as many as a tenant had."""
    silent, fast, repositories = Silent(answer), hooked.tell("PUSH_ARTIFACT"), [f"r{number}" for number in range(12)]
    hooked.receivers.append(silent)
    target = {"type": "http", "address": f"http://127.0.0.1:{silent.port}/"}
    policies = f"{API}/projects/{hooked.name}/webhook/policies"
    call(hooked.admin, "POST", policies, {"name": "bad", "enabled": True, "event_types": ["PUSH_ARTIFACT"], "targets": [target]}, expect=201)
    for tag in ("v1", "v2"):
        for name in repositories:
            hooked.admin.repository(f"{hooked.name}/{name}").push(oci.image("one"), tag)
        wait_until(lambda: silent.open, what="the one that hangs being spoken to")
    events = told(fast, 2 * len(repositories))
    assert {(event["event_data"]["repository"]["name"], event["event_data"]["resources"][0]["tag"]) for event in events} == {
        (name, tag) for name in repositories for tag in ("v1", "v2")}
    assert len(silent.open) == 1, "it is still spoken to for the first time"
    wait_until(lambda: len(hooked.registry.query("SELECT id FROM job WHERE kind = 'webhook' AND state = 2")) == 1, what="one worker that is taken")
    assert hooked.retain("v*"), "those that are left do other work"
    assert len(silent.open) == 1


@pytest.mark.settings(webhooks_allow="127.0.0.2/32")
def test_a_redirect_to_an_internal_address_is_a_failure_that_holds_up_no_other_policy(hooked):
    """The receiver's own address is allowed, and where it sends to is not."""
    inside = HttpReceiver().__enter__()
    hooked.receivers.append(inside)

    location = f"Location: http://127.0.0.1:{inside.port}/\r\n".encode()
    redirecting = Silent(lambda _, connection: connection.sendall(b"HTTP/1.1 301 Moved\r\n" + location + b"Content-Length: 0\r\n\r\n"), "127.0.0.2")
    good = Silent(lambda _, connection: connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"), "127.0.0.2")
    hooked.receivers += [redirecting, good]
    paths = []
    for number, receiver in enumerate((redirecting, good)):
        body = {"name": f"p{number}", "enabled": True, "event_types": ["PUSH_ARTIFACT"],
                "targets": [{"type": "http", "address": f"http://127.0.0.2:{receiver.port}/"}]}
        paths.append(call(hooked.admin, "POST", f"{API}/projects/{hooked.name}/webhook/policies", body, expect=201).headers["Location"])
    for number in range(4):
        hooked.admin.repository(f"{hooked.name}/r{number}").push(oci.image("one"), "v1")

    def states(path):
        return [row["status"] for row in hooked.admin.get(f"{path}/executions", expect=200).json()]

    wait_until(lambda: states(paths[1]) == ["Success"] * 4, what="the good one being told")
    wait_until(lambda: len(redirecting.open) >= 4, what="each repository being tried")
    assert "Success" not in states(paths[0]) and not inside.requests
