# SPDX-License-Identifier: Apache-2.0
"""Webhooks as e-mail: what is sent, to whom, and what becomes of it when the mail server says no, says nothing, or is not who it should be."""
import email
import email.policy
import json
import ssl

import pytest

from harness import tls
from harness.hooks import executions, hook, push
from harness.mail import DROP, HANG, MailServer
from harness.people import API, call
from harness.port import free_port
from harness.wait import wait_until
from harness.wire import unique

PORT = free_port()  # where each test has a mail server of its own
MAIL = {"smtp_host": "127.0.0.1", "smtp_from": "berth@example.com", "smtp_timeout": "1s"}

pytestmark = pytest.mark.settings(**MAIL, smtp_port=PORT, smtp_tls="none", smtp_recipients="*@example.com,*@example.org")


@pytest.fixture
def admin(registry):
    return registry.client(auth="basic")


@pytest.fixture
def project(admin):
    return make_project(admin)


def make_project(admin):
    name = unique("mailed")
    call(admin, "POST", f"{API}/projects", {"project_name": name}, expect=201)
    return name


def to(*addresses):
    return {"type": "email", "address": "mailto:" + ",".join(addresses)}


def arrived(server, count=1):
    wait_until(lambda: len(server.messages) >= count, what=f"{count} messages")
    return [email.message_from_bytes(message["bytes"], policy=email.policy.default) for message in server.messages]


def ended(admin, path, status):
    return wait_until(lambda: executions(admin, path, q=f"status={status}"), what=f"a delivery in state {status}")[0]


def log_of(admin, path, row):
    return admin.get(f"{path}/executions/{row['id']}/tasks/{row['id']}/log", expect=200).text


def test_an_event_comes_as_text_with_the_payload_attached(admin, project):
    with MailServer(PORT) as server:
        path = hook(admin, project, to("a@example.com", "b@example.org"), name="für alle")
        image = push(admin, project)
        message, = arrived(server)
        records = admin.get(f"/api/berth/v1/audit/records?q=request_id={message['Berth-Request']}", expect=200).json()["records"]
        row = ended(admin, path, "Success")
        assert admin.get(path, expect=200).json()["targets"][0] == {
            "type": "email", "address": "mailto:a@example.com,b@example.org", "skip_cert_verify": False, "payload_format": "Default"}
    assert server.messages[0]["from"].startswith("MAIL FROM:<berth@example.com>")
    assert server.messages[0]["to"] == ["<a@example.com>", "<b@example.org>"]
    assert message["From"] == "berth@example.com" and message["To"] == "a@example.com, b@example.org"
    assert message["Subject"] == f"PUSH_ARTIFACT {project}/app:v1" and message["Auto-Submitted"] == "auto-generated"
    assert message["Berth-Policy"] == "für alle" and message["List-Id"] == f"<policy-{path.rsplit('/', 1)[1]}.webhooks.example.com>"
    assert message["Message-ID"].startswith(f"<delivery-{row['id']}.") and message["Date"].datetime.utcoffset().total_seconds() == 0
    assert records[0]["digest"] == image.digest
    text, attached = message.iter_parts()
    assert text.get_content_type() == "text/plain" and f"Digest:     {image.digest}" in text.get_content().splitlines()
    assert attached.get_filename() == "event.json"
    event = json.loads(attached.get_payload(decode=True))
    assert event["type"] == "PUSH_ARTIFACT" and event["event_data"]["resources"][0]["digest"] == image.digest
    log = log_of(admin, path, row)
    assert "status 250" in log and "> RCPT TO:<b@example.org>\n< 250 yes" in log and f"Subject: PUSH_ARTIFACT {project}/app:v1" in log


def test_what_is_refused_for_now_is_tried_again_as_the_same_message_and_nobody_gets_it_twice(admin, project):
    with MailServer(PORT, answers={"RCPT <b@example.com>": ["450 later"], "message": ["451 no room"], "greeting": ["421 busy"]}) as server:
        path = hook(admin, project, to("a@example.com", "b@example.com"))
        push(admin, project)
        arrived(server)
        row = ended(admin, path, "Success")
        log = log_of(admin, path, row)
    assert server.connections == 4 and len(server.messages) == 1 and server.messages[0]["to"] == ["<a@example.com>", "<b@example.com>"]
    assert "the mail server answers 421 busy" in log and "answers 450 later" in log and "answers 451 no room" in log
    assert log.count("Message-ID:") == 4 and log.count(f"<delivery-{row['id']}.") == 4


@pytest.mark.parametrize("answers, says", [
    ({"RCPT": ["550 5.1.1 nobody of that name"]}, "550 5.1.1 nobody of that name"),
    ({"DATA": ["554 no"]}, "554 no"),
    ({"message": ["552 \x07too much"]}, "552 ?too much"),
], ids=["recipient", "data", "message"])
def test_what_is_refused_for_good_is_given_up_at_once_and_can_be_sent_once_more(admin, project, answers, says):
    with MailServer(PORT, answers=answers) as server:
        path = hook(admin, project, to("a@example.com"))
        push(admin, project)
        dead = ended(admin, path, "Error")
        assert dead["status_message"] == f"the mail server answers {says}" and server.connections == 1
        number = path.rsplit("/", 1)[1]
        call(admin, "POST", f"/api/berth/v1/projects/{project}/webhooks/{number}/deliveries/{dead['id']}/redeliver", expect=202)
        arrived(server)
        ended(admin, path, "Success")


def test_a_recipient_who_is_refused_for_good_does_not_cut_off_the_others(admin, project):
    with MailServer(PORT, answers={"RCPT <b@example.com>": ["550 gone"], "RCPT <c@example.com>": ["553 never was"]}) as server:
        path = hook(admin, project, to("a@example.com", "b@example.com", "c@example.com", "d@example.com"))
        push(admin, project)
        arrived(server)
        row = ended(admin, path, "Success")
        log = log_of(admin, path, row)
    assert [message["to"] for message in server.messages] == [["<a@example.com>", "<d@example.com>"]]
    assert "> RCPT TO:<b@example.com>\n< 550 gone" in log and "< 553 never was" in log


@pytest.mark.parametrize("answers", [{"greeting": ["554 not you"]}, {"EHLO": ["550 go away"]}, {"MAIL": ["530 log in first"]}],
                         ids=["greeting", "hello", "sender"])
def test_what_the_server_says_of_us_is_the_operators_to_put_right_and_gives_up_nothing(admin, project, answers):
    with MailServer(PORT, answers=answers) as server:
        path = hook(admin, project, to("a@example.com"))
        push(admin, project)
        arrived(server)
        ended(admin, path, "Success")
        assert server.connections >= 2


@pytest.mark.parametrize("answers", [{"greeting": [HANG]}, {"RCPT": [HANG]}, {"message": [HANG]}, {"MAIL": [DROP]}, {"message": [DROP]},
                                     {"greeting": ["SSH-2.0-x"]}],
                         ids=["greeting hangs", "recipient hangs", "message hangs", "sender drops", "message drops", "no mail server"])
@pytest.mark.settings(webhooks_retry_for="0s")
def test_a_server_that_hangs_or_drops_costs_a_bounded_while(admin, project, answers):
    with MailServer(PORT, answers=answers) as server:
        path = hook(admin, project, to("a@example.com"))
        push(admin, project)
        dead = ended(admin, path, "Error")
        assert dead["status_message"].startswith("the mail server: ") and server.connections == 1 and not server.messages


@pytest.mark.settings(webhooks_retry_for="0s")
def test_where_no_mail_server_listens_it_says_so(admin, project):
    path = hook(admin, project, to("a@example.com"))
    push(admin, project)
    assert "the mail server: " in ended(admin, path, "Error")["status_message"]


# -- TLS and logins


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


def context_of(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue())
    return context


def secure(make_registry, authority, server, **settings):
    registry = make_registry(smtp_port=server.port, smtp_ca_certificate=authority.certificate, **settings)
    admin = registry.client(auth="basic")
    project = make_project(admin)
    path = hook(admin, project, to("a@example.com"))
    push(admin, project)
    return registry, admin, path


@pytest.mark.own_server
@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_login_is_sent_by_tls_alone_and_is_in_no_log(make_registry, authority, way):
    with MailServer(login=("berth", "open sesame"), **{way: context_of(authority)}) as server:
        registry, admin, path = secure(make_registry, authority, server, smtp_tls=way, smtp_user="berth", smtp_password="open sesame")
        arrived(server)
        row = ended(admin, path, "Success")
        assert server.messages[0]["encrypted"] and "AGJlcnRoAG9wZW4gc2VzYW1l" in server.commands
        log = log_of(admin, path, row)
        assert "> (login)\n< 334 \n> (login)\n< 235 yes" in log and "AGJlcnRo" not in log and "sesame" not in registry.log_text()


@pytest.mark.own_server
def test_a_login_that_is_refused_gives_up_nothing(make_registry, authority):
    with MailServer(login=("berth", "x"), answers={"AUTH": ["535 no"]}, starttls=context_of(authority)) as server:
        _, admin, path = secure(make_registry, authority, server, smtp_tls="starttls", smtp_user="berth", smtp_password="x")
        arrived(server)
        assert "answers 535 no" in log_of(admin, path, ended(admin, path, "Success"))


@pytest.mark.own_server
def test_a_server_that_repeated_the_login_had_it_in_the_log(make_registry, authority):
    said = "535 AGJlcnRoAG9wZW4gc2VzYW1l (berth, open sesame) is wrong"
    with MailServer(login=("berth", "open sesame"), answers={"AUTH": [said]}, starttls=context_of(authority)) as server:
        registry, admin, path = secure(make_registry, authority, server, smtp_tls="starttls", smtp_user="berth", smtp_password="open sesame")
        arrived(server)
        log = log_of(admin, path, ended(admin, path, "Success"))
        assert log.count("535 ******** (berth, ********) is wrong") == 2, "in the dialog, and as the reason"
        for text in (log, registry.log_text()):
            assert "AGJlcnRo" not in text and "sesame" not in text


@pytest.mark.own_server
@pytest.mark.settings(webhooks_retry_for="0s")
def test_a_server_that_offers_no_starttls_gets_neither_message_nor_login(make_registry, authority):
    with MailServer(login=("berth", "x")) as server:
        _, admin, path = secure(make_registry, authority, server, smtp_tls="starttls", smtp_user="berth", smtp_password="x")
        ended(admin, path, "Error")
        assert {command.split(" ")[0] for command in server.commands} <= {"EHLO", "HELO", "QUIT"}, "before anything is encrypted nothing is said"


@pytest.mark.own_server
@pytest.mark.settings(webhooks_retry_for="0s")
@pytest.mark.parametrize("way", ["starttls", "tls"])
def test_a_server_with_a_certificate_of_somebody_else_gets_nothing(make_registry, authority, tmp_path, way):
    other = tls.Authority(tmp_path / "other")
    with MailServer(login=("berth", "x"), **{way: context_of(other)}) as server:
        _, admin, path = secure(make_registry, authority, server, smtp_tls=way, smtp_user="berth", smtp_password="x")
        assert "certificate" in ended(admin, path, "Error")["status_message"]
        assert not server.messages and not any(command.startswith("AUTH") for command in server.commands)


# -- policies


@pytest.mark.parametrize("wrong, says", [
    ({"address": "mailto:"}, "targets[0].address: not a list of 1 to 16 addresses"),
    ({"address": "https://example.com"}, "targets[0].address: not a list of"),
    ({"address": "mailto:a@example.com?bcc=b@example.com"}, "targets[0].address: not a list of"),
    ({"address": "a@example.com\r\nBcc: b@example.com"}, "targets[0].address: not a list of"),
    ({"address": "a@example.com,b@elsewhere.com"}, "targets[0].address: b@elsewhere.com is not among those who may get mail"),
    ({"address": "a@example.com", "secret": "x"}, "targets[0]: e-mail has neither secrets nor"),
    ({"address": "a@example.com", "skip_cert_verify": True}, "targets[0]: e-mail has neither secrets nor"),
    ({"address": "a@example.com", "payload_format": "CloudEvents"}, "targets[0].payload_format: email has no such format"),
])
def test_what_mail_cannot_go_to_is_refused(admin, project, wrong, says):
    answer = hook(admin, project, {"type": "email", **wrong}, expect=400)
    assert says in answer.json()["errors"][0]["detail"]


def test_mail_is_offered_where_there_is_a_mail_server(admin, project):
    offered = admin.get(f"{API}/projects/{project}/webhook/events", expect=200).json()
    assert offered["notify_type"][-1] == "email" and {"notify_type": "email", "formats": ["Default"]} in offered["payload_formats"]


@pytest.mark.own_server
@pytest.mark.settings(webhooks_retry_for="0s")
def test_without_a_mail_server_there_is_no_mail_and_policies_of_before_say_so(make_registry):
    registry = make_registry(smtp_port=PORT)
    admin = registry.client(auth="basic")
    project = make_project(admin)
    path = hook(admin, project, to("a@example.com"))
    registry.restart(smtp_host="", smtp_from="")
    admin = registry.client(auth="basic")
    push(admin, project)
    assert ended(admin, path, "Error")["status_message"] == "this registry has no mail server"
    assert "email" not in admin.get(f"{API}/projects/{project}/webhook/events", expect=200).json()["notify_type"]
    assert "this registry has no mail server" in hook(admin, project, to("a@example.com"), expect=400).json()["errors"][0]["detail"]
