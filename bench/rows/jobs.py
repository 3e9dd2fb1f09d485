# SPDX-License-Identifier: Apache-2.0
"""What work in the background costs while there is none."""
import sqlite3
import time
from pathlib import Path

from harness.servers import Berth
from harness.table import OURS, Goal, Measure
from rows.pull import image

WAITING = 10_000
SETTLE_S = 5
FUTURE_US = 4 * 10**15  # nobody waits so long


def cpu_ns(server):
    """Of each of its threads, as the scheduler counts: clock ticks are too coarse for what is next to nothing."""
    tasks = Path(f"/proc/{server.process.pid}/task")
    return {task.name: int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()}


def spent(bench, server):
    """CPU in a minute in which nobody asks for anything, in milliseconds."""
    seconds = bench.size(60, 10)
    time.sleep(SETTLE_S)
    before = cpu_ns(server)
    time.sleep(seconds)
    used = sum(ns - before.get(thread, 0) for thread, ns in cpu_ns(server).items())
    return used / 1e6 * 60 / seconds


def fill(path):
    database = sqlite3.connect(path)
    database.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        " INSERT INTO job (kind, tenant_id, subject, arguments, state, due_at_us, ready_at_us, deadline_at_us, created_at_us)"
        " SELECT 'rotate_keys', i % 100, 'x' || i, '', 0, ?, 1, 0, 1 FROM n", (WAITING, FUTURE_US)
    )
    database.commit()
    database.close()


def idle_cpu(bench):
    waiting = f"Berth, {WAITING:,} jobs asleep"
    samples = {OURS: [], waiting: []}
    for _ in range(bench.rounds):
        with bench.up(Berth) as (server,):
            image(server)
            samples[OURS].append(spent(bench, server))
            server.stop()
            fill(server.database_file())
            server.start()
            samples[waiting].append(spent(bench, server))
    return [Measure("an idle server: CPU in 60 s", "ms", samples, [Goal("<=", 60)])]
