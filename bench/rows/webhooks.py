# SPDX-License-Identifier: Apache-2.0
"""Webhooks that wait, to a receiver that answers at once."""
import json
import re
import socket
import threading
import time

from harness.servers import Berth, BerthPostgres
from harness.table import OURS, Goal, Measure
from rows.pull import image

LEAST_PER_S = 1_000
REPOSITORIES = 10
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
PAYLOAD = json.dumps({"type": "PUSH_ARTIFACT", "occur_at": 1700000000, "operator": "admin", "event_data": {
    "resources": [{"digest": "sha256:" + 64 * "0", "tag": "v1", "resource_url": "registry.example.com/bench/app:v1"}],
    "repository": {"date_created": 1700000000, "name": "app", "namespace": "bench", "repo_full_name": "bench/app", "repo_type": "private"}}})
EXTRA = json.dumps({"id": "4b2f89a6-548d-4c12-9993-a1f5790b97d2", "request_id": "r", "host": "registry.example.com", "media_type": ""})


class Receiver:
    """Counts requests and answers each; a thread for each connection."""

    def __init__(self):
        self.count, self.lock = 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        left = b""
        while piece := connection.recv(65536):
            left += piece
            while b"\r\n\r\n" in left:
                head, rest = left.split(b"\r\n\r\n", 1)
                length = int(LENGTH.search(head)[1])
                if len(rest) < length:
                    break
                left = rest[length:]
                connection.sendall(ANSWER)
                with self.lock:
                    self.count += 1
        connection.close()

    def close(self):
        self.listener.close()


def fill(server, port, count):
    """A policy and what it is to tell, as rows of a stopped server."""
    filling = server.filling()
    targets = json.dumps([{"type": "http", "format": "Default", "address": f"http://127.0.0.1:{port}/", "skip_cert_verify": False}])
    numbers = filling.series.format(first=1, last=count)
    filling.execute(
        "INSERT INTO webhook_policy (id, tenant_id, project_id, name, description, creator, enabled, events, filters, targets, secrets, created_at_us,"
        f" updated_at_us) VALUES (1, 1, 1, 'bench', '', '', 1, 1, '', '{targets}', '', 1, 1)")
    filling.execute(
        "INSERT INTO webhook_delivery (id, policy_id, target, subject, event, payload, extra, created_at_us, queued_at_us)"
        f" SELECT n, 1, 0, '1.0.' || (n % {REPOSITORIES}), 0, '{PAYLOAD}', '{EXTRA}', {time.time_ns() // 1000}, {time.time_ns() // 1000} FROM ({numbers}) t")
    filling.execute(
        "INSERT INTO outbox (kind, subject, payload, created_at_us)"
        f" SELECT 'webhook', '1.0.' || (n % {REPOSITORIES}), CAST(n AS TEXT), 1 FROM ({numbers}) t ORDER BY n")
    filling.execute(
        "INSERT INTO job (kind, tenant_id, subject, once, arguments, state, due_at_us, ready_at_us, created_at_us)"
        f" SELECT 'webhook', 1, '1.0.' || (n - 1), '1.0.' || (n - 1), '', 1, 1, 1, 1 FROM ({filling.series.format(first=1, last=REPOSITORIES)}) t")
    filling.close()


def rate(server, receiver, count):
    """From the first one that is told to the last."""
    server.start()
    while not receiver.count:
        time.sleep(0.001)
    begun, first = time.monotonic(), receiver.count
    while receiver.count < count:
        time.sleep(0.001)
    return (count - first) / (time.monotonic() - begun)


def measure(bench, kind, name):
    count = bench.size(10_000, 1_000)
    samples = {OURS: []}
    for _ in range(bench.rounds):
        receiver = Receiver()
        with bench.up(kind) as (server,):
            image(server)
            server.stop()
            fill(server, receiver.port, count)
            samples[OURS].append(rate(server, receiver, count))
        receiver.close()
    return [Measure(f"{count:,} queued webhooks{name}", "/s", samples, [Goal(">=", LEAST_PER_S)])]


class Hooked(Berth):
    def environment(self):
        return {**super().environment(), "BERTH_WEBHOOKS_ALLOW": "127.0.0.0/8"}


class HookedPostgres(BerthPostgres):
    def environment(self):
        return {**super().environment(), "BERTH_WEBHOOKS_ALLOW": "127.0.0.0/8"}


def webhooks(bench):
    return measure(bench, Hooked, "")


def webhooks_postgres(bench):
    return measure(bench, HookedPostgres, ", PostgreSQL")
