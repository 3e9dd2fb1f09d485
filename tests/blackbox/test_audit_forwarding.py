# SPDX-License-Identifier: Apache-2.0
"""Audit records passed on: syslog by TCP and TLS to real servers, CloudEvents, CADF, and receivers that fail in every way."""
import itertools
import json
import socket
import ssl
import time

import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pycadf import attachment as cadf_attachment
from pycadf import event as cadf
from pycadf import host as cadf_host
from pycadf import reason as cadf_reason
from pycadf import resource as cadf_resource

from harness import tls
from harness.port import free_port
from harness.receivers import HttpReceiver, Rsyslog, SyslogReceiver
from harness.wait import wait_until

CONFIGURATIONS = "/api/v2.0/configurations"
FORWARDING = "/api/berth/v1/audit/forwarding"
SECRET = "Bearer very-secret-words"
STRANGE_AGENT = b'a"b\\c]d\te \xc3\xa4 \xff=x'
numbers = itertools.count(1)
# Most of these end with a receiver that is gone: the end need not wait for it.
pytestmark = [pytest.mark.own_server, pytest.mark.settings(audit_forward_drain_timeout="0s"), pytest.mark.filterwarnings("ignore:Invalid uuid")]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("receivers"))


def admin_of(registry):
    return registry.client(auth="basic")


def put(admin, expect=200, **settings):
    return admin.put(CONFIGURATIONS, body=json.dumps(settings), headers={"Content-Type": "application/json"}, expect=expect)


def target(admin, name):
    targets = {found["name"]: found for found in admin.get(FORWARDING, expect=200).json()["targets"]}
    return targets.get(name)


def make_projects(admin, count):
    """Their names, in the order in which they were made."""
    names = [f"sent-{next(numbers)}" for _ in range(count)]
    for name in names:
        admin.make_project(name)
    return names


def made(records):
    return [record["resource"] for record in records if record["type"] == "create_project"]


def syslog_made(receiver):
    return made(message["record"] for message in receiver.records)


def context_of(certificate, key, ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


# --- what a message is ----------------------------------------------------------------------------


def test_every_record_is_one_syslog_message(make_registry):
    with SyslogReceiver() as receiver:
        registry = make_registry(audit_forward_syslog=f"127.0.0.1:{receiver.port}")
        admin = admin_of(registry)
        admin.request("POST", "/api/v2.0/projects", body='{"project_name":"strange"}', expect=201,
                      headers={"Content-Type": "application/json", "User-Agent": STRANGE_AGENT, "X-Request-Id": "strange-1"})
        admin.request("POST", "/api/v2.0/projects", body='{"project_name":"strange"}', expect=409,
                      headers={"Content-Type": "application/json"})
        registry.client("nobody] \"x\\", "wrong", auth="basic").get("/api/v2.0/projects", expect=401)
        wait_until(lambda: len(receiver.records) >= 3, what="three messages")
        found = {(message["id"], message["record"]["result"]): message for message in receiver.records}
    good = found["create_project", "allowed"]
    assert (good["pri"], good["app"], good["data_id"]) == (str(13 * 8 + 6), "berth", "audit@32473")
    assert good["host"] == socket.gethostname() and int(good["process"]) > 1
    assert good["params"]["resource"] == good["params"]["project"] == "strange" and good["params"]["request_id"] == "strange-1"
    assert good["params"]["id"] == str(good["record"]["id"]) and good["time"] == good["record"]["time"]
    assert good["record"]["user_agent"] == 'a"b\\c]d\te \xe4 \ufffd=x'
    assert found["create_project", "failed"]["pri"] == str(13 * 8 + 5)
    denied = found["deny_login", "denied"]
    assert denied["pri"] == str(13 * 8 + 4) and denied["params"]["resource"] == 'nobody] "x\\'


def test_the_forwarded_record_is_the_one_of_the_search(make_registry):
    with SyslogReceiver() as receiver:
        registry = make_registry(audit_forward_syslog=f"tcp://localhost:{receiver.port}", audit_forward_facility="16")
        admin = admin_of(registry)
        name, = make_projects(admin, 1)
        wait_until(lambda: name in syslog_made(receiver), what="the record")
        message, = [message for message in receiver.records if message["record"].get("resource") == name]
        searched, = admin.get("/api/berth/v1/audit/records", params={"q": f"resource={name}"}, expect=200).json()["records"]
        assert message["record"] == searched and message["pri"] == str(16 * 8 + 6)
        wait_until(lambda: target(admin, "syslog")["queued"] == 0)
        report = target(admin, "syslog")
    assert report["state"] == "connected" and report["sent"] >= 1 and report["dropped"] == 0 and "last_error" not in report


@pytest.mark.parametrize("by_tls", [False, True])
def test_rsyslog_takes_them(make_registry, authority, tmp_path, by_tls):
    options, scheme = {}, "tcp"
    files = {}
    if by_tls:
        certificate, key = authority.issue("rsyslog")
        client, client_key = authority.issue("sender", common_name="berth")
        files = {"ca": authority.certificate, "certificate": certificate, "key": key, "ask": True}
        options = {"audit_forward_ca_certificate": authority.certificate, "audit_forward_certificate": client, "audit_forward_key": client_key}
        scheme = "tls"
    with Rsyslog(tmp_path / "rsyslog", **files) as server:
        registry = make_registry(audit_forward_syslog=f"{scheme}://localhost:{server.port}", **options)
        admin = admin_of(registry)
        names = make_projects(admin, 20)

        def arrived():
            return [message for message in server.messages if message["msgid"] == "create_project"]

        wait_until(lambda: len(arrived()) >= 20, what="all of them at rsyslog")
        assert [json.loads(message["msg"])["resource"] for message in arrived()] == names
        first = arrived()[0]
        assert first["pri"] == 110 and first["app"] == "berth" and first["version"] == 1 and first["host"] == socket.gethostname()
        assert first["data"].startswith("[audit@32473 ") and f'resource="{names[0]}"' in first["data"]
        assert target(admin, "syslog")["dropped"] == 0


# --- receivers that fail ------------------------------------------------------------------------------


def test_a_receiver_that_is_gone_gets_all_when_it_comes_back(make_registry):
    port = free_port()
    registry = make_registry(audit_forward_syslog=f"127.0.0.1:{port}")
    admin = admin_of(registry)
    names = make_projects(admin, 5)
    report = wait_until(lambda: (found := target(admin, "syslog"))["state"] == "failing" and found["queued"] >= 5 and found)
    assert "last_error" in report and report["sent"] == 0
    with SyslogReceiver(port) as receiver:
        wait_until(lambda: len(syslog_made(receiver)) >= 5, what="what had waited")
        assert syslog_made(receiver) == names
    later = make_projects(admin, 3)
    wait_until(lambda: target(admin, "syslog")["queued"] >= 3)
    with SyslogReceiver(port) as receiver:
        # The five before it, too, when the first receiver ended sooner than they counted as received.
        wait_until(lambda: syslog_made(receiver)[-3:] == later, timeout=40, what="what had waited again")
    assert target(admin, "syslog")["dropped"] == 0


def test_a_receiver_that_hangs_slows_nobody_and_loses_are_counted(make_registry):
    with SyslogReceiver(hang=True) as receiver:
        registry = make_registry(audit_forward_syslog=f"127.0.0.1:{receiver.port}", audit_forward_queue_size="64KiB", audit_forward_queue_records="40")
        receiver.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        admin = admin_of(registry)
        took = []
        for name in (f"slow-{number}" for number in range(150)):
            begin = time.monotonic()
            admin.make_project(name)
            took.append(time.monotonic() - begin)
        report = wait_until(lambda: (found := target(admin, "syslog"))["sent"] + found["queued"] + found["dropped"] >= 150 and found)
        assert report["queued"] <= 40 and report["queued_bytes"] <= 65536
        assert sorted(took)[len(took) // 2] < 0.25 and max(took) < 2


def test_a_full_queue_drops_the_newest_and_says_so_once(make_registry):
    registry = make_registry(audit_forward_syslog=f"127.0.0.1:{free_port()}", audit_forward_queue_records="10", audit_forward_drain_timeout="2s")
    admin = admin_of(registry)
    make_projects(admin, 30)
    report = wait_until(lambda: (found := target(admin, "syslog"))["queued"] + found["dropped"] >= 30 and found)
    assert report["queued"] == 10 and report["dropped"] >= 20
    make_projects(admin, 10)
    wait_until(lambda: target(admin, "syslog")["dropped"] >= report["dropped"] + 10)
    assert registry.log_text().count("audit records were dropped on their way") == 1
    begin = time.monotonic()
    assert registry.stop() == 0 and 2 <= time.monotonic() - begin < 15
    assert "audit records were not forwarded before the end" in registry.log_text()


def test_a_connection_cut_in_the_middle_loses_nothing(make_registry):
    port = free_port()
    registry = make_registry(audit_forward_syslog=f"127.0.0.1:{port}")
    admin = admin_of(registry)
    names = make_projects(admin, 10)
    wait_until(lambda: target(admin, "syslog")["queued"] >= 10)
    with SyslogReceiver(port, cut_after=700) as receiver:
        wait_until(lambda: receiver.torn >= 1, what="a torn message")
        before = syslog_made(receiver)
    with SyslogReceiver(port) as receiver:
        wait_until(lambda: set(before) | set(syslog_made(receiver)) == set(names), timeout=40, what="all of them in the end")
    assert target(admin, "syslog")["dropped"] == 0


def test_what_waits_is_sent_before_the_end(make_registry):
    port = free_port()
    registry = make_registry(audit_forward_syslog=f"127.0.0.1:{port}", audit_forward_drain_timeout="5s")
    admin = admin_of(registry)
    names = make_projects(admin, 5)
    wait_until(lambda: target(admin, "syslog")["queued"] >= 5)
    with SyslogReceiver(port) as receiver:
        assert registry.stop() == 0
        assert syslog_made(receiver) == names


@pytest.mark.parametrize("wrong", ["authority", "name", "plain"])
def test_a_server_that_is_not_the_right_one_gets_nothing(make_registry, authority, tmp_path, wrong):
    issuer = tls.Authority(tmp_path / "stranger") if wrong == "authority" else authority
    context = None if wrong == "plain" else context_of(*issuer.issue("server"))
    host = "127.0.0.2" if wrong == "name" else "127.0.0.1"  # certificates are for localhost and 127.0.0.1
    with SyslogReceiver(context=context, host=host) as receiver:
        registry = make_registry(audit_forward_syslog=f"tls://{host}:{receiver.port}", audit_forward_ca_certificate=authority.certificate)
        admin = admin_of(registry)
        make_projects(admin, 1)
        report = wait_until(lambda: (found := target(admin, "syslog"))["state"] == "failing" and found, timeout=30)
        assert report["last_error"] and report["sent"] == 0 and not receiver.messages


def test_a_server_that_wants_a_certificate_gets_one(make_registry, authority):
    certificate, key = authority.issue("server")
    mine, my_key = authority.issue("mine", common_name="berth")
    with SyslogReceiver(context=context_of(certificate, key, authority.certificate)) as receiver:
        registry = make_registry(audit_forward_syslog=f"tls://localhost:{receiver.port}", audit_forward_ca_certificate=authority.certificate)
        admin = admin_of(registry)
        names = make_projects(admin, 2)
        wait_until(lambda: target(admin, "syslog")["state"] == "failing")
        assert target(admin, "syslog")["sent"] == 0 and not receiver.messages
        registry.restart(audit_forward_certificate=mine, audit_forward_key=my_key)
        names = make_projects(admin, 2)
        wait_until(lambda: syslog_made(receiver)[-2:] == names, what="records of who has a certificate")


# --- HTTP ---------------------------------------------------------------------------------------------


def cloudevents(receiver):
    """The events it was sent, each as the CloudEvents SDK reads it."""
    events = []
    for request in receiver.taken:
        body = json.loads(request["body"])
        for event in body if isinstance(body, list) else [body]:
            JSONFormat().read(CloudEvent, json.dumps(event).encode())
            events.append(event)
    return events


def cadf_event(body):
    """A CADF event whose parts pycadf takes for what they are."""
    event = json.loads(body)

    def resource(of):
        host = of.get("host")
        return cadf_resource.Resource(id=of["id"], typeURI=of["typeURI"], name=of.get("name"), domain=of.get("domain"),
                                      host=cadf_host.Host(**host) if host else None)

    made_of = cadf.Event(
        eventType=event["eventType"], id=event["id"], eventTime=event["eventTime"], action=event["action"], outcome=event["outcome"],
        initiator=resource(event["initiator"]), target=resource(event["target"]), observer=resource(event["observer"]),
        reason=cadf_reason.Reason(**event["reason"]) if "reason" in event else None)
    for attachment in event["attachments"]:
        made_of.add_attachment(cadf_attachment.Attachment(**attachment))
    assert made_of.is_valid() and event["typeURI"] == cadf.TYPE_URI_EVENT
    return event


def test_cloudevents(make_registry):
    port = free_port()
    registry = make_registry(audit_forward_cloudevents=f"http://127.0.0.1:{port}/events?source=berth", audit_forward_cloudevents_authorization=SECRET,
                             external_url="https://registry.example.com")
    admin = admin_of(registry)
    names = make_projects(admin, 5)
    wait_until(lambda: target(admin, "cloudevents")["queued"] >= 5)
    with HttpReceiver(port) as receiver:
        wait_until(lambda: len(made(event["data"] for event in cloudevents(receiver))) >= 5, what="what had waited")
        last, = make_projects(admin, 1)
        wait_until(lambda: last in made(event["data"] for event in cloudevents(receiver)))
        requests = receiver.taken
        events = cloudevents(receiver)
    assert made(event["data"] for event in events) == [*names, last]
    assert {request["path"] for request in requests} == {"/events?source=berth"}
    assert {request["headers"]["Authorization"] for request in requests} == {SECRET}
    kinds = {request["headers"]["Content-Type"]: json.loads(request["body"]) for request in requests}
    assert isinstance(kinds["application/cloudevents-batch+json; charset=utf-8"], list)
    assert isinstance(kinds["application/cloudevents+json; charset=utf-8"], dict)
    for event in events:
        assert event["source"] == "https://registry.example.com" and event["type"] == f"berth.audit.{event['data']['type']}"
        assert event["id"] == str(event["data"]["id"]) and event["time"] == event["data"]["time"]
    assert len({event["id"] for event in events}) == len(events)
    report = target(admin, "cloudevents")
    assert report["address"] == f"http://127.0.0.1:{port}/events" and report["sent"] == len(events)
    assert "very-secret-words" not in registry.log_text() and "very-secret-words" not in admin.get(FORWARDING, expect=200).text


def test_cadf(make_registry, authority):
    certificate, key = authority.issue("server")
    with HttpReceiver(context=context_of(certificate, key)) as receiver:
        registry = make_registry(audit_forward_cadf=f"https://localhost:{receiver.port}/cadf", audit_forward_ca_certificate=authority.certificate,
                                 audit_forward_cadf_authorization=SECRET)
        admin = admin_of(registry)
        name, = make_projects(admin, 1)
        registry.client("nobody", "wrong", auth="basic").get("/api/v2.0/projects", expect=401)
        wait_until(lambda: len(receiver.taken) >= 2, what="two events")
        events = [cadf_event(request["body"]) for request in receiver.taken]
        assert {request["headers"]["Authorization"] for request in receiver.taken} == {SECRET}
    created, = [event for event in events if event["action"] == "create" and event["target"]["name"] == name]
    assert created["outcome"] == "success" and created["initiator"]["name"] == "admin" and created["target"]["typeURI"] == "data/security/project"
    assert created["initiator"]["host"]["address"] == "127.0.0.1" and created["attachments"][0]["content"]["resource"] == name
    denied, = [event for event in events if event["action"] == "authenticate/login"]
    assert denied["outcome"] == "failure" and denied["reason"] == {"reasonType": "HTTP", "reasonCode": "401"}


def test_answers_that_mean_later_are_tried_again(make_registry):
    with HttpReceiver(answers=[500, 503, (429, {"Retry-After": "1"}), 408]) as receiver:
        registry = make_registry(audit_forward_cloudevents=f"http://127.0.0.1:{receiver.port}/")
        admin = admin_of(registry)
        names = make_projects(admin, 1)
        wait_until(lambda: made(event["data"] for event in cloudevents(receiver)) == names, timeout=40, what="the record in the end")
        assert [request["status"] for request in receiver.requests][:4] == [500, 503, 429, 408]
        report = wait_until(lambda: (found := target(admin, "cloudevents"))["state"] == "connected" and found, what="the word that it is well")
    assert report["dropped"] == 0 and "408" in report["last_error"]


def test_what_is_refused_is_dropped_and_what_follows_is_sent(make_registry):
    with HttpReceiver(answers=[400, (302, {"Location": "/elsewhere"})]) as receiver:
        registry = make_registry(audit_forward_cadf=f"http://127.0.0.1:{receiver.port}/")
        admin = admin_of(registry)
        make_projects(admin, 3)
        wait_until(lambda: len(receiver.taken) >= 1, what="the third")
        assert {request["path"] for request in receiver.requests} == {"/"}
        report = wait_until(lambda: (found := target(admin, "cadf"))["dropped"] == 2 and found)
        assert "302" in report["last_error"]
    assert "audit records were dropped on their way" in registry.log_text()


def test_a_receiver_that_takes_no_batches_gets_them_one_by_one(make_registry):
    port = free_port()
    registry = make_registry(audit_forward_cloudevents=f"http://127.0.0.1:{port}/")
    admin = admin_of(registry)
    names = make_projects(admin, 6)
    wait_until(lambda: target(admin, "cloudevents")["queued"] >= 6)
    with HttpReceiver(port, refuse_batches=True) as receiver:
        wait_until(lambda: len(cloudevents(receiver)) >= 6, what="all six")
        assert made(event["data"] for event in cloudevents(receiver)) == names
    assert target(admin, "cloudevents")["dropped"] == 0


# --- Harbor's settings --------------------------------------------------------------------------------


def test_the_setting_takes_effect_at_once(make_registry):
    registry = make_registry()
    admin = admin_of(registry)
    assert admin.get(FORWARDING, expect=200).json() == {"targets": []}
    with SyslogReceiver() as first, SyslogReceiver() as second:
        put(admin, audit_log_forward_endpoint=f"127.0.0.1:{first.port}")
        a, = make_projects(admin, 1)
        wait_until(lambda: a in syslog_made(first), what="a record at the first")
        put(admin, audit_log_forward_endpoint=f"127.0.0.1:{second.port}")
        b, = make_projects(admin, 1)
        wait_until(lambda: b in syslog_made(second), what="a record at the second")
        put(admin, audit_log_forward_endpoint="")
        assert admin.get(FORWARDING, expect=200).json() == {"targets": []}
        make_projects(admin, 1)
    assert syslog_made(first)[0] == a and b not in syslog_made(first) and syslog_made(second) == [b]


def test_an_endpoint_where_nobody_is_is_refused(make_registry):
    registry = make_registry()
    admin = admin_of(registry)
    for endpoint in (f"127.0.0.1:{free_port()}", "no-such-host.invalid:514", "nowhere", "udp://127.0.0.1:514", "127.0.0.1:0", "a b:1"):
        answer = put(admin, audit_log_forward_endpoint=endpoint, expect=400)
        assert "audit_log_forward_endpoint" in answer.text or "audit endpoint" in answer.text
    assert admin.get(CONFIGURATIONS, expect=200).json()["audit_log_forward_endpoint"]["value"] == ""
    with SyslogReceiver() as receiver:
        put(admin, audit_log_forward_endpoint=f"127.0.0.1:{receiver.port}")
    # It is out of order now, and other things can still be changed beside it.
    put(admin, audit_log_forward_endpoint=f"127.0.0.1:{receiver.port}", session_timeout=61)


def test_without_the_database_records_are_only_forwarded(make_registry):
    registry = make_registry()
    admin = admin_of(registry)
    put(admin, skip_audit_log_database=True, expect=400)
    before = make_projects(admin, 2)
    with SyslogReceiver() as receiver:
        put(admin, audit_log_forward_endpoint=f"127.0.0.1:{receiver.port}", skip_audit_log_database=True)
        put(admin, audit_log_forward_endpoint="", expect=400)
        skipped = make_projects(admin, 5)
        registry.client("nobody", "wrong", auth="basic").get("/api/v2.0/projects", expect=401)
        wait_until(lambda: len({message["id"] for message in receiver.records} & {"create_project", "deny_login"}) == 2
                   and set(skipped) <= set(syslog_made(receiver)), what="all kinds at the receiver")
        put(admin, skip_audit_log_database=False)
        after = make_projects(admin, 2)
        wait_until(lambda: set(after) <= set(syslog_made(receiver)))
        assert len({message["params"]["id"] for message in receiver.records}) == len(receiver.records)
    records = admin.get("/api/berth/v1/audit/records", params={"page_size": 100, "sort": "op_time"}, expect=200).json()["records"]
    assert made(records) == before + after
    assert "deny_login" not in {record["type"] for record in records}
    changes = [record["after"] for record in records if record["type"] == "update_configuration" and record["result"] == "allowed"]
    assert [change.get("skip_audit_log_database") for change in changes] == [True, False]
    registry.stop()
    status, output = registry.berth("audit", "verify")
    assert status == 0, output


def test_what_could_be_kept_nowhere_is_said_in_the_chain(make_registry):
    registry = make_registry(audit_forward_queue_records="5")
    admin = admin_of(registry)
    with SyslogReceiver() as receiver:
        put(admin, audit_log_forward_endpoint=f"127.0.0.1:{receiver.port}", skip_audit_log_database=True)
    make_projects(admin, 20)
    found = wait_until(lambda: admin.get("/api/berth/v1/audit/records", params={"q": "operation=drop"}, expect=200).json()["records"])
    assert found[0]["type"] == "drop_audit" and found[0]["count"] >= 1 and "kept nowhere else" in found[0]["reason"]


def test_options_that_cannot_be(make_registry):
    for settings, word in (
        ({"audit_forward_syslog": "udp://x:1"}, "audit_forward.syslog"),
        ({"audit_forward_cadf": "ftp://x/"}, "audit_forward.cadf"),
        ({"audit_forward_cloudevents": "https://user@x/"}, "audit_forward.cloudevents"),
        ({"audit_forward_cadf_authorization": SECRET}, "audit_forward.cadf"),
        ({"audit_forward_facility": "24"}, "audit_forward.facility"),
        ({"audit_forward_syslog": "x:1", "audit_forward_ca_certificate": "/nowhere.pem"}, "audit_forward.ca_certificate"),
    ):
        registry = make_registry(start=False, **settings)
        registry.spawn()
        assert registry.wait_dead() == 1
        assert word in registry.log_text() and "secret" not in registry.log_text()
