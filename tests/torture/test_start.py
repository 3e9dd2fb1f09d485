# SPDX-License-Identifier: Apache-2.0
"""A start that fails says why, and never that it listens."""
import socket

import pytest


@pytest.fixture
def manager(tmp_path):
    """What a service manager hears."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.setblocking(False)
        yield heard


def test_without_threads_nobody_is_told_to_come(make_registry, program_with_faults, manager):
    registry = make_registry(
        start=False, program=program_with_faults,
        environment={"BERTH_FAULT": "thread.start:*=errno:11", "NOTIFY_SOCKET": manager.getsockname()},
    )
    registry.spawn()
    assert registry.wait_dead() == 1
    log = registry.log_text()
    assert "thread" in log and "listening" not in log, log
    with pytest.raises(BlockingIOError):
        manager.recv(100)


def test_ready_is_said_when_it_is_true(make_registry, program_with_faults, manager):
    registry = make_registry(program=program_with_faults, environment={"NOTIFY_SOCKET": manager.getsockname()})
    manager.setblocking(True)
    manager.settimeout(30)
    assert manager.recv(100) == b"READY=1"
    registry.client().get("/v2/", expect=200)
    assert registry.stop() == 0
    assert manager.recv(100) == b"STOPPING=1"
