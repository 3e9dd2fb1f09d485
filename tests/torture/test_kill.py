# SPDX-License-Identifier: Apache-2.0
"""kill -9 at random moments while four clients push, again and again, on one data directory."""
import random
import threading

import pytest

from torture.workload import NETWORK, Refused, Workload

pytestmark = pytest.mark.own_server


@pytest.mark.slow
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_kill_while_four_push(registry, encrypted):
    server = registry.tenant("acme", storage={"encrypted": True}) if encrypted else registry
    chance = random.Random(7)
    finished, lock = [], threading.Lock()
    for round_ in range(12):
        stop = threading.Event()

        def push(number):
            client, turn = server.client(), 0
            while not stop.is_set():
                workload = Workload(f"{round_}-{number}-{turn}")
                turn += 1
                try:
                    workload.run(client)
                except (Refused, *NETWORK):
                    stop.wait(0.01)
                with lock:
                    finished.append(workload)

        threads = [threading.Thread(target=push, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        stop.wait(chance.uniform(0.05, 0.6))  # any moment will do
        registry.kill9()
        stop.set()
        for thread in threads:
            thread.join()
        registry.assert_fsck_clean()
        registry.start()
        client = server.client()
        for workload in finished[-12:]:
            workload.verify(client)
    client = server.client()
    for workload in finished:
        workload.verify(client)
    assert sum(bool(workload.tags) for workload in finished) > 4, "nothing was pushed at all"
