# SPDX-License-Identifier: Apache-2.0
"""Webhooks by e-mail at a real mail server: mailpit, with STARTTLS and a login, which parses the messages by libraries of its own."""
import json

from harness import tls
from harness.hooks import executions, hook, push
from harness.mail import Mailpit
from harness.people import API, call
from harness.wait import wait_until


def test_mailpit_takes_what_webhooks_send_and_reads_it(make_registry, tmp_path):
    authority = tls.Authority(tmp_path / "authority")
    certificate, key = authority.issue()
    logins = tmp_path / "logins"
    logins.write_text("berth:open-sesame\n")
    with Mailpit(tmp_path, "--smtp-tls-cert", certificate, "--smtp-tls-key", key, "--smtp-require-starttls", "--smtp-auth-file", logins) as server:
        registry = make_registry(smtp_host="localhost", smtp_port=server.port, smtp_ca_certificate=authority.certificate, smtp_user="berth",
                                 smtp_password="open-sesame", smtp_from="berth@example.com")
        admin = registry.client(auth="basic")
        call(admin, "POST", f"{API}/projects", {"project_name": "mailed"}, expect=201)
        path = hook(admin, "mailed", {"type": "email", "address": "mailto:a@example.com,b@example.org"}, name="für alle")
        image = push(admin, "mailed")
        told = wait_until(lambda: [row for row in executions(admin, path) if row["status"] != "Pending"], what="an attempt")
        assert told[0]["status"] == "Success", told[0]["status_message"]
        message, = server.messages
        attached, = message["Attachments"]
        event = json.loads(server.ask(f"message/{message['ID']}/part/{attached['PartID']}"))
        headers = json.loads(server.ask(f"message/{message['ID']}/headers"))
    assert message["Subject"] == "PUSH_ARTIFACT mailed/app:v1" and message["From"]["Address"] == "berth@example.com"
    assert [row["Address"] for row in message["To"]] == ["a@example.com", "b@example.org"]
    assert f"Digest:     {image.digest}" in message["Text"].splitlines()
    assert attached["FileName"] == "event.json" and event["event_data"]["resources"][0]["digest"] == image.digest
    assert headers["Auto-Submitted"] == ["auto-generated"] and message["MessageID"].startswith("delivery-")
