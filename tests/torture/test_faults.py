# SPDX-License-Identifier: Apache-2.0
"""kill -9 and failing system calls at every named fault point.

For each point and its first hits: start, push until it strikes, start again without it. Everything that
was acknowledged must be there, fsck must be clean, and the server must take a push again.
"""
import re
import subprocess

import pytest

from harness.registry import ROOT
from torture.workload import NETWORK, Refused, Workload

POINT = re.compile(r'\bFAULT\("([a-z0-9_.]+)"\)')
KILL_HITS = (1, 3, 8)
NO_SPACE, IO_ERROR, TOO_MANY_FILES = 28, 5, 24
ERROR_HITS = ((1, NO_SPACE), (2, IO_ERROR), (5, TOO_MANY_FILES), (9, NO_SPACE))


def points():
    found = set()
    for path in sorted((ROOT / "src").rglob("*.c")):
        found.update(POINT.findall(path.read_text()))
    return sorted(found)


# What a push never comes by: the test that drives each of them.
ELSEWHERE = {
    "ldap": "torture/test_directory.py", "audit.verify": "torture/test_audit.py", "audit.search": "torture/test_audit.py",
    "s3": "unit/test_store_s3.c", "resolve": "unit/test_os_resolve.c", "collect": "torture/test_collect.py",
    "move": "torture/test_storage_move.py",
    **dict.fromkeys(("swift.segment", "swift.state", "swift.copy", "swift.clean"), "unit/test_store_swift.c"),
}


def is_elsewhere(point):
    return point in ELSEWHERE or point.split(".")[0] in ELSEWHERE


ALL_POINTS = points()
POINTS = [point for point in ALL_POINTS if not is_elsewhere(point)]


def start_with(make_registry, program, fault):
    """A server that `fault` may strike at any moment, even at its start."""
    registry = make_registry(start=False, program=program, environment={"BERTH_FAULT": fault})
    try:
        registry.start()
    except AssertionError:
        registry.process = None
    return registry


def work(registry, client, seeds):
    """Runs workloads until one ends early; returns all of them."""
    done = []
    for seed in seeds:
        workload = Workload(seed)
        done.append(workload)
        try:
            workload.run(client)
        except Refused:
            continue
        except NETWORK:
            if ended(registry):
                break
    return done


def ended(registry):
    """True if the process is gone; one that was just killed gets a moment to be seen so."""
    try:
        registry.process.wait(1)
        return True
    except subprocess.TimeoutExpired:
        return False


def refused_to_start(registry, workloads):
    """It ended in words before it did anything: legal when a fault strikes the start."""
    return registry.process is None or (
        registry.process.poll() == 1 and not any(workload.blobs for workload in workloads))


def verify_after_restart(registry, workloads, tenant=None):
    registry.kill9()
    registry.extra_environment = {}
    registry.start()
    client = (tenant or registry).client()
    for workload in workloads:
        workload.verify(client)
    registry.assert_fsck_clean()
    again = Workload("afterwards")
    again.run(client)
    again.verify(client)
    for workload in workloads:
        repeated = Workload(workload.seed)
        repeated.run(client)
        repeated.verify(client)


def test_points_are_found():
    assert len(POINTS) >= 15, POINTS
    assert {point for point in ELSEWHERE if "." in point} <= set(ALL_POINTS)
    for point in ALL_POINTS:
        driver = ELSEWHERE.get(point) or ELSEWHERE.get(point.split(".")[0])
        assert not driver or f'"{point}' in (ROOT / "tests" / driver).read_text(), f"{driver} lacks {point}"


@pytest.mark.parametrize("point", POINTS)
def test_kill_at(make_registry, program_with_faults, point):
    struck = False
    for hit in KILL_HITS:
        registry = start_with(make_registry, program_with_faults, f"{point}:{hit}=kill")
        workloads = []
        if registry.process is not None:
            workloads = work(registry, registry.client(), ("one", "two"))
        died = registry.process is None or ended(registry)
        struck |= died
        verify_after_restart(registry, workloads)
        registry.stop()
        if not died:
            break
    if not struck:
        pytest.skip(f"{point} is not reached by a push on this engine")


@pytest.mark.expect_errors("500", "503", "507", "STORAGE", "STORAGE_FULL", "DATABASE", "INTERNAL", "CORRUPT")
@pytest.mark.parametrize("point", POINTS)
def test_failure_at(make_registry, program_with_faults, point):
    """One failing call is one failed request: no crash, nothing half-made, and the next push works."""
    for hit, error in ERROR_HITS:
        registry = start_with(make_registry, program_with_faults, f"{point}:{hit}=errno:{error}")
        workloads = []
        if registry.process is not None:
            workloads = work(registry, registry.client(), ("one", "two"))
        if not refused_to_start(registry, workloads):
            assert registry.running(), f"crash at {point}:{hit}:\n{registry.log_text()[-3000:]}"
            registry.assert_nothing_leaked()
        verify_after_restart(registry, workloads)
        registry.stop()


@pytest.mark.expect_errors("500", "503", "507", "STORAGE", "STORAGE_FULL", "DATABASE", "INTERNAL", "CORRUPT")
@pytest.mark.parametrize("point", [point for point in POINTS if point.split(".")[0] in ("store", "file", "sql", "upload")])
def test_failure_for_ever_at(make_registry, program_with_faults, point):
    """Every hit fails: requests fail in order, and after a restart nothing is lost."""
    registry = make_registry(start=False, program=program_with_faults)
    registry.start()
    client = registry.client()
    before = Workload("before")
    before.run(client)
    registry.stop()
    registry.extra_environment = {"BERTH_FAULT": f"{point}:*=errno:{NO_SPACE}"}
    try:
        registry.start()
    except AssertionError:
        registry.process = None
    workloads = [before]
    if registry.process is not None:
        workloads += work(registry, client, ("one", "two"))
    if not refused_to_start(registry, workloads[1:]):
        assert registry.running(), f"crash at {point}:\n{registry.log_text()[-3000:]}"
    verify_after_restart(registry, workloads)


STORED = [point for point in POINTS if point.split(".")[0] in ("store", "upload")]
STRIKES = [f"{hit}=kill" for hit in (2, 9)] + [f"{hit}=errno:{error}" for hit, error in ERROR_HITS[1::2]]


@pytest.mark.expect_errors("500", "503", "507", "STORAGE", "STORAGE_FULL", "DATABASE", "INTERNAL", "CORRUPT")
@pytest.mark.parametrize("point", STORED)
def test_faults_of_an_encrypted_storage_at(make_registry, program_with_faults, point):
    """As the two above, for a tenant whose storage is encrypted."""
    registry = make_registry(program=program_with_faults)
    tenant = registry.tenant("acme", storage={"encrypted": True})
    before = Workload("before")
    before.run(tenant.client())
    for strike in STRIKES:
        registry.stop()
        registry.extra_environment = {"BERTH_FAULT": f"{point}:{strike}"}
        try:
            registry.start()
        except AssertionError:
            registry.process = None
        workloads = []
        if registry.process is not None:
            workloads = work(registry, tenant.client(), (f"one-{strike[0]}", f"two-{strike[-1]}"))
        if "errno" in strike and not refused_to_start(registry, workloads):
            assert registry.running(), f"crash at {point}:{strike}:\n{registry.log_text()[-3000:]}"
            registry.assert_nothing_leaked()
        verify_after_restart(registry, [before, *workloads], tenant)
